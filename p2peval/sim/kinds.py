"""Which adversaries a scenario can name: the lab's own, and those of a user's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.adversary import Adversary, load
from p2peval.sim.scenario import Scenario


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
