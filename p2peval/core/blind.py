"""Blind audits: what a background audit tells others, and what this node takes of theirs (trust.md §1).

An auditor runs its samples and commits to what it saw before it fetches the claimed outputs: else a report could
be copied from them without running anything. Whether its word counts here is decided in ``standing``.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from hmac import compare_digest

from p2peval.core import believing
from p2peval.core.belief_rows import AuditRow, WatchRow
from p2peval.core.benchmark import output_bytes
from p2peval.core.checking import AuditCommitment, AuditReport
from p2peval.core.context import Context
from p2peval.core.conviction import reopen
from p2peval.core.messages import Sealed
from p2peval.core.standing import honesty
from p2peval.core.types import ObjectId, PeerId
from p2peval.defaults import MAX_AUDIT_ROWS, MAX_REPORT_ROWS

DOMAIN = b"p2peval/blind-audit/v1"


def digest(
    auditor: PeerId,
    record: ObjectId,
    equivalence_class: str,
    indices: tuple[int, ...],
    rows: tuple[bytes, ...],
    nonce: bytes,
) -> bytes:
    """H(domain ‖ auditor ‖ record ‖ class ‖ indices, 8 bytes each ‖ rows ‖ nonce), each part behind 4 bytes of length.

    The rows are one part: they are all of one length.
    """
    numbers = b"".join(index.to_bytes(8, "big") for index in indices)
    parts = (DOMAIN, auditor.encode(), record.encode(), equivalence_class.encode(), numbers, b"".join(rows), nonce)
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def most_rows(row_bytes: int, most: int = MAX_AUDIT_ROWS) -> int:
    """How many rows of that size, up to ``most``, an object of ours has room for; 0 where not even one."""
    return min(most, MAX_REPORT_ROWS // row_bytes)


# ── ours ──────────────────────────────────────────────────────────────────────────────────────────


def commit(
    ctx: Context, row: WatchRow, equivalence_class: str, indices: tuple[int, ...], rows: tuple[bytes, ...]
) -> WatchRow:
    """Publish what binds us to ``rows``, and keep them for the report."""
    nonce = _nonce(ctx, row.record)
    sealed = ctx.seal(
        AuditCommitment(
            network=ctx.network,
            author=ctx.me,
            benchmark=row.benchmark,
            task=row.task,
            record=row.record,
            digest=digest(ctx.me, row.record, equivalence_class, indices, rows, nonce),
        ),
        row.benchmark,
    )
    ctx.publish(sealed, row.benchmark)
    return replace(row, commitment=sealed.id, seen_class=equivalence_class, seen=rows)


def report(ctx: Context, row: WatchRow, indices: tuple[int, ...], differing: tuple[int, ...]) -> None:
    """Open what was committed to and say which of ``indices`` differ."""
    if ctx.state.in_slot(ctx.me, AuditReport.__name__, row.record) is not None:
        return
    sealed = ctx.seal(
        AuditReport(
            network=ctx.network,
            author=ctx.me,
            benchmark=row.benchmark,
            task=row.task,
            record=row.record,
            commitment=row.commitment,
            equivalence_class=row.seen_class,
            nonce=_nonce(ctx, row.record),
            indices=indices,
            rows=row.seen,
            differing=tuple(index for index in indices if index in differing),
        ),
        row.benchmark,
    )
    ctx.publish(sealed, row.benchmark)


def _nonce(ctx: Context, record: ObjectId) -> bytes:
    return ctx.secrets.nonce("blind", record)


# ── of others ─────────────────────────────────────────────────────────────────────────────────────


def on_commitment(ctx: Context, sealed: Sealed[AuditCommitment]) -> str:
    """Held until its report comes; it says nothing yet. Only of what is shown here: of that there is a bounded lot."""
    said = sealed.payload
    result = ctx.state.results.get(said.task)
    if result is None:
        return "unknown_task"
    if (result.record, result.benchmark) != (said.record, said.benchmark):
        return "superseded"
    ctx.state.audits.put(AuditRow(said.record, sealed.signer, sealed.id, said.digest, ObjectId("")))
    return ""


def on_report(ctx: Context, sealed: Sealed[AuditReport]) -> str:
    """Take a report that opens a commitment which came before it; a trusted objection is settled by our own audit."""
    said = sealed.payload
    held = ctx.state.audits.get(f"{said.record}/{sealed.signer}")
    if held is None or held.commitment != said.commitment:
        return "uncommitted"
    result = ctx.state.results.get(said.task)
    if result is None or (result.record, result.benchmark) != (said.record, said.benchmark):
        return "superseded"
    reason = _problem(ctx, said)
    if reason:
        return reason
    bound = digest(sealed.signer, said.record, said.equivalence_class, said.indices, said.rows, said.nonce)
    if not compare_digest(held.digest, bound):
        return "does_not_open"
    told = replace(held, report=sealed.id, audited=len(said.indices), differing=len(said.differing))
    ctx.state.audits.put(told)
    ctx.notify("audit.reported", said.task, peer=sealed.signer, audited=told.audited, differing=told.differing)
    roots = believing.roots(ctx.state, ctx.policy, ctx.now)
    if said.differing and honesty(ctx.state, sealed.signer, roots, ctx.now) > 0.0:
        reopen(ctx, said.task)
    return ""


def _problem(ctx: Context, said: AuditReport) -> str:
    spec = ctx.state.benchmarks[said.benchmark].spec
    in_order = tuple(sorted(set(said.indices))) == said.indices
    if not said.indices or not in_order or said.indices[-1] >= spec.samples:
        return "wrong_indices"
    row_bytes = output_bytes(spec) // spec.samples
    if len(said.rows) != len(said.indices) or any(len(row) != row_bytes for row in said.rows):
        return "wrong_size"
    if not set(said.differing) <= set(said.indices):
        return "wrong_indices"
    return ""
