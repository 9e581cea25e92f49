"""What each metric is: outputs and labels to one number.

The metrics that are counts or means of one term per sample; those of ranking are in ``ranking``, calibration in
``calibration``, and all by name in ``metric_table``. Intervals and reports follow these definitions. Must not know
files, tasks or trust. Checked against scikit-learn in the tests, which costs 1.5 s to import and so never
runs here.

Shapes: ``outputs`` is N × C (a class's logit or probability each) or, for regression, N or N × 1;
``labels`` is N of int64 in 0…C−1, or of float64. Every metric is None where it is undefined: without
samples, and where its docstring says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.core.parts import Range
from p2peval.core.types import from_nano
from p2peval.defaults import LOG_LOSS_CLIP, PROBABILITY_SLACK
from p2peval.errors import EvaluationError

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_CLASS = -1
"""The prediction of a row that holds a NaN: wrong under every label."""

BLOCK = 1 << 20
"""Numbers worked on at once: a worker's memory is limited, and outputs may fill half of it."""


# ── classification ────────────────────────────────────────────────────────────────────────────────


def predictions(outputs: Array) -> Ints:
    """The class of each row's largest output, ties to the lowest index; NO_CLASS where any is NaN."""
    return np.where(np.isnan(outputs).any(axis=1), NO_CLASS, outputs.argmax(axis=1))


def accuracy(outputs: Array, labels: Array) -> float | None:
    """Share of samples whose prediction is the label (sklearn.metrics.accuracy_score)."""
    return float(np.mean(predictions(outputs) == labels)) if len(labels) else None


def balanced_accuracy(outputs: Array, labels: Array) -> float | None:
    """Unweighted mean, over the classes that occur, of the share of their samples that is predicted right.

    scikit-learn's balanced_accuracy_score.
    """
    if not len(labels):
        return None
    return float((hit_weights(labels) * (predictions(outputs) == labels)).sum())


def hit_weights(labels: Array) -> Floats:
    """What a right prediction of each sample adds to the balanced accuracy: 1 / (classes · samples of its own)."""
    support = np.bincount(labels)
    weights: Floats = 1.0 / (np.count_nonzero(support) * support[labels])
    return weights


def micro_f1(outputs: Array, labels: Array) -> float | None:
    """F1 over the hits and misses of all classes together (sklearn.metrics.f1_score, average="micro").

    Each sample has one label and one prediction (NO_CLASS is a wrong one), so that it equals the accuracy.
    """
    return accuracy(outputs, labels)


def macro_f1(outputs: Array, labels: Array) -> float | None:
    """Unweighted mean of F1 over the classes that occur in the labels.

    Those alone, so that the benchmark fixes the denominator and no output can change it: scikit-learn's
    f1_score(average="macro", labels=unique(labels), zero_division=0). A class never predicted has F1 = 0.
    """
    if not len(labels):
        return None
    predicted = predictions(outputs)
    width = outputs.shape[1]
    hits = np.bincount(labels[predicted == labels], minlength=width)
    guesses = np.bincount(predicted[predicted != NO_CLASS], minlength=width)
    return float(macro(hits, np.bincount(labels, minlength=width), guesses))


def macro(hits: Array, support: Array, guesses: Array) -> Floats:
    """Mean F1 = 2·hits / (support + guesses) over the classes with support; classes on the last axis."""
    occurs = support > 0
    f1 = 2.0 * hits / np.maximum(support + guesses, 1)
    mean: Floats = np.where(occurs, f1, 0.0).sum(axis=-1) / occurs.sum(axis=-1)
    return mean


def brier(outputs: Array, labels: Array) -> float | None:
    """Mean over samples of Σ_c (p_c − [c = label])², 0 to 2 (Brier 1950, his original form).

    For two classes this is twice scikit-learn's brier_score_loss of the positive class. Undefined unless
    every output is in [0, 1] and every row sums to 1 within PROBABILITY_SLACK: logits are no probabilities.
    """
    return float(brier_losses(outputs, labels).mean()) if len(labels) and are_probabilities(outputs) else None


def brier_losses(outputs: Array, labels: Array) -> Floats:
    """Σ_c (p_c − [c = label])² of each sample."""
    losses = np.empty(len(labels))
    for rows in blocks(outputs):
        losses[rows] = np.square(misses(outputs[rows], labels[rows])).sum(axis=1)
    return losses


def log_loss(outputs: Array, labels: Array) -> float | None:
    """Mean of −ln p of the label's class, p no less than LOG_LOSS_CLIP (sklearn.metrics.log_loss, but for its clip).

    The clip bounds what one sample can cost, be it a lie or a model that was too sure. Undefined as ``brier`` is.
    """
    return float(log_losses(outputs, labels).mean()) if len(labels) and are_probabilities(outputs) else None


def log_losses(outputs: Array, labels: Array) -> Floats:
    """−ln p of each sample's label."""
    return losses_of(outputs[np.arange(len(labels)), labels].astype(np.float64))


def losses_of(probabilities: Floats) -> Floats:
    """−ln p, p clipped to LOG_LOSS_CLIP … 1."""
    losses: Floats = -np.log(np.clip(probabilities, LOG_LOSS_CLIP, 1.0))
    return losses


def blocks(outputs: Array) -> Iterator[slice]:
    """Slices of rows that hold about BLOCK numbers each."""
    step = max(1, BLOCK // max(1, outputs.shape[1]))
    return (slice(start, start + step) for start in range(0, len(outputs), step))


def misses(outputs: Array, labels: Array) -> Floats:
    """|p_c − [c = label]|, N × C."""
    target = labels[:, None] == np.arange(outputs.shape[1])
    distances: Floats = np.abs(outputs.astype(np.float64) - target)
    return distances


def are_probabilities(outputs: Array) -> bool:
    """Whether every row is a distribution over classes; NaN and infinities are not."""
    within = bool(((outputs >= 0.0) & (outputs <= 1.0)).all())  # false for NaN
    return within and bool((np.abs(outputs.sum(axis=1, dtype=np.float64) - 1.0) <= PROBABILITY_SLACK).all())


# ── regression ────────────────────────────────────────────────────────────────────────────────────


def mae(outputs: Array, labels: Array, limits: Range | None = None) -> float | None:
    """Mean of |output − label| (sklearn.metrics.mean_absolute_error), outputs clipped to ``limits`` first.

    Undefined where any output is not finite: clipping an infinity would make a broken model look mild.
    """
    return float(errors(outputs, labels, limits).mean()) if _measurable(outputs, labels) else None


def rmse(outputs: Array, labels: Array, limits: Range | None = None) -> float | None:
    """Root of the mean of (output − label)² (sklearn.metrics.root_mean_squared_error); else as ``mae``."""
    if not _measurable(outputs, labels):
        return None
    with np.errstate(over="ignore"):  # beyond float64 it is inf, which is reported as out of range
        return float(np.sqrt(np.square(errors(outputs, labels, limits)).mean()))


def r2(outputs: Array, labels: Array, limits: Range | None = None) -> float | None:
    """1 − Σ(output − label)² / Σ(label − mean label)² (sklearn.metrics.r2_score); outputs clipped as for ``mae``.

    Undefined also where all labels are the same.
    """
    variation = spread_of(labels)
    if not _measurable(outputs, labels) or not variation > 0.0:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return float(1.0 - np.square(errors(outputs, labels, limits)).sum() / variation)


def spread_of(labels: Array) -> float:
    """Σ(label − mean label)², 0 without labels."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.square(labels - labels.mean()).sum()) if len(labels) else 0.0


def errors(outputs: Array, labels: Array, limits: Range | None) -> Floats:
    """|output − label| of each sample after clipping."""
    with np.errstate(over="ignore"):
        return np.abs(clipped(column(outputs), limits) - labels)


def clipped(values: Floats, limits: Range | None) -> Floats:
    return values if limits is None else np.clip(values, from_nano(limits.low_nano), from_nano(limits.high_nano))


def column(outputs: Array) -> Floats:
    """N or N × 1 as N of float64."""
    return outputs.reshape(len(outputs)).astype(np.float64)


def _measurable(outputs: Array, labels: Array) -> bool:
    return len(labels) > 0 and bool(np.isfinite(outputs).all())


# ── shapes ────────────────────────────────────────────────────────────────────────────────────────


def check(outputs: Array, labels: Array, *, task: str, classes: int) -> None:
    """Raises EvaluationError ``data_mismatch`` where shapes or labels do not fit the task."""
    if task == "classification":
        fits = outputs.shape == (len(labels), classes) and classes > 0
        fits = fits and bool(((labels >= 0) & (labels < classes)).all())
    else:
        fits = outputs.shape in ((len(labels),), (len(labels), 1)) and bool(np.isfinite(labels).all())
    if not fits or labels.ndim != 1:
        raise EvaluationError("data_mismatch", f"outputs {outputs.shape} do not fit {labels.shape} labels of a {task}")
