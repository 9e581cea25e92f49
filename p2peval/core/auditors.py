"""Who may be asked for a blind audit, and who is not asked again for a while (core/consult.py)."""

from __future__ import annotations

from p2peval.core import believing, membership, panel, reputation
from p2peval.core.context import Context
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow
from p2peval.core.types import PeerId
from p2peval.defaults import OVERRULED_DAYS


def candidates(ctx: Context, task: TaskRow, replica: ReplicaRow) -> list[panel.Candidate]:
    """Connected evaluators of the benchmark that this node does not think ill of, none of the evaluator's cluster.

    Nor of one whose answer to this very task was found false. Praise makes nobody known here: one rater could praise
    any number of names, and together they would outweigh all honest ones. As newcomers they weigh 1−h at most.
    """
    accused = {_cluster(ctx, row.peer) for row in ctx.state.replicas.of(task.id) if row.state is ReplicaState.DIFFERS}
    accused |= {replica.peer, _cluster(ctx, replica.peer)}
    found = []
    for peer in membership.evaluators(ctx, task.benchmark):
        cluster = _cluster(ctx, peer)
        if peer == ctx.me or accused & {peer, cluster} or _is_overruled(ctx, peer):
            continue
        if not believing.is_doubted(ctx.state, ctx.policy, peer, ctx.now):
            known = believing.is_met(ctx.state, ctx.policy, peer, ctx.now)
            found.append(panel.Candidate(peer, reputation.of(ctx, peer) if known else 0.5, known, cluster))
    return found


def reach(ctx: Context, task: TaskRow, replica: ReplicaRow) -> int:
    """How many of them a panel may have, no cluster beyond its share."""
    found = candidates(ctx, task, replica)
    return panel.independent(found, len(found), ctx.policy.honest_share)


def overruled(ctx: Context, peer: PeerId) -> None:
    """Its objection did not stand: it is not drawn again for OVERRULED_DAYS."""
    ctx.state.count(_counter(peer), ctx.now_ms + int(OVERRULED_DAYS * 86_400_000))


def _is_overruled(ctx: Context, peer: PeerId) -> bool:
    return ctx.state.counter(_counter(peer)) > ctx.now_ms


def _counter(peer: PeerId) -> str:
    return f"overruled/{peer}"


def _cluster(ctx: Context, peer: PeerId) -> str:
    row = ctx.state.peers.get(peer)
    return panel.prefix(peer, row.addresses if row else ())
