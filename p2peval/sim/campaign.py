"""All worlds of a scenario: its seeds at every point of its sweep, by as many processes as there are, and resumed.

Each world that ends is a line of ``outcomes.jsonl`` at once, flushed, so that Ctrl-C or a crash costs the worlds under
way and no others. A line belongs to a point by the digest of that point's effective configuration and of the code's
version: what was changed is played anew, what was not is not. A torn last line is a world that never ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO

from p2peval import __version__
from p2peval.errors import ConfigError, StoreError
from p2peval.sim.kinds import registry
from p2peval.sim.play import Outcome, play
from p2peval.sim.pool import played
from p2peval.sim.scenario import Scenario
from p2peval.sim.scenario_file import dumps
from p2peval.sim.sweep import Point

Player = Callable[[Callable[["Job"], Outcome], Sequence["Job"]], Iterator[tuple[int, Outcome]]]
"""Plays jobs somewhere, and yields the place and the outcome of each as it ends: sim/pool.py, sim/cluster.py."""

OUTCOMES = "outcomes.jsonl"


@dataclass(frozen=True, slots=True)
class Job:
    """One world: ``folder`` is where the scenario's own adversaries' files are found from."""

    scenario: Scenario
    seed: int


@dataclass(frozen=True, slots=True)
class Played:
    """Every outcome of one point, in order of its scenario's seeds."""

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


def run(points: Sequence[Point], folder: Path, player: Player, told: Callable[[int, int], None]) -> tuple[Played, ...]:
    """Play what ``folder`` does not have yet. ``told``: worlds there are, of how many.

    Raises StoreError where the folder cannot be written, and what playing raises.
    """
    held = _Held(folder)
    wanted = [(_digest(point.scenario), Job(point.scenario, seed)) for point in points for seed in point.scenario.seeds]
    missing = [each for each in wanted if (each[0], each[1].seed) not in held.outcomes]
    told(len(wanted) - len(missing), len(wanted))
    with closing(player(one, [job for _, job in missing])) as ended, held.writing() as file:  # type: ignore[type-var]
        for done, (place, outcome) in enumerate(ended, start=1):
            held.add(file, missing[place][0], outcome)
            told(len(wanted) - len(missing) + done, len(wanted))
    return tuple(
        Played(point, tuple(held.outcomes[_digest(point.scenario), seed] for seed in point.scenario.seeds))
        for point in points
    )


class _Held:
    """What a folder has: (digest of a configuration, seed) -> outcome."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / OUTCOMES
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
            )
            self.outcomes[row["config"], outcome.seed] = outcome
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{self._file}:{number}: not an outcome: {error}", hint="remove the file to play everything anew"
            ) from error

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
