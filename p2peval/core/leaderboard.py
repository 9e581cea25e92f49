"""A benchmark's board as *this* node sees it: what it audited itself, ranked; claims of others below.

A claim never sets the ranking (trust.md §1, What a stranger may believe).
"""

from __future__ import annotations

from p2peval.core.benchmark import lower_is_better
from p2peval.core.messages import Defined, MetricReport
from p2peval.core.rows import ResultRow
from p2peval.core.state import State
from p2peval.core.types import NANO, BenchmarkId

MINE = "me"
CLAIMED = "claimed"
UNAUDITABLE = "unauditable"
REFUTED = "refuted"

ORDER = (MINE, CLAIMED, UNAUDITABLE, REFUTED)
"""From the top of the board to its end; only the first is ranked."""


def board(state: State, benchmark: BenchmarkId) -> list[ResultRow]:
    """One row for each (model, standing), the newest; own results first, best first, then claims."""
    spec = state.benchmarks[benchmark].spec
    newest: dict[tuple[str, str], ResultRow] = {}
    for row in state.results:
        if row.benchmark == benchmark and row.accepted:
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
