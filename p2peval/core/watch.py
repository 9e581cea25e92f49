"""Background audits: this node's own look at what others' records claim (trust.md §1, What a stranger may believe).

One at a time, with a draw from this node's own secret, made after the record is fixed: neither its requester
nor its evaluator can know the samples. What agrees is ranked as audited here; what differs is refuted, and
speaks against its evaluator. Outputs that nobody serves are nobody's fault: the record stays unranked, and is
tried again later.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from p2peval.core import audit, reputation
from p2peval.core.benchmark import data_of
from p2peval.core.context import Context
from p2peval.core.effects import Compare, FetchBlob
from p2peval.core.events import BlobFailed, BlobReady, ComparisonFailed, ComparisonFinished
from p2peval.core.leaderboard import CLAIMED, MINE, REFUTED, UNAUDITABLE, board
from p2peval.core.messages import Blob, Certificate, ResultRecord, Reveal, Sealed, TaskAnnouncement
from p2peval.core.rows import ResultRow, WatchRow, WatchState
from p2peval.core.types import NANO
from p2peval.core.verdict import BLAMED, Verdict
from p2peval.defaults import OUTPUTS_PATIENCE, WATCH_AGAIN, WATCH_PAUSE, WATCH_SAMPLES, WATCH_TOP

PREFIX = "watch/"
"""Of the effect ids of background audits: watch/WHAT/RECORD/TASK."""


def note(
    ctx: Context, sealed: Sealed[ResultRecord], announced: TaskAnnouncement, reveal: Sealed[Reveal] | None
) -> None:
    """Queue an accepted record of somebody else's, unless this node itself evaluated it."""
    record = sealed.payload
    if not ctx.policy.background_audits or reveal is None or reveal.signer == ctx.me:
        return
    if ctx.state.results[record.task].record != sealed.id:
        return  # an older revision than the one that is shown
    ctx.state.watches.put(
        WatchRow(
            task=record.task,
            record=sealed.id,
            benchmark=record.benchmark,
            assignment=record.accepted,
            evaluator=reveal.signer,
            requester=record.author,
            model=announced.model,
            outputs=reveal.payload.outputs,
            root=reveal.payload.root,
            equivalence_class=reveal.payload.equivalence_class,
            delta_nano=announced.delta_nano,
            state=WatchState.WAITING,
            not_before=ctx.now,
        )
    )


def arm(ctx: Context) -> None:
    """Look again after a pause; its length is random, so that a board's members do not all fetch at once."""
    if ctx.policy.background_audits:
        ctx.timer("watch/", ctx.now + WATCH_PAUSE * (0.5 + ctx.rng.random()), 0)


def look(ctx: Context) -> None:
    """Begin the next audit, if none is under way: the best-placed claim of any board first."""
    arm(ctx)
    if ctx.state.watches.of(WatchState.UNDER_WAY) or not ctx.state.watches.of(WatchState.WAITING):
        return
    for benchmark in ctx.state.benchmarks:
        if not benchmark.joined:
            continue
        for shown in board(ctx.state, benchmark.id)[:WATCH_TOP]:
            row = ctx.state.watches.get(shown.task)
            if row is not None and row.state is WatchState.WAITING and row.not_before <= ctx.now:
                ctx.state.watches.put(replace(row, state=WatchState.UNDER_WAY))
                return _fetch(ctx, row, "outputs")


def _needs(ctx: Context, row: WatchRow) -> dict[str, Blob]:
    """What an audit reads, in the order in which it is fetched; what is here already costs nothing."""
    spec = ctx.state.benchmarks[row.benchmark].spec
    return {"outputs": row.outputs, "model": row.model, **data_of(spec)}


def _fetch(ctx: Context, row: WatchRow, what: str) -> None:
    blob = _needs(ctx, row)[what]
    holders = tuple(dict.fromkeys(peer for peer in (row.evaluator, row.requester) if peer != ctx.me))
    ctx.do(FetchBlob(f"{PREFIX}{what}/{row.record}/{row.task}", blob, holders, ctx.now + OUTPUTS_PATIENCE))


def proceed(ctx: Context, event: BlobReady | BlobFailed | ComparisonFinished | ComparisonFailed) -> None:
    """One blob after the other, then the comparison; an answer that nobody waits for changes nothing."""
    _, what, record, task = event.effect_id.split("/", 3)
    row, result = ctx.state.watches.get(task), ctx.state.results.get(task)
    if row is None or result is None or row.record != record or row.state is not WatchState.UNDER_WAY:
        return
    match event:
        case BlobReady():
            *_, needed = names = list(_needs(ctx, row))
            if what == needed:
                return _compare(ctx, row)
            _fetch(ctx, row, names[names.index(what) + 1])
        case BlobFailed(ours=False):
            _stand(ctx, row, result, UNAUDITABLE)
            _again(ctx, row)
        case ComparisonFinished():
            _judge(ctx, row, result, event)
        case _:  # our own disk or worker: it stays a claim, and nobody is to blame
            _stand(ctx, row, result, CLAIMED)
            _again(ctx, row)


def _again(ctx: Context, row: WatchRow) -> None:
    ctx.state.watches.put(replace(row, state=WatchState.WAITING, not_before=ctx.now + WATCH_AGAIN))


def _compare(ctx: Context, row: WatchRow) -> None:
    spec = ctx.state.benchmarks[row.benchmark].spec
    ctx.do(
        Compare(
            id=f"{PREFIX}compare/{row.record}/{row.task}",
            task=row.task,
            assignment=row.assignment,
            evaluator=row.evaluator,
            spec=spec,
            model=row.model,
            outputs=row.outputs,
            root=row.root,
            equivalence_class=row.equivalence_class,
            others=(),
            nonce=ctx.secrets.nonce("watch", row.record),
            drawn=min(WATCH_SAMPLES, spec.samples),
            delta_nano=row.delta_nano,
        )
    )


def _judge(ctx: Context, row: WatchRow, result: ResultRow, seen: ComparisonFinished) -> None:
    if seen.verdict in BLAMED:
        reputation.differed(ctx, row.evaluator)
        return _stand(ctx, row, result, REFUTED)
    if seen.verdict is not Verdict.AGREES:  # nobody can be held to it: it is not shown to hold either
        return _stand(ctx, row, result, CLAIMED)
    reputation.agreed(ctx, row.evaluator)
    if not seen.metrics:  # no labels here: the outputs hold, but what they are worth is still others' word
        return _stand(ctx, row, result, CLAIMED)
    samples = ctx.state.benchmarks[row.benchmark].spec.samples
    missed = audit.miss_probability(samples, samples * row.delta_nano // NANO + 1, seen.audited)
    certificate = Certificate(min(NANO, ceil(missed * NANO)), row.delta_nano, samples, seen.audited, 1)
    _stand(ctx, row, replace(result, metrics=seen.metrics, certificate=certificate), MINE)


def _stand(ctx: Context, row: WatchRow, result: ResultRow, standing: str) -> None:
    ctx.state.watches.delete(row.key)
    ctx.state.results.put(replace(result, standing=standing))
    ctx.notify("record.audited", row.task, peer=row.evaluator, standing=standing, model=result.model_name)
