"""Both tables of trust.md §5, anew: every case, every policy, many seeds; as CSV, beside the goals.

A world is a module with ``CASES``, ``POLICIES`` and ``run(case, policy, seed) -> measures``; what it simulates is no
business of this one. Worlds of different seeds share nothing, so processes play them side by side, and the order in
which they end changes nothing.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from itertools import product
from pathlib import Path
from types import ModuleType

from p2peval.errors import StoreError
from p2peval.sim.estimate import estimate
from p2peval.sim.pool import played
from p2peval.sim.tables import checking_world, picking_world
from p2peval.sim.tables.goals import CHECKING, GOALS, PICKING, Goal

WORLDS: dict[str, ModuleType] = {CHECKING: checking_world, PICKING: picking_world}

Job = tuple[str, str, str, int]
"""(table, case, policy, seed)"""


@dataclass(frozen=True, slots=True)
class Line:
    """A measure of one policy in one case: its mean over ``seeds`` and the 95 % interval of that mean."""

    table: str
    case: str
    policy: str
    measure: str
    mean: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """``found`` is what came out; ``missed_by`` is 0 where the goal is met."""

    goal: Goal
    found: Line
    missed_by: float


def lines(tables: Sequence[str], seeds: int, jobs: int, told: Callable[[int, int], None]) -> list[Line]:
    """All lines of ``tables`` over seeds 0 … ``seeds``−1, by ``jobs`` processes. ``told``: worlds done, of how many."""
    work = [
        (table, case, policy, seed)
        for table in tables
        for case, policy, seed in product(WORLDS[table].CASES, WORLDS[table].POLICIES, range(seeds))
    ]
    found: dict[Job, dict[str, float]] = {}
    for place, measures in played(_play, work, jobs):
        found[work[place]] = measures
        told(len(found), len(work))
    seen: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for job in work:
        for measure, value in found[job].items():
            seen[(*job[:3], measure)].append(value)
    best = _best_responses() if CHECKING in tables else []
    return [Line(*key, *astuple(estimate(values))) for key, values in seen.items()] + best


def verdicts(found: Sequence[Line]) -> list[Verdict]:
    """Each goal of the tables in ``found``, beside what the policy reached that it is for."""
    reached = {(line.table, line.case, line.measure, line.policy): line for line in found}
    tables = {line.table for line in found}
    return [
        Verdict(goal, line, max(0.0, line.mean - goal.most))
        for goal in GOALS
        if goal.table in tables
        for line in [reached[goal.table, goal.case, goal.measure, goal.policy]]
    ]


def write_csv(found: Sequence[Line], path: Path) -> None:
    """The whole file or none: it takes its name when it is complete."""
    with whole(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([field.name for field in fields(Line)])
        out.writerows(astuple(line) for line in found)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """What is written to the path that this gives becomes ``path`` at the end, and goes if it is interrupted.

    Raises StoreError where the disk refuses it.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        said = error.strerror or str(error)
        raise StoreError(
            f"{path}: {said}", hint="what was written before is whole; give room, or another --out"
        ) from error
    finally:
        with suppress(OSError):  # it may never have come to be
            unfinished.unlink(missing_ok=True)


def _play(job: Job) -> dict[str, float]:
    table, case, policy, seed = job
    measures: dict[str, float] = WORLDS[table].run(case, policy, seed)
    return measures


def _best_responses() -> list[Line]:
    """Computed, not played: one exact figure for each rule that knows whom it asks."""
    exact = {policy: checking_world.best_liar(policy) for policy in checking_world.POLICIES}
    return [
        Line(CHECKING, "best response", policy, "wrong_per_lie_served", rate, rate, rate, 1)
        for policy, rate in exact.items()
        if rate is not None
    ]
