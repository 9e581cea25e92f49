"""Outputs and a labels file to metric reports: what the worker's jobs ask of evaluation.report.

Decides which samples each report speaks of, and whether anything in them was claimed by somebody else. Must not
know formulas.
"""

from __future__ import annotations

from pathlib import Path

from p2peval.core.benchmark import GAP, reports
from p2peval.core.parts import MetricReport, Tolerance
from p2peval.core.types import NANO
from p2peval.evaluation.dataset import map_groups, map_labels
from p2peval.evaluation.jobs import Scoring
from p2peval.evaluation.labels import Array
from p2peval.evaluation.report import Claimed, gap, report

Part = tuple[Array, Array]
"""Outputs and labels of some samples."""


def score(scoring: Scoring, rows: Array, claimed_within: Tolerance | None) -> tuple[MetricReport, ...]:
    """The reports that core.benchmark.reports names, over canonical ``rows``, N × C, all conditions included.

    ``claimed_within``: what an audit of somebody's claim let its rows differ by; None for one's own run, in
    which nothing can be a lie. Raises EvaluationError: data_mismatch, unknown_metric.
    """
    claimed = Claimed(scoring.delta_nano * len(rows) // NANO, claimed_within) if claimed_within is not None else None
    parts = _parts(scoring, rows)

    def of(name: str, part: str) -> MetricReport:
        outputs, labels = parts[part]
        return report(
            name,
            outputs,
            labels,
            task=scoring.task,
            classes=rows.shape[1],
            range=scoring.range,
            claimed=claimed,
            part=part,
        )

    wanted = reports(scoring.metrics, scoring.group_names, scoring.conditions)
    primary = scoring.metrics[0]
    found = {(name, part): of(name, part) for name, part in wanted if not name.endswith(GAP)}
    if scoring.group_names:
        found[(primary + GAP, "")] = gap(primary, [found[(primary, group)] for group in scoring.group_names])
    return tuple(found[each] for each in wanted)


def _parts(scoring: Scoring, rows: Array) -> dict[str, Part]:
    base = len(rows) // (1 + len(scoring.conditions))
    labels = map_labels(Path(scoring.labels), base, scoring.task)
    parts = {"": (rows[:base], labels)}
    if scoring.groups:
        groups = map_groups(Path(scoring.groups), base, len(scoring.group_names))
        for place, name in enumerate(scoring.group_names):
            members = groups == place
            parts[name] = (rows[:base][members], labels[members])
    for block, name in enumerate(scoring.conditions, start=1):
        parts[name] = (rows[block * base : (block + 1) * base], labels)
    return parts
