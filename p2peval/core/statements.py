"""Trust statements: what this node tells others of its own evidence each epoch, and what it takes of theirs.

First-hand only, and never evidence by themselves: how far a rater's word counts is decided in ``trust`` (trust.md §3).
Names are free, so words are too: raters in whom nothing speaks for them share few places, where each is heard once
before it makes room, and none of them can take the place of a rater who is believed.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import believing, membership
from p2peval.core.checking import TrustStatement
from p2peval.core.context import Context
from p2peval.core.messages import Sealed
from p2peval.core.parts import TrustEntry
from p2peval.core.trust_rows import LocalEvidenceRow, StatementRow
from p2peval.core.types import BenchmarkId, PeerId, Seconds
from p2peval.defaults import MAX_ENTRIES, STATEMENT_LIFETIME, STATEMENTS_KEPT, STRANGE_STATEMENTS

_SAID = "said/"
"""Of counters: said/FIRST = last, a run of epochs of which this node may have spoken. There is one, unless a clock that
was far ahead, or another ``epoch_s``, numbered them differently for a time: then it is silent in those alone."""


def epoch_of(ctx: Context) -> int:
    """Number of the epoch that is running."""
    return int(ctx.now // ctx.policy.epoch_s)


def end_of(ctx: Context, epoch: int) -> Seconds:
    """When an epoch ends, unix s."""
    return (epoch + 1) * ctx.policy.epoch_s


# ── ours ──────────────────────────────────────────────────────────────────────────────────────────


def tell(ctx: Context, epoch: int) -> None:
    """Say of each benchmark what was seen by the end of ``epoch``, where that is news. See ``epoch`` for when."""
    if any(first <= epoch <= last for first, last in _runs(ctx)):
        return
    seen: dict[BenchmarkId, list[LocalEvidenceRow]] = {}
    for row in ctx.state.local_evidence:
        if row.peer != ctx.me:
            seen.setdefault(row.benchmark, []).append(row)
    for benchmark, rows in sorted(seen.items()):
        held = ctx.state.benchmarks.get(benchmark)
        if held is not None and held.joined and _is_news(ctx, benchmark, rows, epoch):
            _publish(ctx, benchmark, epoch, _entries(ctx, rows))


def _is_news(ctx: Context, benchmark: BenchmarkId, rows: list[LocalEvidenceRow], epoch: int) -> bool:
    """Something happened since the last statement, or that one would soon be forgotten."""
    last = ctx.state.statements.get(f"{benchmark}/{ctx.me}")
    if last is None:
        return True
    if last.epoch >= epoch:  # said in a former life: it came back by sync
        return False
    said = end_of(ctx, last.epoch)
    return ctx.now - said > STATEMENT_LIFETIME / 2 or any(row.evidence.updated >= said for row in rows)


def _entries(ctx: Context, rows: list[LocalEvidenceRow]) -> tuple[TrustEntry, ...]:
    """Of the peers of whom most is known, sorted by peer."""
    total, entries = ctx.state.counter(believing.RESOLVED), []
    for row in rows:
        now = row.evidence.decayed(ctx.now, total)
        entry = TrustEntry(row.peer, round(now.alpha * 1000), round(now.beta * 1000))
        if entry.agreed_milli or entry.disagreed_milli:
            entries.append(entry)
    entries.sort(key=lambda entry: (-entry.agreed_milli - entry.disagreed_milli, entry.peer))
    return tuple(sorted(entries[:MAX_ENTRIES], key=lambda entry: entry.peer))


def _publish(ctx: Context, benchmark: BenchmarkId, epoch: int, entries: tuple[TrustEntry, ...]) -> None:
    if not entries:
        return
    sealed = ctx.seal(TrustStatement(ctx.network, ctx.me, benchmark, epoch, entries), benchmark)
    _take(ctx, sealed)
    _remember(ctx, epoch)
    ctx.publish(sealed, benchmark)
    ctx.notify("statement.published", benchmark, epoch=epoch, peers=len(entries))


def _runs(ctx: Context) -> list[tuple[int, int]]:
    """First and last epoch of each run; the latest last."""
    counters = [row for row in ctx.state.counters if row.name.startswith(_SAID)]
    return sorted((int(row.name.removeprefix(_SAID)), row.value) for row in counters)


def _remember(ctx: Context, epoch: int) -> None:
    near = STATEMENT_LIFETIME / ctx.policy.epoch_s
    first = max((first for first, last in _runs(ctx) if first <= epoch <= last + near), default=epoch)
    ctx.state.count(f"{_SAID}{first}", epoch)


# ── of others ─────────────────────────────────────────────────────────────────────────────────────


def on_statement(ctx: Context, sealed: Sealed[TrustStatement]) -> str:
    """Take a rater's newest word; an older epoch of its says nothing new."""
    said = sealed.payload
    peers = [entry.peer for entry in said.entries]
    if peers != sorted(set(peers)) or said.author in peers:
        return "bad_statement"
    if said.epoch > epoch_of(ctx):
        return "from_the_future"
    if end_of(ctx, said.epoch) + STATEMENT_LIFETIME <= ctx.now:
        return "expired"
    if said.author != ctx.me and not membership.is_member(ctx, said.author, said.benchmark):
        return "unknown_rater"
    held = ctx.state.statements.get(f"{said.benchmark}/{said.author}")
    if held is not None and held.epoch >= said.epoch:
        return "superseded"
    if held is None and not _has_room(ctx, said.benchmark, said.author):
        return "crowded"
    _take(ctx, sealed)
    ctx.notify("statement.received", said.benchmark, peer=said.author, epoch=said.epoch, peers=len(peers))
    return ""


def _take(ctx: Context, sealed: Sealed[TrustStatement]) -> None:
    said = sealed.payload
    held = ctx.state.statements.get(f"{said.benchmark}/{said.author}")
    if held is not None:
        ctx.state.forget(held.id)
    believed = belief_in(ctx, said.author) > 0.0
    since = ctx.now if held is None or believed else held.received  # a stranger holds no place longer by speaking again
    ctx.state.statements.put(
        StatementRow(sealed.id, said.author, said.benchmark, said.epoch, said.entries, since, believed)
    )


def _has_room(ctx: Context, benchmark: BenchmarkId, rater: PeerId) -> bool:
    """Whether one more rater's word may be held; where it takes somebody's place, that one's is forgotten."""
    belief, statements = belief_in(ctx, rater), ctx.state.statements
    places = STATEMENTS_KEPT - STRANGE_STATEMENTS if belief > 0.0 else STRANGE_STATEMENTS
    if statements.many((benchmark, belief > 0.0)) < places:
        return True
    rows = statements.of((benchmark, belief > 0.0))
    if belief > 0.0:
        worst = min(rows, key=lambda row: belief_in(ctx, row.rater))
        makes_room = belief_in(ctx, worst.rater) < belief
    else:
        worst = min(rows, key=lambda row: row.received)
        makes_room = worst.received < end_of(ctx, epoch_of(ctx) - 1)  # it was heard at the end of an epoch
    if makes_room:
        _forget(ctx, worst)
    return makes_room


def belief_in(ctx: Context, rater: PeerId) -> float:
    """How much speaks for listening to ``rater``: 0 where nothing does, or a proof or the operator speaks against it.

    Its credibility so far; its reputation where there is an outcome of ours to know it by; a root and oneself: 2.
    """
    state = ctx.state
    if believing.is_out(state, rater, ctx.now):
        return 0.0
    if rater == ctx.me or believing.is_root(state, ctx.policy, rater, ctx.now):
        return 2.0
    pooled, own = state.pooled.get(rater), state.evidence.get(rater)
    heard = pooled.credibility if pooled is not None else 0.0
    seen = own is not None and own.evidence.agreed > 0
    return max(heard, believing.belief(state, ctx.policy, rater, ctx.now).opinion if seen else 0.0)


def expire(ctx: Context) -> None:
    """Forget what was not renewed in time, and what was said by a clock, or a length of epochs, that holds no more."""
    for row in ctx.state.statements:
        if row.epoch > epoch_of(ctx) or end_of(ctx, row.epoch) + STATEMENT_LIFETIME <= ctx.now:
            _forget(ctx, row)


def sort_out(ctx: Context) -> None:
    """Once credibilities are known anew: who has come to be believed leaves the strangers, and the other way round."""
    for row in ctx.state.statements:
        believed = belief_in(ctx, row.rater) > 0.0
        if believed != row.believed:
            ctx.state.statements.put(replace(row, believed=believed))


def _forget(ctx: Context, row: StatementRow) -> None:
    ctx.state.forget(row.id)
    ctx.state.statements.delete(row.key)
