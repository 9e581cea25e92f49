"""Who reveals after its window: a newcomer until then, and what it was before once its outputs have shown to hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from slow_world import NANO, N, Slow
from small_world import World

from p2peval.core import conviction, reputation
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.types import ObjectId
from p2peval.trust.rule import samples_for


@pytest.fixture
def world() -> Slow:
    world = Slow()
    for number in range(4):
        world.ask(f"model-{number}")
    assert world.seen.streak == 4
    return world


def test_a_late_reveal_that_holds_gives_the_streak_back_and_changes_no_result(world: Slow) -> None:
    before = world.seen
    (task,) = world.withhold("late")
    result, metrics = world.requester.node.state.results[task], world.replica(task).metrics
    assert (world.seen.streak, world.seen.withheld, metrics) == (0, 1, ())
    world.reveal()
    replica = world.replica(task)
    assert replica.state is ReplicaState.LATE
    assert replica.drawn == samples_for(N, NANO, NANO, 4)
    assert (world.seen.streak, world.seen.withheld) == (4, 0)
    assert world.seen.beta == pytest.approx(before.beta, abs=1e-12)
    assert world.requester.node.state.results[task] == result
    world.ask("next")
    assert world.seen.streak == 5


def test_a_late_reveal_of_a_lie_is_proven_and_gives_nothing_back(world: Slow) -> None:
    world.slow.lies = True
    (task,) = world.withhold("late")
    world.reveal()
    assert world.replica(task).differing
    assert world.seen.streak == 0
    assert world.seen.beta > 0.25
    assert "task.late" in world.requester.kinds()


def test_what_is_withheld_still_holds_the_streak_of_what_came_late_back_until_it_comes_too(world: Slow) -> None:
    world.withhold("one")
    world.withhold("two")
    world.reveal(0)
    assert world.seen.streak == 0, "the second is still withheld: refusing must not pay"
    world.reveal(0)
    assert (world.seen.streak, world.seen.withheld, world.seen.beta) == (4, 0, pytest.approx(0.0, abs=1e-12))


def test_a_lie_since_ends_the_streak_for_good(world: Slow) -> None:
    world.withhold("late")
    world.slow.lies = True
    world.ask("lie")
    world.reveal()
    assert world.seen.streak == 0


def test_what_auditors_found_false_since_ends_the_streak_for_good_too(world: Slow) -> None:
    world.withhold("late")
    node = world.requester.node
    node._ctx.now = world.now
    reputation.restart(node._ctx, world.slow.id, world.benchmark)
    world.reveal()
    assert (world.seen.streak, world.seen.withheld) == (0, 0)


def test_a_proof_since_ends_the_streak_for_good_even_once_it_has_lapsed(world: Slow) -> None:
    world.withhold("late")
    ctx = world.requester.node._ctx
    ctx.now, ctx.policy = world.now, replace(ctx.policy, conviction_s=1.0)
    conviction.convict(ctx, ObjectId("proof"), world.slow.id, conviction.FRAUD, "elsewhere")
    world.run(2.0)
    assert not conviction.is_convicted(ctx.state, world.slow.id, world.now)
    world.reveal()
    assert (world.seen.streak, world.seen.withheld) == (0, 0)


def test_who_was_late_with_what_holds_may_be_asked_again_where_nobody_else_is_left(world: Slow) -> None:
    world.disconnect(world.other)
    world.holding = True
    task = world.start(world.requester, world.benchmark, "late")
    world.run_until(lambda: any(row.state is ReplicaState.WITHHELD for row in world.requester.node.state.replicas))
    world.holding = False
    world.run(600.0)
    assert world.state(task) is TaskState.ANNOUNCED
    world.reveal()
    world.run(1200.0)
    assert world.state(task) is TaskState.ACCEPTED
    assert world.seen.streak == 5


def test_results_since_count_on_where_they_are_more(world: Slow) -> None:
    world.withhold("late")
    for number in range(5):
        world.ask(f"since-{number}")
    assert world.seen.streak == 5
    world.reveal()
    assert world.seen.streak == 5


def test_a_late_reveal_survives_that_the_requester_is_killed_under_it(world: Slow) -> None:
    (task,) = world.withhold("late")
    host, effect = world.held.pop()
    World.perform(world, host, effect)
    world.run_until(lambda: world.replica(task).state is ReplicaState.LATE)
    world.requester.restart()
    world.run(5.0)
    assert world.seen.streak == 4


def test_an_evaluator_that_was_away_reveals_when_it_is_back_though_the_task_is_over() -> None:
    world = Slow()
    for number in range(3):
        world.ask(f"model-{number}")
    task = world.start(world.requester, world.benchmark, "away", 2)
    world.run_until(lambda: world.state(task) is not TaskState.ANNOUNCED and bool(world.replica(task).commitment))
    world.disconnect(world.slow)
    world.run_until(lambda: world.state(task) is TaskState.ACCEPTED)
    assert (world.replica(task).state, world.seen.streak) == (ReplicaState.WITHHELD, 0)
    world.reconnect(world.slow)
    world.run(5.0)
    assert (world.replica(task).state, world.seen.streak) == (ReplicaState.LATE, 3)
