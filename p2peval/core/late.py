"""Reveals that come after their window: who withheld is a newcomer, until what it committed to has shown to hold.

A commitment that was not revealed in time ended its evaluator's streak without accusing it (trust.md §2). When the
reveal comes after all, whether the task goes on or is over, its outputs are fetched and audited at the size that the
streak allowed before. What holds gives the streak back, and takes back what withholding cost; what differs is proven
as ever. No accepted result changes: this is about the evaluator alone.
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
from p2peval.defaults import OBJECT_RETENTION, OUTPUTS_PATIENCE

PREFIX = "late/"
"""Of the effect ids under which outputs that were revealed late are fetched and compared."""

WHY = "late"

HOLDS = "holds"
"""Among a late replica's numbers: the audit agreed."""


def is_awaited(ctx: Context, replica: ReplicaRow) -> bool:
    """Whether a reveal of this replica can still give back what withholding it cost."""
    created = ctx.state.tasks[replica.task].created
    return replica.state is ReplicaState.WITHHELD and not replica.reveal and ctx.now - created <= OBJECT_RETENTION


def begin(ctx: Context, replica: ReplicaRow, sealed: Sealed[Reveal]) -> None:
    """``sealed`` opens its commitment: fetch the outputs."""
    said = sealed.payload
    ctx.state.replicas.put(
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
    ctx.do(FetchBlob(f"{PREFIX}{replica.id}", said.outputs, (replica.peer,), ctx.now + OUTPUTS_PATIENCE))


def proceed(ctx: Context, event: BlobReady | BlobFailed | ComparisonFinished | ComparisonFailed) -> None:
    """One step; what cannot be fetched or compared leaves the replica as withheld as it was."""
    replica = ctx.state.replicas.get(event.effect_id.removeprefix(PREFIX))
    if replica is None:
        return
    match event:
        case BlobReady() if replica.state is ReplicaState.WITHHELD:
            _compare(ctx, replica)
        case ComparisonFinished() if replica.state is ReplicaState.LATE:
            _judge(ctx, replica, event)
        case ComparisonFailed() if replica.state is ReplicaState.LATE:
            ctx.state.replicas.put(replace(replica, state=ReplicaState.WITHHELD))
        case _:
            pass


def _compare(ctx: Context, replica: ReplicaRow) -> None:
    task = ctx.state.tasks[replica.task]
    drawn = checks.size_at(ctx, task, replica, replica.streak)
    if not drawn:  # a rule that audits nothing has no streak to give back
        return
    replica = replace(replica, state=ReplicaState.LATE, drawn=drawn, why=WHY)
    auditing.compare(ctx, task, replica, (), f"{PREFIX}{replica.id}", drawn)


def _judge(ctx: Context, replica: ReplicaRow, seen: ComparisonFinished) -> None:
    task = ctx.state.tasks[replica.task]
    reason = f"{replica.reason}; revealed late: {REASONS[seen.verdict] or 'it holds'}"
    replica = ctx.state.replicas.put(
        replace(replica, audited=seen.audited, differing=seen.differing, metrics=seen.metrics, reason=reason)
    )
    if seen.verdict is Verdict.AGREES and not is_convicted(ctx.state, replica.peer, ctx.now):
        ctx.state.replicas.put(replace(replica, numbers=(*replica.numbers, (HOLDS, 1.0))))
        reputation.restored(ctx, replica.peer, task.benchmark, dict(replica.numbers))
        _give_back(ctx, replica.peer)
    elif seen.verdict in BLAMED:
        reputation.differed(ctx, replica.peer, task.benchmark)
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
    missing = [told[row.id].get("at", 0.0) for row in rows if HOLDS not in told[row.id]]
    for row in rows:
        numbers = told[row.id]
        if HOLDS in numbers and all(at < numbers["at"] for at in missing):
            reputation.give_back(ctx, peer, ctx.state.tasks[row.task].benchmark, numbers)
