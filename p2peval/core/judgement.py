"""The operator's own word on peers: trusted as a root, or not asked at all, for a time; and what they are called here.

It goes before all that was seen or said, and never leaves this node.
"""

from __future__ import annotations

from p2peval.core import due
from p2peval.core.context import Context
from p2peval.core.events import JudgePeer, NamePeer
from p2peval.core.text import one_line
from p2peval.core.trust_rows import JudgementRow, PetNameRow
from p2peval.defaults import LONGEST_JUDGEMENT, PEER_SUFFIX


def judge(ctx: Context, command: JudgePeer) -> None:
    """Take the operator's word, or take it back; what follows from it for others' word is reckoned anew."""
    peer, trusted = command.peer, command.trusted
    if peer == ctx.me:
        return ctx.reply(command.reply_id, "", "usage", "this node needs no word on itself")
    if trusted is None:
        if peer not in ctx.state.judgements:
            return ctx.reply(command.reply_id, "", "not_found", "there is no word of yours on this peer to take back")
        ctx.state.judgements.delete(peer)
        ctx.notify("peer.judged", peer, judgement="none")
    elif not 0.0 < command.seconds <= LONGEST_JUDGEMENT:
        days = int(LONGEST_JUDGEMENT // 86_400)
        return ctx.reply(command.reply_id, "", "usage", f"give a time that ends, of at most {days} days")
    else:
        until = ctx.now + command.seconds
        ctx.state.judgements.put(JudgementRow(peer, trusted, ctx.now, until, one_line(command.note)))
        ctx.notify("peer.judged", peer, judgement="trusted" if trusted else "distrusted", until=until)
    due.soon(ctx)
    ctx.reply(command.reply_id, peer)


def name(ctx: Context, command: NamePeer) -> None:
    """One name for one peer: a second that is called the same would be taken for the first."""
    called = one_line(command.name, 64).strip()
    taken = next((row.peer for row in ctx.state.pet_names if row.name == called and row.peer != command.peer), None)
    if taken is not None:
        return ctx.reply(command.reply_id, "", "usage", f"you call {taken} {called!r} already: choose another name")
    if (meant := _ends_in(ctx, called)) not in ("", command.peer):
        return ctx.reply(command.reply_id, "", "usage", f"{called!r} already means {meant}: choose another name")
    if called:
        ctx.state.pet_names.put(PetNameRow(command.peer, called))
    else:
        ctx.state.pet_names.delete(command.peer)
    ctx.notify("peer.named", command.peer, name=called)
    ctx.reply(command.reply_id, command.peer)


def _ends_in(ctx: Context, called: str) -> str:
    """A known peer whose id can be written so: whole, or its last characters; "" where there is none."""
    bare = called.lstrip("…")
    known = [row.peer for table in (ctx.state.peers, ctx.state.evidence, ctx.state.pooled) for row in table]
    return next((peer for peer in known if len(bare) >= PEER_SUFFIX and peer.endswith(bare)), "")


def expire(ctx: Context) -> None:
    """Forget judgements whose time is over; they have counted for nothing since."""
    for row in ctx.state.judgements:
        if row.until <= ctx.now:
            ctx.state.judgements.delete(row.key)
            ctx.notify("peer.judged", row.peer, judgement="none")
