"""Two intervals around a metric, never mixed (evaluation.md, Metrics; trust.md §1).

*Audit*: every value that the true metric could have if at most B = ⌊δN⌋ outputs were altered and the others
are true to within the tolerance; a guaranteed bound given the certificate, nothing to do with chance. It
speaks of a true metric that exists. *Sampling*: how far N samples stand for their population, at 95 %.

Decides the mathematics of both. Must not know names of metrics, wire units or which metric goes by which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from p2peval.core.messages import Range, Tolerance
from p2peval.core.outputs import slack
from p2peval.core.types import NANO, from_nano
from p2peval.defaults import BOOTSTRAP_GROUPS, BOOTSTRAP_RESAMPLES, PROBABILITY_SLACK, SAMPLING_LEVEL
from p2peval.evaluation.f1_bounds import macro_f1_bounds
from p2peval.evaluation.metrics import (
    Floats,
    Ints,
    Outputs,
    class_counts,
    class_f1,
    distances,
    predictions,
)

Ends = tuple[float, float]
"""Lower and upper end, in the metric's unit."""

WORST_BRIER = 2.0 + PROBABILITY_SLACK**2
"""Of one sample: all the chance on one wrong class, and what slack allows on another."""

_BLOCK = 1 << 20
"""Numbers worked on at once, so that memory stays flat."""


def altered(samples: int, delta_nano: int) -> int:
    """B = ⌊δN⌋: outputs that a lie may have changed without being looked for."""
    return delta_nano * samples // NANO


# ── audit ─────────────────────────────────────────────────────────────────────────────────────────


def audit_accuracy(outputs: Outputs, labels: Ints, most: int, tolerance: Tolerance) -> Ends:
    """Exact: ``most`` hits turned to misses or back, near-ties at their worst and at their best."""
    may, only = contenders(outputs, labels, tolerance)
    surely, possibly, samples = int((may & only).sum()), int(may.sum()), len(labels)
    return max(0, surely - most) / samples, min(samples, possibly + most) / samples


def audit_macro_f1(outputs: Outputs, labels: Ints, most: int, tolerance: Tolerance) -> Ends:
    """The worst reassignment of ``most`` predictions and of every near-tie; an outer bound (``f1_bounds``)."""
    _, only = contenders(outputs, labels, tolerance)
    hits, labelled, said = class_counts(predictions(outputs), labels, outputs.shape[1])
    return macro_f1_bounds(hits, labelled, said, most + int((~only).sum()))


def audit_brier(outputs: Outputs, chances: Floats, labels: Ints, most: int, tolerance: Tolerance) -> Ends:
    """The ``most`` samples with most to lose at 0, or at the worst Brier loss; the rest within tolerance."""
    away, room = distances(chances, labels), slack(outputs, tolerance)
    least = np.square(np.maximum(away - room, 0.0)).sum(axis=1)
    greatest = np.minimum(np.square(np.minimum(away + room, 1.0)).sum(axis=1), WORST_BRIER)
    return _swapped(least, greatest, np.zeros(len(labels)), np.full(len(labels), WORST_BRIER), most)


def audit_errors(
    outputs: Outputs, away: Floats, labels: Floats, limits: Range, most: int, tolerance: Tolerance, *, power: int
) -> Ends:
    """Of the mean of |error|^``power``: ``most`` samples at no error, or at the worst that ``limits`` allow."""
    low, high = from_nano(limits.low_nano), from_nano(limits.high_nano)
    best = np.maximum(np.maximum(low - labels, labels - high), 0.0)
    worst = np.maximum(np.abs(labels - low), np.abs(high - labels))
    room = slack(outputs.reshape(-1), tolerance)  # clipping brings two outputs no further apart
    least, greatest = np.maximum(away - room, best), np.minimum(away + room, worst)
    return _swapped(least**power, greatest**power, best**power, worst**power, most)


def contenders(outputs: Outputs, labels: Ints, tolerance: Tolerance) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each row: may the label be the class truly predicted, and is there at most one such class at all.

    Class k may win if it does where its score has the most that tolerance allows and all others the least
    (``core.outputs.slack``); ties go to the lowest index. A row with a NaN predicts no class.
    """
    may, only = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    for rows in _blocks(len(labels), outputs.shape[1]):
        scores = outputs[rows].astype(np.float64)
        room = slack(outputs[rows], tolerance)
        least, greatest = scores - room, scores + room
        wins = ~np.isnan(scores).any(axis=1, keepdims=True) & np.ones(scores.shape, bool)
        wins[:, 1:] &= greatest[:, 1:] > np.maximum.accumulate(least, axis=1)[:, :-1]
        wins[:, :-1] &= greatest[:, :-1] >= np.maximum.accumulate(least[:, ::-1], axis=1)[:, ::-1][:, 1:]
        may[rows] = wins[np.arange(len(wins)), labels[rows]]
        only[rows] = wins.sum(axis=1) <= 1
    return may, only


def _swapped(least: Floats, greatest: Floats, best: Floats, worst: Floats, most: int) -> Ends:
    """Ends of a mean whose ``most`` samples may be anything from ``best`` to ``worst``, the others as given."""
    samples = len(least)
    fall = _largest(least - best, most)
    rise = _largest(worst - greatest, most)
    return float(least.sum() - fall) / samples, float(greatest.sum() + rise) / samples


def _largest(values: Floats, count: int) -> float:
    """Sum of the ``count`` largest."""
    if count <= 0:
        return 0.0
    at = len(values) - min(count, len(values))
    return float(np.partition(values, at)[at:].sum())


# ── sampling ──────────────────────────────────────────────────────────────────────────────────────


def clopper_pearson(successes: int, trials: int, level: float = SAMPLING_LEVEL) -> Ends:
    """Exact two-sided interval of a proportion (Clopper & Pearson 1934)."""
    from scipy.special import betaincinv

    tail = (1.0 - level) / 2.0
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1.0 - tail)) if successes < trials else 1.0
    return low, high


def bootstrap_mean(values: Floats, name: str, level: float = SAMPLING_LEVEL) -> Ends:
    """Percentile bootstrap of a mean, the same on every run.

    Beyond BOOTSTRAP_GROUPS values it resamples the means of equally large random groups, which have the
    same spread, so that its cost does not grow.
    """
    draw = _generator(name)
    if len(values) > BOOTSTRAP_GROUPS:
        size = -(-len(values) // BOOTSTRAP_GROUPS)
        starts = np.arange(0, len(values), size)
        values = np.add.reduceat(draw.permutation(values), starts) / np.diff(np.append(starts, len(values)))
    means = np.empty(BOOTSTRAP_RESAMPLES)
    for rows in _blocks(BOOTSTRAP_RESAMPLES, len(values)):
        means[rows] = values[draw.integers(len(values), size=(rows.stop - rows.start, len(values)))].mean(axis=1)
    return _middle(means, level)


def bootstrap_macro_f1(outputs: Outputs, labels: Ints, name: str, level: float = SAMPLING_LEVEL) -> Ends:
    """Percentile bootstrap of macro-F1: resampling samples is drawing (label, prediction) cells anew."""
    predicted, classes = predictions(outputs), outputs.shape[1]
    cells, times = np.unique(np.stack([labels, predicted]), axis=1, return_counts=True)
    by_label = _totals(cells[0], classes)
    by_class = _totals(cells[1], classes)
    hit = cells[0] == cells[1]
    draw, values = _generator(name), np.empty(BOOTSTRAP_RESAMPLES)
    for rows in _blocks(BOOTSTRAP_RESAMPLES, max(classes, len(times))):
        drawn = draw.multinomial(len(labels), times / len(labels), size=rows.stop - rows.start)
        hits = np.zeros((len(drawn), classes))
        hits[:, cells[0][hit]] = drawn[:, hit]
        values[rows] = class_f1(hits, by_label(drawn), by_class(drawn)).mean(axis=1)
    return _middle(values, level)


def _totals(groups: Ints, classes: int) -> Callable[[Ints], Ints]:
    """A function that adds up the columns of each class; NO_CLASS counts for none."""
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] >= 0]
    present, starts = np.unique(groups[order], return_index=True)

    def total(drawn: Ints) -> Ints:
        sums = np.zeros((len(drawn), classes), np.int64)
        if len(present):
            sums[:, present] = np.add.reduceat(drawn[:, order], starts, axis=1)
        return sums

    return total


def _generator(name: str) -> np.random.Generator:
    """The metric's own stream. It knows no data: nobody can search for labels that suit it."""
    seed = sha256(b"p2peval/bootstrap/v1/" + name.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))


def _middle(values: Floats, level: float) -> Ends:
    low, high = np.quantile(values, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def _blocks(rows: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, width))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
