"""A paper played: every point with every seed on a process pool, the means, the file, and the verdict on each claim."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from importlib import import_module
from pathlib import Path
from types import ModuleType

from p2peval.errors import NotFoundError
from p2peval.sim.estimate import estimate
from p2peval.sim.papers import NAMES
from p2peval.sim.papers.paper import Claim, Paper, Point
from p2peval.sim.pool import played
from p2peval.sim.tables.tables import whole


@dataclass(frozen=True, slots=True)
class Line:
    """One point of one curve: its mean over ``seeds`` and the 95 % interval of that mean."""

    panel: str
    curve: str
    x: float
    mean: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """``verdict``: "holds"; "open", where the means stand as claimed but the intervals touch; or "fails"."""

    claim: Claim
    lower: Line
    higher: Line
    verdict: str


def module(name: str) -> ModuleType:
    """Raises NotFoundError with the papers that there are."""
    if name not in NAMES:
        raise NotFoundError(f"no paper is called {name!r}", hint=f"one of: {', '.join(NAMES)}")
    return import_module(f"p2peval.sim.papers.{name}")


def lines(paper: Paper, points: Sequence[Point], seeds: int, jobs: int, told: Callable[[int, int], None]) -> list[Line]:
    """All points over seeds 0 … ``seeds``−1, by ``jobs`` processes. ``told``: plays done, of how many.

    Raises ValueError where a play has a measure for a panel that ``paper`` does not have.
    """
    work = [(point, seed) for point in points for seed in range(_seeds(point, seeds))]
    found: dict[int, Mapping[str, float]] = {}
    for place, measures in played(_play, work, jobs):
        found[place] = measures
        told(len(found), len(work))
    seen: dict[tuple[str, str, float], list[float]] = defaultdict(list)
    for place, (point, _) in enumerate(work):
        for panel, value in found[place].items():
            seen[panel, point.curve, point.x].append(value)
    if strange := {panel for panel, _, _ in seen} - {panel.name for panel in paper.panels}:
        raise ValueError(f"{paper.title}: a measure for no panel of it: {', '.join(sorted(strange))}")
    order = {panel.name: place for place, panel in enumerate(paper.panels)}
    return [
        Line(*key, *astuple(estimate(values))) for key, values in sorted(seen.items(), key=lambda x: order[x[0][0]])
    ]


def verdicts(paper: Paper, found: Sequence[Line]) -> list[Verdict]:
    """Raises KeyError where a claim is about a point that was not played."""
    at = {(line.panel, line.curve, line.x): line for line in found}
    return [_judged(claim, at[claim.panel, *claim.lower], at[claim.panel, *claim.higher]) for claim in paper.claims]


def _judged(claim: Claim, lower: Line, higher: Line) -> Verdict:
    if lower.high < higher.low:
        return Verdict(claim, lower, higher, "holds")
    return Verdict(claim, lower, higher, "open" if lower.mean < higher.mean else "fails")


def write_csv(found: Sequence[Line], path: Path) -> None:
    """The whole file or none: it takes its name when it is complete."""
    with whole(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([field.name for field in fields(Line)])
        out.writerows(
            (*astuple(line)[:3], *(f"{x:.6g}" for x in (line.mean, line.low, line.high)), line.seeds) for line in found
        )


def _seeds(point: Point, asked: int) -> int:
    if point.exact:
        return 1
    return asked if point.most is None else min(asked, point.most)


def _play(work: tuple[Point, int]) -> Mapping[str, float]:
    point, seed = work
    return point.play(seed)
