"""A population from its first epoch to its last, and its measures, by the names that they have in a world of nodes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import PCG64, Generator

from p2peval.defaults import BETA_SLOWER, HALF_LIFE_DAYS, HALF_LIFE_RESOLVED
from p2peval.sim.population.acquaintances import Peers
from p2peval.sim.population.batch import Tally, serve
from p2peval.sim.population.crowd import HONEST, Crowd
from p2peval.sim.population.groups import Population
from p2peval.sim.population.trust_graph import captured, local_trust_of
from p2peval.trust.evidence import DAY

RESIDUAL = 1e-6
"""L1, of reputation; the shares that are told have three digits."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """``tally``: of its tasks. ``captured``: share of the observers' reputation that groups hold at its end, 0 to 1.

    ``bound``: what they could hold at most with the trust that flows to them. Both 0 without observers or groups.
    """

    tally: Tally
    captured: float
    bound: float


class Play:
    """One population, one seed. ``epoch`` moves it on by one."""

    def __init__(self, population: Population, seed: int) -> None:
        self.rng = Generator(PCG64(seed))
        self.crowd = Crowd(population, self.rng)
        many = min(population.observers, population.asking)
        self.observers = np.sort(self.rng.choice(population.asking, many, replace=False)).astype(np.int32)
        self.now = 0

    def epoch(self) -> Epoch:
        population, tally = self.crowd.population, Tally()
        self.crowd.begin(self.now)
        for _ in range(population.tasks):
            order = self.rng.permutation(population.asking)
            for askers in np.array_split(order, min(population.batches, population.asking)):
                serve(self.crowd, askers, self.now, tally, self.rng)
        good, bad = fading(population)
        self.crowd.known.end_epoch(good, bad, self.crowd.life)
        self.now += 1
        return Epoch(tally, *self._captured())

    def _captured(self) -> tuple[float, float]:
        members: Peers = np.flatnonzero(self.crowd.group != HONEST).astype(np.int32)
        if not len(members) or not len(self.observers):
            return 0.0, 0.0
        told = captured(local_trust_of(self.crowd), self.observers, members, residual=RESIDUAL)
        return told.captured, told.bound


def fading(population: Population) -> tuple[float, float]:
    """What is left of good and of bad counts after an epoch: the clock that remembers more counts (§2)."""
    half_lives = min(population.epoch_s / DAY / HALF_LIFE_DAYS, population.tasks / HALF_LIFE_RESOLVED)
    return 0.5**half_lives, 0.5 ** (half_lives / BETA_SLOWER)


def play(population: Population, seed: int) -> list[Epoch]:
    """All its epochs. The same population and seed give the same figures on every machine."""
    game = Play(population, seed)
    return [game.epoch() for _ in range(population.epochs)]


def run(population: Population, seed: int) -> dict[str, float]:
    """Measures over all epochs, named and meant as in ``sim.measures``; what is left out there is left out here.

    ``accepted``: share of tasks. ``bad_picks``: share of assignments that went to a lie; ``captured_tasks``: that went
    to groups. ``wrong_accepts``, ``executions``: per accepted task; ``settled`` of these are everybody's re-runs of a
    sample of each proven liar's, which grow with the population as nothing else does. ``caught``: share of the groups'
    identities that were proven liars. ``lies``: answers that were. Of the last epoch, not of all, and named apart
    because there the word is for opinions: ``captured_mass``, the share of the observers' reputation π that groups
    hold, and ``captured_bound``, the most that they could.
    """
    game = Play(population, seed)
    epochs = [game.epoch() for _ in range(population.epochs)]
    of = {each.name: sum(getattr(epoch.tally, each.name) for epoch in epochs) for each in fields(Tally)}
    accepted = of["tasks"] - of["failed"]
    found = {
        "accepted": accepted / of["tasks"],
        "wrong_accepts": of["wrong"] / max(accepted, 1),
        "bad_picks": of["lies"] / max(of["assigned"], 1),
        "captured_tasks": of["by_liars"] / max(of["assigned"], 1),
        "executions": (of["executions"] + of["settled"]) / max(accepted, 1),
        "settled": of["settled"] / max(accepted, 1),
        "lies": float(of["lies"]),
    }
    if population.size > population.honest:
        proven, back = int(game.crowd.life.sum()), int(game.crowd.life[~game.crowd.out].sum())
        found["caught"] = proven / (population.size - population.honest + back)
        if len(game.observers):
            found |= {"captured_mass": epochs[-1].captured, "captured_bound": epochs[-1].bound}
    return found
