"""What a demanding reader of ``core`` and of the shell found, each held by the smallest world that shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from small_world import Host, World, blob

from p2peval.core.events import MessageReceived
from p2peval.core.messages import Assignment, CommitmentSet, ResultRecord, Reveal
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.types import AssignmentId, BenchmarkId, TaskId
from p2peval.defaults import MAX_REVISIONS, NETWORK_ID, RECORD_REPLICAS


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
