"""A requester that runs its task itself, because checking anybody's answer would take every sample."""

from __future__ import annotations

from small_world import Host, World, blob

from p2peval.core.effects import Effect, Send, Stop
from p2peval.core.events import CancelTask, EvaluationFailed, StartTask
from p2peval.core.policy import Policy
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.types import TaskId

TINY = 60
"""Samples of which ε = δ = 0.01 wants all to be audited."""


class Tiny(World):
    def __init__(self, samples: int = TINY) -> None:
        super().__init__(3, samples=samples)
        self.requester, self.evaluator, self.other = self.all
        self.sent: list[Send] = []
        self.stopped: list[str] = []
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)

    def perform(self, host: Host, effect: Effect) -> None:
        if host is self.all[0] and isinstance(effect, Send):
            self.sent.append(effect)
        if isinstance(effect, Stop):
            self.stopped += effect.effects
        super().perform(host, effect)

    def ask(self, replicas: int = 0) -> TaskId:
        self.requester.blobs.add(blob("model").cid)
        self.requester.handle(StartTask("start", self.benchmark, blob("model"), "model", 0, 0, replicas))
        return TaskId(self.requester.replies["start"].subject)

    def over(self, task: TaskId) -> bool:
        return self.requester.node.state.tasks[task].state in (TaskState.ACCEPTED, TaskState.FAILED)


def test_a_tiny_task_is_run_by_its_requester_certified_by_itself_and_sent_to_nobody() -> None:
    world = Tiny()
    task = world.ask()
    world.run_until(lambda: world.over(task))
    state = world.requester.node.state
    (replica,) = state.replicas.of(task)
    assert (replica.peer, replica.state, replica.why) == (world.requester.id, ReplicaState.AGREES, "cheaper_alone")
    result = state.results[task]
    assert (result.standing, result.certified, result.evaluator) == ("me", True, world.requester.id)
    assert result.certificate is not None
    assert result.certificate.audited == TINY
    assert result.metrics
    assert world.sent == []
    assert world.requester.id not in state.evidence


def test_everybody_else_sees_a_claim_that_hangs_together() -> None:
    world = Tiny()
    task = world.ask()
    world.run_until(lambda: world.over(task))
    world.run(2.0)
    seen = world.evaluator.node.state.results[task]
    assert (seen.standing, seen.evaluator, seen.requester) == ("claimed", world.requester.id, world.requester.id)
    assert seen.metrics == world.requester.node.state.results[task].metrics


def test_who_names_a_number_of_evaluators_gets_them_and_so_does_who_may_not_run_it() -> None:
    world = Tiny()
    task = world.ask(replicas=1)
    world.run_until(lambda: world.over(task))
    assert world.requester.id not in {row.peer for row in world.requester.node.state.replicas.of(task)}
    world.requester.node._ctx.policy = Policy(memory_mb=1)
    limited = world.ask()
    assert world.requester.node.state.replicas.of(limited) == ()


def test_a_task_of_many_samples_is_given_to_others() -> None:
    world = Tiny(samples=200)
    task = world.ask()
    world.run_until(lambda: world.over(task))
    assert world.requester.node.state.results[task].evaluator != world.requester.id


def test_a_record_that_allows_a_smaller_audit_makes_asking_worth_while_again() -> None:
    world = Tiny()
    for _ in range(40):
        task = world.ask(replicas=1)
        world.run_until(lambda task=task: world.over(task))  # type: ignore[misc]
    task = world.ask()
    world.run_until(lambda: world.over(task))
    assert world.requester.node.state.results[task].evaluator != world.requester.id


def test_one_that_is_cancelled_stops_and_tells_nobody() -> None:
    world = Tiny()
    task = world.ask()
    (replica,) = world.requester.node.state.replicas.of(task)
    world.requester.handle(CancelTask("cancel", task))
    world.run(5.0)
    assert world.requester.node.state.tasks[task].state is TaskState.CANCELLED
    assert f"alone/{replica.id}" in world.stopped
    assert world.sent == []


def test_one_that_cannot_be_run_fails_and_says_why() -> None:
    world = Tiny()
    world.requester.mute = True
    task = world.ask()
    (replica,) = world.requester.node.state.replicas.of(task)
    world.requester.handle(EvaluationFailed(f"alone/{replica.id}", task, replica.id, "out of memory"))
    row = world.requester.node.state.tasks[task]
    assert (row.state, row.reason) == (TaskState.FAILED, "this node could not run it: out of memory")


def test_a_requester_that_is_killed_at_any_step_ends_with_the_same_result() -> None:
    for kill_at in range(1, 9):
        world = Tiny()
        world.kill_at, world.victim = world.performed + kill_at, world.requester.id
        world.requester.blobs.add(blob("model").cid)
        world.requester.handle(StartTask("start", world.benchmark, blob("model"), "model", 0, 0, 0))
        world.run(30.0)
        (task,) = world.requester.node.state.tasks
        assert task.state is TaskState.ACCEPTED
        assert world.requester.node.state.results[task.id].certified
