"""What a demanding reader of ``core`` found, each held by the smallest world that shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from small_world import Host, World, blob

from p2peval.core import sync
from p2peval.core.effects import Pull
from p2peval.core.events import (
    BlobFailed,
    CancelTask,
    EvaluationFailed,
    JoinBenchmark,
    LeaveBenchmark,
    MessageReceived,
    NoticeReceived,
    PeerUp,
)
from p2peval.core.messages import Assignment, BenchmarkAnnouncement, CommitmentSet, Decline, Offer, ResultRecord, Reveal
from p2peval.core.rows import DutyState, ReplicaState, TaskState
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, TaskId
from p2peval.defaults import MAX_DUTIES, MAX_REVISIONS, NETWORK_ID, RECORD_REPLICAS


def world_of(size: int, **options: int) -> tuple[World, list[Host], BenchmarkId]:
    world = World(size, **options)
    benchmark = world.publish(world.all[0])
    world.everybody_joins(benchmark, world.all[0])
    return world, world.all, benchmark


def accepted(host: Host, task: TaskId) -> bool:
    return host.node.state.tasks[task].state is TaskState.ACCEPTED


# ── records ───────────────────────────────────────────────────────────────────────────────────────


def a_record() -> tuple[Host, Host, ResultRecord]:
    """A requester, somebody who has not heard of its task, and the record of it."""
    world, (requester, evaluator, bystander), benchmark = world_of(3)
    world.disconnect(bystander)
    task = world.start(requester, benchmark)
    world.run_until(lambda: accepted(requester, task))
    assert requester.node.state.results[task].evaluator == evaluator.id
    bystander.up = True
    envelope = requester.disk.envelopes[requester.node.state.tasks[task].record]
    record = requester.sealer.open(envelope).payload
    assert isinstance(record, ResultRecord)
    return requester, bystander, record


def judged(requester: Host, bystander: Host, record: ResultRecord) -> str:
    sealed = requester.sealer.seal(record)
    bystander.handle(MessageReceived(sealed, requester.id, "record"))
    return bystander.replies["record"].error


def changed(signer: Host, envelope: bytes, **changes: Any) -> bytes:
    return signer.sealer.seal(replace(signer.sealer.open(envelope).payload, **changes)).envelope  # type: ignore[type-var]


def evaluator_of(requester: Host, record: ResultRecord) -> Host:
    assigned = requester.sealer.open(record.assignments[0]).payload
    assert isinstance(assigned, Assignment)
    return requester.world.hosts[assigned.evaluator]


def test_an_untouched_record_is_admitted() -> None:
    assert judged(*a_record()) == ""


def test_a_record_with_two_sets_for_one_window_is_refused() -> None:
    requester, bystander, record = a_record()
    other = changed(requester, record.commitment_sets[0], commitments=())
    assert judged(requester, bystander, replace(record, commitment_sets=(*record.commitment_sets, other))) == (
        "equivocation"
    )


def test_a_record_that_contradicts_the_set_we_saw_is_refused() -> None:
    requester, bystander, record = a_record()
    announcement = requester.sealer.open(record.announcement)
    bystander.handle(MessageReceived(announcement, requester.id))
    seen = requester.sealer.seal(CommitmentSet(NETWORK_ID, requester.id, record.task, 1, ()))
    bystander.handle(MessageReceived(seen, requester.id, "seen"))
    assert bystander.replies["seen"].error == ""
    assert judged(requester, bystander, record) == "equivocation"


def test_a_reveal_counts_only_in_the_window_of_its_own_attempt() -> None:
    requester, bystander, record = a_record()
    later = changed(requester, record.commitment_sets[0], round=2)
    assert judged(requester, bystander, replace(record, commitment_sets=(later,))) == "commitment_not_in_set"


def test_a_commitment_of_another_task_has_no_place_in_a_record() -> None:
    requester, bystander, record = a_record()
    foreign = changed(evaluator_of(requester, record), record.commitments[0], assignment=AssignmentId(blob("x").cid))
    assert judged(requester, bystander, replace(record, commitments=(*record.commitments, foreign))) == (
        "foreign_commitment"
    )


def test_nobody_is_credited_with_an_audit_of_what_it_never_revealed() -> None:
    requester, bystander, record = a_record()
    assigned = changed(requester, record.assignments[0], evaluator=bystander.id)
    check = replace(record.checks[0], assignment=AssignmentId(requester.sealer.open(assigned).id))
    forged = replace(record, assignments=(*record.assignments, assigned), checks=(*record.checks, check))
    assert judged(requester, bystander, forged) == "foreign_check"


def test_accepted_outputs_have_the_size_that_the_benchmark_asks_for() -> None:
    requester, bystander, record = a_record()
    reveal = requester.sealer.open(record.reveals[0]).payload
    assert isinstance(reveal, Reveal)
    short = changed(evaluator_of(requester, record), record.reveals[0], outputs=replace(reveal.outputs, size=1))
    assert judged(requester, bystander, replace(record, reveals=(short,))) == "wrong_size"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"finished_ms": 2**52}, "from_the_future"),
        ({"revision": 0}, "too_many_revisions"),
        ({"revision": MAX_REVISIONS + 1}, "too_many_revisions"),
    ],
)
def test_a_record_out_of_time_or_order_is_refused(changes: dict[str, int], reason: str) -> None:
    requester, bystander, record = a_record()
    assert judged(requester, bystander, replace(record, **changes)) == reason  # type: ignore[arg-type]


def test_a_task_that_lost_a_hundred_evaluators_still_fits_a_record() -> None:
    world, (requester, _, bystander), benchmark = world_of(3)
    task = world.start(requester, benchmark)
    world.run_until(lambda: bool(requester.node.state.replicas.of(task)))
    (replica,) = requester.node.state.replicas.of(task)
    for number in range(100):
        sealed = requester.sealer.seal(
            replace(requester.sealer.open(replica.assignment).payload, attempt=1000 + number)  # type: ignore[type-var]
        )
        requester.node.state.replicas.put(
            replace(
                replica,
                id=AssignmentId(sealed.id),
                assignment=sealed.envelope,
                state=ReplicaState.SILENT,
                attempt=1000 + number,
            )
        )
    world.run_until(lambda: accepted(requester, task))
    world.run(1.0)
    record = requester.sealer.open(requester.disk.envelopes[requester.node.state.tasks[task].record]).payload
    assert isinstance(record, ResultRecord)
    assert len(record.assignments) == RECORD_REPLICAS
    assert bystander.node.state.results[task].accepted


# ── offers ────────────────────────────────────────────────────────────────────────────────────────


def test_an_offer_by_a_clock_that_is_five_minutes_slow_still_binds() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    evaluator.mute = True
    world.disconnect(evaluator)
    task = world.start(requester, benchmark)
    slow = int((world.now - 300.0) * 1000)
    offer = evaluator.sealer.seal(Offer(NETWORK_ID, evaluator.id, task, "class", slow))
    requester.handle(MessageReceived(offer, evaluator.id, "offer"))
    assert requester.replies["offer"].error == ""
    world.run(3.0)
    assert [row.peer for row in requester.node.state.replicas.of(task)] == [evaluator.id]


def test_answers_to_announcements_fill_no_store() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    world.disconnect(evaluator)
    task = world.start(requester, benchmark)
    held = len(requester.node.state.objects)
    for number in range(50):
        decline = evaluator.sealer.seal(Decline(NETWORK_ID, evaluator.id, task, AssignmentId(""), f"busy {number}"))
        requester.handle(MessageReceived(decline, evaluator.id))
    assert len(requester.node.state.objects) == held


def test_declining_does_not_make_the_requester_announce_again_at_once() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    evaluator.mute = True
    tasks = [world.start(requester, benchmark, f"model-{number}") for number in range(MAX_DUTIES + 1)]
    before = len(requester.disk.signed)
    world.run(60.0)
    again = [e for e in requester.disk.signed[before:] if requester.sealer.open(e).id == tasks[-1]]
    assert 1 <= len(again) <= 9


def test_a_task_says_why_those_who_tried_gave_up() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    evaluator.mute = True
    task = world.start(requester, benchmark)
    world.run_until(lambda: bool(requester.node.state.replicas.of(task)))
    world.run(1.0)
    duty = evaluator.node.state.duties[task]
    evaluator.handle(EvaluationFailed(f"run/{duty.assignment}", task, duty.assignment, "the model needs 9 GiB"))
    world.run(3.0)
    waiting = [dict(notice.data)["reason"] for notice in requester.story if notice.kind == "task.waiting"]
    assert waiting[0] == "the model needs 9 GiB"


def test_an_offer_to_a_task_that_is_over_does_not_keep_its_evaluator_busy() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    world.disconnect(evaluator)
    tasks = [world.start(requester, benchmark, f"model-{number}") for number in range(MAX_DUTIES)]
    for task in tasks:
        requester.handle(CancelTask("cancel", task))
    world.reconnect(evaluator)
    world.run(2.0)
    assert "task_over" in requester.refusals
    assert not [duty for duty in evaluator.node.state.duties if duty.state is DutyState.OFFERED]


def test_an_offer_that_was_not_taken_leaves_nothing_behind() -> None:
    world, (requester, *others), benchmark = world_of(4)
    task = world.start(requester, benchmark)
    world.run_until(lambda: accepted(requester, task))
    world.run(1.0)
    assert sum(task in host.node.state.duties for host in others) == 1


def test_nobody_offers_to_itself() -> None:
    world, (requester, _), benchmark = world_of(2)
    task = world.start(requester, benchmark)
    announced = requester.sealer.open(requester.node.state.tasks[task].announcement)
    requester.node.state.forget(announced.id)  # as after a restored backup: a friend brings it back
    requester.handle(MessageReceived(announced, requester.id))
    assert task not in requester.node.state.duties


# ── who is to blame ───────────────────────────────────────────────────────────────────────────────


def test_a_requester_that_was_away_blames_nobody_for_a_reveal_it_could_not_hear() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    task = world.start(requester, benchmark)
    world.run_until(lambda: requester.node.state.tasks[task].state is TaskState.REVEALING)
    world.disconnect(requester)
    world.run(300.0)
    requester.up = True
    requester.node = requester._load()
    requester.perform(requester.node.resume(world.now))
    requester.perform(list(requester.disk.outbox.values()))
    world.run(0.001)  # its own deadline is long past, and nobody has come back yet
    for host, other in ((requester, evaluator), (evaluator, requester)):
        host.handle(PeerUp(other.id))
    world.run_until(lambda: accepted(requester, task))
    assert requester.node.state.evidence[evaluator.id].evidence.withheld == 0


def test_an_evaluator_reveals_however_long_the_others_took() -> None:
    world, (requester, *others), benchmark = world_of(3)
    slow = others[0]
    slow.mute = True
    task = world.start(requester, benchmark, replicas=2)
    world.run_until(lambda: any(row.state is ReplicaState.COMMITTED for row in requester.node.state.replicas))
    row = requester.node.state.tasks[task]
    requester.node.state.tasks.put(replace(row, generation=row.generation + 1))  # a window that stays open
    world.run(3600.0)
    assert {replica.state for replica in requester.node.state.replicas.of(task)} == {
        ReplicaState.ASSIGNED,
        ReplicaState.COMMITTED,
    }
    duty = slow.node.state.duties[task]
    assert duty.reason == "not done in the time of its assignment"
    late = slow.sealer.seal(Decline(NETWORK_ID, slow.id, task, duty.assignment, "too slow"))
    requester.handle(MessageReceived(late, slow.id))
    world.run_until(lambda: accepted(requester, task))
    assert not any(host.node.state.duties[task].reason == "the requester never answered" for host in others)


def test_our_own_full_disk_is_nobody_elses_fault() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    task = world.start(requester, benchmark)
    world.run_until(lambda: requester.node.state.tasks[task].state is TaskState.AUDITING)
    (replica,) = requester.node.state.replicas.of(task)
    assert replica.outputs is not None
    requester.handle(BlobFailed(f"outputs/{replica.id}", replica.outputs.cid, "disk full", ours=True))
    assert requester.node.state.tasks[task].reason == "this node could not audit: disk full"
    assert evaluator.id not in requester.node.state.evidence


# ── joining and sync ──────────────────────────────────────────────────────────────────────────────


def test_a_newcomer_has_the_board_before_the_next_periodic_sync() -> None:
    world = World(3)
    author, evaluator, newcomer = world.all
    benchmark = world.publish(author)
    evaluator.handle(JoinBenchmark("join", benchmark, True, True, (author.id,)))
    world.run(1.0)
    task = world.start(author, benchmark)
    world.run_until(lambda: accepted(author, task))
    newcomer.handle(JoinBenchmark("join", benchmark, True, True, (author.id,)))
    world.run(1.0)
    assert newcomer.node.state.results[task].accepted
    assert task not in newcomer.node.state.duties


def test_what_was_refused_for_good_is_not_asked_for_again() -> None:
    _, (author, other), _ = world_of(2)
    (claim,) = author.node.state.names
    old = author.sealer.seal(
        BenchmarkAnnouncement(NETWORK_ID, author.id, claim.name, "old", claim.benchmark, claim.sequence - 1)
    )
    assert other.node.state.lacks(old.id)
    other.handle(MessageReceived(old, author.id))
    assert not other.node.state.lacks(old.id)
    other.restart()
    assert other.node.state.lacks(old.id)


def test_what_came_too_early_may_come_again() -> None:
    _, (requester, other), _ = world_of(2)
    unknown = requester.sealer.seal(CommitmentSet(NETWORK_ID, requester.id, TaskId(blob("t").cid), 1, ()))
    other.handle(MessageReceived(unknown, requester.id))
    assert other.refusals[-1] == "unknown_task"
    assert other.node.state.lacks(unknown.id)


def test_sync_tells_results_before_tasks_and_tasks_before_their_sets() -> None:
    world, (requester, _), benchmark = world_of(2)
    for number in range(4):
        task = world.start(requester, benchmark, f"model-{number}")
        world.run_until(lambda task=task: accepted(requester, task))  # type: ignore[misc]
    objects = requester.node.state.objects
    told = [objects[id_].type for id_ in sync.offered(requester.node.state, (benchmark,), ())]
    assert told == sorted(told, key=sync.SYNCED.index)
    assert {"ResultRecord", "TaskAnnouncement", "CommitmentSet"} <= set(told)


def test_nothing_is_pulled_for_a_benchmark_that_was_left() -> None:
    world, (author, _), benchmark = world_of(2)
    notice = NoticeReceived(author.id, benchmark, ObjectId(blob("record").cid))
    assert any(isinstance(effect, Pull) for effect in author.node.handle(notice, world.now))
    author.handle(LeaveBenchmark("leave", benchmark))
    assert not author.node.handle(notice, world.now)
