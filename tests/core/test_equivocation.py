"""Equivocation: two signatures in one slot are a proof that needs no re-run and no belief."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from belief_world import BeliefWorld
from small_world import Host, blob

from p2peval.core import reputation
from p2peval.core.checking import EquivocationProof
from p2peval.core.events import MessageReceived
from p2peval.core.messages import BenchmarkAnnouncement, Decline, Offer, Payload, Sealed, TaskAnnouncement
from p2peval.core.rows import TaskState
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import AssignmentId, BenchmarkId, PeerId, TaskId
from p2peval.defaults import NETWORK_ID, SYNC_INTERVAL


def members() -> tuple[BeliefWorld, list[Host], BenchmarkId]:
    world = BeliefWorld(4)
    benchmark = world.publish(world.all[0])
    world.everybody_joins(benchmark, world.all[0])
    return world, world.all, benchmark


def two_announcements(world: BeliefWorld, liar: Host, benchmark: BenchmarkId) -> list[Sealed[TaskAnnouncement]]:
    """Two tasks in one slot: one model, two names for it."""
    now = int(world.now * 1000)
    said = TaskAnnouncement(
        NETWORK_ID, liar.id, benchmark, blob("model"), "one", 10_000_000, 10_000_000, 1, now, now + 60_000
    )
    return [liar.sealer.seal(said), liar.sealer.seal(replace(said, model_name="other"))]


def told(host: Host, sealed: Sealed[Any], via: Host) -> str:
    host.handle(MessageReceived(sealed, via.id, sealed.id))
    return host.replies[sealed.id].error


def convictions(host: Host, peer: Host) -> list[str]:
    return [row.kind for row in host.node.state.convictions.of(peer.id)]


def test_two_objects_in_one_slot_are_proven_to_everybody_and_end_all_trust() -> None:
    world, (first_to_see, liar, *others), benchmark = members()
    one, other = two_announcements(world, liar, benchmark)
    assert told(first_to_see, one, liar) == ""
    assert told(first_to_see, other, liar) == "slot_taken"
    world.run(1.0)
    for host in (first_to_see, *others):
        assert convictions(host, liar) == ["equivocation"]
        assert reputation.of(host.node._ctx, liar.id) == 0.0
        assert reputation.of(host.node._ctx, first_to_see.id) == 0.5


def test_two_members_who_saw_one_half_each_find_out_when_they_sync() -> None:
    world, (ada, liar, bob, eve), benchmark = members()
    one, other = two_announcements(world, liar, benchmark)
    assert told(ada, one, liar) == told(bob, other, liar) == ""
    world.run(3 * SYNC_INTERVAL)
    assert convictions(ada, liar) == convictions(bob, liar) == convictions(eve, liar) == ["equivocation"]


def test_the_same_object_twice_is_no_equivocation() -> None:
    world, (ada, liar, *_), benchmark = members()
    one, _ = two_announcements(world, liar, benchmark)
    assert [told(ada, one, liar), told(ada, one, liar)] == ["", ""]
    world.run(1.0)
    assert not convictions(ada, liar)


def test_newer_profiles_names_and_records_replace_older_ones_without_blame() -> None:
    world, (ada, author, *others), _ = members()
    world.start(ada, next(iter(ada.node.state.benchmarks)).id)
    world.run_until(lambda: [row.state for row in ada.node.state.tasks] == [TaskState.ACCEPTED])
    for sequence in (1, 2):
        spec = ada.node.state.names.of(ada.id)[0].benchmark
        said = BenchmarkAnnouncement(NETWORK_ID, author.id, "flowers", str(sequence), spec, sequence)
        assert told(ada, author.sealer.seal(said), author) == ""
    world.run(3 * SYNC_INTERVAL)
    for host in (ada, author, *others):
        assert not len(host.node.state.convictions)


def test_a_killed_node_signs_the_same_bytes_again_and_equivocates_nowhere() -> None:
    world, (ada, bob, *others), benchmark = members()
    world.start(ada, benchmark)
    world.run(0.05)
    ada.restart()
    bob.restart()
    world.run(60.0)
    assert not any(len(host.node.state.convictions) for host in (ada, bob, *others))


def a_proof(accuser: Host, one: Sealed[Any], other: Sealed[Any], **changes: Any) -> Sealed[EquivocationProof]:
    payload: Payload = one.payload
    said = EquivocationProof(
        network=NETWORK_ID,
        author=accuser.id,
        benchmark=DIRECTORY,
        accused=one.signer,
        kind=type(payload).__name__,
        where="/".join(payload.slot),
        first=one.envelope,
        second=other.envelope,
    )
    return accuser.sealer.seal(replace(said, **changes))


def test_a_proof_made_elsewhere_is_checked_from_its_two_envelopes_alone() -> None:
    world, (ada, liar, bob, eve), benchmark = members()
    one, other = two_announcements(world, liar, benchmark)
    assert told(bob, a_proof(ada, one, other), ada) == ""
    assert convictions(bob, liar) == ["equivocation"]
    assert told(bob, a_proof(eve, other, one), eve) == "proven_already"
    assert convictions(bob, liar) == ["equivocation"]


@pytest.mark.parametrize("case", ["same_object", "two_signers", "two_slots", "foreign_slot", "foreign_accused"])
def test_two_envelopes_that_are_no_equivocation_convict_nobody(case: str) -> None:
    world, (ada, peer, bob, eve), benchmark = members()
    one, other = two_announcements(world, peer, benchmark)
    elsewhere = peer.sealer.seal(replace(other.payload, created_ms=other.payload.created_ms + 1))
    of_eve = eve.sealer.seal(replace(other.payload, author=eve.id))
    proof, reason = {
        "same_object": (a_proof(ada, one, one), "same_object"),
        "two_signers": (a_proof(ada, one, of_eve), "two_signers"),
        "two_slots": (a_proof(ada, one, elsewhere), "two_slots"),
        "foreign_slot": (a_proof(ada, one, other, where="elsewhere"), "foreign_slot"),
        "foreign_accused": (a_proof(ada, one, other, accused=eve.id), "foreign_slot"),
    }[case]
    assert told(bob, proof, ada) == reason
    assert not len(bob.node.state.convictions)


def test_a_requester_that_shows_two_records_of_one_task_is_convicted_by_whoever_sees_both() -> None:
    world, (ada, requester, bob, _), benchmark = members()
    task = world.start(requester, benchmark)
    world.run_until(lambda: requester.node.state.tasks[task].state is TaskState.ACCEPTED)
    world.run(5.0)
    record = requester.sealer.open(requester.disk.envelopes[requester.node.state.tasks[task].record])
    assert told(bob, requester.sealer.seal(replace(record.payload, finished_ms=1)), requester) == "slot_taken"  # type: ignore[type-var]
    world.run(5.0)
    assert convictions(ada, requester) == convictions(bob, requester) == ["equivocation"]


@pytest.mark.parametrize(
    "said",
    [
        Decline(NETWORK_ID, PeerId(""), TaskId("t"), AssignmentId(""), "busy", 1_000),
        Offer(NETWORK_ID, PeerId(""), TaskId("t"), "class", 1_000),
    ],
)
def test_who_answers_the_same_task_twice_is_no_equivocator(said: Decline | Offer) -> None:
    """A busy evaluator says another time whenever it is asked again: no two answers may share a slot."""
    for name in (field.name for field in fields(said) if field.name not in ("network", "author")):
        held = getattr(said, name)
        other = replace(said, **{name: held + 1 if isinstance(held, int) else f"{held}x"})
        assert other.slot != said.slot, name
