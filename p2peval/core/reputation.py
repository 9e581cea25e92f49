"""Evidence about peers from this node's own eyes: what its audits saw, and who answered (trust.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from p2peval.core import believing, due
from p2peval.core.believing import RESOLVED, STRANGERS, STRANGERS_GOOD
from p2peval.core.context import Context
from p2peval.core.conviction import RESTARTED
from p2peval.core.rows import EvidenceRow
from p2peval.core.state import State
from p2peval.core.trust_rows import LocalEvidenceRow
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import OPINION
from p2peval.trust.evidence import Evidence

AGREED = "agreed/"
DIFFERED = "differed/"
"""Of the counters that say of which assignments of others, and of which false outputs, there is evidence here."""

PAID = "paid/"
"""Of the counters of what was paid for a peer's streak (trust/rule.py), and among the numbers of what was withheld."""

ORDER = "order"
"""Of what was withheld: its place in this node's own sequence, which a clock that is set back does not upset."""


def resolved_total(ctx: Context) -> int:
    """Audited replicas since this node's birth: the second clock by which evidence fades."""
    return ctx.state.counter(RESOLVED)


def of(ctx: Context, peer: PeerId) -> float:
    """Reputation of ``peer``, 0 to 1, as it stands now (core/believing.py)."""
    return believing.reputation(ctx.state, ctx.policy, peer, ctx.now)


def agreed(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> None:
    """Own re-run agreed. That alone lengthens no streak: see ``accepted``."""
    _met(ctx, peer, good=True)
    total = ctx.state.count(RESOLVED, resolved_total(ctx) + 1)
    _change(ctx, peer, benchmark, lambda held: held.agreed_at(ctx.now, total))


def differed(ctx: Context, peer: PeerId, benchmark: BenchmarkId, deed: str) -> None:
    """Outputs that we asked for, or looked at of our own accord, do not hold. ``deed``: the assignment."""
    if f"{DIFFERED}{peer}/{deed}" not in ctx.state.counters:
        _met(ctx, peer, good=False)
    blamed(ctx, peer, benchmark, deed)


def blamed(ctx: Context, peer: PeerId, benchmark: BenchmarkId, deed: str) -> None:
    """What others drew our eye to does not hold. It says nothing of strangers at large: only lies are shown around.

    ``deed``: the assignment, or the false proof. It counts once, whoever finds it first, in an audit or by a proof.
    """
    if not is_news(ctx, DIFFERED, peer, deed):
        return
    total = ctx.state.count(RESOLVED, resolved_total(ctx) + 1)
    _change(ctx, peer, benchmark, lambda held: held.disagreed_at(ctx.now, total))


def is_news(ctx: Context, kind: str, peer: PeerId, deed: str) -> bool:
    """Whether this was not counted yet; from now on it is."""
    seen = f"{kind}{peer}/{deed}"
    if seen in ctx.state.counters:
        return False
    ctx.state.count(seen, 1)
    return True


def withheld(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> tuple[tuple[str, float], ...]:
    """Returns what it takes to undo it: the streak before, and when that was (see ``restored``)."""
    before, worth = held(ctx, peer), paid(ctx.state, peer)
    _change(ctx, peer, benchmark, lambda held: held.withheld_at(ctx.now, resolved_total(ctx)))
    return (
        ("streak", before.streak),
        ("differed", before.resolved - before.agreed),
        ("at", ctx.now),
        ("of", resolved_total(ctx)),
        (ORDER, ctx.sequence()),
        *([(PAID, worth)] if worth is not None else []),
    )


def order(told: Mapping[str, float]) -> float:
    """Of what was withheld (``told`` by ``withheld``): the later, the larger, though the clock be set back."""
    return told.get(ORDER, told.get("at", 0.0) * 1000)


def restored(ctx: Context, peer: PeerId, benchmark: BenchmarkId, told: Mapping[str, float]) -> None:
    """What was withheld (``told`` by ``withheld``) is here and holds: what that had cost is taken back."""
    total = resolved_total(ctx)
    _change(ctx, peer, benchmark, lambda held: held.restored_at(ctx.now, total, told["at"], int(told["of"])))


def give_back(ctx: Context, peer: PeerId, told: Mapping[str, float]) -> None:
    """The streak before it was withheld, unless something else has ended it since."""
    now, worth = held(ctx, peer), paid(ctx.state, peer)
    restarted = ctx.state.counter(f"{RESTARTED}{peer}") >= int(order(told))
    if not restarted and now.resolved - now.agreed == told["differed"]:
        ctx.state.evidence.put(EvidenceRow(peer, replace(now, streak=max(now.streak, int(told["streak"])))))
        if PAID in told and worth is not None:
            ctx.state.count(f"{PAID}{peer}", max(worth, int(told[PAID])))


def set_streak(ctx: Context, peer: PeerId, benchmark: BenchmarkId, streak: int) -> None:
    """What another rule than our own made of answers that agree, or do not.

    No audit has paid for it: should our own rule come into force, it counts for nothing (``rule.counts_as``).
    """
    _change(ctx, peer, benchmark, lambda held: replace(held, streak=streak))
    if streak <= 1:
        ctx.state.count(f"{PAID}{peer}", 0)


def silent(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> None:
    _change(ctx, peer, benchmark, lambda held: held.silent_at(ctx.now, resolved_total(ctx)))


def accepted(ctx: Context, peer: PeerId, benchmark: BenchmarkId, epsilon_nano: int) -> None:
    """A result held in an audit as large as its evaluator's streak and ε ask for: one more (trust.md §4).

    That is no evidence: it may have been others who audited it.
    """
    worth = paid(ctx.state, peer)
    before = epsilon_nano * held(ctx, peer).streak if worth is None else worth
    _change(ctx, peer, benchmark, Evidence.accepted)
    ctx.state.count(f"{PAID}{peer}", before + epsilon_nano)


def paid(state: State, peer: PeerId) -> int | None:
    """Σ ε, in 1e-9, at which its streak was accepted; None where it is older than that is kept."""
    row, key = state.evidence.get(peer), f"{PAID}{peer}"
    if row is None or not row.evidence.streak:
        return 0
    return state.counter(key) if key in state.counters else None


def restart(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> None:
    """Auditors found a result of this peer false: its streak is over."""
    _change(ctx, peer, benchmark, Evidence.restarted)
    ctx.state.count(f"{RESTARTED}{peer}", ctx.sequence())


def held(ctx: Context, peer: PeerId) -> Evidence:
    """From all benchmarks, as of when it was last touched."""
    row = ctx.state.evidence.get(peer)
    return row.evidence if row else Evidence.none(ctx.now, resolved_total(ctx))


def _met(ctx: Context, peer: PeerId, *, good: bool) -> None:
    """The first outcome of each peer tells how strangers do here."""
    if held(ctx, peer).resolved == 0:
        ctx.state.count(STRANGERS, ctx.state.counter(STRANGERS) + 1)
        ctx.state.count(STRANGERS_GOOD, ctx.state.counter(STRANGERS_GOOD) + good)


def _change(ctx: Context, peer: PeerId, benchmark: BenchmarkId, change: Callable[[Evidence], Evidence]) -> None:
    """The same deed counts in all and in its benchmark's own table; a streak is an identity's, of no benchmark."""
    here = replace(change(_here(ctx, peer, benchmark)), streak=0)
    ctx.state.evidence.put(EvidenceRow(peer, change(held(ctx, peer))))
    ctx.state.local_evidence.put(LocalEvidenceRow(peer, benchmark, here))
    if ctx.policy.opinion != OPINION:  # a rule of others takes own evidence and others' word at once
        due.soon(ctx)


def _here(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> Evidence:
    row = ctx.state.local_evidence.get(f"{benchmark}/{peer}")
    return row.evidence if row else Evidence.none(ctx.now, resolved_total(ctx))
