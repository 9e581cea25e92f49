"""Two intervals around a metric, never mixed (evaluation.md, Metrics).

``audit`` holds every value the true metric can have if at most B = ⌊δN⌋ outputs were altered and every
other passed its comparison, that is, lies within the tolerance of the truth (trust.md §1; evaluation.md,
Ambiguity). A bound, not an estimate. ``sampling`` says how far the dataset speaks for its population.

Accuracy is a count. Brier, MAE and RMSE are means of one term per sample, which tolerance moves within
[low, high] and a lie within [least, most]; the worst case moves the B samples where a lie adds most.
Macro-F1 is neither: see ``_most``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from p2peval.core.messages import Range, Tolerance
from p2peval.core.outputs import slack
from p2peval.core.types import from_nano
from p2peval.defaults import BOOTSTRAP_RESAMPLES, PROBABILITY_SLACK, SAMPLING_LEVEL
from p2peval.errors import LocalProtocolError
from p2peval.evaluation import metrics
from p2peval.evaluation.metrics import Array, Floats

Bounds = tuple[float, float]
Bools = NDArray[np.bool_]

BOOTSTRAP_MOST = 50_000
"""Samples from which a mean's bootstrap is replaced by its normal limit: there it costs 0.3 s (measured)."""

BOOTSTRAP_CHUNK = 1 << 20
"""Draws held in memory at once."""

DUAL_STEPS = 30
"""Golden-section steps for each price; the bound holds after any number of them."""

LEAST_PRICE, MOST_PRICE = 1e-12, 4.0
"""F1 lost or won by one row: from nothing (n beyond 10⁹) to more than all."""

GOLDEN = (5.0**0.5 - 1.0) / 2.0


# ── audit ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Terms:
    """One number per sample, whose mean is the metric (for RMSE: its square); N elements each.

    ``low`` ≤ ``high``: how far tolerance can move it. ``least`` ≤ ``most``: how far a lie can.
    """

    low: Floats
    high: Floats
    least: Floats
    most: Floats

    def bounds(self, altered: int) -> Bounds:
        """Least and most that the mean can be with ``altered`` samples replaced."""
        down = _top(np.maximum(self.low - self.least, 0.0), altered)
        up = _top(np.maximum(self.most - self.high, 0.0), altered)
        return (self.low.sum() - down) / len(self.low), (self.high.sum() + up) / len(self.low)


def audit(
    name: str, outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance, altered: int
) -> Bounds | None:
    """Bounds of the true metric if at most ``altered`` rows differ from the truth by more than ``tolerance``.

    Given the claimed outputs, for which the metric is defined. A true metric that is undefined (its model
    says NaN in a row) is outside this bound. None where no bound exists: regression without declared limits.
    """
    match name:
        case "accuracy":
            return _accuracy_bounds(outputs, labels, tolerance, altered)
        case "macro_f1":
            return _macro_f1_bounds(outputs, labels, tolerance, altered)
        case "brier":
            return _brier_terms(outputs, labels, tolerance).bounds(altered)
        case "mae" | "rmse" if limits is not None:
            terms = _error_terms(outputs, labels, limits, tolerance)
            if name == "mae":
                return terms.bounds(altered)
            squares = Terms(terms.low**2, terms.high**2, terms.least**2, terms.most**2)
            low, high = squares.bounds(altered)
            return max(low, 0.0) ** 0.5, high**0.5
    return None


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


@dataclass(frozen=True, slots=True)
class Standing:
    """Per class: its support, and its hits and false alarms at the least (``sure``) and at the most (``may``).

    A hit is sure, as is a false alarm, where a row can truly predict nothing else.
    """

    support: Floats
    sure_hits: Floats
    sure_alarms: Floats
    may_hits: Floats
    may_alarms: Floats


def _standing(outputs: Array, labels: Array, tolerance: Tolerance) -> Standing:
    width = outputs.shape[1]
    sure_hits, sure, may_hits, may = (np.zeros(width) for _ in range(4))
    for rows in metrics.blocks(outputs):
        wins, own = possible(outputs[rows], tolerance), labels[rows]
        hit, alone = wins[np.arange(len(own)), own], wins.sum(axis=1) == 1
        sure_hits += np.bincount(own[hit & alone], minlength=width)
        may_hits += np.bincount(own[hit], minlength=width)
        sure += wins[alone].sum(axis=0)
        may += wins.sum(axis=0)
    support = np.bincount(labels, minlength=width).astype(np.float64)
    return Standing(support, sure_hits, sure - sure_hits, may_hits, may - may_hits)


def _accuracy_bounds(outputs: Array, labels: Array, tolerance: Tolerance, altered: int) -> Bounds:
    standing, n = _standing(outputs, labels, tolerance), len(labels)
    low, high = float(standing.sure_hits.sum()) - altered, float(standing.may_hits.sum()) + altered
    return max(0.0, low) / n, min(n, high) / n


def _brier_terms(outputs: Array, labels: Array, tolerance: Tolerance) -> Terms:
    low, high = np.empty(len(labels)), np.empty(len(labels))
    for rows in metrics.blocks(outputs):
        miss, spread = metrics.misses(outputs[rows], labels[rows]), slack(outputs[rows], tolerance)
        low[rows] = np.square(np.maximum(miss - spread, 0.0)).sum(axis=1)
        high[rows] = np.square(np.minimum(miss + spread, 1.0)).sum(axis=1)
    worst = 2.0 + PROBABILITY_SLACK**2  # certain of a wrong class, and of what rounding leaves in another
    return Terms(low, high, np.zeros(len(labels)), np.full(len(labels), worst))


def _error_terms(outputs: Array, labels: Array, limits: Range, tolerance: Tolerance) -> Terms:
    values = metrics.column(outputs)
    spread = slack(values[:, None], tolerance)[:, 0]
    low, high = metrics.clipped(values - spread, limits), metrics.clipped(values + spread, limits)
    bottom, top = (np.full(len(labels), from_nano(end)) for end in (limits.low_nano, limits.high_nano))
    return Terms(*_distances(low, high, labels), *_distances(bottom, top, labels))


def _distances(low: Floats, high: Floats, labels: Array) -> tuple[Floats, Floats]:
    """Least and most |x − label| for x in [low, high]; the label may lie outside."""
    return np.maximum(np.maximum(low - labels, labels - high), 0.0), np.maximum(high - labels, labels - low)


def _top(gains: Floats, count: int) -> float:
    """Sum of the ``count`` largest."""
    if count <= 0:
        return 0.0
    if count >= len(gains):
        return float(gains.sum())
    return float(np.partition(gains, len(gains) - count)[-count:].sum())


# ── audit of macro-F1 ─────────────────────────────────────────────────────────────────────────────


def _macro_f1_bounds(outputs: Array, labels: Array, tolerance: Tolerance, altered: int) -> Bounds:
    """Near-ties first, which every class sees at its best (worst); then at most ``altered`` lies.

    F1 of a class falls with each hit lost and each false alarm, in any context. So its most takes every hit
    that is possible and only the false alarms that are certain, its least the reverse.
    """
    standing = _standing(outputs, labels, tolerance)
    occurs = standing.support > 0
    n, hits, alarms = standing.support[occurs], standing.sure_hits[occurs], standing.may_alarms[occurs]
    low = -_most(hits, n + hits + alarms, hits, len(labels) - n - alarms, altered)
    hits, alarms = standing.may_hits[occurs], standing.sure_alarms[occurs]
    high = 2.0 * len(n) + _most(n + alarms, n + hits + alarms, alarms, n - hits, altered)
    return max(0.0, low / len(n)), min(1.0, high / len(n))


def _most(a: Floats, b: Floats, ends: Floats, smooth: Floats, budget: int) -> float:
    """An upper bound of Σ_c −2(a_c − e_c) / (b_c − e_c + s_c), over 0 ≤ e ≤ ends, 0 ≤ s ≤ smooth, Σe, Σs ≤ budget.

    Why this is macro-F1, with h hits, f false alarms, n support, F1 = 2h / (n + h + f):

    - Least: each lie takes a hit of one class (e) and gives a false alarm to one (s), at most:
      −F1 = −2(h − e) / (n + h + f − e + s).
    - Most: each lie is best a wrong row set right, which takes a false alarm (e) and gives a hit (s):
      F1 = 2(h + s) / (n + h + f − e + s) = 2 − 2(n + f − e) / (n + h + f − e + s).

    That the e and s of one lie belong to one row is forgotten, which only widens. By weak duality, for any
    prices p, q ≥ 0 the bound is (p + q)·budget + Σ_c max [… − p·e − q·s]. A class's term is convex in e,
    so e is 0 or its end; concave in s, so s is a neighbour of √(2(a−e)/q) − (b−e), clipped. Any prices are
    sound; the best ones (a convex problem) leave a gap only for what was forgotten.
    """
    most_e, most_s = np.minimum(ends, budget), np.minimum(smooth, budget)
    e = np.stack([np.zeros_like(most_e), most_e])
    rest, size = a - e, b - e

    def bound(p: float, q: float) -> float:
        peak = np.sqrt(2.0 * rest / q) - size
        s = np.clip(np.stack([np.floor(peak), np.ceil(peak)]), 0.0, most_s)
        return (p + q) * budget + float((-2.0 * rest / (size + s) - p * e - q * s).max(axis=(0, 1)).sum())

    unpriced = float((-2.0 * rest / (size + most_s)).max(axis=0).sum())
    if max(most_e.sum(), most_s.sum()) <= budget:
        return unpriced  # the budget binds nobody
    return min(unpriced, _least(lambda p: _least(lambda q: bound(p, q))))


def _least(value: Callable[[float], float]) -> float:
    """The smallest of a convex function of a price: golden section over its logarithm."""
    low, high = log(LEAST_PRICE), log(MOST_PRICE)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = value(exp(left)), value(exp(right))
    least = min(at_left, at_right)
    for _ in range(DUAL_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = value(exp(left))
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = value(exp(right))
        least = min(least, at_left, at_right)
    return least


# ── sampling ──────────────────────────────────────────────────────────────────────────────────────


def sampling(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    """95 % interval over the population that the samples stand for, if they are an independent draw from it.

    accuracy: exact (Clopper & Pearson 1934). The others: percentile bootstrap (Efron 1979), with a seed from
    the metric's name, so that everybody computes the same. The metric must be defined.
    """
    match name:
        case "accuracy":
            right = int((metrics.predictions(outputs) == labels).sum())
            return clopper_pearson(right, len(labels))
        case "macro_f1":
            return _macro_f1_bootstrap(name, outputs, labels)
        case "brier":
            return _mean_bootstrap(name, metrics.brier_losses(outputs, labels))
        case "mae":
            return _mean_bootstrap(name, metrics.errors(outputs, labels, limits))
        case "rmse":
            low, high = _mean_bootstrap(name, np.square(metrics.errors(outputs, labels, limits)))
            return max(low, 0.0) ** 0.5, high**0.5
    raise LocalProtocolError(f"no metric {name!r}")


def clopper_pearson(hits: int, n: int) -> Bounds:
    """Exact two-sided interval of a share of which ``hits`` of ``n`` ≥ 1 draws speak."""
    tail = (1.0 - SAMPLING_LEVEL) / 2.0
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1.0 - tail)) if hits < n else 1.0
    return low, high


def _mean_bootstrap(name: str, terms: Floats) -> Bounds:
    n = len(terms)
    if n > BOOTSTRAP_MOST:
        half = float(ndtri((1.0 + SAMPLING_LEVEL) / 2.0) * terms.std() / n**0.5)
        return float(terms.mean()) - half, float(terms.mean()) + half
    draws, step = _generator(name), max(1, BOOTSTRAP_CHUNK // n)
    sizes = [min(step, BOOTSTRAP_RESAMPLES - start) for start in range(0, BOOTSTRAP_RESAMPLES, step)]
    means = [terms[draws.integers(0, n, size=(rows, n), dtype=np.int32)].mean(axis=1) for rows in sizes]
    return _percentiles(np.concatenate(means))


def _macro_f1_bootstrap(name: str, outputs: Array, labels: Array) -> Bounds:
    """Resampling samples is a multinomial draw over the confusion matrix's cells: N hardly matters."""
    width = outputs.shape[1] + 1  # the last column: no class
    cells, counts = np.unique(labels * width + metrics.predictions(outputs) % width, return_counts=True)
    label, predicted = cells // width, cells % width
    draws, step = _generator(name), max(1, BOOTSTRAP_CHUNK // (len(cells) + width))
    values = []
    for start in range(0, BOOTSTRAP_RESAMPLES, step):
        table = draws.multinomial(len(labels), counts / len(labels), size=min(step, BOOTSTRAP_RESAMPLES - start))
        support = _sums(table, label, width)[:, :-1]
        hits = _sums(table * (label == predicted), label, width)[:, :-1]
        values.append(metrics.macro(hits, support, _sums(table, predicted, width)[:, :-1]))
    return _percentiles(np.concatenate(values))


def _sums(table: Array, group: Array, groups: int) -> Array:
    """Columns of ``table`` summed by ``group``: R × cells to R × groups."""
    flat = np.arange(len(table))[:, None] * groups + group
    return np.bincount(flat.ravel(), table.ravel(), len(table) * groups).reshape(len(table), groups)


def _generator(name: str) -> np.random.Generator:
    seed = sha256(b"p2peval/bootstrap/v1/" + name.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed[:16], "big")))


def _percentiles(values: Floats) -> Bounds:
    tail = 50.0 * (1.0 - SAMPLING_LEVEL)
    low, high = np.percentile(values, (tail, 100.0 - tail))
    return float(low), float(high)
