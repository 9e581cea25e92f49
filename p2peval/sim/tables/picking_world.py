"""Whom to ask: honest peers give tasks away, learn who answered rightly, and state what they saw (trust.md §5).

In each cycle every honest peer forms its own opinions from its own counts and from all statements, and picks for its
tasks the best opinion among those who answer; a tenth goes to newcomers. A task is a bad pick if its answer is wrong or
if nobody answers. All that chance decides is drawn alike for all policies, so that they meet the very same tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import PCG64, Generator

from p2peval.defaults import EPSILON
from p2peval.sim.tables.picking_policies import ABLATIONS, POLICIES, Policy, Views, testimony_parts, views
from p2peval.sim.tables.picking_threats import CASES, Case, Cast, Mask, Matrix, Places, cast, statements
from p2peval.trust.testimony import Testimony

__all__ = ["ABLATIONS", "CASES", "POLICIES", "run"]

TINY = 1e-10  # breaks ties between opinions by lot, and is too small for more
TOP = 5  # peers whose load is told


def run(case: str, policy: str, seed: int) -> dict[str, float]:
    """Measures of one world, each a share of tasks 0 to 1: of the second half of the cycles, and ``_all`` of all.

    ``bad_picks``; ``regret``: bad picks over those of who knows everybody, in the same world; ``top5_load``: what went
    to the five most asked. The first half is left out for its transient, as Kamvar 2003 does; traitors turn after it.
    """
    told = simulate(CASES[case], (POLICIES | ABLATIONS)[policy], seed)
    oracle = perfect(CASES[case], seed)
    regrets = {
        name.replace("bad_picks", "regret"): told[name] - oracle[name] for name in ("bad_picks", "bad_picks_all")
    }
    return told | regrets


@lru_cache(maxsize=256)
def perfect(case: Case, seed: int) -> dict[str, float]:
    """As ``simulate``, for who knows how often each peer is right."""
    return simulate(case, POLICIES["perfect"], seed)


def simulate(case: Case, policy: Policy, seed: int) -> dict[str, float]:
    """Measures of one world, all but the regret."""
    tally = played(case, policy, seed)
    half = case.cycles // 2
    late = np.sort(tally.load[half:].sum(0))[::-1]
    return {
        "bad_picks": float(tally.failed[half:].sum() / tally.tasks[half:].sum()),
        "bad_picks_all": float(tally.failed.sum() / tally.tasks.sum()),
        "top5_load": float(late[:TOP].sum() / late.sum()),
    }


@dataclass(frozen=True, slots=True)
class Tally:
    """Of each cycle: tasks given, those that failed, and ``load``, cycles × peers, those that each peer answered.

    A task that nobody answered has failed too.
    """

    tasks: Matrix
    failed: Matrix
    load: Matrix

    @property
    def wrong(self) -> float:
        """Share of answers that were wrong, 0 to 1, after the first half of the cycles."""
        half = len(self.tasks) // 2
        answered = self.load[half:].sum()
        unanswered = self.tasks[half:].sum() - answered
        return float((self.failed[half:].sum() - unanswered) / answered)


def played(case: Case, policy: Policy, seed: int) -> Tally:
    """One world from its first cycle to its last."""
    rng = Generator(PCG64(seed))
    before, after = cast(case, rng)
    memory = Memory.empty(case.size)
    tally = Tally(np.zeros(case.cycles), np.zeros(case.cycles), np.zeros((case.cycles, case.size)))
    for cycle in range(case.cycles):
        now = before if 2 * cycle < case.cycles else after
        given = _cycle(case, policy, now, memory, rng)
        tally.tasks[cycle], tally.failed[cycle] = len(given.failed), given.failed.sum()
        tally.load[cycle] = np.bincount(given.picked[given.picked >= 0], minlength=case.size)
    return tally


@dataclass(slots=True)
class Memory:
    """What peers have seen so far: ``good[i, j]``, ``bad[i, j]`` counts of j's answers by i, which fade.

    ``streak``: answers of j that i accepted since it last caught it. ``slipped``: wrong answers taken for right ones.
    ``first``: right answers and all answers of peers that were strangers to i.
    ``caught``: lied before an auditor; ``proven``: and all know it.
    """

    good: Matrix
    bad: Matrix
    streak: Matrix
    slipped: Matrix
    first: Matrix
    caught: Mask
    proven: Mask

    @classmethod
    def empty(cls, size: int) -> Memory:
        good, bad, streak, slipped = np.zeros((4, size, size))
        return cls(good, bad, streak, slipped, np.zeros((size, 2)), *np.zeros((2, size), bool))


@dataclass(frozen=True, slots=True)
class Given:
    """Tasks: who asked, who was picked (−1: nobody answered), and whether the task failed."""

    asker: Places
    picked: Places
    failed: Mask

    @property
    def columns(self) -> tuple[Places, Places, Mask]:
        return self.asker, self.picked, self.failed


def _cycle(case: Case, policy: Policy, now: Cast, memory: Memory, rng: Generator) -> Given:
    """All honest peers' tasks of one cycle, by the opinions that they have at its start; proofs bind at once."""
    askers = np.flatnonzero(now.honest)
    memory.proven |= memory.caught
    seen = _views(case, policy, now, memory, askers)
    memory.good *= policy.keeps_good
    memory.bad *= policy.keeps_bad
    rounds = [_round(case, policy, now, memory, askers, seen, rng) for _ in range(case.tasks)]
    return Given(*(np.concatenate(part) for part in zip(*(r.columns for r in rounds), strict=True)))


def _round(case: Case, policy: Policy, now: Cast, memory: Memory, askers: Places, seen: Views, rng: Generator) -> Given:
    """One task of every asker."""
    answers = _answering(case, now, askers, rng) & ~memory.proven
    picked = _pick(case, policy.by_share, answers, seen, rng)
    luck = rng.random((2, len(askers)))
    failed = (picked < 0) | (luck[0] < now.wrong[picked])
    done = picked >= 0
    _learn(policy, now, memory, Given(askers[done], picked[done], failed[done]), luck[1][done])
    return Given(askers, picked, failed)


def _views(case: Case, policy: Policy, now: Cast, memory: Memory, askers: Places) -> Views:
    good, bad = statements(case, now, memory.good, memory.bad)
    if policy.disowns:
        good[memory.proven] = bad[memory.proven] = 0.0
    stated_good, stated_bad = testimony_parts(good, bad)
    prior = (1.0 + memory.first[:, 0]) / (2.0 + memory.first[:, 1])
    roots = tuple(range(case.roots))
    return views(policy, now, askers, lambda me: Testimony(me, stated_good, stated_bad, roots, float(prior[me])))


def _answering(case: Case, now: Cast, asker: Places, rng: Generator) -> Mask:
    """tasks × peers: who answers. Categories are drawn by their popularity, and nobody answers itself."""
    popular = 1.0 / np.arange(1, case.categories + 1) ** case.popularity
    category = rng.choice(case.categories, len(asker), p=popular / popular.sum())
    answers = rng.random((len(asker), case.size)) < now.fitness.T[category]
    answers[np.arange(len(asker)), asker] = False
    return np.asarray(answers)


def _pick(case: Case, by_share: bool, answers: Mask, seen: Views, rng: Generator) -> Places:
    """For each task the best opinion among the candidates, or for some of them any newcomer; −1 where nobody answers.

    ``by_share``: instead of the best, one in proportion to its opinion, by the greatest of log opinion + Gumbel noise.
    """
    lot = rng.random(answers.shape)
    if case.candidates:
        order = np.argsort(np.where(answers, lot, 2.0), axis=1)[:, : case.candidates]
        drawn = np.zeros_like(answers)
        np.put_along_axis(drawn, order, True, axis=1)
        answers = answers & drawn
    newcomers = answers & seen.newcomers
    curious = (rng.random(len(answers)) < case.newcomers) & newcomers.any(1)
    eligible = np.where(curious[:, None], newcomers, answers)
    worth = np.where(curious[:, None], 0.0, seen.opinions) + TINY * lot
    if by_share:
        worth = np.log(worth) - np.log(-np.log(lot))
    best = np.where(eligible, worth, -np.inf).argmax(1)
    return np.where(eligible.any(1), best, -1)


def _learn(policy: Policy, now: Cast, memory: Memory, given: Given, luck: Matrix) -> None:
    """Counts, proofs and streaks after a round. ``luck``: decides for each task whether an audit finds a lie."""
    pair = (given.asker, given.picked)
    stranger = (memory.good[pair] + memory.bad[pair]) == 0.0
    lie = given.failed & now.lying[given.picked]
    missed = lie & (luck < _miss(memory.streak[pair])) if policy.proofs else np.zeros_like(lie)
    known_bad = given.failed & ~missed
    np.add.at(memory.good, pair, ~known_bad)
    np.add.at(memory.bad, pair, known_bad)
    np.add.at(memory.slipped, pair, missed)
    np.add.at(memory.first, (given.asker[stranger], 0), ~known_bad[stranger])
    np.add.at(memory.first, (given.asker[stranger], 1), 1)
    np.add.at(memory.streak, pair, 1)
    memory.streak[given.asker[known_bad], given.picked[known_bad]] = 0.0
    if policy.proofs:
        _prove(policy, memory, given.picked[lie & ~missed])


def _miss(streak: Matrix) -> Matrix:
    """Chance that the audit after so many accepted results overlooks a lie: x/(1 + x), x = ε(k + 1) (trust.md §4)."""
    x = EPSILON * (streak + 1.0)
    return np.asarray(x / (1.0 + x))


def _prove(policy: Policy, memory: Memory, caught: Places) -> None:
    """Fraud proofs bind all; with re-opening, wrong answers that had slipped through come to light."""
    memory.caught[caught] = True
    if policy.prompt:
        memory.proven |= memory.caught
    if policy.reopens:
        late = memory.slipped[:, caught]
        memory.good[:, caught] = np.maximum(memory.good[:, caught] - late, 0.0)
        memory.bad[:, caught] += late
        memory.slipped[:, caught] = 0.0
