"""Every metric by name: what measures it, how far a lie can have moved it, how far the data speak.

Which task a metric is for, and whether less is better, is said in core.benchmark, which boards read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from p2peval.core.parts import Range, Tolerance
from p2peval.evaluation import audit_bounds, calibration, macro_f1_bounds, metrics, ranking, sampling
from p2peval.evaluation.audit_bounds import Bounds, Spread
from p2peval.evaluation.metrics import Array


@dataclass(frozen=True, slots=True)
class Metric:
    """``measure``: (outputs, labels, limits) -> value, or None where undefined.

    ``audit``: (outputs, labels, limits, tolerance) -> altered rows -> bounds of the true value; None: no bound exists.
    ``sampling``: (name, outputs, labels, limits) -> 95 % interval, None where it is not computed.
    """

    measure: Callable[[Array, Array, Range | None], float | None]
    audit: Callable[[Array, Array, Range | None, Tolerance], Spread | None]
    sampling: Callable[[str, Array, Array, Range | None], Bounds | None]


def _of_classes(
    measure: Callable[[Array, Array], float | None],
) -> Callable[[Array, Array, Range | None], float | None]:
    return lambda outputs, labels, _: measure(outputs, labels)


METRICS = {
    "accuracy": Metric(_of_classes(metrics.accuracy), audit_bounds.accuracy, sampling.accuracy),
    "balanced_accuracy": Metric(
        _of_classes(metrics.balanced_accuracy), audit_bounds.balanced_accuracy, sampling.balanced_accuracy
    ),
    "macro_f1": Metric(_of_classes(metrics.macro_f1), macro_f1_bounds.macro_f1, sampling.macro_f1),
    "micro_f1": Metric(_of_classes(metrics.micro_f1), audit_bounds.accuracy, sampling.accuracy),
    "log_loss": Metric(_of_classes(metrics.log_loss), audit_bounds.log_loss, sampling.log_loss),
    "brier": Metric(_of_classes(metrics.brier), audit_bounds.brier, sampling.brier),
    "ece": Metric(_of_classes(calibration.ece), calibration.spread, calibration.ece_sampling),
    "auroc": Metric(_of_classes(ranking.auroc), ranking.auroc_spread, ranking.auroc_sampling),
    "selective_auroc": Metric(
        _of_classes(ranking.selective_auroc), ranking.selective_auroc_spread, ranking.selective_auroc_sampling
    ),
    "aurc": Metric(_of_classes(ranking.aurc), ranking.aurc_spread, ranking.aurc_sampling),
    "mae": Metric(metrics.mae, audit_bounds.mae, sampling.mae),
    "rmse": Metric(metrics.rmse, audit_bounds.rmse, sampling.rmse),
    "r2": Metric(metrics.r2, audit_bounds.r2, sampling.r2),
}
