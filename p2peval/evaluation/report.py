"""All metrics of one evaluation as they travel: values and intervals in units of 1e-9.

Decides rounding, what is said where a number cannot be, and how groups compare. Must not know formulas: see
metric_table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from p2peval.core.benchmark import GAP, METRICS
from p2peval.core.parts import Defined, Interval, MetricReport, Range, Tolerance
from p2peval.core.types import NANO, to_nano
from p2peval.errors import EvaluationError
from p2peval.evaluation import metric_table
from p2peval.evaluation.audit_bounds import Spread
from p2peval.evaluation.metrics import Array, check

BEYOND_NANO = 2**63
"""Where |value| in 1e-9 no longer fits the wire's sint64: 9.2e9 in the labels' unit."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """How far outputs that somebody claimed may be from the truth.

    ``altered``: rows that may be anything, of all that were claimed, wherever they stand; the others are within
    ``tolerance``, which is nothing where the audit asked for the same bytes.
    """

    altered: int
    tolerance: Tolerance


def report(
    name: str,
    outputs: Array,
    labels: Array,
    *,
    task: str,
    classes: int,
    range: Range | None,
    claimed: Claimed | None,
    part: str = "",
) -> MetricReport:
    """One metric of the samples that are given, ``part`` their name.

    ``outputs`` N × C, ``labels`` N (see evaluation.metrics). ``range``: declared for regression, else None.
    ``claimed`` None: nobody but this machine ran the model, so that nothing can be a lie.
    Raises EvaluationError: ``unknown_metric``, ``data_mismatch``.
    """
    check(outputs, labels, task=task, classes=classes)
    if name not in METRICS[task]:
        raise EvaluationError("unknown_metric", f"{name!r} is no metric of a {task}")
    metric = metric_table.METRICS[name]
    value = metric.measure(outputs, labels, range)
    if value is None:
        return MetricReport(name, Defined.UNDEFINED, 0, None, None, part)
    if not _fits(value):
        return MetricReport(name, Defined.OUT_OF_RANGE, 0, None, None, part)
    spread = metric.audit(outputs, labels, range, claimed.tolerance) if claimed else None
    return MetricReport(
        name,
        Defined.VALUE,
        to_nano(value),
        _interval(spread(min(claimed.altered, len(labels))), value) if claimed and spread else None,
        _interval(metric.sampling(name, outputs, labels, range), value),
        part,
        _ambiguity(spread, value) if spread else None,
    )


def gap(primary: str, groups: Sequence[MetricReport]) -> MetricReport:
    """The largest minus the least value of ``groups``, each a report of ``primary``; undefined for fewer than two.

    The audit interval is sound, for each group's own holds whatever the rows that were altered. There is no
    sampling interval: the groups' own say how far their samples speak.
    """
    name = primary + GAP
    values = [each.value_nano for each in groups if each.defined is Defined.VALUE]
    if len(values) < 2:
        return MetricReport(name, Defined.UNDEFINED, 0, None, None)
    audits = [each.audit for each in groups]
    open_ends = [each.ambiguity or Interval(each.value_nano, each.value_nano) for each in groups]
    unclear = any(each.ambiguity for each in groups) and len(values) == len(groups)
    return MetricReport(
        name,
        Defined.VALUE,
        max(values) - min(values),
        _between([audit for audit in audits if audit]) if all(audits) else None,
        None,
        "",
        _between(open_ends) if unclear else None,
    )


def _between(reach: Sequence[Interval]) -> Interval:
    """Of the difference between the largest and the least of some numbers, each within its interval."""
    lows, highs = [each.low_nano for each in reach], [each.high_nano for each in reach]
    return Interval(max(0, max(lows) - min(highs)), max(highs) - min(lows))


def _ambiguity(spread: Spread, value: float) -> Interval | None:
    """None where near-ties leave nothing open that 1e-9 can tell."""
    found = _interval(spread(0), value)
    return found if found and found.high_nano - found.low_nano > 2 else None


def _interval(bounds: tuple[float, float] | None, value: float) -> Interval | None:
    """Rounded to the nearest: rounding is monotone, so rounded bounds still hold every rounded value.

    Stretched to the value itself, which a bootstrap of a lopsided metric can miss.
    """
    if bounds is None or not all(map(_fits, bounds)):
        return None
    return Interval(to_nano(min(bounds[0], value)), to_nano(max(bounds[1], value)))


def _fits(value: float) -> bool:
    return isfinite(value) and abs(value) * NANO < BEYOND_NANO
