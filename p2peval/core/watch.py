"""Background audits: this node's own look at what others' records claim (trust.md §1, What a stranger may believe).

One at a time, with a draw from this node's own secret, made after the record is fixed: neither its requester
nor its evaluator can know the samples. The samples are run, and committed to, before the claimed outputs are
fetched (core/blind.py). What agrees is ranked as audited here; what differs is refuted, speaks against its
evaluator, and is proven to everybody. What nobody serves is nobody's fault: the record stays unranked, and is
tried again later.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import audit, blind, fraud, membership, reputation
from p2peval.core.belief_rows import WatchRow, WatchState
from p2peval.core.benchmark import data_of, fits, output_bytes
from p2peval.core.checking import AuditCommitment, Scores
from p2peval.core.context import Context
from p2peval.core.conviction import is_convicted, reopen
from p2peval.core.effects import Compare, FetchBlob, Sample
from p2peval.core.events import BlobFailed, BlobReady, ComparisonFailed, ComparisonFinished, JobFailed, Sampled
from p2peval.core.leaderboard import CLAIMED, MINE, REFUTED, UNAUDITABLE, board
from p2peval.core.leisure import look_soon, queue, rest, rested_at
from p2peval.core.messages import BenchmarkSpec, Reveal, Sealed, TaskAnnouncement
from p2peval.core.parts import Blob, Certificate, MetricReport
from p2peval.core.rows import ReplicaState, ResultRow
from p2peval.core.types import NANO, BenchmarkId, ObjectId, PeerId, TaskId
from p2peval.core.verdict import BLAMED, Verdict
from p2peval.defaults import (
    BACKGROUND_SHARE,
    OUTPUTS_PATIENCE,
    WATCH_AGAIN,
    WATCH_SAMPLES,
    WATCH_TOP,
)

PREFIX = "watch/"
"""Of the effect ids of background audits: watch/WHAT/RECORD/TASK."""

WORK = "watch"

Answer = BlobReady | BlobFailed | Sampled | ComparisonFinished | ComparisonFailed | JobFailed


def note(ctx: Context, record: ObjectId, announced: Sealed[TaskAnnouncement], reveal: Sealed[Reveal] | None) -> None:
    """Queue ``record``, which accepts ``reveal``, for an audit, unless this node evaluated it or may not run it.

    What awaits scores of ours is queued in any case (core/held_labels.py). ``reveal`` must fit the benchmark: a proof
    of one that does not is refused by all, and costs who signed it.
    """
    task, spec = TaskId(announced.id), ctx.state.benchmarks[announced.payload.benchmark].spec
    if reveal is None or not (_scores(ctx, spec, announced.signer) or _watches(ctx, reveal.signer)):
        return
    if not ctx.policy.runs(spec.limits) or not fits(spec, announced.payload.model):
        return
    if ctx.state.results[task].record != record:
        return  # an older revision than the one that is shown
    queue(
        ctx,
        WatchRow(
            task=task,
            record=record,
            benchmark=announced.payload.benchmark,
            assignment=reveal.payload.assignment,
            evaluator=reveal.signer,
            requester=announced.signer,
            model=announced.payload.model,
            outputs=reveal.payload.outputs,
            root=reveal.payload.root,
            equivalence_class=reveal.payload.equivalence_class,
            delta_nano=announced.payload.delta_nano,
            state=WatchState.WAITING,
            not_before=ctx.now,
            announcement=announced.envelope,
            reveal=reveal.envelope,
            reopened=int(is_convicted(ctx.state, reveal.signer, ctx.now)),
            commitment=ObjectId(""),
        ),
    )


def _watches(ctx: Context, evaluator: PeerId) -> bool:
    return ctx.policy.background_audits and evaluator != ctx.me


def _scores(ctx: Context, spec: BenchmarkSpec, requester: PeerId) -> bool:
    """Whether somebody waits for our figures: labels are held back, and this node is their author or asked for it."""
    return spec.labels is None and ctx.me in (spec.author, requester)


def arm(ctx: Context) -> None:
    """Look on as long as records wait."""
    if ctx.state.watches.of(WatchState.WAITING):
        look_soon(ctx)


def look(ctx: Context) -> None:
    """Begin the next audit, if none is under way and this node has rested from the last."""
    arm(ctx)
    if ctx.state.watches.of(WatchState.UNDER_WAY) or ctx.now < rested_at(ctx, WORK):
        return
    row = _next(ctx)
    if row is not None:
        ctx.state.watches.put(replace(row, state=WatchState.UNDER_WAY))
        _fetch(ctx, row, _needs(ctx, row)[0])


def _next(ctx: Context) -> WatchRow | None:
    """What rests on a convicted peer first; then the best-placed claim of any board."""
    due = [
        row for row in ctx.state.watches.of(WatchState.WAITING) if row.not_before <= ctx.now and _is_wanted(ctx, row)
    ]
    reopened = next((row for row in due if row.reopened), None)
    if reopened is not None or not due:
        return reopened
    waiting = {row.task: row for row in due}
    shown = (
        line.task
        for benchmark in ctx.state.benchmarks
        if benchmark.joined
        for line in board(ctx.state, benchmark.id)[:WATCH_TOP]
    )
    return next((waiting[task] for task in shown if task in waiting), None)


def _is_wanted(ctx: Context, row: WatchRow) -> bool:
    """What was queued before background audits were switched off is left alone; our own results are ours to check.

    What this node may not run, it does not check.
    """
    spec = ctx.state.benchmarks[row.benchmark].spec
    ours = row.reopened > 0 and row.requester == ctx.me
    wanted = ours or ctx.policy.background_audits or _scores(ctx, spec, row.requester)
    return wanted and ctx.policy.runs(spec.limits)


# ── one audit ─────────────────────────────────────────────────────────────────────────────────────


def _blobs(ctx: Context, row: WatchRow) -> dict[str, Blob]:
    return {"model": row.model, "outputs": row.outputs, **data_of(ctx.state.benchmarks[row.benchmark].known)}


def _needs(ctx: Context, row: WatchRow) -> list[str]:
    """Blobs in the order in which they are fetched; what is here already costs nothing.

    Outputs come after the model has run where the audit is blind; else first, for they alone may be out of reach.
    """
    first = ("model", "inputs", "outputs") if _is_blind(ctx, row) else ("outputs", "model", "inputs")
    return [*first, *(what for what in _blobs(ctx, row) if what not in first)]


def _is_blind(ctx: Context, row: WatchRow) -> bool:
    """A record is audited blindly once, at its first look, where its rows fit into a report."""
    spoken = ctx.state.in_slot(ctx.me, AuditCommitment.__name__, row.record) is not None
    if row.reopened or ctx.me in (row.evaluator, row.requester):  # what we ran or asked for, we have seen
        return False
    return spoken == bool(row.commitment) and len(_indices(ctx, row)) > 0


def _fetch(ctx: Context, row: WatchRow, what: str) -> None:
    members = membership.members(ctx, row.benchmark) if what not in ("model", "outputs") else ()
    holders = (peer for peer in (row.evaluator, row.requester, *members) if peer != ctx.me)
    effect_id = f"{PREFIX}{what}/{row.record}/{row.task}"
    ctx.do(FetchBlob(effect_id, _blobs(ctx, row)[what], tuple(dict.fromkeys(holders)), ctx.now + OUTPUTS_PATIENCE))


def proceed(ctx: Context, event: Answer) -> None:
    """One blob after the other, then the comparison; an answer that nobody waits for changes nothing."""
    _, what, record, task = event.effect_id.split("/", 3)
    row, result = ctx.state.watches.get(task), ctx.state.results.get(task)
    if row is None or result is None or row.record != record or row.state is not WatchState.UNDER_WAY:
        return
    if not isinstance(event, BlobReady | BlobFailed):
        rest(ctx, WORK, row.not_before, BACKGROUND_SHARE)
    match event:
        case BlobReady() if what == "inputs" and _is_blind(ctx, row) and not row.commitment:
            spec = ctx.state.benchmarks[row.benchmark].spec
            ctx.state.watches.put(replace(row, not_before=ctx.now))
            ctx.do(Sample(f"{PREFIX}sample/{record}/{task}", spec, row.model, _indices(ctx, row)))
        case BlobReady():
            _after(ctx, row, what)
        case Sampled():
            row = blind.commit(ctx, row, event.equivalence_class, _indices(ctx, row), event.rows)
            _after(ctx, ctx.state.watches.put(row), "inputs")
        case BlobFailed(ours=False):
            _stand(ctx, row, result, UNAUDITABLE)
            _again(ctx, row)
        case ComparisonFinished():
            _judge(ctx, row, result, event)
        case _:  # our own disk or worker: it stays a claim, and nobody is to blame
            _stand(ctx, row, result, CLAIMED)
            _again(ctx, row)
    _reopen_if_due(ctx, row.task)


def _reopen_if_due(ctx: Context, task: TaskId) -> None:
    """A proof that came while the audit was under way asks for a larger one, once this one is over."""
    row = ctx.state.watches[task]
    suspects = any(is_convicted(ctx.state, peer, ctx.now) for peer in (row.evaluator, row.requester))
    if suspects and not row.reopened and row.state is not WatchState.UNDER_WAY:
        reopen(ctx, task)


def _after(ctx: Context, row: WatchRow, what: str) -> None:
    """``what`` is here: fetch the next blob, or compare."""
    rest = _needs(ctx, row)
    rest = rest[rest.index(what) + 1 :]
    if rest:
        _fetch(ctx, row, rest[0])
    else:
        _compare(ctx, row)


def _again(ctx: Context, row: WatchRow) -> None:
    queue(ctx, replace(row, state=WatchState.WAITING, not_before=ctx.now + WATCH_AGAIN))


def _nonce(ctx: Context, row: WatchRow) -> bytes:
    """Every look draws anew."""
    return ctx.secrets.nonce("watch", row.record, *([row.reopened] if row.reopened else []))


def _drawn(ctx: Context, row: WatchRow) -> int:
    """Few samples of what everybody looks at; as many as a requester's own of what a convicted peer said."""
    spec = ctx.state.benchmarks[row.benchmark].spec
    if row.reopened:
        return audit.sample_size(spec.samples, spec.verification.epsilon_nano, row.delta_nano)
    return min(WATCH_SAMPLES, spec.samples)


def _indices(ctx: Context, row: WatchRow) -> tuple[int, ...]:
    """The samples that a report will tell: all that are drawn, or as many as it has room for."""
    spec = ctx.state.benchmarks[row.benchmark].spec
    told = min(_drawn(ctx, row), blind.most_rows(output_bytes(spec) // spec.samples))
    return tuple(audit.draw(_nonce(ctx, row), row.task, row.root, spec.samples, told))


def _compare(ctx: Context, row: WatchRow) -> None:
    ctx.state.watches.put(replace(row, not_before=ctx.now))
    ctx.do(
        Compare(
            id=f"{PREFIX}compare/{row.record}/{row.task}",
            task=row.task,
            assignment=row.assignment,
            evaluator=row.evaluator,
            spec=ctx.state.benchmarks[row.benchmark].known,
            model=row.model,
            outputs=row.outputs,
            root=row.root,
            equivalence_class=row.equivalence_class,
            others=(),
            nonce=_nonce(ctx, row),
            drawn=_drawn(ctx, row),
            delta_nano=row.delta_nano,
        )
    )


# ── what it showed ────────────────────────────────────────────────────────────────────────────────


def _judge(ctx: Context, row: WatchRow, result: ResultRow, seen: ComparisonFinished) -> None:
    ctx.state.watches.put(replace(row, state=WatchState.DONE, not_before=ctx.now, seen=()))
    if row.seen and not row.reopened and seen.verdict in (Verdict.AGREES, Verdict.DIFFERS):
        blind.report(ctx, row, _indices(ctx, row), seen.differing)
    if seen.verdict in BLAMED:
        reputation.differed(ctx, row.evaluator, row.benchmark, row.assignment)
        _stand(ctx, row, result, REFUTED)
        return _accuse(ctx, row, seen)
    if seen.verdict is not Verdict.AGREES:  # in doubt, or the model is to blame: nobody's evidence changes
        return _stand(ctx, row, result, CLAIMED if seen.verdict is Verdict.DOUBTFUL else UNAUDITABLE)
    counts = ctx.me not in (row.evaluator, row.requester)  # else that was counted, or is we
    if counts and reputation.is_news(ctx, reputation.AGREED, row.evaluator, row.assignment):
        reputation.agreed(ctx, row.evaluator, row.benchmark)
    if not seen.metrics:  # no labels here: the outputs hold, but what they are worth is still others' word
        _stand(ctx, row, result, CLAIMED)
        return score_anew(ctx, row.benchmark)
    samples = ctx.state.benchmarks[row.benchmark].spec.samples
    if row.requester != ctx.me or result.certificate is None:  # else our own, of more samples, stays
        missed = audit.missed_nano(samples, samples * row.delta_nano // NANO + 1, seen.audited)
        certificate = Certificate(missed, row.delta_nano, samples, seen.audited, 1)
        result = replace(result, certificate=certificate, certified=False)
    _stand(ctx, row, replace(result, metrics=seen.metrics), MINE)
    tell_scores(ctx, row.record, row.task, row.benchmark, seen.metrics)


def _accuse(ctx: Context, row: WatchRow, seen: ComparisonFinished) -> None:
    if seen.verdict is not Verdict.DIFFERS:
        return
    fraud.accuse(
        ctx,
        fraud.Charge(
            benchmark=row.benchmark,
            task=row.task,
            assignment=row.assignment,
            evaluator=row.evaluator,
            model=row.model,
            outputs=row.outputs,
            equivalence_class=row.equivalence_class,
            differing=seen.differing,
            announcement=row.announcement,
            reveal=row.reveal,
        ),
    )


def _stand(ctx: Context, row: WatchRow, result: ResultRow, standing: str) -> None:
    ctx.state.results.put(replace(result, standing=standing))
    ctx.notify("record.audited", row.task, peer=row.evaluator, standing=standing, model=result.model_name)


# ── labels that are held back (core/held_labels.py) ───────────────────────────────────────────────


def tell_scores(
    ctx: Context, record: ObjectId, task: TaskId, benchmark: BenchmarkId, metrics: tuple[MetricReport, ...]
) -> None:
    """Publish the author's figures of a record, once, while nobody else can have them."""
    spec = ctx.state.benchmarks[benchmark].spec
    if spec.labels is not None or spec.author != ctx.me or not metrics:
        return
    if ctx.state.in_slot(ctx.me, Scores.__name__, record) is None:
        ctx.publish(ctx.seal(Scores(ctx.network, ctx.me, benchmark, task, record, metrics), benchmark), benchmark)


def score_anew(ctx: Context, benchmark: BenchmarkId) -> None:
    """What was audited without labels gets figures of our own, our own tasks first; nothing, while there are none."""
    if ctx.state.benchmarks[benchmark].known.labels is None:
        return
    for task in ctx.state.tasks:
        result = ctx.state.results.get(task.id)
        if task.benchmark == benchmark and result is not None and not (result.standing == MINE and result.metrics):
            accepted = next((r for r in ctx.state.replicas.of(task.id) if r.state is ReplicaState.AGREES), None)
            if accepted is not None:
                note(
                    ctx, result.record, ctx.open(task.announcement, TaskAnnouncement), ctx.open(accepted.reveal, Reveal)
                )
    for row in ctx.state.watches.of(WatchState.DONE):
        if row.benchmark == benchmark and ctx.state.results[row.task].standing == CLAIMED:
            queue(ctx, replace(row, state=WatchState.WAITING, not_before=ctx.now))
