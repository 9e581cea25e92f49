"""Fraud proofs: a lie costs its author everywhere, by everybody's own re-run; a false proof costs who signed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from belief_world import BeliefWorld, lie, path_of, watchful
from court import NOBODY, Court, kinds, reputation_of, unharmed

from p2peval.core.belief_rows import ProofState
from p2peval.core.commitment import output_root
from p2peval.core.events import MessageReceived
from p2peval.core.leaderboard import CLAIMED, MINE, REFUTED
from p2peval.core.messages import Reveal
from p2peval.core.policy import Policy
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.types import TaskId
from p2peval.defaults import (
    SYNC_INTERVAL,
    WATCH_PAUSE,
    WATCH_SAMPLES,
)
from p2peval.wire.ids import public_key_of

# ── a lie ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_requester_finds_false_costs_the_liar_all_trust_on_every_member_by_its_own_rerun() -> None:
    world = Court(lies=True)
    assert world.settled == len(world.members) + 1  # the accuser is a member too
    assert "fraud.accused" in world.evaluator.kinds()
    for member in (world.requester, world.accuser, *world.members):
        assert kinds(member, world.evaluator) == ["fraud-proof"]
        assert reputation_of(member, world.evaluator) == 0.0
    assert all(member.node.state.evidence[world.evaluator.id].evidence.beta == 1.0 for member in world.members)
    assert world.believed(world.requester) == [0.5] * len(world.members)
    assert not any(len(member.node.state.proofs) for member in world.members)


def test_a_convicted_peer_is_never_chosen_again_though_nobody_else_offers() -> None:
    world = Court(lies=True)
    world.evaluator.lies = False
    world.requester.node._ctx.policy = Policy(accept_from=NOBODY)
    second = world.start(world.members[0], world.benchmark, "other")
    world.run(120.0)
    assert not world.members[0].node.state.replicas.of(second)
    assert world.members[0].node.state.tasks[second].state is TaskState.ANNOUNCED


def test_a_convicted_peer_is_not_worked_for() -> None:
    world = Court(lies=True)
    world.requester.node._ctx.policy = Policy()
    task = world.start(world.evaluator, world.benchmark, "other")
    world.run(5.0)
    assert world.evaluator.node.state.offers.of(task)
    assert {
        offer.declined for offer in world.evaluator.node.state.offers.of(task) if offer.peer == world.requester.id
    } == {"requester_convicted"}


def test_a_proof_lapses_after_the_configured_time() -> None:
    world = Court(lies=True)
    member = world.members[0]
    world.now += member.node._ctx.policy.conviction_s + 1.0
    member.node.handle(MessageReceived(world.accuser.sealer.seal(world.proof()), world.accuser.id), world.now)
    assert 0.0 < reputation_of(member, world.evaluator) < 0.5


def test_a_member_that_was_away_learns_of_the_proof_by_sync_and_judges_it_itself() -> None:
    world = Court(lies=False)
    world.evaluator.lies = True
    late = world.members[0]
    world.disconnect(late)
    world.task = world.ask("second")
    assert not kinds(late, world.evaluator)
    world.reconnect(late)
    world.run(3 * SYNC_INTERVAL)
    assert kinds(late, world.evaluator) == ["fraud-proof"]


def test_a_member_killed_while_it_settles_a_proof_goes_on_with_it() -> None:
    world = Court(lies=False)
    world.evaluator.lies = True
    world.start(world.requester, world.benchmark, "second")
    member = world.members[0]
    world.run_until(lambda: bool(member.node.state.proofs.of(ProofState.UNDER_WAY)))
    member.restart()
    world.run(10.0)
    assert kinds(member, world.evaluator) == ["fraud-proof"]


def test_what_rests_on_a_liars_word_is_audited_anew_with_a_larger_draw() -> None:
    world = Court(lies=False)
    member = world.members[0]
    watchful(member)
    first = world.ask("first")
    world.run(6 * WATCH_PAUSE)
    results = member.node.state.results
    assert (results[first].standing, results[first].certificate.audited) == (MINE, WATCH_SAMPLES)  # type: ignore[union-attr]
    world.evaluator.lies = True
    world.ask("second")
    assert kinds(member, world.evaluator) == ["fraud-proof"]
    assert results[first].standing == CLAIMED
    world.run(6 * WATCH_PAUSE)
    assert results[first].standing == MINE
    assert results[first].certificate.audited > WATCH_SAMPLES  # type: ignore[union-attr]


def test_a_record_is_refuted_by_a_proof_against_the_outputs_that_it_rests_on() -> None:
    world = Court(lies=False)
    spec = world.requester.node.state.benchmarks[world.benchmark].spec
    (replica,) = world.requester.node.state.replicas.of(world.task)
    root = output_root(lie(spec), public_key_of(world.evaluator.id))
    reveal = world.requester.sealer.open(replica.reveal).payload
    assert isinstance(reveal, Reveal)
    signed = world.evaluator.sealer.seal(replace(reveal, root=root)).envelope
    rows = lie(spec)
    row, path = rows[2].tobytes(), path_of(world.evaluator.id, rows, 2)
    assert world.accuse(world.proof(2, reveal=signed, row=row, path=path)) == ["", ""]
    assert [member.node.state.results[world.task].standing for member in world.members] == [REFUTED, REFUTED]


# ── framing ───────────────────────────────────────────────────────────────────────────────────────


def test_a_proof_of_an_honest_output_costs_its_signer_and_nobody_else() -> None:
    world = Court(lies=False)
    before = world.believed(world.accuser)
    assert world.accuse(world.proof()) == ["", ""]
    assert world.settled == len(world.members)
    assert unharmed(world)
    assert all(after < was for after, was in zip(world.believed(world.accuser), before, strict=True))
    assert not any(world.accuser.sealer.seal(world.proof()).id in m.node.state.objects for m in world.members)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"path": ()}, "wrong_path"),
        ({"index": 4}, "wrong_path"),
        ({"row": b"\0" * 40}, "wrong_path"),
        ({"row": b"\0" * 36}, "wrong_size"),
        ({"task": TaskId("bafkrei" + "a" * 52)}, "foreign_task"),
    ],
)
def test_a_proof_that_contradicts_itself_is_refused_without_a_rerun_and_costs_its_signer(
    changes: dict[str, Any], reason: str
) -> None:
    world = Court(lies=False)
    assert world.accuse(replace(world.proof(), **changes)) == [reason, reason]
    assert world.settled == 0
    assert unharmed(world)
    assert all(now < 0.5 for now in world.believed(world.accuser))


def test_a_reveal_is_no_proof_about_another_task() -> None:
    world = Court(lies=False)
    honest = world.proof()
    world.task = world.ask("second")
    mixed = world.proof(announcement=honest.announcement)
    assert world.accuse(mixed) == ["foreign_task", "foreign_task"]
    assert world.accuse(world.proof(assignment=honest.assignment)) == ["foreign_assignment", "foreign_assignment"]
    assert world.settled == 0
    assert unharmed(world)


def test_a_reveal_signed_by_the_accuser_for_the_assignment_of_another_convicts_the_accuser_alone() -> None:
    world = Court(lies=False)
    spec = world.requester.node.state.benchmarks[world.benchmark].spec
    rows = lie(spec)
    (replica,) = world.requester.node.state.replicas.of(world.task)
    reveal = world.requester.sealer.open(replica.reveal).payload
    assert isinstance(reveal, Reveal)
    root = output_root(rows, public_key_of(world.accuser.id))
    own = world.accuser.sealer.seal(replace(reveal, author=world.accuser.id, root=root)).envelope
    row, path = rows[2].tobytes(), path_of(world.accuser.id, rows, 2)
    assert world.accuse(world.proof(2, reveal=own, row=row, path=path)) == ["", ""]
    assert unharmed(world)
    assert all(kinds(member, world.accuser) == ["fraud-proof"] for member in world.members)
    assert [member.node.state.results[world.task].standing for member in world.members] == [CLAIMED, CLAIMED]


def test_a_proof_about_another_class_that_is_not_beyond_doubt_blames_nobody() -> None:
    """The evaluator's rounding is not ours; an auditor of its class may be right, so its word costs nothing either."""
    world = Court(lies=True)
    other = Court(lies=False)
    assert world.settled  # the same lie, in one class, is a lie
    for member in other.members:
        other.classes[member.id] = "another"
    spec = other.requester.node.state.benchmarks[other.benchmark].spec
    (replica,) = other.requester.node.state.replicas.of(other.task)
    reveal = other.requester.sealer.open(replica.reveal).payload
    assert isinstance(reveal, Reveal)
    rows = lie(spec)
    root = output_root(rows, public_key_of(other.evaluator.id))
    signed = other.evaluator.sealer.seal(replace(reveal, root=root)).envelope
    path = path_of(other.evaluator.id, rows, 2)
    assert other.accuse(other.proof(2, reveal=signed, row=rows[2].tobytes(), path=path)) == ["", ""]
    assert unharmed(other)
    assert other.accuse(other.proof(5)) == ["", ""]
    assert unharmed(other)
    assert all(now >= 0.5 for now in other.believed(other.accuser))


def test_replicas_that_tell_the_truth_lose_nothing_to_a_lying_one() -> None:
    world = BeliefWorld(4)
    requester, liar, honest, other = world.all
    liar.lies = True
    benchmark = world.publish(requester)
    world.everybody_joins(benchmark, requester)
    task = world.start(requester, benchmark, replicas=3)
    world.run_until(lambda: requester.node.state.tasks[task].state is TaskState.ACCEPTED)
    world.run(5.0)
    states = {row.peer: row.state for row in requester.node.state.replicas.of(task)}
    assert states[liar.id] is ReplicaState.DIFFERS
    for member in (requester, honest, other):
        assert kinds(member, liar) == ["fraud-proof"]
        assert reputation_of(member, honest) >= 0.5
        assert reputation_of(member, requester) >= 0.5
