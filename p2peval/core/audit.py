"""How many samples to audit, which ones, and what that certifies (trust.md §1). Exact integers throughout.

A lie on more than δ·n outputs alters at least D = ⌊δn⌋+1 of them; s samples drawn without replacement miss
them all with probability C(n−D, s) / C(n, s). This is detection power, not a belief about the peer.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from math import ceil, log, log1p, perm

from p2peval.core.types import NANO

DRAW_DOMAIN = b"p2peval/audit-draw/v1"


def miss_ratio(n: int, altered: int, s: int) -> tuple[int, int]:
    """Chance that ``s`` of ``n`` samples hit none of ``altered``, as an exact (numerator, denominator)."""
    few, many = sorted((s, altered))  # C(n−D, s)/C(n, s) is symmetric in D and s: multiply the shorter way
    return perm(n - many, few), perm(n, few)


@lru_cache(maxsize=4096)
def sample_size(n: int, epsilon_nano: int, delta_nano: int) -> int:
    """The least s for which a lie on more than δ·n of n outputs escapes with probability at most ε.

    ``n`` ≥ 1; ε and δ in 1e-9, above 0 and below 1. The result is between 1 and n.
    """
    altered = delta_nano * n // NANO + 1
    if altered >= n:
        return 1
    with_replacement = ceil(log(epsilon_nano / NANO) / log1p(-altered / n)) + 1  # always enough
    low, high = 1, max(1, min(n - altered + 1, with_replacement))
    while low < high:
        middle = (low + high) // 2
        missed, all_draws = miss_ratio(n, altered, middle)
        if missed * NANO > epsilon_nano * all_draws:
            low = middle + 1
        else:
            high = middle
    return low


def look_epsilon(epsilon_nano: int, look: int) -> int:
    """ε of the ``look``-th audit of one task: the first gets ε, look j ≥ 2 gets ε·6/(π²j²), at least 1e-9.

    A task whose first audit caught a liar asks on; what all looks together have spent is
    ``spent_epsilon``, and that is what its certificate states.
    """
    if look == 1:
        return epsilon_nano
    return max(1, epsilon_nano * 6 * 10**12 // (PI_SQUARED_E12 * look * look))


PI_SQUARED_E12 = 9_869_604_401_089
"""π² · 10¹², an integer, so that every machine computes the same ε."""


def spent_epsilon(epsilon_nano: int, looks: int) -> int:
    """What ``looks`` audits of one task have spent together (union bound)."""
    return sum(look_epsilon(epsilon_nano, look) for look in range(1, looks + 1))


def draw(nonce: bytes, task: str, root: bytes, n: int, s: int) -> list[int]:
    """``s`` distinct indices below ``n``, sorted: a sparse Fisher–Yates shuffle on a SHA-256 stream.

    Nobody can know them before the nonce is opened, and everybody gets the same ones after.
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
