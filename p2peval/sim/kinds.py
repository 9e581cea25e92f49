"""Which adversaries a scenario can name: the lab's own, and those of a user's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.adversary import Adversary, load
from p2peval.sim.scenario import Scenario
from p2peval.sim.scenario_file import Source


def kinds(file: Path | None) -> Mapping[str, type[Adversary]]:
    """Name -> class: the lab's, and the one in ``file``. Raises ConfigError for a file that has none."""
    if file is None:
        return ADVERSARIES
    own = load(file)
    return {**ADVERSARIES, own.name(): own}


def registry(scenario: Scenario) -> dict[str, type[Adversary]]:
    """Of all that this scenario names."""
    found: dict[str, type[Adversary]] = {}
    for group in scenario.adversaries:
        found |= kinds(Path(group.file) if group.file else None)
    return found


A_THIRD = 3
"""Of the honest: as many adversaries as a user's file gets in a scenario that has none."""


def attacked_by(source: Source, file: Path) -> Source:
    """The same scenario with the attack in ``file`` in place of its own, by as many hosts. Raises ConfigError."""
    scenario, own = source.scenario(), load(file)
    count = sum(group.count for group in scenario.adversaries) or scenario.population.honest // A_THIRD
    group = {"kind": own.name(), "count": count, "file": str(file.resolve())}
    return replace(source, document=source.document.replaced("adversaries", [group], f"--adversary {file}"))
