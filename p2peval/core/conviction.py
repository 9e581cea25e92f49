"""What a proof that holds leads to: no trust for a long time, its result refuted, others looked at again.

A proof holds once this node itself has re-run it or, for an equivocation, read it: it is objective, so it
weighs more than any evidence (trust.md §2). Who may be convicted is decided in ``fraud`` and ``equivocation``.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import due
from p2peval.core.belief_rows import ConvictionRow, WatchRow, WatchState
from p2peval.core.context import Context
from p2peval.core.leaderboard import CLAIMED, MINE, REFUTED
from p2peval.core.leisure import queue
from p2peval.core.rows import EvidenceRow, ReplicaRow, ReplicaState
from p2peval.core.state import State
from p2peval.core.types import ObjectId, PeerId, Seconds, TaskId
from p2peval.defaults import REOPENED
from p2peval.trust.evidence import Evidence

FRAUD = "fraud-proof"
EQUIVOCATION = "equivocation"

RESTARTED = "restarted/"
"""Of the counters of when, in this node's sequence, something that is no evidence of our own last ended a streak."""


def is_convicted(state: State, peer: PeerId, now: Seconds) -> bool:
    """Whether a proof against ``peer`` holds and has not lapsed."""
    return any(row.until > now for row in state.convictions.of(peer))


def proven(state: State, peer: PeerId, kind: str, where: str) -> bool:
    """Whether the same deed is proven already: a second proof of it says nothing new."""
    return any((row.kind, row.where) == (kind, where) for row in state.convictions.of(peer))


def convict(ctx: Context, proof: ObjectId, peer: PeerId, kind: str, where: str) -> None:
    """Trust ``peer`` no more, and look again at what rests on its word."""
    until = ctx.now + ctx.policy.conviction_s
    ctx.state.convictions.put(ConvictionRow(proof, peer, kind, where, ctx.now, until))
    held = ctx.state.evidence.get(peer)  # it is listed among those we know something of, and starts anew
    seen = held.evidence if held else Evidence.none(ctx.now, ctx.state.counter("resolved_total"))
    ctx.state.evidence.put(EvidenceRow(peer, replace(seen, streak=0)))
    ctx.state.count(
        f"{RESTARTED}{peer}", ctx.sequence()
    )  # no late reveal gives the streak back once the proof has lapsed
    ctx.notify("peer.convicted", peer, reason=kind, proof=proof)
    heard = ctx.state.pooled.get(peer)
    if heard is not None and heard.credibility > 0.0:
        due.soon(ctx)
    _reopen(ctx, peer)


def refute(ctx: Context, task: TaskId, evaluator: PeerId) -> None:
    """A sample of what ``evaluator`` said in this task is proven false.

    Where another's word is believed here, and may have been the same, that is audited anew.
    """
    result, watch = ctx.state.results.get(task), ctx.state.watches.get(task)
    if result is None or _said_otherwise(ctx, task, result.evaluator, evaluator):
        return
    if result.evaluator != evaluator:
        return reopen(ctx, task)
    ctx.state.results.put(replace(result, standing=REFUTED))
    if watch is not None:
        ctx.state.watches.put(replace(watch, state=WatchState.DONE))


def _said_otherwise(ctx: Context, task: TaskId, one: PeerId, other: PeerId) -> bool:
    """Whether this is a task of ours in which these two revealed different outputs."""
    said = {row.peer: row.outputs.cid for row in ctx.state.replicas.of(task) if row.outputs is not None}
    return one in said and other in said and said[one] != said[other]


def reopen(ctx: Context, task: TaskId) -> None:
    """Audit a result anew, others' or our own, with a draw as large as a requester's own, before all others."""
    own = (_own(ctx, replica) for replica in ctx.state.replicas.of(task))
    row, result = ctx.state.watches.get(task) or next(filter(None, own), None), ctx.state.results.get(task)
    if row is None or result is None or not _stands(ctx, row):
        return
    queue(ctx, replace(row, state=WatchState.WAITING, not_before=ctx.now, reopened=row.reopened + 1))
    if result.standing == MINE:
        ctx.state.results.put(replace(result, standing=CLAIMED))


def _reopen(ctx: Context, peer: PeerId) -> None:
    """The last REOPENED results that rest on ``peer``, others' and our own, are audited anew, before all else."""
    concerned = [row.task for row in ctx.state.watches if peer in (row.evaluator, row.requester) and _stands(ctx, row)]
    concerned += [
        replica.task
        for replica in ctx.state.replicas
        if replica.peer == peer and replica.task not in ctx.state.watches and _own(ctx, replica)
    ]
    concerned.sort(key=lambda task: ctx.state.results[task].finished, reverse=True)
    for task in concerned[:REOPENED]:
        reopen(ctx, task)


def _own(ctx: Context, replica: ReplicaRow) -> WatchRow | None:
    """What an audit of our own task needs, if it was accepted on the word of ``replica`` after a look at some of it."""
    if replica.state is not ReplicaState.AGREES or replica.outputs is None:
        return None
    task, result = ctx.state.tasks[replica.task], ctx.state.results.get(replica.task)
    in_full = replica.audited >= ctx.state.benchmarks[task.benchmark].spec.samples
    if result is None or in_full or (result.record, result.evaluator) != (task.record, replica.peer):
        return None
    return WatchRow(
        task=task.id,
        record=task.record,
        benchmark=task.benchmark,
        assignment=replica.id,
        evaluator=replica.peer,
        requester=ctx.me,
        model=task.model,
        outputs=replica.outputs,
        root=replica.root,
        equivalence_class=replica.equivalence_class,
        delta_nano=task.delta_nano,
        state=WatchState.WAITING,
        not_before=ctx.now,
        announcement=task.announcement,
        reveal=replica.reveal,
        reopened=0,
        commitment=ObjectId(""),
    )


def _stands(ctx: Context, row: WatchRow) -> bool:
    result = ctx.state.results.get(row.task)
    return row.state is not WatchState.UNDER_WAY and result is not None and result.standing != REFUTED
