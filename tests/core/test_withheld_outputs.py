"""What was withheld and could not be had at once: it is tried again, whoever's fault it was, and counts once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from slow_world import NANO, N, Slow
from small_world import Host

from p2peval.core import conviction
from p2peval.core.effects import Compare, Effect, FetchBlob
from p2peval.core.events import BlobFailed, ComparisonFailed, ComparisonFinished, PeerDown, PeerUp
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.types import ObjectId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.defaults import OUTPUTS_PATIENCE, WATCH_AGAIN
from p2peval.trust.rule import samples_for

Refuse = Callable[[Effect], bool]


class Failing(Slow):
    """``refuses`` says which of the requester's effects fail; ``ours``: through its own fault."""

    def __init__(self) -> None:
        self.refuses: Refuse = lambda effect: False
        self.ours = False
        super().__init__()
        for number in range(4):
            self.ask(f"model-{number}")

    def perform(self, host: Host, effect: Effect) -> None:
        if not self.refuses(effect) or host is not self.requester:
            return super().perform(host, effect)
        if isinstance(effect, FetchBlob):
            failed = BlobFailed(effect.id, effect.blob.cid, "gone", ours=self.ours)
            self.later(OUTPUTS_PATIENCE, lambda: host.handle(failed))
        if isinstance(effect, Compare):
            answer = ComparisonFailed(effect.id, effect.task, effect.assignment, "the worker died")
            self.later(1.0, lambda: host.handle(answer))

    def late(self, effect: Effect) -> bool:
        return isinstance(effect, FetchBlob | Compare) and effect.id.startswith("late/")

    def unserved(self, name: str) -> TaskId:
        """A task whose slow evaluator reveals in time, while its outputs cannot be had."""
        self.refuses = lambda effect: isinstance(effect, FetchBlob) and effect.holders == (self.slow.id,)
        task = self.ask(name)
        self.refuses = lambda effect: False
        return task


@pytest.fixture
def world() -> Failing:
    return Failing()


@pytest.mark.parametrize("ours", [False, True])
def test_outputs_that_came_late_and_could_not_be_fetched_are_fetched_later(world: Failing, ours: bool) -> None:
    (task,) = world.withhold("late")
    world.refuses, world.ours = world.late, ours
    world.reveal()
    world.run(2 * OUTPUTS_PATIENCE)
    assert (world.replica(task).state, world.seen.streak) == (ReplicaState.WITHHELD, 0)
    world.refuses = lambda effect: False
    world.run(2 * WATCH_AGAIN)
    assert (world.replica(task).state, world.seen.streak) == (ReplicaState.LATE, 4)


def test_an_audit_of_what_came_late_that_this_node_could_not_do_is_done_later(world: Failing) -> None:
    (task,) = world.withhold("late")
    world.refuses = lambda effect: world.late(effect) and isinstance(effect, Compare)
    world.reveal()
    world.run(2 * OUTPUTS_PATIENCE)
    assert (world.replica(task).state, world.replica(task).drawn) == (ReplicaState.WITHHELD, 0)
    world.refuses = lambda effect: False
    world.run(2 * WATCH_AGAIN)
    assert world.replica(task).drawn == samples_for(N, NANO, NANO, 4)
    assert world.seen.streak == 4


def test_outputs_revealed_in_time_that_nobody_served_give_the_streak_back_once_they_are_here(world: Failing) -> None:
    task = world.unserved("away")
    assert (world.replica(task).state, world.seen.streak, world.seen.withheld) == (ReplicaState.WITHHELD, 0, 1)
    world.run(2 * WATCH_AGAIN)
    assert (world.replica(task).state, world.seen.streak, world.seen.withheld) == (ReplicaState.LATE, 4, 0)


def test_outputs_that_nobody_served_and_are_a_lie_give_nothing_back(world: Failing) -> None:
    world.slow.lies = True
    task = world.unserved("away")
    world.run(2 * WATCH_AGAIN)
    assert world.replica(task).differing
    assert (world.seen.streak, world.seen.resolved - world.seen.agreed) == (0, 1)


def test_it_is_tried_again_after_a_restart(world: Failing) -> None:
    world.unserved("away")
    world.requester.restart()
    world.run(5.0)
    assert world.seen.streak == 4


def test_outputs_that_cannot_be_fetched_because_this_node_is_cut_off_are_nobodys_fault(world: Failing) -> None:
    task = world.start(world.requester, world.benchmark, "cut off", 2)
    world.refuses = lambda effect: isinstance(effect, FetchBlob) and effect.id.startswith("outputs/")
    world.run_until(lambda: world.state(task) is TaskState.AUDITING)
    for peer in (world.slow, world.other):
        world.requester.handle(PeerDown(peer.id))
    world.run(3 * OUTPUTS_PATIENCE)
    assert world.replica(task).state is ReplicaState.REVEALED
    world.refuses = lambda effect: False
    world.run(2 * OUTPUTS_PATIENCE)
    for peer in (world.slow, world.other):
        world.requester.handle(PeerUp(peer.id))
    assert (world.state(task), world.seen.streak) == (TaskState.ACCEPTED, 5)


def test_nobody_is_called_silent_while_this_node_is_cut_off(world: Failing) -> None:
    world.slow.mute = world.other.mute = True
    task = world.start(world.requester, world.benchmark, "cut off", 2)
    world.run_until(lambda: world.state(task) is TaskState.ASSIGNED)
    for peer in (world.slow, world.other):
        world.requester.handle(PeerDown(peer.id))
    world.run(3600.0)
    assert world.state(task) is TaskState.ASSIGNED
    assert world.seen.silent == 0


def test_what_came_late_counts_once_however_often_its_audit_is_told(world: Failing) -> None:
    (task,) = world.withhold("late")
    world.reveal()
    before, held = world.seen, world.replica(task)
    told = ComparisonFinished(f"late/compare/{held.id}", task, held.id, Verdict.AGREES, held.drawn, (), ())
    world.requester.handle(told)
    assert world.seen == before


def test_a_clock_that_is_set_back_hides_no_proof_from_the_streak(world: Failing) -> None:
    world.withhold("late")
    ctx = world.requester.node._ctx
    ctx.now, ctx.policy = world.now - 3600.0, replace(ctx.policy, conviction_s=1.0)
    conviction.convict(ctx, ObjectId("proof"), world.slow.id, conviction.FRAUD, "elsewhere")
    world.reveal()
    assert world.seen.streak == 0


def test_a_clock_that_is_set_back_hides_no_later_withholding(world: Failing) -> None:
    (first,) = world.withhold("one")
    state = world.requester.node.state
    (second,) = world.withhold("two")
    earlier = tuple((name, value - 3600.0 if name == "at" else value) for name, value in world.replica(second).numbers)
    state.replicas.put(replace(world.replica(second), numbers=earlier))
    world.reveal(0)
    assert world.replica(first).state is ReplicaState.LATE
    assert world.seen.streak == 0
