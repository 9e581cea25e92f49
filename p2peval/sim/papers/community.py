"""The world of the MeritRank paper, rebuilt: members who give each other feedback, week by week, and a Sybil region.

One contributor of much merit grows fake identities from some week on: a path, a cycle, or both over the same ones, as
in the authors' notebook. Who earned what adds up over the weeks. Their members are those of a forum whose data is not
here; ours are drawn, with Zipf's law for how much each gives and gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator
from scipy.sparse import csr_array

from p2peval.trust.testimony import Testimony, Vector

OBSERVER = 0  # whose view it is; the notebook's seed node 0
ATTACKER = 3  # third in merit; the notebook's attacker is third in reputation


@dataclass(frozen=True, slots=True)
class Community:
    """``weeks``: of which each stands for five of the notebook's 50. Weights are those of feedback."""

    members: int = 150  # the observer included; guess
    weeks: int = 10  # 50 of the notebook, five at a time
    attack: int = 4  # weeks without Sybils; 20 of 50 there
    given: int = 300  # feedbacks in a week; guess
    feedback: float = 4.0  # weight of one; the notebook's least
    known: int = 10  # members whom the observer links to; the notebook's num_seed_connections
    sybil_edge: float = 20.0  # weight of each edge of the Sybil region; the notebook's attack_w
    attacker_gives: float = 8.0  # feedback of the attacker to others in a week; fitted to what one Sybil gains there


@dataclass(frozen=True, slots=True)
class Week:
    """What everybody states by then, and whether Sybils are there already. Sybils stand behind the members.

    ``draw``: the seed of what walks at random, another one each week.
    """

    testimony: Testimony
    attacked: bool
    draw: int


Rule = Callable[[Testimony, int], Vector]
"""(what everybody states, seed) -> n reputations ≥ 0."""


def weeks(world: Community, kind: str, sybils: int, seed: int) -> Iterator[Week]:
    """The community as it grows. ``kind``: "cycle", "path" or "both". Honest feedback is the same for all of them."""
    rng = Generator(PCG64(seed))
    size = world.members + sybils
    counts = np.zeros((size, size))
    gives = rng.permutation(_zipf(world.members - 1))
    gives[ATTACKER - 1] = 0.0
    for week in range(world.weeks):
        _feedback(world, counts, gives / gives.sum(), rng)
        attacked = week >= world.attack
        stated = counts.copy()
        if attacked and sybils:
            _sybils(stated, world.members, kind, world.sybil_edge)
        nothing = csr_array((size, size))
        draw = seed * world.weeks + week
        yield Week(Testimony(OBSERVER, csr_array(stated), nothing, (), 0.5), attacked, draw)


def _feedback(world: Community, counts: Vector, gives: Vector, rng: Generator) -> None:
    """One week's. Members are 1 …, in the order of their merit; nobody rates itself, nor the observer."""
    merit = _zipf(world.members - 1)
    rater = 1 + rng.choice(world.members - 1, world.given, p=gives)
    rated = 1 + rng.choice(world.members - 1, world.given, p=merit)
    others = rater != rated
    np.add.at(counts, (rater[others], rated[others]), world.feedback)
    friend = 1 + rng.choice(world.members - 1, 2, p=merit)
    counts[ATTACKER, friend[friend != ATTACKER]] += world.attacker_gives / 2
    received = counts[1 : world.members, 1 : world.members].sum(0)
    best = 1 + np.argsort(-received, kind="stable")[: world.known]
    counts[OBSERVER] = 0.0
    counts[OBSERVER, best] = received[best - 1]


def _sybils(counts: Vector, first: int, kind: str, weight: float) -> None:
    region = np.arange(first, len(counts))
    if kind in ("path", "both"):
        counts[ATTACKER, region[0]] = weight
        counts[region[:-1], region[1:]] = weight
    if kind in ("cycle", "both"):
        counts[ATTACKER, region] = weight
        counts[region, ATTACKER] = weight


def _zipf(size: int) -> Vector:
    share = 1.0 / np.arange(1, size + 1)
    return np.asarray(share / share.sum())


def gain(world: Community, kind: str, sybils: int, rule: Rule, seed: int) -> float:
    """Reputation of all Sybils over that of the attacker, both summed over the weeks; 0 without Sybils."""
    theirs = own = 0.0
    for week in weeks(world, kind, sybils, seed):
        found = rule(week.testimony, week.draw)
        own += float(found[ATTACKER])
        theirs += float(found[world.members :].sum())
    return theirs / own
