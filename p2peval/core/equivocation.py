"""Equivocation: two objects that one peer signed in one slot. Whoever holds both envelopes proves it to everybody.

Nobody needs to be believed and nothing is re-run: the two signatures are the proof. An honest node signs each
slot once, and after a crash the same bytes again (Context.seal).
"""

from __future__ import annotations

from p2peval.core.admission import benchmark_of
from p2peval.core.checking import EquivocationProof
from p2peval.core.context import Context
from p2peval.core.conviction import EQUIVOCATION, convict, proven
from p2peval.core.effects import Recall
from p2peval.core.events import Recalled
from p2peval.core.messages import Payload, Sealed
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import ObjectId
from p2peval.defaults import MAX_OBJECT_BYTES
from p2peval.errors import RemoteProtocolError

PROOF_FRAME = 1024
"""Bytes of a proof beside its two envelopes, at most: ids, names, signature."""


def suspect(ctx: Context, held: ObjectId, second: Sealed[Payload]) -> None:
    """``second`` came for a slot that ``held`` fills: read the latter's envelope from the store."""
    where = "/".join(second.payload.slot)
    if not proven(ctx.state, second.signer, EQUIVOCATION, _deed(type(second.payload).__name__, where)):
        ctx.do(Recall(f"recall/{held}/{second.id}", held, second.envelope))


def on_recalled(ctx: Context, event: Recalled) -> None:
    if event.envelope:
        expose(ctx, ctx.sealer.open(event.envelope), ctx.sealer.open(event.beside))


def expose(ctx: Context, one: Sealed[Payload], other: Sealed[Payload]) -> None:
    """Prove to everybody that both were signed, and act on it as everybody else will."""
    first, second = sorted((one, other), key=lambda sealed: sealed.id)
    kind, where = type(first.payload).__name__, "/".join(first.payload.slot)
    accused = first.signer
    slot = f"{accused}/{kind}/{where}"
    if _contradiction(first, second) or proven(ctx.state, accused, EQUIVOCATION, _deed(kind, where)):
        return
    if ctx.state.in_slot(ctx.me, EquivocationProof.__name__, slot) is not None or accused == ctx.me:
        return
    if len(first.envelope) + len(second.envelope) > MAX_OBJECT_BYTES - PROOF_FRAME:
        return ctx.notify("equivocation.unprovable", accused, type=kind, reason="the two do not fit in one object")
    benchmark = benchmark_of(ctx, first)
    row = ctx.state.benchmarks.get(benchmark)
    if row is None or not row.joined:
        benchmark = DIRECTORY  # who is concerned is not known here: tell everybody
    sealed = ctx.seal(
        EquivocationProof(
            network=ctx.network,
            author=ctx.me,
            benchmark=benchmark,
            accused=accused,
            kind=kind,
            where=where,
            first=first.envelope,
            second=second.envelope,
        ),
        benchmark,
    )
    ctx.publish(sealed, benchmark)
    ctx.notify("equivocation.proven", accused, type=kind, proof=sealed.id)
    convict(ctx, sealed.id, accused, EQUIVOCATION, _deed(kind, where))


def on_proof(ctx: Context, sealed: Sealed[EquivocationProof]) -> str:
    """Read it: it holds or it does not, for everybody alike."""
    proof = sealed.payload
    deed = _deed(proof.kind, proof.where)
    if proven(ctx.state, proof.accused, EQUIVOCATION, deed):
        return "proven_already"
    try:
        first, second = ctx.sealer.open(proof.first), ctx.sealer.open(proof.second)
    except RemoteProtocolError as error:
        return error.reason
    told = (proof.accused, proof.kind, proof.where)
    if (first.signer, type(first.payload).__name__, "/".join(first.payload.slot)) != told:
        return "foreign_slot"
    if reason := _contradiction(first, second):
        return reason
    ctx.notify("equivocation.upheld", proof.accused, type=proof.kind, by=sealed.signer)
    convict(ctx, sealed.id, proof.accused, EQUIVOCATION, deed)
    return ""


def _contradiction(first: Sealed[Payload], second: Sealed[Payload]) -> str:
    """Why these two are no equivocation, or ""."""
    if first.signer != second.signer:
        return "two_signers"
    if type(first.payload) is not type(second.payload) or first.payload.slot != second.payload.slot:
        return "two_slots"
    return "same_object" if first.id == second.id else ""


def _deed(kind: str, where: str) -> str:
    return f"{kind}/{where}"
