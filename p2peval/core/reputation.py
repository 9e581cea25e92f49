"""Evidence about peers from this node's own eyes: what its audits saw, and who answered (trust.md §2)."""

from __future__ import annotations

from p2peval.core.context import Context
from p2peval.core.conviction import is_convicted
from p2peval.core.rows import EvidenceRow
from p2peval.core.types import PeerId
from p2peval.trust.evidence import Evidence

_RESOLVED = "resolved_total"


def resolved_total(ctx: Context) -> int:
    """Audited replicas since this node's birth: the second clock by which evidence fades."""
    return ctx.state.counter(_RESOLVED)


def of(ctx: Context, peer: PeerId) -> float:
    """Reputation of ``peer``, 0 to 1, as it stands now; 0 while a proof against it counts."""
    if is_convicted(ctx.state, peer, ctx.now):
        return 0.0
    return _held(ctx, peer).decayed(ctx.now, resolved_total(ctx)).mean


def agreed(ctx: Context, peer: PeerId) -> None:
    total = ctx.state.count(_RESOLVED, resolved_total(ctx) + 1)
    _put(ctx, peer, _held(ctx, peer).agreed_at(ctx.now, total))


def differed(ctx: Context, peer: PeerId) -> None:
    total = ctx.state.count(_RESOLVED, resolved_total(ctx) + 1)
    _put(ctx, peer, _held(ctx, peer).disagreed_at(ctx.now, total))


def withheld(ctx: Context, peer: PeerId) -> None:
    _put(ctx, peer, _held(ctx, peer).withheld_at(ctx.now, resolved_total(ctx)))


def silent(ctx: Context, peer: PeerId) -> None:
    _put(ctx, peer, _held(ctx, peer).silent_at(ctx.now, resolved_total(ctx)))


def accepted(ctx: Context, peer: PeerId) -> None:
    """A result was accepted after an audit as large as the peer's streak asks for."""
    _put(ctx, peer, _held(ctx, peer).accepted())


def restart(ctx: Context, peer: PeerId) -> None:
    """Auditors found a result of this peer false: its streak is over."""
    _put(ctx, peer, _held(ctx, peer).restarted())


def _held(ctx: Context, peer: PeerId) -> Evidence:
    row = ctx.state.evidence.get(peer)
    return row.evidence if row else Evidence.none(ctx.now, resolved_total(ctx))


def _put(ctx: Context, peer: PeerId, evidence: Evidence) -> None:
    ctx.state.evidence.put(EvidenceRow(peer, evidence))
