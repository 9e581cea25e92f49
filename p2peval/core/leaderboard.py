"""A benchmark's board as *this* node sees it: what it audited itself, ranked; below that, what others say.

A claim never sets the ranking (trust.md §1, What a stranger may believe).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from p2peval.core.benchmark import lower_is_better
from p2peval.core.parts import Defined, MetricReport
from p2peval.core.rows import ResultRow
from p2peval.core.state import State
from p2peval.core.types import NANO, BenchmarkId, ObjectId

MINE = "me"
TRUSTED = "trusted"
CLAIMED = "claimed"
UNAUDITABLE = "unauditable"
REFUTED = "refuted"

ORDER = (MINE, TRUSTED, CLAIMED, UNAUDITABLE, REFUTED)
"""From the top of the board to its end; only the first is ranked."""

HEARSAY = frozenset({CLAIMED, UNAUDITABLE})
"""Standings of what this node knows from others only."""


def board(state: State, benchmark: BenchmarkId, trusted: Container[ObjectId] = ()) -> list[ResultRow]:
    """One row for each (model, standing), the newest; own results first, best first, then claims.

    ``trusted``: records for which auditors whom this node trusts have vouched (core/standing.py): they stand
    between the two, unranked like every word of others.
    """
    spec = state.benchmarks[benchmark].spec
    newest: dict[tuple[str, str], ResultRow] = {}
    for row in state.results:
        if row.benchmark == benchmark and row.accepted:
            if row.standing in HEARSAY and row.record in trusted:
                row = replace(row, standing=TRUSTED)
            held = newest.get((row.model, row.standing))
            if held is None or row.finished > held.finished:
                newest[(row.model, row.standing)] = row
    mine = {row.model for row in newest.values() if row.standing == MINE}
    lines = [row for row in newest.values() if row.standing in (MINE, REFUTED) or row.model not in mine]
    return sorted(lines, key=lambda row: _place(row, spec.metrics[0]))


def _place(row: ResultRow, primary: str) -> tuple[int, bool, int, str]:
    report = next((m for m in row.metrics if m.name == primary and not m.group), None)
    if report is None or report.defined is not Defined.VALUE:
        return (ORDER.index(row.standing), True, 0, row.model)
    return (ORDER.index(row.standing), False, _pessimistic(report), row.model)


def _pessimistic(report: MetricReport) -> int:
    """Sort key, smallest first: the end of what a lie or near-ties leave open that speaks against the model."""
    known = report.audit or report.ambiguity
    if lower_is_better(report.name):
        return known.high_nano if known else report.value_nano
    return NANO - (known.low_nano if known else report.value_nano)
