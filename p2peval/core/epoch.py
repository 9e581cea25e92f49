"""The end of an epoch: forget what has lapsed, tell what was seen, and make something of what others told."""

from __future__ import annotations

from p2peval.core import judgement, pooling, statements
from p2peval.core.context import Context
from p2peval.core.statements import epoch_of

PREFIX = "epoch/"


def arm(ctx: Context) -> None:
    """Wake when the running epoch ends. The timer's generation is that epoch's number."""
    running = epoch_of(ctx)
    ctx.timer(PREFIX, (running + 1) * ctx.policy.epoch_s, running)


def end(ctx: Context, epoch: int) -> None:
    """``epoch`` was running when this node, in this life, set the timer; it speaks for that or a later one.

    That is why it never signs a second statement in a slot, whatever old copy of its database it woke up with: nobody
    signs for an epoch before its end, and for those that ended before it woke, it says nothing. (A clock that is set
    back meets the last epoch signed, which is remembered, and its own statements, which come back by sync.)
    """
    arm(ctx)
    ended = epoch_of(ctx) - 1
    if ended < epoch:  # woken a moment too early
        return
    judgement.expire(ctx)
    statements.expire(ctx)
    statements.tell(ctx, ended)
    pooling.recompute(ctx)
    pooling.remember(ctx, ended)
