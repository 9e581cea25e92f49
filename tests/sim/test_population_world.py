"""The population model beside worlds of real nodes: the same people, liars and tasks, and the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

import pytest
from scipy.special import stdtrit

from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.estimate import estimate
from p2peval.sim.play import play
from p2peval.sim.population.epochs import run
from p2peval.sim.population.groups import Group
from p2peval.sim.population.groups import Population as Many
from p2peval.sim.scenario import Adversaries, Network, Population, Scenario, Workload

pytestmark = pytest.mark.slow

LIARS = 0.35  # of all hosts; trust.md §5
SAMPLES = 200
MEASURES = ("accepted", "bad_picks", "captured_tasks", "executions", "caught")


def world(hosts: int, requesters: int, tasks: int, rate: float, seeds: int) -> list[dict[str, float]]:
    """Hosts of whom some lie from the first task on, each with every word and timer of a node."""
    liars = round(LIARS * hosts)
    scenario = Scenario(
        "calibration",
        hours=tasks / rate,
        population=Population(honest=hosts - liars, requesters=requesters),
        network=Network(profiles="neighbours"),
        adversaries=(Adversaries("sleeper", liars, options=(("wakes_after", 0),)),),
        workload=Workload(samples=SAMPLES, tasks=tasks, tasks_per_hour=rate),
    )
    return [play(scenario, seed, ADVERSARIES).measures for seed in range(seeds)]


def population(hosts: int, requesters: int, tasks: int, rate: float, seeds: int) -> list[dict[str, float]]:
    """The same as arrays; tasks come one after the other there, so each is a batch of its own."""
    liars = round(LIARS * hosts)
    many = Many(
        hosts - liars,
        (Group("liars", liars),),
        requesters,
        tasks,
        batches=requesters,
        observers=0,
        samples=SAMPLES,
        epoch_s=3600.0 / rate,
    )
    return [run(many, seed) for seed in range(seeds)]


def agrees(real: Sequence[float], arrays: Sequence[float]) -> bool:
    """Whether the mean of ``real`` is where that of so few ``arrays`` would be 95 times in 100, by their own spread.

    Sharper than two intervals that meet: with two or three worlds, Student's would let anything pass.
    """
    spread = stdev(arrays) * sqrt(1 / len(real) + 1 / len(arrays))
    return abs(fmean(real) - fmean(arrays)) <= float(stdtrit(len(arrays) - 1, 0.975)) * spread


@pytest.mark.parametrize(
    ("hosts", "requesters", "tasks", "rate", "seeds"), [(100, 10, 8, 6.0, 3), (1000, 20, 4, 4.0, 1)]
)
def test_a_population_comes_to_what_real_nodes_come_to(
    hosts: int, requesters: int, tasks: int, rate: float, seeds: int
) -> None:
    """Wrong accepts are too rare to be seen among so few tasks: there are none to compare.

    ``rate``: tasks an hour of each requester. At more, who is known is too busy with strangers to take a friend's.
    """
    real, arrays = world(hosts, requesters, tasks, rate, seeds), population(hosts, requesters, tasks, rate, 30)
    for measure in MEASURES:
        found, expected = ([each[measure] for each in worlds] for worlds in (real, arrays))
        assert agrees(found, expected), f"{measure}: {found} in worlds, {estimate(expected)} in arrays"
        assert min(expected) < max(expected)
