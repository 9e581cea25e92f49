"""Places, strangers' share, back-pressure that reaches the offer, and cancellation."""

from __future__ import annotations

import pytest
from hearsay import saw, settled, to_epoch
from small_world import Host, World

from p2peval.core import budget
from p2peval.core.effects import Effect, Notify, Stop
from p2peval.core.events import CancelTask, EvaluationFailed, MessageReceived
from p2peval.core.messages import Cancel, CommitmentSet, Decline, ResultRecord
from p2peval.core.rows import DutyState, TaskState
from p2peval.core.trust_rows import PooledRow
from p2peval.core.types import AssignmentId, BenchmarkId, TaskId
from p2peval.defaults import (
    BUSY_PATIENCE,
    KNOWN_LATELY,
    MAX_DUTIES,
    NETWORK_ID,
    STRANGERS_BURST,
    STRANGERS_PLACES,
    STRANGERS_SHARE,
    UNFINISHED_MOST,
    UNFINISHED_PAUSE,
)


def pair() -> tuple[World, Host, Host, BenchmarkId]:
    world = World(2)
    requester, evaluator = world.all
    benchmark = world.publish(requester)
    world.everybody_joins(benchmark, requester)
    return world, requester, evaluator, benchmark


def filled(world: World, requester: Host, evaluator: Host, benchmark: BenchmarkId) -> TaskId:
    """The task for which no place was left."""
    evaluator.mute = True
    saw(evaluator, requester.id, benchmark, good=3)
    tasks = [world.start(requester, benchmark, f"model-{number}") for number in range(MAX_DUTIES + 1)]
    world.run(3.0)
    return tasks[-1]


def estrange(evaluator: Host, requester: Host) -> None:
    evaluator.node.state.peers.delete(requester.id)


def waits(host: Host, task: TaskId) -> list[Notify]:
    return [told for told in host.story if told.kind == "task.waiting" and told.subject == task]


def test_a_busy_evaluator_says_until_when_and_is_not_asked_before() -> None:
    world, requester, evaluator, benchmark = pair()
    task = filled(world, requester, evaluator, benchmark)
    (offer,) = requester.node.state.offers.of(task)
    first = min(duty.deadline for duty in evaluator.node.state.duties)
    assert offer.declined == "busy"
    assert world.now < offer.expires <= first
    announced = [e for e in requester.disk.signed if requester.sealer.open(e).id == task]
    world.run(offer.expires - world.now - 0.1)
    assert [e for e in requester.disk.signed if requester.sealer.open(e).id == task] == announced
    assert [dict(told.data)["until"] for told in waits(requester, task)] == [offer.expires]


def test_the_task_is_taken_once_there_is_room() -> None:
    world, requester, evaluator, benchmark = pair()
    task = filled(world, requester, evaluator, benchmark)
    evaluator.mute = False
    world.run_until(lambda: requester.node.state.tasks[task].state is TaskState.ACCEPTED, patience=90.0)


def test_nobody_can_make_a_requester_wait_for_years() -> None:
    world, requester, evaluator, benchmark = pair()
    evaluator.mute = True
    world.disconnect(evaluator)
    task = world.start(requester, benchmark)
    lie = Decline(NETWORK_ID, evaluator.id, task, AssignmentId(""), "busy", int((world.now + 1e8) * 1000))
    requester.handle(MessageReceived(evaluator.sealer.seal(lie), evaluator.id))
    (offer,) = requester.node.state.offers.of(task)
    assert offer.expires == world.now + BUSY_PATIENCE


def test_an_assignment_whose_time_is_over_frees_its_place() -> None:
    world, requester, evaluator, benchmark = pair()
    evaluator.mute = True
    task = world.start(requester, benchmark)
    world.run(3.0)
    duty = evaluator.node.state.duties[task]
    assert duty.state is DutyState.RUNNING
    world.disconnect(requester)
    world.run(duty.deadline - world.now + 0.1)
    assert evaluator.node.state.duties[task].state is DutyState.FAILED


def test_cancelling_stops_the_worker_frees_the_place_and_blames_nobody() -> None:
    world, requester, evaluator, benchmark = pair()
    evaluator.mute = True
    task = world.start(requester, benchmark)
    world.run(3.0)
    stopped: list[Effect] = []
    perform = world.perform

    def watch(host: Host, effect: Effect) -> None:
        if isinstance(effect, Stop) and host is evaluator:
            stopped.append(effect)
        perform(host, effect)

    world.perform = watch  # type: ignore[method-assign]
    run = f"run/{evaluator.node.state.duties[task].assignment}"
    requester.handle(CancelTask("cancel", task))
    world.run(1.0)
    duty = evaluator.node.state.duties[task]
    assert (duty.state, duty.reason) == (DutyState.FAILED, "cancelled by the requester")
    assert [run in effect.effects for effect in stopped if isinstance(effect, Stop)] == [True]
    world.run(120.0)
    assert evaluator.id not in requester.node.state.evidence
    assert requester.id not in evaluator.node.state.evidence


def test_only_the_requester_cancels() -> None:
    world = World(3)
    requester, evaluator, other = world.all
    benchmark = world.publish(requester)
    world.everybody_joins(benchmark, requester)
    evaluator.mute = other.mute = True
    task = world.start(requester, benchmark)
    world.run(3.0)
    (replica,) = requester.node.state.replicas.of(task)
    working = world.hosts[replica.peer]
    stranger = next(host for host in (evaluator, other) if host is not working)
    forged = stranger.sealer.seal(Cancel(NETWORK_ID, stranger.id, task))
    working.handle(MessageReceived(forged, stranger.id, "forged"))
    assert working.replies["forged"].error == "not_its_requester"
    assert working.node.state.duties[task].state is DutyState.RUNNING


def test_a_stranger_has_one_task_in_flight() -> None:
    world, requester, evaluator, benchmark = pair()
    evaluator.mute = True
    estrange(evaluator, requester)
    first, second = (world.start(requester, benchmark, name) for name in ("one", "two"))
    world.run(1.0)
    assert first in evaluator.node.state.duties
    assert second not in evaluator.node.state.duties
    (offer,) = requester.node.state.offers.of(second)
    assert offer.declined == "busy_for_strangers"


def test_strangers_together_get_a_tenth_of_the_time_across_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    world, requester, evaluator, benchmark = pair()
    evaluator.mute = True
    monkeypatch.setattr(budget, "is_stranger", lambda *_: True)  # an object budget would stop a true one first
    begun, spent = world.now, 0.0
    for number in range(40):
        task = world.start(requester, benchmark, f"model-{number}")
        world.run(5.0)
        duty = evaluator.node.state.duties.get(task)
        if duty is not None and duty.state is DutyState.RUNNING:
            at = duty.deadline - budget.commit_window(evaluator.node.state.benchmarks[benchmark].spec, duty.model)
            world.run(10.0)
            spent += world.now - at
            evaluator.handle(EvaluationFailed(f"run/{duty.assignment}", task, duty.assignment, "stopped by the test"))
        requester.handle(CancelTask("cancel", task))
        evaluator.restart()
        world.run(5.0)
    allowed = STRANGERS_SHARE * (world.now - begun) + STRANGERS_BURST
    assert STRANGERS_BURST <= spent <= allowed + 20.0  # one task beyond it at most


def asked(requester: Host, evaluator: Host, benchmark: BenchmarkId, count: int, model: str) -> int:
    """How many of ``count`` tasks at once get a place."""
    tasks = [requester.world.start(requester, benchmark, f"{model}-{number}") for number in range(count)]
    requester.world.run(1.0)
    return sum(task in evaluator.node.state.duties for task in tasks)


def test_members_that_nobody_knows_are_served_while_nobody_known_asks_and_leave_half_of_the_places() -> None:
    _, requester, evaluator, benchmark = pair()
    evaluator.mute = True
    assert asked(requester, evaluator, benchmark, MAX_DUTIES, "early") == STRANGERS_PLACES


def test_a_free_profile_makes_nobody_known_once_somebody_known_has_asked() -> None:
    world = World(3)
    known, sybil, evaluator = world.all
    benchmark = world.publish(known)
    world.everybody_joins(benchmark, known)
    evaluator.mute = known.mute = sybil.mute = True
    saw(evaluator, known.id, benchmark, good=3)
    assert asked(known, evaluator, benchmark, 1, "known") == 1
    assert asked(sybil, evaluator, benchmark, 3, "sybil") == 1
    assert asked(known, evaluator, benchmark, MAX_DUTIES - 2, "more") == MAX_DUTIES - 2
    for host in (known, sybil):
        for task in host.node.state.tasks:
            host.handle(CancelTask("cancel", task.id))
    world.run(KNOWN_LATELY + 1.0)
    assert asked(sybil, evaluator, benchmark, 3, "later") == 3


def test_names_that_one_rater_praises_neither_shut_out_who_was_met_nor_stand_before_strangers() -> None:
    world = World(5)
    known, praised, other, stranger, evaluator = world.all
    benchmark = world.publish(known)
    world.everybody_joins(benchmark, known)
    for host in world.all:
        host.mute = True
    for host in (praised, other):
        evaluator.node.state.pooled.put(PooledRow(host.id, 1, 3.0, 0.0, 0.0, 0.8, 0.001, 0.001))
        assert budget.is_known(evaluator.node._ctx, host.id)
    got = [asked(host, evaluator, benchmark, MAX_DUTIES, "many") for host in (praised, other)]
    assert sum(got) == STRANGERS_PLACES
    saw(evaluator, known.id, benchmark, good=3)
    for host in (praised, other):
        for task in list(host.node.state.tasks)[1:]:
            host.handle(CancelTask("cancel", task.id))
    assert asked(stranger, evaluator, benchmark, 2, "strange") == 2
    assert asked(known, evaluator, benchmark, MAX_DUTIES - STRANGERS_PLACES, "known") == MAX_DUTIES - STRANGERS_PLACES


def test_work_for_guests_is_no_debt_to_anybody() -> None:
    world, requester, evaluator, benchmark = pair()
    for number in range(4):
        task = world.start(requester, benchmark, f"model-{number}")
        world.run_until(lambda task=task: requester.node.state.tasks[task].state is TaskState.ACCEPTED)  # type: ignore[misc]
    assert evaluator.node.state.counter("strangers_debt_ms") == 0


def test_who_makes_a_requester_known() -> None:
    world, benchmark = settled(4)
    me, seen, praised, bad = world.all
    ctx = me.node._ctx
    assert not any(budget.is_known(ctx, host.id) for host in (seen, praised, bad))
    saw(me, seen.id, benchmark, good=20)
    saw(me, bad.id, benchmark, good=1, bad=5)
    saw(seen, praised.id, benchmark, good=20)
    assert budget.is_known(ctx, seen.id)
    assert not budget.is_known(ctx, bad.id)
    to_epoch(world)
    world.run(3600.0)  # what the others told at that end is pooled at the next
    assert budget.is_known(ctx, praised.id)
    assert not budget.is_known(ctx, bad.id)


def test_a_clock_set_back_neither_adds_to_what_strangers_owe_nor_shuts_them_out() -> None:
    world, benchmark = settled(2)
    me, stranger = world.all
    ctx, year = me.node._ctx, 365 * 86_400.0
    ctx.now = world.now + year
    budget._owe(ctx, 5_000)
    ctx.state.count("known_requester_ms", ctx.now_ms)
    ctx.now = world.now
    assert budget._debt(ctx) == 5.0
    assert not budget.is_stranger(ctx, stranger.id, benchmark)


def test_whoever_leaves_its_tasks_unfinished_gets_no_more_work_of_who_has_not_met_it() -> None:
    """A requester that assigns, takes commitments and never closes: found in the lab, at one evaluation a message."""
    world, requester, evaluator, benchmark = pair()
    requester.loses = (CommitmentSet, ResultRecord)
    tasks = [world.start(requester, benchmark, f"model-{number}") for number in range(UNFINISHED_MOST)]
    world.run(30.0)
    assert evaluator.node.state.duties.many(DutyState.COMMITTED) == UNFINISHED_MOST
    one_more = world.start(requester, benchmark, "one more")
    world.run(3.0)
    (offer,) = requester.node.state.offers.of(one_more)
    assert offer.declined == "busy_for_strangers"
    requester.handle(CancelTask("cancel", tasks[0]))
    world.run(2 * UNFINISHED_PAUSE)
    assert evaluator.node.state.duties.get(one_more) is not None
