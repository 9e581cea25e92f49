"""How far a dataset speaks for its population: 95 % intervals, if its samples are an independent draw from it.

A count has an exact interval (Clopper & Pearson 1934), a mean and what is made of means the percentile bootstrap
(Efron 1979), with a seed from the metric's name, so that everybody computes the same. None where the data are so
many that the bootstrap would outlast the job: they speak for their population anyway. Each function takes (name,
outputs, labels, limits); the metric must be defined for them.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import numpy as np
from scipy.special import betaincinv, ndtri

from p2peval.core.parts import Range
from p2peval.defaults import BOOTSTRAP_DRAWS, BOOTSTRAP_LEAST, BOOTSTRAP_RESAMPLES, SAMPLING_LEVEL
from p2peval.evaluation import metrics
from p2peval.evaluation.audit_bounds import Bounds
from p2peval.evaluation.metrics import Array, Floats

BOOTSTRAP_MOST = 50_000
"""Samples from which a mean's bootstrap is replaced by its normal limit: there it costs 0.3 s (measured)."""

BOOTSTRAP_CHUNK = 1 << 20
"""Draws held in memory at once."""


def accuracy(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    return clopper_pearson(int((metrics.predictions(outputs) == labels).sum()), len(labels))


def balanced_accuracy(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    return _confusion_bootstrap(name, outputs, labels, lambda hits, support, _: _mean_recall(hits, support))


def macro_f1(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    return _confusion_bootstrap(name, outputs, labels, metrics.macro)


def brier(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    return _mean_bootstrap(name, metrics.brier_losses(outputs, labels))


def log_loss(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    return _mean_bootstrap(name, metrics.log_losses(outputs, labels))


def mae(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    return _mean_bootstrap(name, metrics.errors(outputs, labels, limits))


def rmse(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    low, high = _mean_bootstrap(name, np.square(metrics.errors(outputs, labels, limits)))
    return max(low, 0.0) ** 0.5, high**0.5


def r2(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds | None:
    squares = np.square(metrics.errors(outputs, labels, limits))

    def of(drawn: Array) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            values: Floats = 1.0 - squares[drawn].mean(axis=1) / labels[drawn].var(axis=1)
        return values

    return bootstrap(name, len(labels), of)


def clopper_pearson(hits: int, n: int) -> Bounds:
    """Exact two-sided interval of a share of which ``hits`` of ``n`` ≥ 1 draws speak."""
    tail = (1.0 - SAMPLING_LEVEL) / 2.0
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1.0 - tail)) if hits < n else 1.0
    return low, high


def normal(value: float, variance: float) -> Bounds:
    """The interval of an estimate whose error is nearly normal."""
    half = float(ndtri((1.0 + SAMPLING_LEVEL) / 2.0)) * variance**0.5
    return value - half, value + half


def bootstrap(name: str, n: int, of: Callable[[Array], Floats]) -> Bounds | None:
    """Percentiles of ``of``(R × n indices) -> R values over resamples of the rows; undefined ones are left out."""
    resamples = min(BOOTSTRAP_RESAMPLES, BOOTSTRAP_DRAWS // n)
    if resamples < BOOTSTRAP_LEAST:
        return None
    draws, step = _generator(name), max(1, BOOTSTRAP_CHUNK // n)
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    values = np.concatenate([of(draws.integers(0, n, size=(rows, n), dtype=np.int32)) for rows in sizes])
    values = values[np.isfinite(values)]
    return _percentiles(values) if len(values) >= BOOTSTRAP_LEAST else None


def _mean_bootstrap(name: str, terms: Floats) -> Bounds:
    n = len(terms)
    within = None if n > BOOTSTRAP_MOST else bootstrap(name, n, lambda drawn: terms[drawn].mean(axis=1))
    return within or normal(float(terms.mean()), float(terms.var()) / n)


def _mean_recall(hits: Array, support: Array) -> Floats:
    occurs = support > 0
    mean: Floats = np.where(occurs, hits / np.maximum(support, 1), 0.0).sum(axis=-1) / occurs.sum(axis=-1)
    return mean


def _confusion_bootstrap(
    name: str, outputs: Array, labels: Array, of: Callable[[Array, Array, Array], Floats]
) -> Bounds:
    """Resampling samples is a multinomial draw over the confusion matrix's cells: N hardly matters.

    ``of``: hits, support and guesses, R × classes each, to R values.
    """
    width = outputs.shape[1] + 1  # the last column: no class
    cells, counts = np.unique(labels * width + metrics.predictions(outputs) % width, return_counts=True)
    label, predicted = cells // width, cells % width
    draws, step = _generator(name), max(1, BOOTSTRAP_CHUNK // (len(cells) + width))
    values = []
    for start in range(0, BOOTSTRAP_RESAMPLES, step):
        table = draws.multinomial(len(labels), counts / len(labels), size=min(step, BOOTSTRAP_RESAMPLES - start))
        support = sums(table, label, width)[:, :-1]
        hits = sums(table * (label == predicted), label, width)[:, :-1]
        values.append(of(hits, support, sums(table, predicted, width)[:, :-1]))
    return _percentiles(np.concatenate(values))


def sums(table: Array, group: Array, groups: int) -> Array:
    """Columns of ``table``, R × K, summed by ``group`` (K, or R × K): R × groups."""
    flat = np.arange(len(table))[:, None] * groups + group
    return np.bincount(flat.ravel(), table.ravel(), len(table) * groups).reshape(len(table), groups)


def _generator(name: str) -> np.random.Generator:
    seed = sha256(b"p2peval/bootstrap/v1/" + name.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed[:16], "big")))


def _percentiles(values: Floats) -> Bounds:
    tail = 50.0 * (1.0 - SAMPLING_LEVEL)
    low, high = np.percentile(values, (tail, 100.0 - tail))
    return float(low), float(high)
