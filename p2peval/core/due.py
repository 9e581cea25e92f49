"""When others' word is pooled anew before the epoch ends: a proof or the operator has changed whose word counts."""

from __future__ import annotations

from p2peval.core.context import Context
from p2peval.defaults import POOL_PAUSE

PREFIX = "pool/"

_POOLED = "pooled_ms"


def soon(ctx: Context) -> None:
    """Now, or a little later: a flood of reasons is answered once. A node killed meanwhile waits for the epoch's end;
    what it thinks of the peer concerned has changed already."""
    since = ctx.now - ctx.state.counter(_POOLED) / 1000  # negative where the clock was set back
    ctx.timer(PREFIX, ctx.now + max(0.0, POOL_PAUSE - max(0.0, since)), 0)


def done(ctx: Context) -> None:
    ctx.state.count(_POOLED, ctx.now_ms)
