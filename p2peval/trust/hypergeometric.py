"""What looking at some of the samples shows, exactly: how many to look at, and what escapes (trust.md §1, §4).

A lie alters D of n outputs; s samples drawn without replacement miss them all with probability
C(n−D, s) / C(n, s). This is detection power, not a belief about the peer. Whatever is signed or compared comes from
integers; a float only ever says where not to look.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, comb, log, log1p, perm

import numpy as np

NANO = 10**9
"""ε and Δ are told in 1e-9."""

PI_SQUARED_E12 = 9_869_604_401_089
"""π² · 10¹², an integer, so that every machine computes the same ε."""

_LOG_ERROR = 1e-9
"""More than rounding makes of the sum of 10⁵ logarithms of ratios: 1e-16 each, 1e-11 in all."""


@lru_cache(maxsize=4096)
def sample_size(n: int, epsilon_nano: int, delta_nano: int) -> int:
    """The least s for which a lie on more than δ·n of n outputs escapes with probability at most ε.

    ``n`` from 1 to 10⁸; ε and δ in 1e-9, above 0 and below 1. The result is exact, between 1 and n.
    """
    return least_samples(n, min(delta_nano * n // NANO + 1, n), epsilon_nano, NANO)


@lru_cache(maxsize=1 << 15)
def least_samples(n: int, altered: int, share: int, of: int) -> int:
    """The least s ≥ 1 for which ``altered`` of ``n`` outputs, at least 1, all escape with probability ≤ share / of.

    ``share`` / ``of`` is above 0 and below 1.
    """
    if altered >= n:
        return 1
    with_replacement = ceil(log(share / of) / log1p(-altered / n)) + 1  # always enough
    low, high = 1, max(1, min(n - altered + 1, with_replacement))
    while low < high:
        middle = (low + high) // 2
        if _misses_enough(n, altered, middle, share, of):
            high = middle
        else:
            low = middle + 1
    return low


def miss_probability(n: int, altered: int, s: int) -> float:
    """Chance that ``s`` of ``n`` samples hit none of the ``altered``, correctly rounded; all within 0 to ``n``."""
    missed, draws = miss_ratio(n, altered, s)
    return missed / draws


def missed_nano(n: int, altered: int, s: int) -> int:
    """``miss_probability`` in 1e-9, rounded up; exact, and cheap whatever a stranger's numbers are (0 to ``n``)."""
    few, many = sorted((s, altered))
    if few + many > n:
        return 0
    if few * many > 21 * n:  # (1 − many/n)^few < e^−21 < 1e-9
        return 1
    missed, draws = miss_ratio(n, altered, s)
    return -(-missed * NANO // draws)


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


def _misses_enough(n: int, altered: int, s: int, share: int, of: int) -> bool:
    """Whether the chance to miss is at most share / of: by logarithms where they can tell, else by integers."""
    few, many = sorted((s, altered))
    if few + many > n:
        return True  # no room to miss
    left = n - np.arange(few)
    excess = float(np.log((left - many) / left).sum()) - log(share / of)
    if abs(excess) > _LOG_ERROR:
        return excess < 0
    ways, draws = miss_ratio(n, altered, s)
    return ways * of <= share * draws


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
