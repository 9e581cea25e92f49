"""Which samples to audit where some can move the metric more than others: draw them by what they can (trust.md §4).

Let b_i be the most that altering sample i can move the metric, in any state of the others, and S = Σ b_i. Altering one
sample after the other, a lie on the set L moves the metric by at most B(L) = Σ_L b_i; so a lie that moves it by Δ has
B(L) ≥ Δ, and every such L must be found.

*Successive draws.* Draw m samples one by one without replacement, each time ∝ b among those that are left. Let the
draws so far have missed L, and R be the weight of what they took away. The next one hits L with probability
B(L) / (S − R), since nothing of L is gone. So L escapes with probability at most

    Π_{j<m} (1 − Δ / (S − R_j)),      R_j = the j smallest b_i together,

for whatever took j places away weighs at least R_j. For equal b_i that *is* C(n−d, m) / C(n, m), d = Δn/S: nothing is
lost. ``draws_for`` gives the least m for which it is small enough. Without R_j the bound is (1 − Δ/S)^m, as if samples
were put back: all that can be said where only S is known (``draws_knowing_sum``).

*Is it s·S samples, then?* Nearly: it is what trust.md §4 derived, and it holds for thousands of samples because R_j
helps; but (1 − Δ/S)^S > 1 − Δ for S > 1, so with 10⁶ samples s·S misses more than it may, by 2 %. Hence the exact m.

*Other schemes.* Systematic sampling ∝ b in an order that is known is refuted: whoever alters samples a step apart is
missed with probability 1 − 1/step. Rejective sampling (Poisson, on condition that m are drawn) has negatively dependent
inclusions (Borcea, Brändén, Liggett 2009), so Π_L (1 − π_i) bounds what escapes it too; it needs inclusion
probabilities that no integer arithmetic gives, and is no better where b_i are equal.

*What b_i are.* In the order below; all are tested against the metrics themselves.

- a mean of a figure in 0 … 1 (accuracy; Brier/2; log-loss and MAE clipped to a range, in units of it): 1/n, S = 1.
- balanced accuracy, K classes that occur: 1/(K·n_c), S = 1. Drawing uniformly misses a lie in a rare class.
- AUROC: 1/n₊ or 1/n₋, the share of pairs that the sample is in; S = 2. Gap between the means of groups: 1/n_g, S = the
  number of groups (the largest mean moves up, the smallest down, by no more than their own members).
- macro-F1: 1/(K·n_c) is *refuted*: a wrong guess takes from a class in which the sample is not. F1_c = 2·hits /
  (n_c + guesses): a sample of its own moves it by at most 2/(n_c+1), one more guess by another's by 1/(2n_c+1); when
  both happen in one alteration they are in two classes, so b_i = (2/(n_c+1) + 1/(2n_q+1)) / K, q the smallest other
  class. S is 2.5 for ten equal classes, and so large with a rare class that all samples are audited.
- RMSE is *refuted* for any b_i that falls with n: from 0, d samples move it by R·√(d/n). It goes through the MSE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, log, log1p

import numpy as np
from numpy.typing import NDArray

from p2peval.trust.hash_stream import HashStream
from p2peval.trust.hypergeometric import NANO

WEIGHTED_DOMAIN = b"p2peval/weighted-draw/v1"

SCALE = 1 << 40
"""Weight of a sample that alone moves the metric by 1."""

_LOG_ERROR = 1e-9
"""More than rounding makes of a sum of 10⁵ logarithms."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """``samples`` of equal ``weight``: b_i · SCALE, rounded up, which keeps every bound."""

    weight: int
    samples: int


Strata = tuple[Stratum, ...]


def strata_of(influence: Sequence[tuple[Fraction, int]]) -> Strata:
    """Strata from pairs (b_i, how many samples have it). Raises ValueError where Σ b_i is 2²³ or more."""
    strata = tuple(Stratum(ceil(b * SCALE), samples) for b, samples in influence)
    if total(strata) >= 1 << 63:
        raise ValueError("b_i add up to 2²³ or more: their scale is wrong")
    return strata


def balanced_accuracy_strata(classes: Sequence[int]) -> Strata:
    """By class; ``classes``: samples of each class that occurs, all ≥ 1."""
    return strata_of([(Fraction(1, len(classes) * samples), samples) for samples in classes])


def gap_strata(groups: Sequence[int]) -> Strata:
    """By group, or by class for the AUROC: (positives, negatives); all ≥ 1."""
    return strata_of([(Fraction(1, samples), samples) for samples in groups])


def macro_f1_strata(classes: Sequence[int]) -> Strata:
    """By class; two or more classes that occur, all ≥ 1."""
    influence = []
    for c, samples in enumerate(classes):
        other = min(n for q, n in enumerate(classes) if q != c)
        influence.append(((Fraction(2, samples + 1) + Fraction(1, 2 * other + 1)) / len(classes), samples))
    return strata_of(influence)


# ── how many ──────────────────────────────────────────────────────────────────────────────────────


def total(strata: Strata) -> int:
    """S · SCALE."""
    return sum(stratum.weight * stratum.samples for stratum in strata)


@lru_cache(maxsize=4096)
def draws_for(strata: Strata, delta_nano: int, share: int, of: int) -> int:
    """The least m for which the bound above is at most share / of, for a lie that moves the metric by Δ or more.

    Exact, from 1 to the number of samples. Δ in 1e-9, above 0; ``share`` / ``of`` above 0 and below 1.
    """
    lie, samples = _lie(delta_nano), sum(stratum.samples for stratum in strata)
    if lie >= total(strata):
        return 1
    most = min(samples, ceil(log(share / of) / log1p(-lie / total(strata))) + 1)  # as if put back: always enough
    left = _left(strata, most)
    room = int(np.searchsorted(-left, -float(lie)))  # draws after which a lie no longer fits into what is left
    escapes = np.cumsum(np.log1p(-lie / left[:room])) - log(share / of)
    m = int(np.searchsorted(-escapes, -_LOG_ERROR)) + 1
    while m <= room and not _small_enough(strata, lie, m, share, of):
        m += 1
    return min(m, samples)


@lru_cache(maxsize=4096)
def draws_knowing_sum(spread: float, delta_nano: int, share: int, of: int) -> int:
    """The least m with (1 − Δ/S)^m ≤ share / of, S = ``spread``: enough for any b_i that add up to S. Exact."""
    hit = Fraction(delta_nano, NANO) / Fraction(spread)
    if hit >= 1:
        return 1
    m = max(1, ceil((log(share / of) - _LOG_ERROR) / log1p(-float(hit))) - 1)
    while (hit.denominator - hit.numerator) ** m * of > share * hit.denominator**m:
        m += 1
    return m


def escapes_at_most(strata: Strata, delta_nano: int, m: int) -> Fraction:
    """The bound above, exactly; 0 where so many draws leave no room for the lie."""
    lie, bound = _lie(delta_nano), Fraction(1)
    for weight in _left_exactly(strata, m):
        if weight <= lie:
            return Fraction(0)
        bound *= Fraction(weight - lie, weight)
    return bound


def _lie(delta_nano: int) -> int:
    """The least weight of a lie."""
    return -(-delta_nano * SCALE // NANO)


def _small_enough(strata: Strata, lie: int, m: int, share: int, of: int) -> bool:
    misses, draws = 1, 1
    for weight in _left_exactly(strata, m):
        misses, draws = misses * max(0, weight - lie), draws * weight
    return misses * of <= share * draws


def _left_exactly(strata: Strata, m: int) -> list[int]:
    """What is left at least to draw from, before each of ``m`` draws: S − R_j, times SCALE."""
    left: list[int] = []
    at = total(strata)
    for stratum in sorted(strata, key=lambda s: s.weight):
        take = min(stratum.samples, m - len(left))
        left += [at - stratum.weight * j for j in range(take)]
        at -= stratum.weight * take
    return left


def _left(strata: Strata, m: int) -> NDArray[np.float64]:
    """The same in floats, which only say where the exact search begins."""
    parts, at, missing = [], float(total(strata)), m
    for stratum in sorted(strata, key=lambda s: s.weight):
        take = min(stratum.samples, missing)
        parts.append(at - float(stratum.weight) * np.arange(take))
        at, missing = at - float(stratum.weight) * take, missing - take
    return np.concatenate(parts)


# ── which ones ────────────────────────────────────────────────────────────────────────────────────


def draw_weighted(nonce: bytes, task: str, root: bytes, strata: Strata, m: int) -> list[list[int]]:
    """``m`` successive draws: for each stratum the places drawn in it, sorted. All places for m ≥ their number.

    As ``core.audit.draw``, with a domain of its own: one number below the weight that is left says both the stratum, in
    order, and the place among those left in it; the last place left moves into the one that was taken.
    """
    stream = HashStream(WEIGHTED_DOMAIN, nonce, task, root)
    left = [stratum.samples for stratum in strata]
    moved: list[dict[int, int]] = [{} for _ in strata]
    chosen: list[list[int]] = [[] for _ in strata]
    for _ in range(min(m, sum(left))):
        at = stream.below(sum(stratum.weight * n for stratum, n in zip(strata, left, strict=True)))
        g = 0
        while at >= strata[g].weight * left[g]:
            at -= strata[g].weight * left[g]
            g += 1
        place, left[g] = at // strata[g].weight, left[g] - 1
        chosen[g].append(moved[g].get(place, place))
        moved[g][place] = moved[g].get(left[g], left[g])
    return [sorted(places) for places in chosen]
