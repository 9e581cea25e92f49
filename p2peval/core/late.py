"""Reveals that come after their window: who withheld is a newcomer, until what it committed to has shown to hold.

A commitment that was not revealed in time ended its evaluator's streak without accusing it (trust.md §2). When the
reveal comes after all, whether the task goes on or is over, its outputs are fetched and audited at the size that the
streak allowed before; so are those that were revealed in time and could not be had. What holds gives the streak back,
and takes back what withholding cost; what differs is proven as ever. What cannot be fetched or compared now, for
whatever reason, is tried again. No accepted result changes: this is about the evaluator alone.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import auditing, checks, reputation
from p2peval.core.context import Context
from p2peval.core.conviction import is_convicted
from p2peval.core.effects import FetchBlob
from p2peval.core.events import BlobFailed, BlobReady, ComparisonFailed, ComparisonFinished
from p2peval.core.messages import Reveal, Sealed
from p2peval.core.rows import ReplicaRow, ReplicaState
from p2peval.core.types import PeerId
from p2peval.core.verdict import BLAMED, REASONS, Verdict
from p2peval.core.withholding import HOLDS, PREFIX, in_time, try_later
from p2peval.defaults import OUTPUTS_PATIENCE
from p2peval.trust.checking import Record

COMPARING = f"{PREFIX}compare/"

WHY = "late"


def is_awaited(ctx: Context, replica: ReplicaRow) -> bool:
    """Whether a reveal of this replica can still give back what withholding it cost."""
    return in_time(ctx, replica) and not replica.reveal


def begin(ctx: Context, replica: ReplicaRow, sealed: Sealed[Reveal]) -> None:
    """``sealed`` opens its commitment: fetch the outputs."""
    said = sealed.payload
    replica = ctx.state.replicas.put(
        replace(
            replica,
            reveal=sealed.envelope,
            equivalence_class=said.equivalence_class,
            root=said.root,
            outputs=said.outputs,
            efficiency=said.efficiency,
        )
    )
    ctx.notify("task.revealed_late", replica.task, peer=replica.peer)
    _fetch(ctx, replica)


def resume(ctx: Context) -> None:
    """After a restart: who was away may be here now."""
    for replica in ctx.state.replicas:
        look(ctx, replica.id)


def look(ctx: Context, assignment: str) -> None:
    """It is time to try again."""
    replica = ctx.state.replicas.get(assignment)
    if replica is not None and in_time(ctx, replica):
        _fetch(ctx, replica)


def _fetch(ctx: Context, replica: ReplicaRow) -> None:
    if replica.outputs is not None:
        until = ctx.now + OUTPUTS_PATIENCE
        ctx.do(FetchBlob(f"{PREFIX}{replica.id}", replica.outputs, (replica.peer,), until))


def proceed(ctx: Context, event: BlobReady | BlobFailed | ComparisonFinished | ComparisonFailed) -> None:
    """One step; what cannot be fetched or compared now leaves the replica as withheld as it was."""
    match event:
        case BlobReady(effect_id=effect_id) | BlobFailed(effect_id=effect_id):
            replica = ctx.state.replicas.get(effect_id.removeprefix(PREFIX))
        case _:
            replica = ctx.state.replicas.get(event.assignment)
    if replica is None:
        return
    match event:
        case BlobReady() if replica.state is ReplicaState.WITHHELD:
            _compare(ctx, replica)
        case BlobFailed():
            try_later(ctx, replica)
        case ComparisonFinished() if replica.state is ReplicaState.LATE and HOLDS not in dict(replica.numbers):
            _judge(ctx, replica, event)
        case ComparisonFailed() if replica.state is ReplicaState.LATE:
            again = replace(replica, state=ReplicaState.WITHHELD, drawn=0, why="")
            try_later(ctx, ctx.state.replicas.put(again))
        case _:
            pass


def _compare(ctx: Context, replica: ReplicaRow) -> None:
    task = ctx.state.tasks[replica.task]
    told = dict(replica.numbers)
    record = Record(replica.streak, paid_nano=int(told[reputation.PAID]) if reputation.PAID in told else None)
    drawn = checks.size_at(ctx, task, replica, record)
    if not drawn:  # a rule that audits nothing has no streak to give back
        return
    replica = replace(replica, state=ReplicaState.LATE, drawn=drawn, why=WHY)
    auditing.compare(ctx, task, replica, (), f"{COMPARING}{replica.id}", drawn)


def _judge(ctx: Context, replica: ReplicaRow, seen: ComparisonFinished) -> None:
    task = ctx.state.tasks[replica.task]
    holds = seen.verdict is Verdict.AGREES and not is_convicted(ctx.state, replica.peer, ctx.now)
    replica = ctx.state.replicas.put(
        replace(
            replica,
            audited=seen.audited,
            differing=seen.differing,
            metrics=seen.metrics,
            numbers=(*replica.numbers, (HOLDS, float(holds))),
            reason=f"{replica.reason}; revealed late: {REASONS[seen.verdict] or 'it holds'}",
        )
    )
    if holds:
        reputation.restored(ctx, replica.peer, task.benchmark, dict(replica.numbers))
        _give_back(ctx, replica.peer)
    elif seen.verdict in BLAMED:
        reputation.differed(ctx, replica.peer, task.benchmark, replica.id)
    if seen.verdict is Verdict.DIFFERS:
        auditing.accuse(ctx, task, replica)
    ctx.notify("task.late", task.id, peer=replica.peer, verdict=seen.verdict.value)


def _give_back(ctx: Context, peer: PeerId) -> None:
    """The streak before each result that came late and holds, where nothing withheld since is still withheld.

    All of them are looked at again: of several that were withheld together, the last to come gives back the rest.
    """
    rows = [
        row
        for row in ctx.state.replicas
        if row.peer == peer and row.state in (ReplicaState.WITHHELD, ReplicaState.LATE)
    ]
    told = {row.id: dict(row.numbers) for row in rows}
    missing = [reputation.order(numbers) for numbers in told.values() if not numbers.get(HOLDS)]
    for row in rows:
        numbers = told[row.id]
        if numbers.get(HOLDS) and all(earlier < reputation.order(numbers) for earlier in missing):
            reputation.give_back(ctx, peer, numbers)
