"""Committed, then not shown: what it costs its evaluator, and until when it can still be made good (trust.md §2)."""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import reputation
from p2peval.core.context import Context
from p2peval.core.rows import ReplicaRow, ReplicaState
from p2peval.defaults import OBJECT_RETENTION, WATCH_AGAIN

PREFIX = "late/"
"""Of the effect ids under which outputs that came late are fetched and compared, and of the timers to try again."""

HOLDS = "holds"
"""Among a late replica's numbers, once it is judged: 1 where the audit agreed."""


def withhold(ctx: Context, replica: ReplicaRow, reason: str) -> None:
    """It costs a little honesty and the whole streak, unlike a timeout before the commitment."""
    benchmark = ctx.state.tasks[replica.task].benchmark
    streak = reputation.held(ctx, replica.peer).streak
    numbers = reputation.withheld(ctx, replica.peer, benchmark)
    replica = replace(replica, state=ReplicaState.WITHHELD, reason=reason, streak=streak, numbers=numbers)
    try_later(ctx, ctx.state.replicas.put(replica))
    ctx.notify("task.withheld", replica.task, peer=replica.peer, reason=reason)


def in_time(ctx: Context, replica: ReplicaRow) -> bool:
    """Whether what it withheld can still give back what that cost."""
    created = ctx.state.tasks[replica.task].created
    return replica.state is ReplicaState.WITHHELD and ctx.now - created <= OBJECT_RETENTION


def is_made_good(replica: ReplicaRow) -> bool:
    """Whether what was withheld came late and holds."""
    return replica.state is ReplicaState.LATE and dict(replica.numbers).get(HOLDS) == 1.0


def try_later(ctx: Context, replica: ReplicaRow) -> None:
    """Look again for outputs that are revealed and were not to be had; where no reveal came yet, its coming counts."""
    if replica.reveal and in_time(ctx, replica):
        pause = max(WATCH_AGAIN, ctx.now - ctx.state.tasks[replica.task].created)  # doubles: the age grows by it
        ctx.timer(f"{PREFIX}{replica.id}", ctx.now + pause, 0)
