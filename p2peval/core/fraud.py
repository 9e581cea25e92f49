"""Fraud proofs: making one of what our own re-run found, and judging those of others by a re-run of our own.

A proof names one sample of a signed reveal: a row, its Merkle path, the announcement that says which model was
to be run on it. That it hangs together anyone can read; that the row is false, everybody finds out alone, by
running that sample in its batch. A proof is never evidence by itself (evaluation.md, Commitment and proof).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from p2peval.core import believing, budget, membership, merkle, reputation
from p2peval.core.belief_rows import ProofRow, ProofState
from p2peval.core.benchmark import fits, output_bytes
from p2peval.core.checking import FraudProof
from p2peval.core.commitment import output_leaf
from p2peval.core.context import Context
from p2peval.core.conviction import FRAUD, convict, proven, refute, reopen
from p2peval.core.effects import FetchBlob, Prove, Settle
from p2peval.core.events import BlobFailed, BlobReady, JobFailed, Proven, Settled
from p2peval.core.leisure import rest, rested_at
from p2peval.core.messages import Reveal, Sealed, TaskAnnouncement
from p2peval.core.parts import Blob
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, PeerId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.defaults import (
    MAX_PROOF_ROW,
    OUTPUTS_PATIENCE,
    PROOF_SHARE,
    PROOF_TRIES,
    PROOFS_HELD,
    PROOFS_WAITING,
    STRANGER_PROOF_PAUSE,
    WATCH_AGAIN,
)
from p2peval.errors import RemoteProtocolError

PREFIX = "proof/"
"""Of the effect ids under which a proof is settled: proof/WHAT/PROOF."""

BUILDING = "prove/"
"""Of the effect ids under which a proof of ours is built: prove/ASSIGNMENT."""

WORK = "proof"

_LAST_STRANGER = "stranger_proof_ms"


# ── ours ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Charge:
    """Outputs that our own re-run found false at ``differing``, with the envelopes that name them."""

    benchmark: BenchmarkId
    task: TaskId
    assignment: AssignmentId
    evaluator: PeerId
    model: Blob
    outputs: Blob
    equivalence_class: str
    differing: tuple[int, ...]
    announcement: bytes
    reveal: bytes


def accuse(ctx: Context, charge: Charge) -> None:
    """Prove to everybody what we saw; outputs too wide for a proof stay our own evidence."""
    spec = ctx.state.benchmarks[charge.benchmark].spec
    if proven(ctx.state, charge.evaluator, FRAUD, charge.assignment):
        return
    if output_bytes(spec) // spec.samples > MAX_PROOF_ROW:
        return ctx.notify("fraud.unprovable", charge.task, peer=charge.evaluator, reason="its outputs are too wide")
    ctx.do(
        Prove(
            id=f"{BUILDING}{charge.assignment}",
            benchmark=charge.benchmark,
            task=charge.task,
            assignment=charge.assignment,
            evaluator=charge.evaluator,
            spec=spec,
            model=charge.model,
            outputs=charge.outputs,
            equivalence_class=charge.equivalence_class,
            differing=charge.differing,
            announcement=charge.announcement,
            reveal=charge.reveal,
            rerun=ctx.policy.runs(spec.limits),
        )
    )


def on_proven(ctx: Context, event: Proven | JobFailed) -> None:
    """Publish the proof, and act on it as everybody else will."""
    if isinstance(event, JobFailed):
        return _unproven(ctx, AssignmentId(event.effect_id.removeprefix(BUILDING)), event.reason)
    accused = ctx.sealer.open(event.reveal).signer
    if proven(ctx.state, accused, FRAUD, event.assignment):
        return  # performed twice, or another's proof came first
    sealed = ctx.seal(
        FraudProof(
            network=ctx.network,
            author=ctx.me,
            benchmark=event.benchmark,
            task=event.task,
            assignment=event.assignment,
            announcement=event.announcement,
            reveal=event.reveal,
            index=event.index,
            row=event.row,
            path=event.path,
        ),
        event.benchmark,
    )
    ctx.publish(sealed, event.benchmark)
    ctx.notify("fraud.proven", event.task, peer=accused, sample=event.index, proof=sealed.id)
    if ctx.policy.runs(ctx.state.benchmarks[event.benchmark].spec.limits):  # else it is others' word (core/consult.py)
        refute(ctx, event.task, accused)
        convict(ctx, sealed.id, accused, FRAUD, event.assignment)


def _unproven(ctx: Context, assignment: AssignmentId, reason: str) -> None:
    """Where it differs from an answer that was known, and our own re-run finds nothing, the known one is in doubt."""
    ctx.notify("fraud.unprovable", assignment, reason=reason)
    replica = ctx.state.replicas.get(assignment)
    known = ctx.state.tasks[replica.task].known if replica is not None else None
    if known is not None:
        reopen(ctx, known)


# ── of others ─────────────────────────────────────────────────────────────────────────────────────


def on_proof(ctx: Context, sealed: Sealed[FraudProof]) -> str:
    """Read it, and queue it for a re-run. One that contradicts itself costs who signed it, and only that peer."""
    proof = sealed.payload
    try:
        announced, reveal = opened(ctx, proof)
    except RemoteProtocolError as error:
        _cost(ctx, sealed.signer, proof.benchmark, sealed.id)
        return error.reason
    if reveal.signer == ctx.me:  # what we said we need not run again; but its operator should know
        ctx.notify("fraud.accused", proof.task, by=sealed.signer, sample=proof.index)
        return ""
    if proof.task not in ctx.state.objects and proof.task not in ctx.state.results:
        return "unknown_task"
    if proven(ctx.state, reveal.signer, FRAUD, proof.assignment):
        return "proven_already"
    if not ctx.policy.runs(ctx.state.benchmarks[proof.benchmark].spec.limits):
        ctx.notify("fraud.unsettled", proof.task, peer=reveal.signer, by=sealed.signer, verdict="limits_too_high")
        return ""
    if any((row.reveal, row.index) == (reveal.id, proof.index) for row in ctx.state.proofs):
        return "queued"
    if _over_budget(ctx, sealed.signer):
        return "budget"
    ctx.state.proofs.put(
        ProofRow(
            id=sealed.id,
            signer=sealed.signer,
            accused=reveal.signer,
            benchmark=proof.benchmark,
            task=proof.task,
            requester=announced.signer,
            assignment=proof.assignment,
            reveal=reveal.id,
            equivalence_class=reveal.payload.equivalence_class,
            model=announced.payload.model,
            index=proof.index,
            row=proof.row,
            state=ProofState.WAITING,
            tries=0,
            not_before=ctx.now,
        )
    )
    ctx.notify("fraud.alleged", proof.task, peer=reveal.signer, by=sealed.signer)
    settle_next(ctx)
    return ""


def opened(ctx: Context, proof: FraudProof) -> tuple[Sealed[TaskAnnouncement], Sealed[Reveal]]:
    """What a proof repeats, once all of it belongs together. Raises RemoteProtocolError with the reason."""
    spec = ctx.state.benchmarks[proof.benchmark].spec
    announced = ctx.open(proof.announcement, TaskAnnouncement)
    reveal = ctx.open(proof.reveal, Reveal)
    said = reveal.payload
    _require(TaskId(announced.id) == proof.task == said.task, "foreign_task")
    _require(announced.payload.benchmark == proof.benchmark, "foreign_benchmark")
    _require(fits(spec, announced.payload.model), "model_too_large")
    _require(said.assignment == proof.assignment, "foreign_assignment")
    _require(said.samples == spec.samples, "wrong_samples")
    _require(len(proof.row) == output_bytes(spec) // spec.samples, "wrong_size")
    leaf = output_leaf(ctx.sealer.key_of(reveal.signer), proof.index, proof.row)
    _require(merkle.opens(said.root, leaf, proof.index, said.samples, proof.path), "wrong_path")
    return announced, reveal


def _over_budget(ctx: Context, signer: PeerId) -> bool:
    """A re-run costs a model fetched and a batch run: strangers together get one a minute, others short queues.

    Whoever did worse than a stranger may, by false proofs for one, is served as strangers are.
    """
    if sum(row.signer == signer for row in ctx.state.proofs) >= PROOFS_WAITING or not _has_room(ctx, signer):
        return True
    if signer in ctx.state.peers and not believing.is_doubted(ctx.state, ctx.policy, signer, ctx.now):
        return False
    if ctx.now_ms - ctx.state.counter(_LAST_STRANGER) < STRANGER_PROOF_PAUSE * 1000:
        return True
    ctx.state.count(_LAST_STRANGER, ctx.now_ms)
    return False


def _has_room(ctx: Context, signer: PeerId) -> bool:
    """Whether one more may wait; where the queue is full, the worst signer's makes room for a better one's."""
    if len(ctx.state.proofs) < PROOFS_HELD:
        return True
    worst = min(ctx.state.proofs.of(ProofState.WAITING), key=lambda row: _rank(ctx, row.signer))
    if _rank(ctx, worst.signer) >= _rank(ctx, signer):
        return False
    ctx.state.proofs.delete(worst.key)
    return True


def _rank(ctx: Context, signer: PeerId) -> tuple[bool, float]:
    """Whose proof to re-run first: of who is known, then of who is thought well of."""
    return budget.is_known(ctx, signer), reputation.of(ctx, signer)


def _cost(ctx: Context, signer: PeerId, benchmark: BenchmarkId, proof: ObjectId) -> None:
    """Nothing is kept of a signer of whom nothing is known: names are free, and our memory is not."""
    if signer in ctx.state.peers or signer in ctx.state.evidence:
        reputation.blamed(ctx, signer, benchmark, proof)
        ctx.notify("fraud.false", signer)


# ── settling, one at a time ───────────────────────────────────────────────────────────────────────


def settle_next(ctx: Context) -> None:
    """Begin the next, unless one is under way or it is time to rest: first one whose signer we think well of."""
    for row in ctx.state.proofs.of(ProofState.WAITING):
        if proven(ctx.state, row.accused, FRAUD, row.assignment):
            ctx.state.proofs.delete(row.key)
    waiting = ctx.state.proofs.of(ProofState.WAITING)
    if ctx.state.proofs.of(ProofState.UNDER_WAY) or not waiting:
        return
    begin = max(rested_at(ctx, WORK), min(row.not_before for row in waiting))
    if begin > ctx.now:
        return ctx.timer(PREFIX, begin, 0)
    due = [row for row in waiting if row.not_before <= ctx.now]
    row = max(due, key=lambda row: _rank(ctx, row.signer))  # of equals, the first to come
    _fetch(ctx, ctx.state.proofs.put(replace(row, state=ProofState.UNDER_WAY)), "model")


def _fetch(ctx: Context, row: ProofRow, what: str) -> None:
    """The model and the inputs, as far as they are not here; neither outputs nor labels are needed."""
    spec = ctx.state.benchmarks[row.benchmark].spec
    first = (row.signer, row.requester, row.accused) if what == "model" else (spec.author, row.signer)
    holders = tuple(peer for peer in dict.fromkeys((*first, *membership.members(ctx, row.benchmark))) if peer != ctx.me)
    blob = row.model if what == "model" else spec.inputs
    ctx.do(FetchBlob(f"{PREFIX}{what}/{row.id}", blob, holders, ctx.now + OUTPUTS_PATIENCE))


def proceed(ctx: Context, event: BlobReady | BlobFailed | Settled | JobFailed) -> None:
    """One step of settling a proof; an answer that nobody waits for changes nothing."""
    _, what, id_ = event.effect_id.split("/", 2)
    row = ctx.state.proofs.get(id_)
    if row is None or row.state is not ProofState.UNDER_WAY:
        return
    if isinstance(event, Settled | JobFailed):
        rest(ctx, WORK, row.not_before, PROOF_SHARE)
    match event:
        case BlobReady() if what == "model":
            return _fetch(ctx, row, "inputs")
        case BlobReady():
            return _rerun(ctx, row)
        case Settled():
            ctx.state.proofs.delete(row.key)
            _judge(ctx, row, event)
        case _:
            _again(ctx, row, event.reason)
    settle_next(ctx)


def _rerun(ctx: Context, row: ProofRow) -> None:
    spec = ctx.state.benchmarks[row.benchmark].spec
    ctx.state.proofs.put(replace(row, not_before=ctx.now))
    ctx.do(Settle(f"{PREFIX}settle/{row.id}", spec, row.model, row.index, row.row, row.equivalence_class))


def _judge(ctx: Context, row: ProofRow, seen: Settled) -> None:
    """Only our own re-run convicts. Only bytes that our own class reproduces show that the signer made it up."""
    if proven(ctx.state, row.accused, FRAUD, row.assignment):
        return  # meanwhile, by our own audit
    if seen.verdict is Verdict.DIFFERS:
        reputation.blamed(ctx, row.accused, row.benchmark, row.assignment)
        ctx.notify("fraud.upheld", row.task, peer=row.accused, by=row.signer, sample=row.index)
        refute(ctx, row.task, row.accused)
        return convict(ctx, row.id, row.accused, FRAUD, row.assignment)
    if seen.verdict is Verdict.AGREES and seen.equivalence_class == row.equivalence_class:
        ctx.state.forget(row.id)
        ctx.state.refuse(row.id)
        return _cost(ctx, row.signer, row.benchmark, row.id)
    ctx.notify("fraud.unsettled", row.task, peer=row.accused, by=row.signer, verdict=seen.verdict.value)


def _again(ctx: Context, row: ProofRow, reason: str) -> None:
    """Nobody serves the model, or our own worker failed: try later, then leave it to others."""
    if row.tries + 1 >= PROOF_TRIES:
        ctx.state.proofs.delete(row.key)
        return ctx.notify("fraud.unsettled", row.task, peer=row.accused, by=row.signer, verdict=reason)
    later = ctx.now + WATCH_AGAIN
    ctx.state.proofs.put(replace(row, state=ProofState.WAITING, tries=row.tries + 1, not_before=later))


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise RemoteProtocolError(reason)
