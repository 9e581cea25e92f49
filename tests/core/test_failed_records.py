"""A record of a task that failed accepts nothing, so nothing in it is audited: its inner objects were not weighed."""

from __future__ import annotations

from court import Court, reputation_of
from small_world import Host

from p2peval.core.commitment import audit_commitment, commitment_digest
from p2peval.core.events import MessageReceived
from p2peval.core.messages import (
    Assignment,
    Commitment,
    CommitmentSet,
    EquivocationProof,
    ResultRecord,
    Reveal,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.parts import Efficiency, Outcome
from p2peval.core.policy import Policy
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import AssignmentId, ObjectId, TaskId
from p2peval.defaults import NETWORK_ID, WATCH_PAUSE
from p2peval.wire.ids import cid_of

NONCE = bytes(32)


def tell(world: Court, sealed: Sealed) -> list[str]:
    for member in (world.accuser, *world.members):
        member.handle(MessageReceived(sealed, world.requester.id, "told"))
    return [member.replies["told"].error for member in (world.accuser, *world.members)]


def sacrifice(world: Court, peer: Host) -> None:
    """``peer`` signs twice in one slot, so that whatever rests on it is audited before all else."""
    sets = [
        peer.sealer.seal(CommitmentSet(NETWORK_ID, peer.id, world.task, 1, (ObjectId(cid_of(text)),)))
        for text in (b"one", b"other")
    ]
    first, second = sorted(sets, key=lambda sealed: sealed.id)
    kind, where = "CommitmentSet", f"{world.task}/1"
    proof = EquivocationProof(NETWORK_ID, peer.id, DIRECTORY, peer.id, kind, where, first.envelope, second.envelope)
    assert set(tell(world, peer.sealer.seal(proof))) == {""}


def failed_record(world: Court, evaluator: Host) -> Sealed[ResultRecord]:
    """Requester and evaluator are one person; the reveal is of false outputs, and of one sample too many."""
    seal, me = world.requester.sealer.seal, world.requester.id
    spec = world.requester.node.state.benchmarks[world.benchmark].spec
    announced = world.requester.sealer.open(world.requester.node.state.tasks[world.task].announcement).payload
    assert isinstance(announced, TaskAnnouncement)
    now = int(world.now * 1000)
    asked = seal(
        TaskAnnouncement(
            NETWORK_ID, me, world.benchmark, announced.model, "m", announced.epsilon_nano, announced.delta_nano,
            1, now, now + 10**6,
        )
    )  # fmt: skip
    task = TaskId(asked.id)
    assigned = seal(Assignment(NETWORK_ID, me, task, evaluator.id, 1, now + 10**6, audit_commitment(NONCE)))
    assignment = AssignmentId(assigned.id)
    root, outputs = world._outputs(evaluator.id, spec, True)
    evaluator.blobs.add(outputs.cid)
    digest = commitment_digest(task, assignment, evaluator.id, "class", spec.samples + 1, root, NONCE)
    committed = evaluator.sealer.seal(Commitment(NETWORK_ID, evaluator.id, task, assignment, digest))
    window = seal(CommitmentSet(NETWORK_ID, me, task, 1, (committed.id,)))
    reveal = evaluator.sealer.seal(
        Reveal(
            NETWORK_ID, evaluator.id, task, assignment, committed.id, "class", spec.samples + 1, root, NONCE,
            outputs, Efficiency(1, 1),
        )
    )  # fmt: skip
    return seal(
        ResultRecord(
            network=NETWORK_ID, author=me, task=task, benchmark=world.benchmark, revision=1, outcome=Outcome.FAILED,
            accepted=assignment, metrics=(), certificate=None, checks=(), announcement=asked.envelope,
            assignments=(assigned.envelope,), commitments=(committed.envelope,),
            commitment_sets=(window.envelope,), reveals=(reveal.envelope,), audits=(), finished_ms=now,
        )
    )  # fmt: skip


def test_no_proof_that_others_must_refuse_is_drawn_out_of_an_honest_auditor() -> None:
    """Its signer would pay: a reveal of another number of samples is no reveal that a proof can name."""
    world = Court(lies=False)
    sacrifice(world, world.evaluator)
    for member in (world.accuser, *world.members):
        member.node._ctx.policy = Policy(background_audits=True, accept_from=(world.evaluator.id,))
        member.perform(member.node.resume(world.now))
    assert set(tell(world, failed_record(world, world.evaluator))) == {""}
    world.run(20 * WATCH_PAUSE)
    honest = (world.accuser, *world.members)
    assert "fraud.false" not in [kind for member in honest for kind in member.kinds()]
    assert all(reputation_of(member, peer) >= 0.5 for member in honest for peer in honest)
