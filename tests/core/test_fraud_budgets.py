"""What fraud proofs may cost those who re-run them."""

from __future__ import annotations

import pytest
from court import NOBODY, Court, unharmed

from p2peval.core import fraud, reputation
from p2peval.core.events import MessageReceived
from p2peval.core.policy import Policy
from p2peval.core.types import ObjectId
from p2peval.defaults import (
    OUTPUTS_PATIENCE,
    PROOF_SHARE,
    PROOF_TRIES,
    PROOFS_WAITING,
    WATCH_AGAIN,
)


def test_strangers_together_get_one_rerun_a_minute() -> None:
    world = Court(lies=False)
    member = world.members[0]
    for host in (world.accuser, world.evaluator):
        member.node.state.peers.delete(host.id)
    first = world.accuser.sealer.seal(world.proof(3))
    second = world.evaluator.sealer.seal(world.proof(4, author=world.evaluator.id))
    member.handle(MessageReceived(first, world.requester.id, "first"))
    member.handle(MessageReceived(second, world.requester.id, "second"))
    assert (member.replies["first"].error, member.replies["second"].error) == ("", "budget")
    world.run(61.0)
    member.handle(MessageReceived(second, world.requester.id, "again"))
    assert member.replies["again"].error == ""


def test_reruns_of_proofs_take_no_more_than_their_share_of_the_time_and_begin_with_the_best_signer() -> None:
    world = Court(lies=False)
    member, known = world.members[0], world.evaluator
    reputation.agreed(member.node._ctx, known.id, world.benchmark)
    world.job_s = 30.0
    for index in (3, 4):
        member.handle(MessageReceived(world.accuser.sealer.seal(world.proof(index)), world.accuser.id))
    member.handle(MessageReceived(known.sealer.seal(world.proof(5, author=known.id)), known.id))
    begun = world.now
    world.run_until(lambda: len(member.node.state.proofs) == 2)
    assert [row.signer for row in member.node.state.proofs] == [world.accuser.id, known.id]
    world.run_until(lambda: len(member.node.state.proofs) == 1)
    assert [row.signer for row in member.node.state.proofs] == [world.accuser.id]
    assert world.now - begun >= 30.0 / PROOF_SHARE + 30.0


def test_whoever_signed_a_false_proof_is_served_as_strangers_are() -> None:
    world = Court(lies=False)
    member = world.members[0]

    def accuse(index: int) -> str:
        proof = world.accuser.sealer.seal(world.proof(index))
        member.handle(MessageReceived(proof, world.accuser.id, str(index)))
        return member.replies[str(index)].error

    assert accuse(3) == ""
    world.run(61.0)  # it is re-run, and false
    assert [accuse(index) for index in (4, 5)] == ["", "budget"]
    world.run(61.0)
    assert accuse(6) == ""


def test_one_signer_has_few_proofs_in_the_queue() -> None:
    world = Court(lies=False)
    member = world.members[0]
    world.job_s = 30.0
    answers = []
    for index in range(PROOFS_WAITING + 1):
        member.handle(MessageReceived(world.accuser.sealer.seal(world.proof(index)), world.accuser.id, str(index)))
        answers.append(member.replies[str(index)].error)
    assert answers == [""] * PROOFS_WAITING + ["budget"]


def test_the_same_sample_is_settled_once_however_many_allege_it() -> None:
    world = Court(lies=True)
    assert world.settled == 3
    assert world.accuse(world.proof(2)) == ["proven_already", "proven_already"]
    assert world.settled == 3


def test_a_sample_that_waits_to_be_rerun_need_not_be_alleged_again() -> None:
    world = Court(lies=False)
    world.job_s, member = 30.0, world.members[0]
    for author in (world.accuser, world.evaluator):
        said = author.sealer.seal(world.proof(3, author=author.id))
        member.handle(MessageReceived(said, author.id, author.id))
    assert [member.replies[author.id].error for author in (world.accuser, world.evaluator)] == ["", "queued"]


def test_a_member_killed_twice_while_proofs_wait_settles_them_all() -> None:
    world = Court(lies=False)
    world.job_s, member = 1.0, world.members[0]
    for index in (3, 4):
        member.handle(MessageReceived(world.accuser.sealer.seal(world.proof(index)), world.accuser.id))
    world.run_until(lambda: len(member.node.state.proofs) == 1)
    member.restart()
    member.restart()
    world.run(60.0)
    assert not len(member.node.state.proofs)
    assert world.settled == 2


def test_a_full_queue_makes_room_for_a_better_signer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fraud, "PROOFS_HELD", 2)
    world = Court(lies=False)
    world.job_s, member = 30.0, world.members[0]
    reputation.agreed(member.node._ctx, world.evaluator.id, world.benchmark)
    answers = []
    for index, author in enumerate((world.accuser, world.accuser, world.requester, world.evaluator)):
        said = author.sealer.seal(world.proof(index, author=author.id))
        member.handle(MessageReceived(said, author.id, str(index)))
        answers.append(member.replies[str(index)].error)
    assert answers == ["", "", "budget", ""]
    assert [row.signer for row in member.node.state.proofs] == [world.accuser.id, world.evaluator.id]


def test_what_an_operator_does_not_run_is_not_rerun_for_a_proof_either() -> None:
    world = Court(lies=False)
    member = world.members[0]
    member.node._ctx.policy = Policy(accept_from=NOBODY, seconds=1)
    world.accuse(world.proof())
    assert world.settled == len(world.members) - 1
    assert "fraud.unsettled" in member.kinds()


def test_a_proof_of_a_task_that_nobody_here_knows_is_not_run_but_may_come_again() -> None:
    world = Court(lies=False)
    member = world.members[0]
    member.node.state.forget(ObjectId(world.task))
    member.node.state.results.delete(world.task)
    world.accuse(world.proof())
    assert member.replies["proof"].error == "unknown_task"
    assert world.settled == 1


def test_a_proof_whose_model_nobody_serves_is_tried_a_few_times_and_blames_nobody() -> None:
    world = Court(lies=False)
    for host in world.all:
        host.blobs.clear()
    world.accuse(world.proof())
    world.run(PROOF_TRIES * (OUTPUTS_PATIENCE + WATCH_AGAIN + 10.0))
    assert world.settled == 0
    assert unharmed(world)
    assert not any(len(member.node.state.proofs) for member in world.members)
    assert all(now >= 0.5 for now in world.believed(world.accuser))
