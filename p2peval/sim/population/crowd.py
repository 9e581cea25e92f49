"""The peers as they are now: who is there, who is who, and what askers have seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from p2peval.sim.population.acquaintances import Acquaintances, Lives, Mask, Peers, Places
from p2peval.sim.population.groups import OUTCOMES, Group, Population
from p2peval.trust.hypergeometric import miss_probability
from p2peval.trust.rule import samples_for, wrong_from
from p2peval.trust.testimony import Vector

HONEST = -1
NOBODY = -1
Flag = Callable[[Group], bool]
LONGEST_STREAK = 1_000
"""From there on as much is audited as at this streak: more than the rule asks for. s is 9 of 1797 there; guess."""


class Crowd:
    """``group``: HONEST, or the number of a peer's group. ``life``: how often each was caught. ``out``: proven a liar.

    ``there``: peers that can be asked, and ``place``: where each stands among them, −1 for who is not there.
    ``strangers``: of each asker, right first results of peers, and all. ``sizes``, ``misses``: by streak, how many
    samples are audited, and with what chance a lie escapes them.
    """

    __slots__ = ("group", "known", "life", "misses", "out", "place", "population", "sizes", "strangers", "there")

    def __init__(self, population: Population, rng: np.random.Generator) -> None:
        self.population = population
        sizes = [population.honest, *(group.peers for group in population.groups)]
        self.group = np.repeat(np.arange(HONEST, len(population.groups)), sizes)
        self.life: Lives = np.zeros(population.size, np.int16)
        self.out: Mask = np.zeros(population.size, bool)
        self.known = Acquaintances(population.asking, population.acquaintances)
        self.sizes, self.misses = _checks(population)
        self.strangers = np.zeros((2, population.asking), np.int32)
        self.there: Peers = np.zeros(0, np.int32)
        self.place: Peers = np.zeros(0, np.int32)
        self._acquaint(rng)
        for number, group in enumerate(population.groups):
            askers = rng.choice(population.asking, group.edges, replace=False)
            if len(askers):
                peers = self.members(number)[rng.integers(group.peers, size=len(askers))]
                self._remember(self.known.add(askers, peers, self.life))
        self.begin(0)

    def members(self, number: int) -> Peers:
        """Peers of a group."""
        return np.flatnonzero(self.group == number).astype(np.int32)

    def flag(self, of: Flag, of_honest: bool = False) -> Mask:
        """A property by group, to be looked up with ``group``; HONEST, −1, stands last."""
        return np.array([*map(of, self.population.groups), of_honest], bool)

    def begin(self, epoch: int) -> None:
        """Who is there from now on."""
        joined = self.flag(lambda group: group.joins <= epoch, of_honest=True)[self.group]
        self.there = np.flatnonzero(joined & ~self.out).astype(np.int32)
        self.place = np.full(self.population.size, -1, np.int32)
        self.place[self.there] = np.arange(len(self.there))

    def prior(self, askers: Places) -> Vector:
        """p₀ of each asker, 0 to 1: how strangers have done there so far."""
        good, seen = self.strangers[:, askers]
        return np.asarray((1 + good) / (2 + seen))

    def prove(self, peers: Peers, epoch: int) -> int:
        """These were caught lying, and all know it: a new life for those who come back, an end for others.

        Returns how many samples are re-run for it: everybody who is there re-runs one of each liar's, and believes its
        own eyes alone.
        """
        liars = np.unique(peers)
        samples = len(liars) * len(self.there)
        self.life[liars] += 1
        back = self.flag(lambda group: group.behaviour.fresh)
        self.out[peers[~back[self.group[peers]]]] = True
        self.begin(epoch)
        return samples

    def _acquaint(self, rng: np.random.Generator) -> None:
        """Every asker meets ``met`` honest peers, drawn at random; whom it draws twice, it meets once."""
        population = self.population
        steps = np.sort(rng.integers(1, max(population.honest, 2), (population.asking, population.met)), axis=1)
        new = np.diff(steps, axis=1, prepend=0) > 0
        for column in range(population.met):
            askers = np.flatnonzero(new[:, column])
            peers = (askers + steps[askers, column]) % population.honest
            self._remember(self.known.add(askers, peers.astype(np.int32), self.life))

    def _remember(self, places: Places) -> None:
        self.known.good[places] = OUTCOMES
        self.known.served[places] = self.known.streak[places] = OUTCOMES


def _checks(population: Population) -> tuple[NDArray[np.int64], Vector]:
    """s(k) for k from 0 to LONGEST_STREAK, and with what chance a lie escapes so many samples."""
    asked = population.asked
    altered = wrong_from(asked.samples, asked.delta_nano)
    sizes = [samples_for(asked.samples, asked.delta_nano, asked.epsilon_nano, k) for k in range(LONGEST_STREAK + 1)]
    chances = {s: miss_probability(asked.samples, altered, s) for s in set(sizes)}
    return np.array(sizes), np.array([chances[s] for s in sizes])
