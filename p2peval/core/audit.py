"""How many samples to audit, which ones, and what that certifies (trust.md §1).

A lie on more than δ·n outputs alters at least D = ⌊δn⌋+1 of them; s samples drawn without replacement miss
them all with probability C(n−D, s) / C(n, s). This is detection power, not a belief about the peer. Whatever
is signed or compared comes from integers; a float only ever says where not to look.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from math import ceil, comb, log, log1p, perm

import numpy as np

from p2peval.core.types import NANO

DRAW_DOMAIN = b"p2peval/audit-draw/v1"

PI_SQUARED_E12 = 9_869_604_401_089
"""π² · 10¹², an integer, so that every machine computes the same ε."""

_LOG_ERROR = 1e-9
"""More than rounding makes of the sum of 10⁵ logarithms of ratios: 1e-16 each, 1e-11 in all."""


# ── how many ──────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)
def sample_size(n: int, epsilon_nano: int, delta_nano: int) -> int:
    """The least s for which a lie on more than δ·n of n outputs escapes with probability at most ε.

    ``n`` from 1 to 10⁸; ε and δ in 1e-9, above 0 and below 1. The result is exact, between 1 and n.
    """
    altered = delta_nano * n // NANO + 1
    if altered >= n:
        return 1
    with_replacement = ceil(log(epsilon_nano / NANO) / log1p(-altered / n)) + 1  # always enough
    low, high = 1, max(1, min(n - altered + 1, with_replacement))
    while low < high:
        middle = (low + high) // 2
        if _misses_enough(n, altered, middle, epsilon_nano):
            high = middle
        else:
            low = middle + 1
    return low


def miss_probability(n: int, altered: int, s: int) -> float:
    """Chance that ``s`` of ``n`` samples hit none of the ``altered``, correctly rounded; all within 0 to ``n``."""
    missed, draws = miss_ratio(n, altered, s)
    return missed / draws


def bad_bound(n: int, s: int, bad: int, epsilon_nano: int) -> int:
    """Most samples that may be bad among ``n`` when an audit of ``s`` found ``bad``, at confidence 1−ε.

    Exact, one-sided, finite population (Clopper & Pearson 1934, with the hypergeometric): the largest D
    under which so few would be found with probability above ε. ``bad`` ≤ ``s`` ≤ ``n``.
    """
    draws = comb(n, s)
    low, high = bad, n - s + bad
    while low < high:
        middle = (low + high + 1) // 2
        if _draws_finding(n, middle, s, bad) * NANO > epsilon_nano * draws:
            low = middle
        else:
            high = middle - 1
    return low


def look_epsilon(epsilon_nano: int, look: int) -> int:
    """ε of the ``look``-th audit of one task: the first gets ε, look j ≥ 2 gets ε·6/(π²j²), at least 1e-9.

    A task whose first audit caught a liar asks on; what all looks together have spent is
    ``spent_epsilon``, and that is what its certificate states.
    """
    if look == 1:
        return epsilon_nano
    return max(1, epsilon_nano * 6 * 10**12 // (PI_SQUARED_E12 * look * look))


def spent_epsilon(epsilon_nano: int, looks: int) -> int:
    """What ``looks`` audits of one task have spent together (union bound)."""
    return sum(look_epsilon(epsilon_nano, look) for look in range(1, looks + 1))


def _misses_enough(n: int, altered: int, s: int, epsilon_nano: int) -> bool:
    """Whether the chance to miss is at most ε: by logarithms where they can tell, else by integers of a megabit."""
    few, many = sorted((s, altered))
    if few + many > n:
        return True  # no room to miss
    left = n - np.arange(few)
    excess = float(np.log((left - many) / left).sum()) - log(epsilon_nano / NANO)
    if abs(excess) > _LOG_ERROR:
        return excess < 0
    ways, draws = miss_ratio(n, altered, s)
    return ways * NANO <= epsilon_nano * draws


def miss_ratio(n: int, altered: int, s: int) -> tuple[int, int]:
    """C(n−D, s) / C(n, s) as (numerator, denominator)."""
    few, many = sorted((s, altered))  # symmetric in D and s: multiply the shorter way
    return perm(n - many, few), perm(n, few)


def _draws_finding(n: int, bad: int, s: int, most: int) -> int:
    """How many of the C(n, s) draws hold at most ``most`` of the ``bad`` samples."""
    found = max(0, s - (n - bad))
    ways = comb(bad, found) * comb(n - bad, s - found)
    total = 0
    while found <= min(most, bad, s):
        total += ways
        ways = ways * (bad - found) * (s - found) // ((found + 1) * (n - bad - s + found + 1))
        found += 1
    return total


# ── which ones ────────────────────────────────────────────────────────────────────────────────────


def draw(nonce: bytes, task: str, root: bytes, n: int, s: int) -> list[int]:
    """``s`` distinct indices below ``n``, sorted: a sparse Fisher–Yates shuffle on a SHA-256 stream.

    Nobody can know them before the nonce is opened, and everybody gets the same ones after. All n for s > n.
    Seed = SHA-256(domain, nonce, task, root; all but the domain behind their 4-byte length); block k =
    SHA-256(seed ‖ k), k in 8 bytes; a block is four words; all big-endian. Step i takes the next word below the
    largest multiple of n−i that fits 64 bits, modulo n−i, and swaps that place behind i into place i.
    """
    stream = _Stream(nonce, task, root)
    moved: dict[int, int] = {}
    chosen: list[int] = []
    for i in range(min(s, n)):
        j = i + stream.below(n - i)
        chosen.append(moved.get(j, j))
        moved[j] = moved.get(i, i)
    return sorted(chosen)


class _Stream:
    """Uniform integers from SHA-256 in counter mode, 8 bytes each, by rejection: no modulo bias."""

    def __init__(self, nonce: bytes, task: str, root: bytes) -> None:
        name = task.encode()
        self._seed = sha256(
            DRAW_DOMAIN
            + len(nonce).to_bytes(4, "big")
            + nonce
            + len(name).to_bytes(4, "big")
            + name
            + len(root).to_bytes(4, "big")
            + root
        ).digest()
        self._counter = 0
        self._words: list[int] = []

    def below(self, bound: int) -> int:
        limit = (1 << 64) // bound * bound
        while True:
            word = self._word()
            if word < limit:
                return word % bound

    def _word(self) -> int:
        if not self._words:
            block = sha256(self._seed + self._counter.to_bytes(8, "big")).digest()
            self._words = [int.from_bytes(block[k : k + 8], "big") for k in (24, 16, 8, 0)]
            self._counter += 1
        return self._words.pop()
