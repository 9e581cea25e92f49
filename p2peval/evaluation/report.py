"""Metrics by name, as they are signed: value, audit interval, sampling interval.

Decides which formula and which intervals a name stands for, and how numbers become integers: the value to
the nearest 1e-9, intervals outwards. Must not know formulas, files or peers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.core.messages import Defined, Interval, MetricReport, Range, Tolerance
from p2peval.core.types import NANO
from p2peval.errors import EvaluationError
from p2peval.evaluation import intervals, metrics
from p2peval.evaluation.intervals import Ends
from p2peval.evaluation.metrics import Outputs


def report(
    names: Sequence[str],
    outputs: Outputs,
    labels: NDArray[Any],
    *,
    task: str,
    classes: int,
    range: Range | None,
    delta_nano: int | None,
    tolerance: Tolerance,
) -> tuple[MetricReport, ...]:
    """One report for each of ``names``, in order.

    ``outputs``: N × C float, N ≥ 1. ``labels``: N integers below ``classes`` where ``task`` is "classification",
    else N numbers (then ``classes`` is ignored and C is 1). ``delta_nano`` None: nobody but this machine ran the
    model, so there is nothing that a lie could have moved, and no audit interval.
    Raises EvaluationError: metric (unknown, or not for this task), shape.
    """
    known = _KNOWN.get(task, {})
    for name in names:
        if name not in known:
            raise EvaluationError("metric", f"metric {name!r} is not for {task}: use {', '.join(known)}")
    width = classes if task == "classification" else 1
    if outputs.shape != (len(labels), width) or not len(labels):
        raise EvaluationError("shape", f"outputs {outputs.shape} for {len(labels)} labels and {width} numbers each")
    most = None if delta_nano is None else intervals.altered(len(labels), delta_nano)
    ask = _Asked(outputs, labels, range, most, tolerance)
    return tuple(_stated(name, *known[name](ask)) for name in names)


@dataclass(frozen=True, slots=True)
class _Asked:
    """``most``: how many outputs may be lies, None where no audit interval is wanted."""

    outputs: Outputs
    labels: NDArray[Any]
    limits: Range | None
    most: int | None
    tolerance: Tolerance


_Answer = tuple[float | None, Ends | None, Ends | None]
"""Value, audit, sampling."""


def _accuracy(ask: _Asked) -> _Answer:
    value = metrics.accuracy(ask.outputs, ask.labels)
    hits = int((metrics.predictions(ask.outputs) == ask.labels).sum())
    audit = None
    if ask.most is not None:
        audit = intervals.audit_accuracy(ask.outputs, ask.labels, ask.most, ask.tolerance)
    return value, audit, intervals.clopper_pearson(hits, len(ask.labels))


def _macro_f1(ask: _Asked) -> _Answer:
    value = metrics.macro_f1(ask.outputs, ask.labels)
    audit = None
    if ask.most is not None:
        audit = intervals.audit_macro_f1(ask.outputs, ask.labels, ask.most, ask.tolerance)
    return value, audit, intervals.bootstrap_macro_f1(ask.outputs, ask.labels, "macro_f1")


def _brier(ask: _Asked) -> _Answer:
    chances = metrics.probabilities(ask.outputs)
    if chances is None:
        return None, None, None
    losses = metrics.brier_losses(chances, ask.labels)
    audit = None
    if ask.most is not None:
        audit = intervals.audit_brier(ask.outputs, chances, ask.labels, ask.most, ask.tolerance)
    return metrics.brier(ask.outputs, ask.labels), audit, intervals.bootstrap_mean(losses, "brier")


def _mae(ask: _Asked) -> _Answer:
    return _of_errors(ask, "mae", power=1)


def _rmse(ask: _Asked) -> _Answer:
    return _of_errors(ask, "rmse", power=2)


def _of_errors(ask: _Asked, name: str, *, power: int) -> _Answer:
    """Both are a mean of |error|^power, to the power 1/power; a lie has a bound only within a declared range."""
    away = metrics.errors(ask.outputs, ask.labels, ask.limits)
    if away is None:
        return None, None, None
    value = {1: metrics.mae, 2: metrics.rmse}[power](ask.outputs, ask.labels, ask.limits)
    if metrics.stated(value)[0] is not Defined.VALUE:
        return value, None, None
    audit = None
    if ask.most is not None and ask.limits is not None:
        ends = intervals.audit_errors(ask.outputs, away, ask.labels, ask.limits, ask.most, ask.tolerance, power=power)
        audit = _rooted(ends, power)
    return value, audit, _rooted(intervals.bootstrap_mean(away**power, name), power)


def _rooted(ends: Ends, power: int) -> Ends:
    return (max(0.0, ends[0]) ** (1 / power), ends[1] ** (1 / power))


_KNOWN: dict[str, dict[str, Callable[[_Asked], _Answer]]] = {
    "classification": {"accuracy": _accuracy, "macro_f1": _macro_f1, "brier": _brier},
    "regression": {"mae": _mae, "rmse": _rmse},
}


def _stated(name: str, value: float | None, audit: Ends | None, sampling: Ends | None) -> MetricReport:
    defined, nano = metrics.stated(value)
    if defined is not Defined.VALUE:
        return MetricReport(name, defined, 0, None, None)
    return MetricReport(name, defined, nano, _interval(audit, nano), _interval(sampling, nano))


def _interval(ends: Ends | None, value_nano: int) -> Interval | None:
    """Rounded outwards and around the value (a bootstrap may be biased away from it); None beyond the wire."""
    if ends is None or not np.isfinite(ends).all() or max(map(abs, ends)) * NANO >= metrics.MAX_NANO:
        return None
    low, high = math.floor(ends[0] * NANO), math.ceil(ends[1] * NANO)
    return Interval(min(low, value_nano), max(high, value_nano))
