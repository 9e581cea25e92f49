"""How far a lie can have moved a metric that is a count, or a mean of one term per sample (trust.md §1).

A bound holds every value that the true metric can have if at most B outputs were altered and every other passed
its comparison, that is, lies within the tolerance of the truth (evaluation.md, Ambiguity). Each function here takes
(outputs, labels, limits, tolerance) and gives a Spread, B -> bounds, or None where no bound exists. With B = 0 it
says what near-ties inside the tolerance leave open. A bound, not an estimate. A true metric that is undefined (its
model says NaN in a row) is outside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from p2peval.core.outputs import slack
from p2peval.core.parts import Range, Tolerance
from p2peval.core.types import from_nano
from p2peval.defaults import LOG_LOSS_CLIP, PROBABILITY_SLACK
from p2peval.evaluation import metrics
from p2peval.evaluation.metrics import Array, Floats

Bounds = tuple[float, float]
Spread = Callable[[int], Bounds]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Terms:
    """One number per sample, whose mean is the metric (for RMSE: its square); N elements each.

    ``low`` ≤ ``high``: how far tolerance can move it. ``least`` ≤ ``most``: how far a lie can.
    """

    low: Floats
    high: Floats
    least: Floats
    most: Floats

    def mean(self, altered: int) -> Bounds:
        """Least and most that the mean can be with ``altered`` samples replaced: those where it moves most."""
        low, high = self.sum(altered)
        return low / len(self.low), high / len(self.low)

    def sum(self, altered: int) -> Bounds:
        down = top(np.maximum(self.low - self.least, 0.0), altered)
        up = top(np.maximum(self.most - self.high, 0.0), altered)
        return float(self.low.sum()) - down, float(self.high.sum()) + up


def top(gains: Floats, count: int) -> float:
    """Sum of the ``count`` largest."""
    if count <= 0:
        return 0.0
    if count >= len(gains):
        return float(gains.sum())
    return float(np.partition(gains, len(gains) - count)[-count:].sum())


# ── counts ────────────────────────────────────────────────────────────────────────────────────────


def possible(outputs: Array, tolerance: Tolerance) -> Bools:
    """Which classes each row may truly predict, N × C: its claim may be off by the tolerance in each element.

    Class c can win when its highest reaches the lowest of every later class and beats that of every earlier
    one (ties go to the lowest index). More than one class is a near-tie; none is a row with a NaN.
    """
    spread = slack(outputs, tolerance)
    values = outputs.astype(np.float64)
    low, high = values - spread, values + spread
    before = np.maximum.accumulate(low, axis=1)
    after = np.maximum.accumulate(low[:, ::-1], axis=1)[:, ::-1]
    wins: Bools = (high >= after) & ~np.isnan(values).any(axis=1, keepdims=True)
    wins[:, 1:] &= high[:, 1:] > before[:, :-1]
    return wins


def hits(outputs: Array, labels: Array, tolerance: Tolerance) -> tuple[Bools, Bools]:
    """Which rows are right for sure, and which may be; N each."""
    sure, may = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    for rows in metrics.blocks(outputs):
        wins, own = possible(outputs[rows], tolerance), labels[rows]
        may[rows] = wins[np.arange(len(own)), own]
        sure[rows] = may[rows] & (wins.sum(axis=1) == 1)
    return sure, may


def accuracy(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    return _weighted(outputs, labels, tolerance, np.full(len(labels), 1.0)).mean


def balanced_accuracy(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    """A lie is worst about the rarest classes, whose samples weigh most."""
    terms = _weighted(outputs, labels, tolerance, metrics.hit_weights(labels))
    return lambda altered: _within(terms.sum(altered), 0.0, 1.0)


def _weighted(outputs: Array, labels: Array, tolerance: Tolerance, weights: Floats) -> Terms:
    sure, may = hits(outputs, labels, tolerance)
    return Terms(weights * sure, weights * may, np.zeros(len(labels)), weights)


# ── losses ────────────────────────────────────────────────────────────────────────────────────────


def brier(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    low, high = np.empty(len(labels)), np.empty(len(labels))
    for rows in metrics.blocks(outputs):
        miss, spread = metrics.misses(outputs[rows], labels[rows]), slack(outputs[rows], tolerance)
        low[rows] = np.square(np.maximum(miss - spread, 0.0)).sum(axis=1)
        high[rows] = np.square(np.minimum(miss + spread, 1.0)).sum(axis=1)
    worst = 2.0 + PROBABILITY_SLACK**2  # certain of a wrong class, and of what rounding leaves in another
    return Terms(low, high, np.zeros(len(labels)), np.full(len(labels), worst)).mean


def log_loss(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    """A lie hides a loss of up to −ln LOG_LOSS_CLIP, or makes one up."""
    own = outputs[np.arange(len(labels)), labels][:, None]
    spread, value = slack(own, tolerance)[:, 0], own[:, 0].astype(np.float64)
    low, high = metrics.losses_of(value + spread), metrics.losses_of(value - spread)
    return Terms(low, high, np.zeros(len(labels)), np.full(len(labels), -np.log(LOG_LOSS_CLIP))).mean


# ── regression: a bound needs the declared range, to which outputs are clipped ────────────────────


def mae(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread | None:
    return None if limits is None else _error_terms(outputs, labels, limits, tolerance).mean


def rmse(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread | None:
    if limits is None:
        return None
    squares = _square_terms(outputs, labels, limits, tolerance)

    def spread(altered: int) -> Bounds:
        low, high = squares.mean(altered)
        return max(low, 0.0) ** 0.5, high**0.5

    return spread


def r2(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread | None:
    """The labels, and with them the denominator, are the benchmark's: no output can change it."""
    if limits is None:
        return None
    squares, variation = _square_terms(outputs, labels, limits, tolerance), metrics.spread_of(labels)

    def spread(altered: int) -> Bounds:
        low, high = squares.sum(altered)
        return 1.0 - high / variation, 1.0 - max(low, 0.0) / variation

    return spread


def _square_terms(outputs: Array, labels: Array, limits: Range, tolerance: Tolerance) -> Terms:
    terms = _error_terms(outputs, labels, limits, tolerance)
    return Terms(terms.low**2, terms.high**2, terms.least**2, terms.most**2)


def _error_terms(outputs: Array, labels: Array, limits: Range, tolerance: Tolerance) -> Terms:
    values = metrics.column(outputs)
    spread = slack(values[:, None], tolerance)[:, 0]
    low, high = metrics.clipped(values - spread, limits), metrics.clipped(values + spread, limits)
    bottom, top_ = (np.full(len(labels), from_nano(end)) for end in (limits.low_nano, limits.high_nano))
    return Terms(*_distances(low, high, labels), *_distances(bottom, top_, labels))


def _distances(low: Floats, high: Floats, labels: Array) -> tuple[Floats, Floats]:
    """Least and most |x − label| for x in [low, high]; the label may lie outside."""
    return np.maximum(np.maximum(low - labels, labels - high), 0.0), np.maximum(high - labels, labels - low)


def _within(bounds: Bounds, least: float, most: float) -> Bounds:
    return max(least, bounds[0]), min(most, bounds[1])
