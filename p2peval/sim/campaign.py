"""All worlds of a scenario: its seeds at every point of its sweep, by as many processes as there are, and resumed.

Each world that ends is a line of ``outcomes.jsonl`` at once, flushed, so that Ctrl-C or a crash costs the worlds under
way and no others. A line belongs to a point by the digest of that point's effective configuration and of the code's
version: what was changed is played anew, what was not is not. A torn last line is a world that never ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO

from p2peval import __version__
from p2peval.errors import ConfigError, NotFoundError, StoreError
from p2peval.sim.document import parsed
from p2peval.sim.kinds import kinds, registry
from p2peval.sim.measures import MEASURES
from p2peval.sim.play import Outcome, play
from p2peval.sim.pool import played
from p2peval.sim.scenario import Scenario
from p2peval.sim.scenario_file import Rules, Source, dumps
from p2peval.sim.sweep import Point
from p2peval.sim.tables.tables import whole

Player = Callable[[Callable[["Job"], Outcome], Sequence["Job"]], Iterator[tuple[int, Outcome]]]
"""Plays jobs somewhere, and yields the place and the outcome of each as it ends: sim/pool.py, sim/cluster.py."""

OUTCOMES = "outcomes.jsonl"
POINTS = "points.json"


@dataclass(frozen=True, slots=True)
class Job:
    """One world."""

    scenario: Scenario
    seed: int


@dataclass(frozen=True, slots=True)
class Named:
    """A point by the name that reports give it; "" where nothing varies."""

    name: str
    point: Point


@dataclass(frozen=True, slots=True)
class Played:
    """Every outcome of one point, in order of its scenario's seeds."""

    name: str
    point: Point
    outcomes: tuple[Outcome, ...]

    def values(self) -> dict[str, list[float | None]]:
        """Measure -> its value in each seed, None where it has none."""
        names = dict.fromkeys(name for outcome in self.outcomes for name in outcome.measures)
        return {name: [outcome.measures.get(name) for outcome in self.outcomes] for name in names}


def one(job: Job) -> Outcome:
    """Plays a world; what a process of the pool does."""
    return play(job.scenario, job.seed, registry(job.scenario))


def locally(jobs: int) -> Player:
    """By processes of this machine."""
    return partial(_by_pool, jobs)


def _by_pool(jobs: int, do: Callable[[Job], Outcome], work: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
    return played(do, work, jobs)


def run(points: Sequence[Named], folder: Path, player: Player, told: Callable[[int, int], None]) -> tuple[Played, ...]:
    """Play what ``folder`` does not have yet. ``told``: worlds there are, of how many.

    Raises StoreError where the folder cannot be written, and what playing raises.
    """
    held = _Held(folder)
    scenarios = [each.point.scenario for each in points]
    wanted = [(_digest(scenario), Job(scenario, seed)) for scenario in scenarios for seed in scenario.seeds]
    missing = [each for each in wanted if (each[0], each[1].seed) not in held.outcomes]
    there = len(wanted) - len(missing)
    told(there, len(wanted))
    held.name(points)
    with held.writing() as file:
        for place, outcome in player(one, [job for _, job in missing]):
            held.add(file, missing[place][0], outcome)
            there += 1
            told(there, len(wanted))
    return tuple(held.of(each) for each in points)


def kept(folder: Path) -> tuple[Played, ...]:
    """What the last ``run`` left in a folder. Raises NotFoundError, ConfigError."""
    held, rules = _Held(folder), Rules(kinds, MEASURES)
    try:
        told = json.loads((folder / POINTS).read_text(encoding="utf-8"))
        points = [
            Named(
                each["name"],
                Point(
                    tuple((key, value) for key, value in each["settings"]),
                    Source(parsed(each["config"], POINTS), rules).scenario(),
                ),
            )
            for each in told
        ]
    except FileNotFoundError:
        raise NotFoundError(f"{folder}: nothing was played here", hint="p2peval sim run plays a scenario") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder / POINTS}: not readable: {error}", hint="play the scenario again") from error
    return tuple(held.of(each) for each in points)


class _Held:
    """What a folder has: (digest of a configuration, seed) -> outcome."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / OUTCOMES
        self.outcomes: dict[tuple[str, int], Outcome] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = self._file.read_text(encoding="utf-8") if self._file.exists() else ""
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}", hint="give another folder with --out") from error
        whole = text[: text.rfind("\n") + 1]  # a torn last line is a world that never ended
        for number, line in enumerate(whole.splitlines(), start=1):
            self._read(number, line)
        if whole != text:
            self._file.write_text(whole, encoding="utf-8")

    def _read(self, number: int, line: str) -> None:
        try:
            row = json.loads(line)
            outcome = Outcome(
                row["seed"],
                row["measures"],
                row["digest"],
                row["events"],
                tuple(tuple(point) for point in row["curve"]),
                row["work"],
                (tuple(row["reputations"][0]), tuple(row["reputations"][1])),
            )
            self.outcomes[row["config"], outcome.seed] = outcome
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{self._file}:{number}: not an outcome: {error}", hint="remove the file to play everything anew"
            ) from error

    def name(self, points: Sequence[Named]) -> None:
        """Remember what was played, for who only wants it drawn again."""
        told = [
            {"name": each.name, "settings": each.point.settings, "config": dumps(each.point.scenario)}
            for each in points
        ]
        with whole(self._folder / POINTS) as file:
            file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def of(self, named: Named) -> Played:
        """Raises NotFoundError where a world is missing."""
        scenario = named.point.scenario
        found = [self.outcomes.get((_digest(scenario), seed)) for seed in scenario.seeds]
        there = tuple(outcome for outcome in found if outcome is not None)
        if len(there) < len(found):
            raise NotFoundError(
                f"{self._file}: {len(found) - len(there)} of {len(found)} worlds of {named.name or scenario.title!r} "
                "were not played, or by other code",
                hint="p2peval sim run plays them",
            )
        return Played(named.name, named.point, there)

    def writing(self) -> IO[str]:
        try:
            return self._file.open("a", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{self._file}: {error.strerror}") from error

    def add(self, file: IO[str], config: str, outcome: Outcome) -> None:
        row: Mapping[str, object] = {"config": config} | asdict(outcome)
        try:
            file.write(json.dumps(row) + "\n")
            file.flush()
        except OSError as error:
            raise StoreError(f"{self._file}: {error.strerror}", hint="what ended before is kept") from error
        self.outcomes[config, outcome.seed] = outcome


def _digest(scenario: Scenario) -> str:
    """Of all that decides what a world does but its seed: a claim more or less replays nothing."""
    plain = replace(scenario, seeds=(0,), claims=(), sweep=(), title="-", description="")
    return sha256(f"{__version__}\n{dumps(plain)}".encode()).hexdigest()[:16]


def cores() -> int:
    return len(os.sched_getaffinity(0))
