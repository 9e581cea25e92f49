"""Others' word made into figures: at an epoch's end, and when a proof or the operator changes whose word counts.

Everything is reckoned here and now instead of in an effect: it is arithmetic on arrays that stay in memory, 10 000
peers take less time than an audit's draw takes a disk, and nothing can happen between the reading and the writing. The
rows are kept, so that a node that starts again believes what it believed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from p2peval.core import believing, due, statements
from p2peval.core.context import Context
from p2peval.core.policy import Policy
from p2peval.core.state import State
from p2peval.core.trust_rows import HistoryRow, PooledRow
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import HISTORY_KEPT, HISTORY_STEP, PRE_TRUST, REACHED_EXACTLY
from p2peval.trust.eigentrust import eigentrust, pre_trusted
from p2peval.trust.local_trust import local_trust
from p2peval.trust.opinions import pool
from p2peval.trust.policies import OPINIONS
from p2peval.trust.reach import reach
from p2peval.trust.testimony import Testimony, Vector


@dataclass(frozen=True, slots=True)
class Heard:
    """A testimony, with the peers that its numbers stand for."""

    peers: tuple[PeerId, ...]
    testimony: Testimony


def recompute(ctx: Context) -> None:
    """Pool what is held now, by the rule in force; whom nobody speaks of any more is forgotten."""
    due.done(ctx)
    state = ctx.state
    if not any(len(rows) for rows in (state.evidence, state.statements, state.judgements, state.pooled)):
        return  # scipy would be imported for nothing
    heard = testimony(state, ctx.policy, ctx.me, ctx.now)
    pooled, opinions = pool(heard.testimony), OPINIONS[ctx.policy.opinion](heard.testimony)
    mass, reached = _walk(heard.testimony)
    epoch, spoken_of = statements.epoch_of(ctx) - 1, frozenset(heard.peers)
    for number, peer in enumerate(heard.peers):
        ctx.state.pooled.put(
            PooledRow(
                peer=peer,
                epoch=epoch,
                good=float(pooled.good[number]),
                bad=float(pooled.bad[number]),
                credibility=float(pooled.credibility[number]),
                opinion=float(opinions[number]),
                mass=float(mass[number]),
                reach=float(reached[number]),
            )
        )
    for row in ctx.state.pooled:
        if row.peer not in spoken_of:
            ctx.state.pooled.delete(row.key)
    statements.sort_out(ctx)
    ctx.notify("trust.recomputed", "", epoch=epoch, peers=len(heard.peers), statements=len(ctx.state.statements))


def _walk(testimony: Testimony) -> tuple[Vector, Vector]:
    """π of all peers, and reach: exact among up to REACHED_EXACTLY peers, for a system has to be solved for it.

    Among more it is the expected number of visits, which is never less: they hardly differ where few walks come.
    """
    p = pre_trusted(testimony.size, testimony.me, testimony.roots)
    if not testimony.good.nnz:  # roots alone: walks go nowhere from where they begin
        return p, p
    trust = local_trust(testimony.good, testimony.bad)
    mass = eigentrust(trust, p).mass
    if testimony.size <= REACHED_EXACTLY:
        return mass, reach(trust, p)
    home = 1.0 - (1.0 - PRE_TRUST) * float(mass @ trust.sum(axis=1))  # share of all steps that begin a walk
    return mass, np.minimum(mass / home, 1.0)


def testimony(state: State, policy: Policy, me: PeerId, now: Seconds) -> Heard:
    """What there is to go by at ``now``: own evidence of all benchmarks, and every rater's, added up likewise.

    The word of who is convicted or distrusted is left out, and word of peers who never introduced themselves here:
    names cost nothing, and nobody is asked by a name alone. Order of peers and sums depend on what is held alone.
    """
    from scipy.sparse import coo_array

    held = sorted(state.statements, key=lambda row: row.key)
    out = {rater for rater in {row.rater for row in held} if believing.is_out(state, rater, now)}
    said = [row for row in held if row.rater != me and row.rater not in out]
    roots = believing.roots(state, policy, now)
    own = [(row.peer, believing.evidence(state, row.peer, now)) for row in state.evidence]
    met = {me, *roots, *(peer for peer, _ in own)}
    about = [[entry for entry in row.entries if entry.peer in met or entry.peer in state.peers] for row in said]
    entries = [entry for each in about for entry in each]
    peers = sorted(met.union((row.rater for row in said), (entry.peer for entry in entries)))
    number = {peer: place for place, peer in enumerate(peers)}
    rater = [*np.repeat([number[row.rater] for row in said], [len(each) for each in about]), *[number[me]] * len(own)]
    rated = [number[entry.peer] for entry in entries] + [number[peer] for peer, _ in own]
    good = [entry.agreed_milli / 1000 for entry in entries] + [evidence.alpha for _, evidence in own]
    bad = [entry.disagreed_milli / 1000 for entry in entries] + [evidence.beta for _, evidence in own]
    shape, place = (len(peers), len(peers)), (np.array(rater, np.int64), np.array(rated, np.int64))
    return Heard(
        tuple(peers),
        Testimony(
            me=number[me],
            good=coo_array((np.array(good, np.float64), place), shape=shape).tocsr(),
            bad=coo_array((np.array(bad, np.float64), place), shape=shape).tocsr(),
            roots=tuple(number[root] for root in roots),
            prior=believing.prior(state),
        ),
    )


def remember(ctx: Context, epoch: int) -> None:
    """A point in the history of every peer whose reputation has moved, or of whom more was seen."""
    for row in ctx.state.pooled:
        if not believing.is_known(ctx.state, ctx.policy, row.peer, ctx.now):
            continue
        past, own = ctx.state.history.of(row.peer), believing.evidence(ctx.state, row.peer, ctx.now)
        now = believing.reputation(ctx.state, ctx.policy, row.peer, ctx.now)
        if past and abs(past[-1].reputation - now) < HISTORY_STEP and past[-1].resolved == own.resolved:
            continue
        low, high = own.interval()
        ctx.state.history.put(HistoryRow(row.peer, epoch, now, low, high, own.resolved))
        for old in past[: max(0, len(past) + 1 - HISTORY_KEPT)]:
            ctx.state.history.delete(old.key)
