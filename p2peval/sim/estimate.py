"""A mean over seeds and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """``low`` … ``high``: 95 % interval of the mean; all three are the same where there is but one seed."""

    mean: float
    low: float
    high: float
    seeds: int


def estimate(values: Sequence[float]) -> Estimate:
    """Student's t interval (Student 1908) over independent seeds. Raises ValueError without values."""
    if not values:
        raise ValueError("no values to take a mean of")
    mean, n = fmean(values), len(values)
    if n == 1:
        return Estimate(mean, mean, mean, 1)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * stdev(values) / sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)
