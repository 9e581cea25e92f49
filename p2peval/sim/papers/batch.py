"""Sarmenta's world: a batch of tasks in a pool, workers who take turns, spot-checks, and credibility that grows later.

A node of ours judges each task when its answer is in; here all tasks wait in one pool until every one is credible, so
that what a worker gave early is believed once it has survived more spot-checks. That is what his redundancy rests on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from math import e
from random import Random

from p2peval.trust.checking import Answer, Record
from p2peval.trust.sarmenta import credibilities


@dataclass(frozen=True, slots=True)
class Batch:
    """``faulty``: share of saboteurs, 0 to below 1, known to the rule. ``sabotage``: share of their answers that are
    wrong, all the same wrong answer. ``checked``: spot-checks, a share of all that is executed. ``threshold``: θ.
    """

    faulty: float = 0.2
    sabotage: float = 1.0
    checked: float = 0.1
    threshold: float = 0.999
    workers: int = 100
    tasks: int = 5_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """``wrong``: share of tasks accepted wrong. ``executions``: per task, spot-checks included."""

    wrong: float
    executions: float


@dataclass(slots=True)
class Pool:
    """Answers to each task as (worker, lie), tasks that are not credible yet, and each worker's survived checks."""

    batch: Batch
    answers: list[list[tuple[int, bool]]]
    waiting: deque[int]
    survived: list[int]
    caught: set[int] = field(default_factory=set)

    def judged(self, task: int) -> tuple[bool, float]:
        """The most credible answer to a task (whether it is a lie), and its credibility; 0 without answers."""
        said = self.answers[task]
        answers = [Answer(who, lie, Record(agreed=self.survived[who]), 0.5) for who, lie in said]
        groups = credibilities(answers, self.credibility)
        first, most = max(groups.items(), key=lambda group: group[1], default=(0, 0.0))
        return bool(said) and said[first][1], most

    def credibility(self, record: Record) -> float:
        """Of a worker that survived k checks where who fails is shut out for good: 1 − f/((1−f)·k·e).

        Of those that survived k checks, at most that share of answers is wrong whatever the sabotage rate s: it is
        f·s(1−s)^k / (1−f), and s(1−s)^k is largest at s = 1/(k+1).
        """
        faulty = self.batch.faulty
        if not record.agreed:
            return 1.0 - faulty
        return max(1.0 - faulty, 1.0 - faulty / ((1.0 - faulty) * record.agreed * e))

    def next(self, worker: int) -> int | None:
        """The next task that is not credible and that ``worker`` has not done; None where there is none."""
        for _ in range(len(self.waiting)):
            task = self.waiting.popleft()
            if self.judged(task)[1] >= self.batch.threshold:
                continue
            if all(worker != who for who, _ in self.answers[task]):
                return task
            self.waiting.append(task)
        return None

    def catch(self, worker: int) -> None:
        """All that it gave is dropped, and what rested on it waits again."""
        self.caught.add(worker)
        for task, said in enumerate(self.answers):
            kept = [(who, lie) for who, lie in said if who != worker]
            if len(kept) < len(said):
                self.answers[task] = kept
                if task not in self.waiting:
                    self.waiting.append(task)


def simulate(batch: Batch, seed: int) -> Outcome:
    """One batch until all of its tasks are credible. Raises ValueError where no worker is honest."""
    liars = round(batch.faulty * batch.workers)
    if liars >= batch.workers:
        raise ValueError(f"a batch of {batch.workers} workers, all of them saboteurs, never ends")
    die = Random(f"{seed}/die")
    pool = Pool(batch, [[] for _ in range(batch.tasks)], deque(range(batch.tasks)), [0] * batch.workers)
    executed = 0
    for worker in _turns(pool, Random(f"{seed}/order")):
        lie = worker < liars and die.random() < batch.sabotage
        if die.random() < batch.checked:
            executed += 1
            pool.survived[worker] += 1
            if lie:
                pool.catch(worker)
            continue
        task = pool.next(worker)
        if task is not None:
            executed += 1
            pool.answers[task].append((worker, lie))
            pool.waiting.append(task)
        if not pool.waiting:
            break
    wrong = sum(pool.judged(task)[0] for task in range(batch.tasks))
    return Outcome(wrong / batch.tasks, executed / batch.tasks)


def _turns(pool: Pool, lot: Random) -> Iterator[int]:
    """Workers as they come for work: always in one order, those shut out left out."""
    order = list(range(pool.batch.workers))
    lot.shuffle(order)
    return (worker for worker in cycle(order) if worker not in pool.caught)
