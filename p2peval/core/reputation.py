"""Evidence about peers from this node's own eyes: what its audits saw, and who answered (trust.md §2)."""

from __future__ import annotations

from p2peval.core import believing, due
from p2peval.core.believing import RESOLVED, STRANGERS, STRANGERS_GOOD
from p2peval.core.context import Context
from p2peval.core.rows import EvidenceRow
from p2peval.core.types import PeerId
from p2peval.defaults import OPINION
from p2peval.trust.evidence import Evidence


def resolved_total(ctx: Context) -> int:
    """Audited replicas since this node's birth: the second clock by which evidence fades."""
    return ctx.state.counter(RESOLVED)


def of(ctx: Context, peer: PeerId) -> float:
    """Reputation of ``peer``, 0 to 1, as it stands now (core/believing.py)."""
    return believing.reputation(ctx.state, ctx.policy, peer, ctx.now)


def agreed(ctx: Context, peer: PeerId) -> None:
    _resolve(ctx, peer, good=True)
    total = ctx.state.count(RESOLVED, resolved_total(ctx) + 1)
    _put(ctx, peer, _held(ctx, peer).agreed_at(ctx.now, total))


def differed(ctx: Context, peer: PeerId) -> None:
    """Outputs that we asked for, or looked at of our own accord, do not hold."""
    _resolve(ctx, peer, good=False)
    blamed(ctx, peer)


def blamed(ctx: Context, peer: PeerId) -> None:
    """What others drew our eye to does not hold. It says nothing of strangers at large: only lies are shown around."""
    total = ctx.state.count(RESOLVED, resolved_total(ctx) + 1)
    _put(ctx, peer, _held(ctx, peer).disagreed_at(ctx.now, total))


def withheld(ctx: Context, peer: PeerId) -> None:
    _put(ctx, peer, _held(ctx, peer).withheld_at(ctx.now, resolved_total(ctx)))


def silent(ctx: Context, peer: PeerId) -> None:
    _put(ctx, peer, _held(ctx, peer).silent_at(ctx.now, resolved_total(ctx)))


def _resolve(ctx: Context, peer: PeerId, *, good: bool) -> None:
    """The first outcome of each peer tells how strangers do here."""
    if _held(ctx, peer).resolved == 0:
        ctx.state.count(STRANGERS, ctx.state.counter(STRANGERS) + 1)
        ctx.state.count(STRANGERS_GOOD, ctx.state.counter(STRANGERS_GOOD) + good)


def _held(ctx: Context, peer: PeerId) -> Evidence:
    row = ctx.state.evidence.get(peer)
    return row.evidence if row else Evidence.none(ctx.now, resolved_total(ctx))


def _put(ctx: Context, peer: PeerId, evidence: Evidence) -> None:
    ctx.state.evidence.put(EvidenceRow(peer, evidence))
    if ctx.policy.opinion != OPINION:  # a rule of others takes own evidence and others' word at once
        due.soon(ctx)
