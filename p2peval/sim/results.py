"""What all worlds of a campaign say together: means with their intervals, claims judged, and files of both."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isfinite
from pathlib import Path

import numpy as np

from p2peval import __version__
from p2peval.sim.campaign import Played
from p2peval.sim.claims import Verdict, judge
from p2peval.sim.estimate import Estimate, estimate
from p2peval.sim.measures import MEASURES
from p2peval.sim.scenario import Scenario
from p2peval.sim.scenario_file import dumps
from p2peval.sim.sweep import Point
from p2peval.sim.tables.tables import whole


@dataclass(frozen=True, slots=True)
class Summary:
    """One point: ``name`` says what is set there, "" where nothing varies; ``found``: measure -> mean and interval."""

    name: str
    point: Point
    found: dict[str, Estimate]
    verdicts: tuple[Verdict, ...]

    @property
    def held(self) -> bool:
        return all(verdict.held for verdict in self.verdicts)


def summed_up(played: Played) -> Summary:
    """Raises ClaimError for a claim on what nobody measures."""
    known = played.values()
    values = {name: known.get(name, [None] * len(played.outcomes)) for name in MEASURES}
    found = {}
    for measure, each in values.items():
        numbers = [value for value in each if value is not None and isfinite(value)]
        if numbers:
            found[measure] = estimate(numbers)
    return Summary(played.name, played.point, found, judge(played.point.scenario.claims, values))


def said(point: Point) -> str:
    """What is set at a point, in few words."""
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in point.settings)


def write(scenario: Scenario, played: Sequence[Played], folder: Path) -> list[Path]:
    """config.toml, versions.json, measures.parquet and curves.parquet; each whole or not at all."""
    files = [folder / name for name in ("config.toml", "versions.json", "measures.parquet", "curves.parquet")]
    with whole(files[0]) as file:
        file.write_text(dumps(scenario), encoding="utf-8")
    with whole(files[1]) as file:
        file.write_text(json.dumps(versions(), indent=2) + "\n", encoding="utf-8")
    _write_measures(played, files[2])
    _write_curves(played, files[3])
    return files


def versions() -> dict[str, str]:
    """Of what decides the figures."""
    return {
        "p2peval": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": version("scipy"),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _write_measures(played: Sequence[Played], path: Path) -> None:
    """One row a point, seed and measure."""
    rows = [
        (each.name, outcome.seed, outcome.digest, name, value)
        for each in played
        for outcome in each.outcomes
        for name, value in outcome.measures.items()
    ]
    _parquet(path, ("point", "seed", "digest", "measure", "value"), rows)


def _write_curves(played: Sequence[Played], path: Path) -> None:
    """One row a point, seed and time."""
    rows = [
        (each.name, outcome.seed, *point) for each in played for outcome in each.outcomes for point in outcome.curve
    ]
    _parquet(path, ("point", "seed", "seconds", "honest_reputation", "adversary_reputation"), rows)


def _parquet(path: Path, names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    with whole(path) as unfinished:
        parquet.write_table(pa.table(dict(zip(names, map(list, columns), strict=True))), unfinished)
