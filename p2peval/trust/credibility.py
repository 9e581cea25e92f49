"""How far a rater's word is to be believed: by what it said of peers that this node knows itself (trust.md §3).

Agreeing with everybody proves nothing, and who copies public opinion agrees with everybody. So a claim counts only
where it stands apart from what the other raters say of that peer, or where nobody else says anything. There a rater
who saw for itself is right and a liar is wrong. Trust roots earn credibility as everybody does: when it was theirs
from the start, bribing one in three took bad picks from .17 to .77 (measured).

How a rater fares on one peer says nothing of its word on that very peer: there it is believed for all else that it
said. So an opinion never falls because of an outcome that agrees (with one figure for all, it did in 4 of 4000 random
testimonies, by .008 at most).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from p2peval.defaults import APART, CREDIBILITY_PRIOR
from p2peval.trust.claims import Claims, Index, posterior_mean, totals
from p2peval.trust.testimony import Vector


@dataclass(frozen=True, slots=True)
class Credibility:
    """``of``: n figures, of each peer as a rater. ``elsewhere``: m figures, of each claim's rater by its other claims.

    Each 0 to 1: (1 − 2·mean |claimed − mine|)·c/(c + 5), never below 0. The mean is over the c claims of a rater on
    peers that this node knows and where the claim is more than APART away from the consensus; claimed and mine are
    posterior means.
    """

    of: Vector
    elsewhere: Vector


def credibility(claims: Claims, prior: float) -> Credibility:
    """What this node's own evidence says of the raters. ``prior``: the consensus where nobody else speaks, 0 to 1."""
    known = np.flatnonzero(claims.known[claims.peer])
    peer, claimed = claims.peer[known], claims.mean[known]
    apart = np.abs(claimed - consensus(peer, claimed, claims.size, prior)) > APART
    tested, peer, claimed = known[apart], peer[apart], claimed[apart]
    missed = np.abs(claimed - posterior_mean(claims.own_good, claims.own_bad)[peer])
    rater = claims.rater[tested]
    compared = totals(rater, np.ones(len(tested)), claims.size)
    missed_in_all = totals(rater, missed, claims.size)
    of = _credible(compared, missed_in_all)
    elsewhere = of[claims.rater]
    elsewhere[tested] = _credible(compared[rater] - 1.0, np.maximum(missed_in_all[rater] - missed, 0.0))
    return Credibility(of, elsewhere)


def _credible(compared: Vector, missed: Vector) -> Vector:
    """From how many claims were compared, and by how much they missed in all."""
    right = 1.0 - 2.0 * missed / np.maximum(compared, 1.0)
    return np.maximum(right, 0.0) * compared / (compared + CREDIBILITY_PRIOR)


def consensus(peer: Index, claimed: Vector, size: int, prior: float) -> Vector:
    """For each claim, the mean of what all *other* raters claim of its peer; ``prior`` where there is none.

    ``peer``: peers that the claims are about, in 0 … ``size`` − 1; ``claimed``: posterior means.
    """
    others = np.bincount(peer, minlength=size)[peer] - 1
    rest = totals(peer, claimed, size)[peer] - claimed
    return np.where(others > 0, rest / np.maximum(others, 1), prior)
