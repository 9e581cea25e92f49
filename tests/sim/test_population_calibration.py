"""The population model beside worlds that decide one task at a time: the same figures, within their 95 % intervals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p2peval.sim.estimate import Estimate, estimate
from p2peval.sim.population import picks
from p2peval.sim.population.epochs import run
from p2peval.sim.population.groups import Behaviour, Group, Population
from p2peval.sim.tables import checking_world
from p2peval.sim.tables.checking_cases import Case, now_and_then, sleeper

ASKERS, TASKS, SEEDS = 40, 40, 8
CASES = {
    "always": (Case(), Behaviour()),
    "one in ten": (Case(now_and_then), Behaviour(chance=0.1)),
    "sleeper 5": (Case(sleeper(5)), Behaviour(honest=5)),
    "whitewash": (Case(fresh=True), Behaviour(fresh=True)),
}


def in_checking_world(case: Case) -> list[dict[str, float]]:
    worlds = [
        checking_world.simulate(replace(case, wary=True, requesters=ASKERS, tasks=TASKS), "audit", seed)
        for seed in range(SEEDS)
    ]
    return [
        {
            "wrong_accepts": world.wrong / world.accepted,
            "executions": world.executions / world.tasks,
            "captured_tasks": world.served_by_liars / world.tasks,
        }
        for world in worlds
    ]


def in_population(behaviour: Behaviour) -> list[dict[str, float]]:
    """130 honest peers beside the asker and 70 liars, in a moment: nothing fades, and nobody is forgotten."""
    liars = Group("liars", 70, behaviour)
    there = Population(131, (liars,), ASKERS, TASKS, acquaintances=200, observers=0, attempts=8, epoch_s=1.0)
    found = [run(there, seed) for seed in range(SEEDS)]
    return [each | {"executions": each["executions"] - each["settled"]} for each in found]  # proofs are free there


def over(worlds: list[dict[str, float]], measure: str) -> Estimate:
    return estimate([world[measure] for world in worlds])


@pytest.mark.parametrize("name", CASES)
def test_figures_are_those_of_the_checking_world(name, monkeypatch):
    """That world draws its candidates with replacement, so both ask any one known; whitewashers differ too little."""
    if name != "whitewash":
        monkeypatch.setattr(checking_world, "CANDIDATES", 1)
        monkeypatch.setattr(picks, "CANDIDATES", 1)
    case, behaviour = CASES[name]
    there, here = in_checking_world(case), in_population(behaviour)
    for measure in ("wrong_accepts", "executions", "captured_tasks"):
        one, other = over(there, measure), over(here, measure)
        assert one.low <= other.high, measure
        assert other.low <= one.high, measure


def test_what_drawing_without_replacement_changes_is_small():
    there, here = in_checking_world(Case()), in_population(Behaviour())
    assert over(here, "executions").mean == pytest.approx(over(there, "executions").mean, rel=0.01)
