"""How much to check: requesters, workers and liars in collusion, every checking rule on the same worlds (trust.md §5).

A task goes to one worker; then the rule says what to do, through the seam that a node uses. Each requester keeps its
own records, a caught liar is known to all. Results that are accepted cost what was executed for them: an answer 1, a
re-run sample 1/n. What was accepted is not taken back here, though a node looks again at a proven liar's last 200.

A wrong accept may be too rare to count. So each time that a lie meets an audit its chance to pass is added up, while
whether it passes is drawn: the mean is the same, the spread far less. ``counted_wrong`` is the plain count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import Any

from p2peval.defaults import ALPHA_CAP, CANDIDATES, WITHHELD_BETA
from p2peval.sim.tables.checking_cases import CASES, Case
from p2peval.trust.best_response import against, best_response
from p2peval.trust.checking import Answer, Asked, CheckingRule, Do, Finding, Means, Record, Step
from p2peval.trust.checkings import CHECKINGS, settled
from p2peval.trust.hypergeometric import miss_probability
from p2peval.trust.rule import wrong_from

POLICIES: dict[str, CheckingRule] = CHECKINGS
LONGEST = 2_000
"""Streak up to which the best liar is computed; the best against ours gains nothing by a longer one."""

__all__ = ["CASES", "POLICIES", "run", "simulate"]


def run(case: str, policy: str, seed: int) -> dict[str, float]:
    """Measures of one world.

    ``wrong_accepts``: per accepted result. ``wrong_per_lie_served``: per execution that a liar served; left out where
    there are none. ``executions``: per task. ``given_up``: share of tasks without a result.
    """
    world = simulate(CASES[case], policy, seed)
    measures = {
        "wrong_accepts": world.wrong / max(world.accepted, 1),
        "executions": world.executions / world.tasks,
        "given_up": 1.0 - world.accepted / world.tasks,
    }
    if world.served_by_liars:
        measures["wrong_per_lie_served"] = world.wrong / world.served_by_liars
    return measures


@lru_cache
def best_liar(policy: str) -> float | None:
    """Wrong accepts per execution of the best strategy (``trust.best_response``); None where the rule knows nobody.

    A quorum knows nobody: colluders who are drawn together get all that they want.
    """
    if policy.startswith("quorum"):
        return None
    check = against(POLICIES[policy], CASES["honest, n=1797"].asked, votes_count=policy != "sarmenta")
    return best_response(check, LONGEST).rate


@dataclass(slots=True)
class World:
    """What happened so far, and what each requester knows. Workers are numbers, the liars stand first."""

    case: Case
    liars: int
    records: list[list[Record]]
    served: list[list[int]]
    fresh: list[list[int]]
    known: list[list[int]]
    opinions: list[list[float]]
    withheld: list[list[float]]  # disagreements that refusals count as
    strangers: list[list[int]]  # of each requester: right answers of strangers, and all
    tasks: int = 0
    accepted: int = 0
    wrong: float = 0.0
    counted_wrong: int = 0
    executions: float = 0.0
    served_by_liars: int = 0

    @classmethod
    def of(cls, case: Case) -> World:
        workers, each = range(case.workers), range(case.requesters)
        return cls(
            case,
            round(case.liars * case.workers),
            [[Record()] * case.workers for _ in each],
            [[0] * case.workers for _ in each],
            [list(workers) for _ in each],
            [[] for _ in each],
            [[0.5] * case.workers for _ in each],
            [[0.0] * case.workers for _ in each],
            [[0, 0] for _ in each],
        )

    def pick(self, me: int, taken: Sequence[int], lot: Random) -> int:
        """A worker that was not asked yet: any newcomer, or the best opinion among some of those who are known."""
        fresh, known = self.fresh[me], self.known[me]
        share = self.case.newcomers * (self.prior(me) if self.case.wary else 1.0)
        while True:
            curious = fresh and (not known or lot.random() < share or set(known) <= set(taken))
            arm, draws = (fresh, 1) if curious else (known, CANDIDATES)
            drawn = [arm[int(lot.random() * len(arm))] for _ in range(draws)]
            able = [worker for worker in drawn if worker not in taken]
            if able:
                return max(able, key=self.opinions[me].__getitem__)

    def prior(self, me: int) -> float:
        """p₀, the requester's own rate of success with strangers, 0 to 1."""
        good, seen = self.strangers[me]
        return (1 + good) / (2 + seen)

    def remember(self, me: int, worker: int, record: Record) -> None:
        """Own evidence alone: (2p₀ + good) / (2 + good + bad), good up to ALPHA_CAP (trust.md §2, §3)."""
        self.records[me][worker] = record
        good = min(record.agreed, ALPHA_CAP)
        self.opinions[me][worker] = (2 * self.prior(me) + good) / (2 + good + self.withheld[me][worker])

    def meet(self, me: int, worker: int) -> None:
        """``worker`` has answered: no newcomer any more."""
        self.served[me][worker] += 1
        self.executions += 1.0
        self.served_by_liars += worker < self.liars
        if worker in self.fresh[me]:
            self.fresh[me].remove(worker)
            self.known[me].append(worker)

    def caught(self, worker: int) -> None:
        """A proof binds all requesters; a whitewasher is a newcomer again, to all of them."""
        for me in range(self.case.requesters):
            for arm in (self.fresh[me], self.known[me]):
                if worker in arm:
                    arm.remove(worker)
            if self.case.fresh:
                self.served[me][worker], self.withheld[me][worker] = 0, 0.0
                self.remember(me, worker, Record())
                self.fresh[me].append(worker)


@dataclass(slots=True)
class Task:
    """One task: who answered, which answers are lies, and what was found."""

    me: int
    workers: list[int] = field(default_factory=list)
    lies: list[bool] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)
    strangers: list[bool] = field(default_factory=list)


def simulate(case: Case, policy: str, seed: int) -> World:
    """One world from its first task to its last: the requesters take turns."""
    lot, die = Random(f"{seed}/lot"), Random(f"{seed}/die")
    world = World.of(case)
    judge = Judge(POLICIES[policy], case, die)
    rounds = case.tasks if policy == "audit" else case.compared
    for _ in range(rounds):
        for me in range(case.requesters):
            world.tasks += 1
            _one(world, judge, Task(me), lot, die)
    return world


def _one(world: World, judge: Judge, task: Task, lot: Random, die: Random) -> None:
    """One task to its end, step by step as the rule says."""
    while True:
        records = world.records[task.me]
        key = tuple((lie, records[w], f) for lie, w, f in zip(task.lies, task.workers, task.found, strict=True))
        step = judge.step(key)
        match step.do:
            case Do.ASK:
                for _ in range(step.count):
                    _ask(world, task, lot, die)
            case Do.AUDIT | Do.CONSULT:
                _audit(world, task, step, judge, die)
            case _:
                return _end(world, judge, task, key, step)


def _ask(world: World, task: Task, lot: Random, die: Random) -> None:
    worker = world.pick(task.me, task.workers, lot)
    task.strangers.append(world.served[task.me][worker] == 0)
    task.lies.append(worker < world.liars and world.case.lies(world.served[task.me][worker], die))
    task.workers.append(worker)
    task.found.append(Finding.UNCHECKED)
    world.meet(task.me, worker)


def _audit(world: World, task: Task, step: Step, judge: Judge, die: Random) -> None:
    """Lies pass by their chance. Who refuses to reveal is found out about nothing, but its streak ends."""
    times = step.count if step.do is Do.CONSULT else 1
    for i, s in reversed(list(enumerate(step.samples))):
        if not s:
            continue
        if not task.lies[i]:
            world.executions += times * s / world.case.samples
            task.found[i] = Finding.HELD
            continue
        miss = judge.miss(s, times if step.do is Do.CONSULT else 0)
        world.wrong += miss
        if die.random() < miss:
            world.executions += times * s / world.case.samples
            task.found[i] = Finding.HELD
        elif world.case.refusing:
            worker = task.workers[i]
            world.withheld[task.me][worker] += WITHHELD_BETA
            world.remember(task.me, worker, replace(world.records[task.me][worker], streak=0))
            for column in (task.workers, task.lies, task.found, task.strangers):
                column.pop(i)
        else:
            world.executions += times * s / world.case.samples
            task.found[i] = Finding.DIFFERED


def _end(world: World, judge: Judge, task: Task, key: tuple[Any, ...], step: Step) -> None:
    """The task is over: what was accepted, what is remembered, who is proven a liar."""
    accepted = step.count if step.do is Do.ACCEPT else None
    world.accepted += step.do in (Do.ACCEPT, Do.COMPUTE)
    world.executions += step.do is Do.COMPUTE
    if accepted is not None and task.lies[accepted]:
        world.counted_wrong += 1
        world.wrong += task.found[accepted] is not Finding.HELD  # nobody looked: no chance was added up
    for worker, record, stranger, lie in zip(
        task.workers, judge.after(key, accepted), task.strangers, task.lies, strict=True
    ):
        world.remember(task.me, worker, record)
        if stranger:
            world.strangers[task.me][1] += 1
            world.strangers[task.me][0] += not (lie and record.caught)
    for worker, finding in zip(task.workers, task.found, strict=True):
        if finding is Finding.DIFFERED:
            world.caught(worker)


class Judge:
    """A rule on one case. A step for which it threw no die is remembered: it is a function of its arguments."""

    def __init__(self, rule: CheckingRule, case: Case, die: Random) -> None:
        self.rule, self.case, self.die = rule, case, die
        self.asked: Asked = case.asked
        self.means = Means(computes=case.computes)
        self.steps: dict[Any, Step] = {}
        self.records: dict[Any, tuple[Record, ...]] = {}
        self.misses: dict[tuple[int, int], float] = {}
        self.thrown = False

    def step(self, key: tuple[Any, ...]) -> Step:
        if key not in self.steps:
            self.thrown = False
            step = self.rule(self.asked, _answers(key), self.means, self._throw)
            if self.thrown:
                return step
            self.steps[key] = step
        return self.steps[key]

    def after(self, key: tuple[Any, ...], accepted: int | None) -> tuple[Record, ...]:
        if (key, accepted) not in self.records:
            self.records[key, accepted] = settled(_answers(key), accepted)
        return self.records[key, accepted]

    def miss(self, s: int, auditors: int) -> float:
        """Chance that a lie escapes ``s`` samples; with ``auditors``, so many of whom each lies as workers do."""
        if (s, auditors) not in self.misses:
            one = miss_probability(self.case.samples, wrong_from(self.case.samples, self.asked.delta_nano), s)
            bad = self.case.liars
            self.misses[s, auditors] = (bad + (1.0 - bad) * one) ** auditors if auditors else one
        return self.misses[s, auditors]

    def _throw(self) -> float:
        self.thrown = True
        return self.die.random()


def _answers(key: tuple[Any, ...]) -> list[Answer]:
    return [Answer(i, lie, record, 0.5, found) for i, (lie, record, found) in enumerate(key)]
