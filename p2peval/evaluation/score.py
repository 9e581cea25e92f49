"""Outputs and labels to metric reports: how a worker's jobs ask evaluation.metrics.

Decides only how a blob of outputs and a mapped labels file become arguments. Must not know formulas.
"""

from __future__ import annotations

_METRICS = {"classification": ("accuracy", "macro_f1", "brier"), "regression": ("mae", "rmse")}


def metric_names(task: str) -> tuple[str, ...]:
    """The metrics that a benchmark of this task may name."""
    return _METRICS[task]
