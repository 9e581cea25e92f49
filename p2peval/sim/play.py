"""One scenario, one seed: set it up, let its time pass, and say what it was like."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.types import Seconds
from p2peval.sim.collector import patient_collector
from p2peval.sim.measures import Observer, measures, reputations
from p2peval.sim.scenario import Scenario
from p2peval.sim.stage import SETTLED, Registry, set_up
from p2peval.sim.trace import Trace
from p2peval.sim.users import come_and_go, schedule
from p2peval.sim.world import START

POINTS = 40
"""Of the curve of reputation over time."""

AFTERMATH: Seconds = 60.0
"""Seconds that a world is let run after the scenario's time, so that what was asked last can end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``digest``: over every decision of every node (sim/trace.py). ``curve``: of (seconds since the scenario began,
    mean reputation of honest peers, of adversaries) in honest requesters' tables. ``work``: what was done, by kind.
    ``reputations``: of honest peers, and of adversaries, in those tables at the end: what a ROC is drawn from.
    """

    seed: int
    measures: dict[str, float]
    digest: str
    events: int
    curve: tuple[tuple[float, float, float], ...]
    work: dict[str, int]
    reputations: tuple[tuple[float, ...], tuple[float, ...]]


@patient_collector()
def play(scenario: Scenario, seed: int, adversaries: Registry, trace: Trace | None = None) -> Outcome:
    """The same scenario and seed give the same outcome in every process.

    ``adversaries``: name -> class of all that the scenario names. ``trace``: to listen to every event.
    """
    stage = set_up(scenario, seed, adversaries, trace)
    observer = Observer(stage)
    schedule(stage, seed)
    come_and_go(stage, seed)
    world = stage.world
    for point in range(1, POINTS + 1):
        world.heap.run(START + SETTLED + scenario.seconds * point / POINTS)
        observer.sample()
    world.heap.run(world.now + AFTERMATH)
    good, bad = reputations(stage)
    return Outcome(
        seed,
        measures(observer),
        world.trace.digest,
        world.heap.events,
        tuple((at - START - SETTLED, good, bad) for at, good, bad in observer.curve),
        dict(sorted(world.work.items())),
        (tuple(round(value, 6) for value in good), tuple(round(value, 6) for value in bad)),
    )
