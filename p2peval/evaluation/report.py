"""All metrics of one evaluation as they travel: value, audit interval, sampling interval, in units of 1e-9.

Decides rounding and what is said where a number cannot be. Must not know formulas: see metrics, intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from p2peval.core.messages import Defined, Interval, MetricReport, Range, Tolerance
from p2peval.core.types import NANO, to_nano
from p2peval.errors import EvaluationError
from p2peval.evaluation import intervals
from p2peval.evaluation.metrics import METRICS, Array, check

BEYOND_NANO = 2**63
"""Where |value| in 1e-9 no longer fits the wire's sint64: 9.2e9 in the labels' unit."""


def report(
    metrics: Sequence[str],
    outputs: Array,
    labels: Array,
    *,
    task: str,
    classes: int,
    range: Range | None,
    delta_nano: int | None,
    tolerance: Tolerance,
) -> tuple[MetricReport, ...]:
    """One report for each name of ``metrics``, in order.

    ``outputs`` N × C, ``labels`` N (see evaluation.metrics). ``range``: declared for regression, else None.
    At most ⌊δN⌋ altered outputs make the audit interval. ``delta_nano`` None leaves it out: nobody but
    this machine ran the model, so there is nothing that a lie could have moved.
    Raises EvaluationError: ``unknown_metric``, ``data_mismatch``.
    """
    check(outputs, labels, task=task, classes=classes)
    altered = None if delta_nano is None else delta_nano * len(labels) // NANO
    reports = []
    for name in metrics:
        if name not in METRICS or METRICS[name].task != task:
            raise EvaluationError("unknown_metric", f"{name!r} is no metric of a {task}")
        value = METRICS[name].measure(outputs, labels, range)
        if value is None:
            reports.append(MetricReport(name, Defined.UNDEFINED, 0, None, None))
        elif not _fits(value):
            reports.append(MetricReport(name, Defined.OUT_OF_RANGE, 0, None, None))
        else:
            certain = intervals.audit(name, outputs, labels, range, tolerance, altered) if altered is not None else None
            likely = intervals.sampling(name, outputs, labels, range)
            reports.append(
                MetricReport(name, Defined.VALUE, to_nano(value), _interval(certain, value), _interval(likely, value))
            )
    return tuple(reports)


def _interval(bounds: tuple[float, float] | None, value: float) -> Interval | None:
    """Rounded to the nearest: rounding is monotone, so rounded bounds still hold every rounded value.

    Stretched to the value itself, which a bootstrap of a lopsided metric can miss.
    """
    if bounds is None or not all(map(_fits, bounds)):
        return None
    return Interval(to_nano(min(bounds[0], value)), to_nano(max(bounds[1], value)))


def _fits(value: float) -> bool:
    return isfinite(value) and abs(value) * NANO < BEYOND_NANO
