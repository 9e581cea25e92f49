"""A requester and two evaluators, one of whom reveals when it is told to."""

from __future__ import annotations

from small_world import Host, World

from p2peval.core.effects import Effect, Send
from p2peval.core.messages import Reveal
from p2peval.core.rows import ReplicaRow, TaskState
from p2peval.core.types import TaskId
from p2peval.trust.evidence import Evidence

N, NANO = 200, 10_000_000


class Slow(World):
    """One requester and two evaluators, both of whom evaluate every task; ``holding``: whose reveals are held back."""

    def __init__(self) -> None:
        self.holding = False
        self.held: list[tuple[Host, Send]] = []
        super().__init__(3, samples=N)
        self.requester, self.slow, self.other = self.all
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)

    def perform(self, host: Host, effect: Effect) -> None:
        sent = host.sealer.open(effect.envelope).payload if isinstance(effect, Send) else None
        if self.holding and host is self.slow and isinstance(effect, Send) and isinstance(sent, Reveal):
            return self.held.append((host, effect))
        super().perform(host, effect)

    def ask(self, name: str) -> TaskId:
        task = self.start(self.requester, self.benchmark, name, 2)
        self.run_until(lambda: self.state(task) in (TaskState.ACCEPTED, TaskState.FAILED))
        return task

    def withhold(self, *names: str) -> list[TaskId]:
        self.holding = True
        tasks = [self.start(self.requester, self.benchmark, name, 2) for name in names]
        self.run_until(lambda: all(self.state(task) is TaskState.ACCEPTED for task in tasks))
        self.holding = False
        return tasks

    def reveal(self, place: int = 0) -> None:
        host, effect = self.held.pop(place)
        super().perform(host, effect)
        self.run(2.0)

    def state(self, task: TaskId) -> TaskState:
        return self.requester.node.state.tasks[task].state

    def replica(self, task: TaskId) -> ReplicaRow:
        return next(r for r in self.requester.node.state.replicas.of(task) if r.peer == self.slow.id)

    @property
    def seen(self) -> Evidence:
        return self.requester.node.state.evidence[self.slow.id].evidence
