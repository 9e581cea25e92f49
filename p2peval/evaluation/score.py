"""Outputs and a labels file to metric reports: what the worker's jobs ask of evaluation.report.

Decides whether anything in them was claimed by somebody else. Must not know formulas.
"""

from __future__ import annotations

from pathlib import Path

from p2peval.core.messages import MetricReport, Tolerance
from p2peval.evaluation.dataset import map_labels
from p2peval.evaluation.jobs import Scoring
from p2peval.evaluation.labels import Array
from p2peval.evaluation.report import report


def score(scoring: Scoring, rows: Array, claimed_within: Tolerance | None) -> tuple[MetricReport, ...]:
    """Reports of all metrics asked for, over canonical ``rows``, N × C.

    ``claimed_within``: the tolerance that an audit of somebody's claim allowed; None for one's own run, in
    which nothing can be a lie. Raises EvaluationError: data_mismatch, unknown_metric.
    """
    return report(
        scoring.metrics,
        rows,
        map_labels(Path(scoring.labels), len(rows), scoring.task),
        task=scoring.task,
        classes=rows.shape[1],
        range=scoring.range,
        delta_nano=None if claimed_within is None else scoring.delta_nano,
        tolerance=claimed_within or Tolerance(0, 0),
    )
