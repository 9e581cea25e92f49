"""A baseline: Yuma consensus, by which Bittensor's subnets rank who works for them (Subtensor, ``consensus.md``, 2023).

A rater's weights on peers sum to 1. A peer's consensus is the largest weight that raters with at least κ of all stake
give it; what is above is clipped to it; its rank is the stake-weighted sum of what is left. One opinion for all.

Taken: weights, the stake-weighted median, clipping, ranks, no weight on oneself. A rater there weighs the quality that
it measured and gives nothing to who does badly: here 2·mean − 1 of the posterior, never below 0. Left out: bonds,
emission and the raters' own rewards, which say who is paid and not who is good; stake that can be bought: all raters
have the same, so that Sybils weigh as much as anybody.

A peer that fewer than κ of the raters know has consensus 0, as in the source, where every rater is to rate everybody.
Counting the stake only of those who know a peer was tried: while most raters are honest it finds the best (no regret
in the picking world), and two Sybils decide what a newcomer is worth. It is not Yuma.
"""

from __future__ import annotations

import math

import numpy as np

from p2peval.defaults import YUMA_KAPPA
from p2peval.trust.claims import Index, claims, posterior_mean, totals
from p2peval.trust.testimony import Testimony, Vector


def yuma(testimony: Testimony) -> Vector:
    """n ranks ≥ 0 that sum to 1, or all 0 where there is no consensus on anybody."""
    said = claims(testimony)
    known = np.flatnonzero(said.known & (np.arange(said.size) != testimony.me))
    rater = np.concatenate([said.rater, np.full(len(known), testimony.me)])
    peer = np.concatenate([said.peer, known])
    mean = np.concatenate([said.mean, posterior_mean(said.own_good, said.own_bad)[known]])
    weight = np.maximum(2.0 * mean - 1.0, 0.0)
    weight /= np.maximum(totals(rater, weight, said.size), np.finfo(float).tiny)[rater]
    clipped = np.minimum(weight, consensus(peer, weight, len(np.unique(rater)), said.size)[peer])
    ranks = totals(peer, clipped, said.size)
    return ranks / max(float(ranks.sum()), np.finfo(float).tiny)


def consensus(peer: Index, weight: Vector, raters: int, size: int) -> Vector:
    """For each of ``size`` peers, the largest weight that at least κ of the ``raters`` reach; 0 where so few speak."""
    order = np.lexsort((-weight, peer))
    needed = max(math.ceil(YUMA_KAPPA * raters), 1)
    counts = np.bincount(peer, minlength=size)
    heard = np.flatnonzero(counts >= needed)
    result = np.zeros(size)
    result[heard] = weight[order[(np.cumsum(counts) - counts)[heard] + needed - 1]]
    return result
