"""What each metric is: formulas over outputs and labels, and nothing else (evaluation.md, Metrics).

Decides definitions. Must not know tolerance, lies or resampling (``intervals``), files or peers.
scikit-learn is the oracle of the tests; importing it here would cost 1.5 s.

Classification: ``outputs`` is N × C class scores, ``labels`` N integers in 0…C−1. The predicted class is
that of the largest score, the lowest index on a tie; a row with any NaN predicts no class and is wrong.
Regression: ``outputs`` is N or N × 1, ``labels`` N numbers; a declared range clips the outputs, not the labels.
A metric that does not exist for these outputs is None.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.core.messages import Defined, Range
from p2peval.core.types import NANO, from_nano, to_nano
from p2peval.defaults import PROBABILITY_SLACK

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Outputs = NDArray[np.floating[Any]]

NO_CLASS = -1
"""The prediction of a row with a NaN."""

MAX_NANO = 2**63 - 1
"""What a metric on the wire holds (sint64): ± 9.2e9."""


def stated(value: float | None) -> tuple[Defined, int]:
    """A metric's value as it is signed: whether there is one, and it in units of 1e-9 (else 0)."""
    if value is None or np.isnan(value):
        return Defined.UNDEFINED, 0
    if abs(value) * NANO >= MAX_NANO:
        return Defined.OUT_OF_RANGE, 0
    return Defined.VALUE, to_nano(value)


# ── classification ────────────────────────────────────────────────────────────────────────────────


def predictions(outputs: Outputs) -> Ints:
    """Class of each row, or NO_CLASS."""
    chosen: Ints = np.argmax(outputs, axis=1).astype(np.int64)
    chosen[np.isnan(outputs).any(axis=1)] = NO_CLASS
    return chosen


def accuracy(outputs: Outputs, labels: Ints) -> float | None:
    """Share of samples whose predicted class is the label."""
    return _mean((predictions(outputs) == labels).astype(np.float64))


def macro_f1(outputs: Outputs, labels: Ints) -> float | None:
    """Unweighted mean of F1 over all C declared classes (those no sample has included).

    F1 of a class = 2·TP / (labelled + predicted), and 0 where it is neither labelled nor predicted:
    scikit-learn's ``f1_score(labels=range(C), average="macro", zero_division=0)``.
    """
    if not len(labels):
        return None
    return float(class_f1(*class_counts(predictions(outputs), labels, outputs.shape[1])).mean())


def class_counts(predicted: Ints, labels: Ints, classes: int) -> tuple[Ints, Ints, Ints]:
    """For each class: samples that are both labelled and predicted so, that are labelled so, that are predicted so."""
    hits = np.bincount(labels[predicted == labels], minlength=classes)
    labelled = np.bincount(labels, minlength=classes)
    said = np.bincount(predicted[predicted != NO_CLASS], minlength=classes)
    return hits, labelled, said


def class_f1(hits: NDArray[Any], labelled: NDArray[Any], said: NDArray[Any]) -> Floats:
    """F1 from counts, element by element (any shape)."""
    total = labelled + said
    share: Floats = np.divide(2.0 * hits, total, out=np.zeros(np.shape(total)), where=total > 0)
    return share


def brier(outputs: Outputs, labels: Ints) -> float | None:
    """Mean over samples of Σ_c (p_c − [c is the label])², 0 (best) to 2: Brier 1950, all classes counted.

    Twice scikit-learn's ``brier_score_loss`` for two classes, which counts one of them. Undefined unless
    every row is a probability distribution, up to PROBABILITY_SLACK.
    """
    chances = probabilities(outputs)
    return None if chances is None else _mean(brier_losses(chances, labels))


def probabilities(outputs: Outputs) -> Floats | None:
    """The rows within [0, 1], or None where some row is no distribution: rounding may miss by PROBABILITY_SLACK."""
    chances = np.clip(outputs.astype(np.float64), 0.0, 1.0)
    near = np.abs(outputs - chances) <= PROBABILITY_SLACK
    whole = np.abs(chances.sum(axis=1) - 1.0) <= PROBABILITY_SLACK
    return chances if near.all() and whole.all() else None


def brier_losses(chances: Floats, labels: Ints) -> Floats:
    """Each sample's part of the Brier score."""
    losses: Floats = np.square(distances(chances, labels)).sum(axis=1)
    return losses


def distances(chances: Floats, labels: Ints) -> Floats:
    """N × C: how far each probability is from what the label says, 0 to 1."""
    away = chances.copy()
    rows = np.arange(len(labels))
    away[rows, labels] = 1.0 - away[rows, labels]
    return away


# ── regression ────────────────────────────────────────────────────────────────────────────────────


def mae(outputs: Outputs, labels: Floats, limits: Range | None = None) -> float | None:
    """Mean absolute error, in the labels' unit. Undefined where an output, once clipped, is not finite."""
    away = errors(outputs, labels, limits)
    return None if away is None else _mean(away)


def rmse(outputs: Outputs, labels: Floats, limits: Range | None = None) -> float | None:
    """Root of the mean squared error, in the labels' unit. Undefined as ``mae``."""
    away = errors(outputs, labels, limits)
    return None if away is None else root_mean_square(away)


def root_mean_square(away: Floats) -> float | None:
    """Scaled first, so that what can be stated neither overflows nor vanishes."""
    largest = float(away.max(initial=0.0))
    if not largest:
        return 0.0 if len(away) else None
    return largest * float(np.sqrt(np.square(away / largest).mean()))


def errors(outputs: Outputs, labels: Floats, limits: Range | None) -> Floats | None:
    """|output − label| of each sample, outputs clipped to ``limits``; None where one of them is not finite."""
    said = outputs.reshape(-1).astype(np.float64)
    if limits is not None:
        said = np.clip(said, from_nano(limits.low_nano), from_nano(limits.high_nano))
    if not np.isfinite(said).all():
        return None
    with np.errstate(over="ignore"):  # beyond float64 is out of range, which ``stated`` says
        return np.abs(said - labels)


def _mean(values: Floats) -> float | None:
    with np.errstate(over="ignore"):
        return float(values.mean()) if len(values) else None
