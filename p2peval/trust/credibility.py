"""How far a rater's word is to be believed: by what it said of peers that this node knows itself (trust.md §3).

Agreeing with everybody proves nothing, and who copies public opinion agrees with everybody. So a claim counts only
where it stands apart from what the other raters say of that peer, or where nobody else says anything. There a rater
who saw for itself is right and a liar is wrong. Trust roots earn credibility as everybody does: when it was theirs
from the start, bribing one in three took bad picks from .17 to .77 (measured).
"""

from __future__ import annotations

import numpy as np

from p2peval.defaults import APART, CREDIBILITY_PRIOR
from p2peval.trust.claims import Claims, Index, posterior_mean, totals
from p2peval.trust.testimony import Vector


def credibility(claims: Claims, prior: float) -> Vector:
    """n credibilities, 0 to 1: (1 − 2·mean |claimed − mine|)·c/(c + 5), never below 0.

    The mean is over the c claims of a rater on peers that this node knows and where the claim is more than APART away
    from the consensus; claimed and mine are posterior means. ``prior``: the consensus where nobody else speaks, 0 to 1.
    """
    known = claims.known[claims.peer]
    rater, peer, claimed = claims.rater[known], claims.peer[known], claims.mean[known]
    apart = np.abs(claimed - consensus(peer, claimed, claims.size, prior)) > APART
    rater, peer, claimed = rater[apart], peer[apart], claimed[apart]
    mine = posterior_mean(claims.own_good, claims.own_bad)[peer]
    compared = np.bincount(rater, minlength=claims.size)
    missed = totals(rater, np.abs(claimed - mine), claims.size)
    right = 1.0 - 2.0 * missed / np.maximum(compared, 1)
    return np.maximum(right, 0.0) * compared / (compared + CREDIBILITY_PRIOR)


def consensus(peer: Index, claimed: Vector, size: int, prior: float) -> Vector:
    """For each claim, the mean of what all *other* raters claim of its peer; ``prior`` where there is none.

    ``peer``: peers that the claims are about, in 0 … ``size`` − 1; ``claimed``: posterior means.
    """
    others = np.bincount(peer, minlength=size)[peer] - 1
    rest = totals(peer, claimed, size)[peer] - claimed
    return np.where(others > 0, rest / np.maximum(others, 1), prior)
