"""What checking costs, and what gets by: our rule in the checking world, over the seeds of trust.md §5."""

from __future__ import annotations

from pathlib import Path

from report import Row

from p2peval.sim.estimate import Estimate, estimate
from p2peval.sim.tables import checking_world

SEEDS = 30


def run(scratch: Path) -> list[Row]:
    honest = _over_seeds("honest, n=1797", "executions")
    bold = _over_seeds("whitewash", "wrong_accepts")
    wary = _over_seeds("whitewash, wary", "wrong_accepts")
    return [
        Row("redundancy.executions_per_task.honest", honest.mean, "executions", _told("n=1797, ε=.005", honest)),
        Row("redundancy.wrong_accepts.whitewash", wary.mean, "share", _told("35 % liars, wary of strangers", wary)),
        Row("redundancy.wrong_accepts.whitewash.bold", bold.mean, "share", _told("a tenth to newcomers always", bold)),
    ]


def _over_seeds(case: str, measure: str) -> Estimate:
    return estimate([checking_world.run(case, "audit", seed)[measure] for seed in range(SEEDS)])


def _told(world: str, found: Estimate) -> str:
    return f"{world}; {found.seeds} seeds, 95 %: {found.low:.6f} to {found.high:.6f}"
