"""How much of its time a node spends on checking what nobody asked it to check: a share, counted after every job.

A counter for each kind of work says until when it rests; both clocks are the node's own. Waiting in the worker's queue
counts as work: who evaluates much for others checks less.
"""

from __future__ import annotations

from p2peval.core.belief_rows import WatchRow, WatchState
from p2peval.core.context import Context
from p2peval.core.types import Seconds
from p2peval.defaults import LONGEST_REST, WATCH_PAUSE


def rest(ctx: Context, work: str, began: Seconds, share: float) -> None:
    """A job of ``work`` took from ``began`` till now: rest until that is ``share`` of the time, 0 < share ≤ 1.

    A node that was off meanwhile rests for it no longer than LONGEST_REST.
    """
    until = ctx.now + min(LONGEST_REST, max(0.0, ctx.now - began) / share)
    ctx.state.count(_counter(work), max(ctx.state.counter(_counter(work)), int(until * 1000)))


def queue(ctx: Context, row: WatchRow) -> None:
    """Let a record wait to be looked at. Who has none waiting is not woken to find that out."""
    waiting = ctx.state.watches.of(WatchState.WAITING)
    ctx.state.watches.put(row)
    if not waiting:
        look_soon(ctx)


def look_soon(ctx: Context) -> None:
    """Look after a pause; its length is random, so that a board's members do not all fetch at once."""
    ctx.timer("watch/", ctx.now + WATCH_PAUSE * (0.5 + ctx.rng.random()), 0)


def rested_at(ctx: Context, work: str) -> Seconds:
    """When ``work`` may go on; in the past where it may already."""
    return ctx.state.counter(_counter(work)) / 1000


def _counter(work: str) -> str:
    return f"{work}_rest_until_ms"
