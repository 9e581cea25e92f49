"""How many blind auditors, with how many samples each, for a requester that cannot compute (trust.md §4).

m auditors, drawn by weight, each re-run r samples of the requester's secret drawing without seeing what is claimed. A
share h of that weight is counted on as honest; a dishonest auditor never objects. One honest objection suffices, so a
lie escapes with probability at most (1 − h + h·miss(r))^m, miss(r) = C(n−d, r) / C(n, r), and that must be no more
than the audit rule allows its author.

The fewest auditors. However much each looks at, (1−h)^m remains: at h = .65 and ε = .005 a newcomer needs six of them.
It gets ten (``AUDITORS_LEAST``), since h is a hope: with ten, h may be .41 before a full look by all fails its bound.
A streak that allows more to escape needs fewer for the same slack: m(k) = ⌈10 · ln(1+1/x_k) / ln(1+1/x_0)⌉.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, log, log1p

from p2peval.defaults import AUDITOR_OVERHEAD, AUDITOR_SAMPLES, AUDITORS_LEAST
from p2peval.trust.hypergeometric import NANO, miss_ratio

Ratio = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Panel:
    """``auditors`` m with ``samples`` r each; ``miss``: what a lie on d outputs escapes them with at most."""

    auditors: int
    samples: int
    miss: float


def auditors_least(newcomer: Ratio, allowed: Ratio) -> int:
    """m(k), from what may escape of a newcomer and of this identity, each as (numerator, denominator)."""
    return max(1, ceil(AUDITORS_LEAST * log(allowed[0] / allowed[1]) / log(newcomer[0] / newcomer[1]) - 1e-9))


@lru_cache(maxsize=4096)
def least_panel(
    n: int,
    altered: int,
    newcomer: Ratio,
    allowed: Ratio,
    honest_nano: int,
    most: int,
    lie_share: Fraction | None = None,
    each: int = AUDITOR_SAMPLES,
) -> Panel | None:
    """The cheapest m and r that satisfy the bound exactly: least m·(r + AUDITOR_OVERHEAD), then the fewest auditors.

    At most ``most`` auditors, at least m(k) of them unless fewer are there, and r ≤ ``each``, which one request can
    name. None where so few cannot do it. ``honest_nano``: h in 1e-9, above 0 and up to 1. ``lie_share``: for samples
    that are drawn by weight (``weighted_draw``), the least share of the weight that a lie has, below 1.
    """
    floor = min(auditors_least(newcomer, allowed), most)
    best: tuple[int, int, int] | None = None
    for r in range(1, min(each, n) + 1):
        one = _escapes_one(_miss(n, altered, r, lie_share), honest_nano)
        m = max(floor, _fewest(one, allowed))
        if m <= most:
            best = min(best or (m * (r + AUDITOR_OVERHEAD), m, r), (m * (r + AUDITOR_OVERHEAD), m, r))
    if best is None:
        return None
    _, m, r = best
    one = _escapes_one(_miss(n, altered, r, lie_share), honest_nano)
    return Panel(m, r, (one[0] / one[1]) ** m)


def _miss(n: int, altered: int, r: int, lie_share: Fraction | None) -> Ratio:
    if lie_share is not None:
        return (lie_share.denominator - lie_share.numerator) ** r, lie_share.denominator**r
    return miss_ratio(n, altered, r) if altered + r <= n else (0, 1)


def _escapes_one(miss: Ratio, honest_nano: int) -> Ratio:
    """1 − h + h·miss, exactly."""
    missed, draws = miss
    return (NANO - honest_nano) * draws + honest_nano * missed, NANO * draws


def _fewest(one: Ratio, allowed: Ratio) -> int:
    """The least m with one^m ≤ allowed, both below 1: by logarithms, then by integers where they cannot tell."""
    if not one[0]:
        return 1  # an honest auditor sees all there is
    m = max(1, ceil(log(allowed[0] / allowed[1]) / log1p(-(one[1] - one[0]) / one[1]) - 1e-6))
    while one[0] ** m * allowed[1] > allowed[0] * one[1] ** m:
        m += 1
    return m
