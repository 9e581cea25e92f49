"""The auditor's side: whom it answers, with what, and how much of its time it gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from belief_world import truth
from consult_world import ConsultWorld
from small_world import blob

from p2peval.core import budget
from p2peval.core.checking import AuditRequest
from p2peval.core.consult_rows import ConsultState
from p2peval.core.events import BlobFailed, CancelTask, JobFailed, MessageReceived
from p2peval.core.policy import Policy
from p2peval.core.rows import TaskState
from p2peval.core.types import ObjectId, PeerId
from p2peval.defaults import INQUIRIES_EACH, NETWORK_ID


class Desk(ConsultWorld):
    """One finished task, and requests about it that are made up."""

    def __init__(self) -> None:
        super().__init__(12)
        self.task = self.ask()
        self.run(5.0)
        self.auditor = self.auditors[0]
        self.rounds = 100

    def request(self, **changes: Any) -> AuditRequest:
        self.rounds += 1
        return replace(
            AuditRequest(
                network=NETWORK_ID,
                author=self.requester.id,
                benchmark=self.benchmark,
                task=self.task.id,
                announcement=self.task.announcement,
                auditor=self.auditor.id,
                round=self.rounds,
                indices=(3, 8),
                deadline_ms=int((self.now + 60) * 1000),
            ),
            **changes,
        )

    def hand_in(self, **changes: Any) -> str:
        sealed = self.requester.sealer.seal(self.request(**changes))
        self.auditor.handle(MessageReceived(sealed, self.requester.id, sealed.id))
        return self.auditor.replies[sealed.id].error


def test_an_auditor_answers_with_its_own_rows_at_the_samples_asked_for() -> None:
    world = Desk()
    row = next(row for row in world.consults(world.task) if row.auditor == world.auditor.id)
    sealed = next(
        sealed
        for envelope in world.auditor.disk.signed
        if (sealed := world.auditor.sealer.open(envelope)) and getattr(sealed.payload, "request", "") == row.request
    )
    rows = truth(world.requester.node.state.benchmarks[world.benchmark].spec)
    assert sealed.payload.rows == tuple(rows[index].tobytes() for index in row.indices)
    assert not len(world.auditor.node.state.inquiries)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"indices": (8, 3)}, "wrong_indices"),
        ({"indices": (3, 3)}, "wrong_indices"),
        ({"indices": (3, 200)}, "wrong_indices"),
        ({"deadline_ms": 1}, "expired"),
        ({"auditor": PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")}, "not_for_me"),
        ({"task": blob("another task").cid}, "foreign_task"),
        ({}, ""),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert Desk().hand_in(**changes) == reason


def test_a_task_of_somebody_else_is_no_reason_to_work_for_whoever_repeats_it() -> None:
    world = Desk()
    thief = world.auditors[1]
    sealed = thief.sealer.seal(world.request(author=thief.id))
    world.auditor.handle(MessageReceived(sealed, thief.id, "theft"))
    assert world.auditor.replies["theft"].error == "foreign_task"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy(computes=False), "does_not_evaluate"),
        (Policy(memory_mb=256), "does_not_evaluate"),
        (Policy(accept_from=(PeerId("nobody"),)), "requester_not_accepted"),
    ],
)
def test_what_an_operator_does_not_allow_is_refused(policy: Policy, reason: str) -> None:
    world = Desk()
    world.auditor.node._ctx.policy = policy
    assert world.hand_in() == reason


def test_one_requester_has_a_few_requests_at_work_and_no_more() -> None:
    world = Desk()
    world.auditor.mute = True  # its worker never ends
    assert [world.hand_in() for _ in range(INQUIRIES_EACH + 1)] == [""] * INQUIRIES_EACH + ["auditor_busy"]
    world.auditor.mute = False


def test_a_stranger_pays_for_what_its_requests_cost() -> None:
    world = Desk()
    world.job_s = 30.0
    world.auditor.node.state.peers.delete(world.requester.id)  # no member that it knows, and never audited
    answers = []
    for _ in range(4):
        answers.append(world.hand_in())
        world.run(31.0)
    assert answers == ["", "", "", "auditor_busy"]  # two minutes' work in two minutes is more than its share and burst
    assert budget.is_stranger(world.auditor.node._ctx, world.requester.id, world.benchmark)


@pytest.mark.parametrize("what", ["model", "sample"])
def test_an_auditor_that_cannot_says_so_and_its_place_goes_to_another(what: str) -> None:
    world = ConsultWorld(13)
    unable = world.auditors[0]
    handle = unable.handle

    def broken(event: Any, done: str = "") -> None:
        id_ = getattr(event, "effect_id", "")
        if id_.startswith(f"inquiry/{what}/"):
            failed = BlobFailed(id_, event.cid, "nobody has it") if what == "model" else JobFailed(id_, "crashed")
            return handle(failed, done)
        handle(event, done)

    unable.handle = broken  # type: ignore[method-assign]
    for number in range(3):
        task = world.ask(f"model {number}")
        assert task.state.value == "accepted", task.reason
        assert unable.id not in world.of(task, ConsultState.AGREES)
    declined = [row for row in world.requester.node.state.consults if row.auditor == unable.id]
    assert declined
    assert {row.state for row in declined} == {ConsultState.DECLINED}


def test_an_answer_that_nobody_asked_for_counts_nothing() -> None:
    world = Desk()
    row = world.consults(world.task)[0]
    auditor = world.hosts[row.auditor]
    answer = next(
        sealed
        for envelope in auditor.disk.signed
        if (sealed := auditor.sealer.open(envelope)) and getattr(sealed.payload, "request", "") == row.request
    )
    forged = world.auditor.sealer.seal(
        replace(answer.payload, author=world.auditor.id, request=ObjectId(world.task.id))
    )
    world.requester.handle(MessageReceived(forged, world.auditor.id, "forged"))
    assert world.requester.replies["forged"].error == "unasked"


def test_who_audits_for_a_task_that_is_given_up_stops_and_frees_its_place() -> None:
    world = ConsultWorld(12)
    for auditor in world.auditors:
        auditor.mute = True
    task = world.begin()
    world.run_until(lambda: any(len(auditor.node.state.inquiries) for auditor in world.auditors))
    at_work = [auditor for auditor in world.auditors if len(auditor.node.state.inquiries)]
    world.requester.handle(CancelTask("cancel", task))
    world.run(5.0)
    assert world.requester.node.state.tasks[task].state is TaskState.CANCELLED
    assert not any(len(auditor.node.state.inquiries) for auditor in world.auditors)
    assert all("inquiry.dropped" in auditor.kinds() for auditor in at_work)


def test_who_is_too_slow_stops_when_the_result_is_accepted_without_it() -> None:
    world = ConsultWorld(13)
    slow = world.auditors[0]
    slow.mute = True
    task = world.ask()
    assert task.state is TaskState.ACCEPTED
    world.run(5.0)
    assert "inquiry.dropped" in slow.kinds()
    assert not len(slow.node.state.inquiries)
