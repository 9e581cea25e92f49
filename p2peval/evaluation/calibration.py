"""Expected calibration error: whether a model that says 0.8 is right four times in five.

With how far a lie can have moved it (the contract of ``audit_bounds``) and how far the data speak (``sampling``).
"""

from __future__ import annotations

import numpy as np

from p2peval.core.outputs import slack
from p2peval.core.parts import Range, Tolerance
from p2peval.defaults import ECE_BINS
from p2peval.evaluation import metrics, sampling
from p2peval.evaluation.audit_bounds import Bounds, Spread, hits, top
from p2peval.evaluation.metrics import Array, Floats, Ints
from p2peval.evaluation.ranking import confidence

_INNER_EDGES = np.linspace(0.0, 1.0, ECE_BINS + 1)[1:-1]


def ece(outputs: Array, labels: Array) -> float | None:
    """Σ over bins of |Σ (right − confidence)| / N, confidence a row's largest probability.

    ECE_BINS bins of equal width, each with its upper edge; the l1 norm of torchmetrics' MulticlassCalibrationError
    (Guo et al. 2017), 0 to 1. Undefined where ``metrics.brier`` is: logits are no confidences.
    """
    if not len(labels) or not metrics.are_probabilities(outputs):
        return None
    gaps = _gaps(outputs, labels)
    return float(np.abs(np.bincount(_bins(confidence(outputs)), gaps, ECE_BINS)).sum()) / len(labels)


def spread(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    """To replace a row of gap g by one of gap g′ moves the sum by at most |g| + |g′| ≤ |g| + 1.

    So may tolerance, where a near-tie may make a right row wrong; where it moves a row across an edge, by
    |g| + (|g| + s), s how far its confidence may be off; else by s.
    """
    gaps, said = np.abs(_gaps(outputs, labels)), confidence(outputs)
    sure, may = hits(outputs, labels, tolerance)
    off = slack(outputs, tolerance)
    low, high = (outputs - off).max(axis=1), (outputs + off).max(axis=1)
    far = np.maximum(high - said, said - low)
    moved = np.where(_bins(low) == _bins(high), far, 2.0 * gaps + far)
    moved = np.where(may & ~sure, gaps + 1.0, moved)
    value, n = ece(outputs, labels) or 0.0, len(labels)

    def bounds(altered: int) -> Bounds:
        most = (float(moved.sum()) + top(np.maximum(gaps + 1.0 - moved, 0.0), altered)) / n
        return max(0.0, value - most), min(1.0, value + most)

    return bounds


def ece_sampling(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds | None:
    """The bootstrap of an error that is a sum of absolute values leans to larger ones, as the error itself does."""
    gaps, bins = _gaps(outputs, labels), _bins(confidence(outputs))

    def of(drawn: Array) -> Floats:
        values: Floats = np.abs(sampling.sums(gaps[drawn], bins[drawn], ECE_BINS)).sum(axis=1) / len(labels)
        return values

    return sampling.bootstrap(name, len(labels), of)


def _gaps(outputs: Array, labels: Array) -> Floats:
    """1 − confidence where the prediction is right, else −confidence."""
    gaps: Floats = (metrics.predictions(outputs) == labels) - confidence(outputs)
    return gaps


def _bins(confidences: Floats) -> Ints:
    return np.searchsorted(_INNER_EDGES, confidences, "left")
