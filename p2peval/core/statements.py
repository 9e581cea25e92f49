"""Trust statements: what this node tells others of its own evidence each epoch, and what it takes of theirs.

First-hand only, and never evidence by themselves: how far a rater's word counts is decided in ``trust`` (trust.md §3).
"""

from __future__ import annotations

from p2peval.core.checking import TrustStatement
from p2peval.core.context import Context
from p2peval.core.messages import Sealed
from p2peval.core.trust_rows import StatementRow


def on_statement(ctx: Context, sealed: Sealed[TrustStatement]) -> str:
    """Take a rater's newest word; an older epoch of its says nothing new."""
    said = sealed.payload
    peers = [entry.peer for entry in said.entries]
    if peers != sorted(set(peers)) or said.author in peers:
        return "bad_statement"
    if said.epoch > epoch_of(ctx):
        return "from_the_future"
    held = ctx.state.statements.get(f"{said.benchmark}/{said.author}")
    if held is not None and held.epoch >= said.epoch:
        return "superseded"
    if held is not None:
        ctx.state.forget(held.id)
    ctx.state.statements.put(
        StatementRow(sealed.id, said.author, said.benchmark, said.epoch, said.entries, received=ctx.now)
    )
    return ""


def epoch_of(ctx: Context) -> int:
    """Number of the epoch that is running."""
    return int(ctx.now // ctx.policy.epoch_s)
