"""Evidence about peers from this node's own eyes: what its audits saw, and who answered (trust.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from p2peval.core.context import Context
from p2peval.core.conviction import is_convicted
from p2peval.core.rows import EvidenceRow
from p2peval.core.trust_rows import LocalEvidenceRow
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.trust.evidence import Evidence

_RESOLVED = "resolved_total"


def resolved_total(ctx: Context) -> int:
    """Audited replicas since this node's birth: the second clock by which evidence fades."""
    return ctx.state.counter(_RESOLVED)


def of(ctx: Context, peer: PeerId) -> float:
    """Reputation of ``peer``, 0 to 1, as it stands now; 0 while a proof against it counts."""
    if is_convicted(ctx.state, peer, ctx.now):
        return 0.0
    return held(ctx, peer).decayed(ctx.now, resolved_total(ctx)).mean


def agreed(ctx: Context, peer: PeerId, benchmark: BenchmarkId, *, accepted: bool = False) -> None:
    """Own re-run agreed. ``accepted``: at a size that its streak allowed, which alone lengthens it (trust.md §4)."""
    total = ctx.state.count(_RESOLVED, resolved_total(ctx) + 1)

    def change(held: Evidence) -> Evidence:
        seen = held.agreed_at(ctx.now, total)
        return seen.accepted() if accepted else seen

    _change(ctx, peer, benchmark, change)


def differed(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> None:
    total = ctx.state.count(_RESOLVED, resolved_total(ctx) + 1)
    _change(ctx, peer, benchmark, lambda held: held.disagreed_at(ctx.now, total))


def withheld(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> tuple[tuple[str, float], ...]:
    """Returns what it takes to undo it: the streak before, and when that was (see ``restored``)."""
    before, here = held(ctx, peer), _here(ctx, peer, benchmark)
    _change(ctx, peer, benchmark, lambda held: held.withheld_at(ctx.now, resolved_total(ctx)))
    return (
        ("streak", before.streak),
        ("streak_here", here.streak),
        ("differed", before.resolved - before.agreed),
        ("at", ctx.now),
        ("of", resolved_total(ctx)),
    )


def restored(ctx: Context, peer: PeerId, benchmark: BenchmarkId, told: Mapping[str, float]) -> None:
    """What was withheld (``told`` by ``withheld``) is here and holds: what that had cost is taken back."""
    total = resolved_total(ctx)
    _change(ctx, peer, benchmark, lambda held: held.restored_at(ctx.now, total, told["at"], int(told["of"])))


def give_back(ctx: Context, peer: PeerId, benchmark: BenchmarkId, told: Mapping[str, float]) -> None:
    """The streak before it was withheld, unless a lie has ended it since."""
    now, here = held(ctx, peer), _here(ctx, peer, benchmark)
    if now.resolved - now.agreed != told["differed"]:
        return
    ctx.state.evidence.put(EvidenceRow(peer, replace(now, streak=max(now.streak, int(told["streak"])))))
    local = replace(here, streak=max(here.streak, int(told["streak_here"])))
    ctx.state.local_evidence.put(LocalEvidenceRow(peer, benchmark, local))


def set_streak(ctx: Context, peer: PeerId, benchmark: BenchmarkId, streak: int) -> None:
    """What another rule than our own made of answers that agree, or do not."""
    _change(ctx, peer, benchmark, lambda held: replace(held, streak=streak))


def silent(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> None:
    _change(ctx, peer, benchmark, lambda held: held.silent_at(ctx.now, resolved_total(ctx)))


def accepted(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> None:
    """Others audited a result as its evaluator's streak asks for, and it was accepted: no evidence, yet one more."""
    _change(ctx, peer, benchmark, Evidence.accepted)


def restart(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> None:
    """Auditors found a result of this peer false: its streak is over."""
    _change(ctx, peer, benchmark, Evidence.restarted)


def held(ctx: Context, peer: PeerId) -> Evidence:
    """From all benchmarks, as of when it was last touched."""
    row = ctx.state.evidence.get(peer)
    return row.evidence if row else Evidence.none(ctx.now, resolved_total(ctx))


def _change(ctx: Context, peer: PeerId, benchmark: BenchmarkId, change: Callable[[Evidence], Evidence]) -> None:
    """The same deed counts in all and in its benchmark's own table."""
    ctx.state.evidence.put(EvidenceRow(peer, change(held(ctx, peer))))
    ctx.state.local_evidence.put(LocalEvidenceRow(peer, benchmark, change(_here(ctx, peer, benchmark))))


def _here(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> Evidence:
    row = ctx.state.local_evidence.get(f"{benchmark}/{peer}")
    return row.evidence if row else Evidence.none(ctx.now, resolved_total(ctx))
