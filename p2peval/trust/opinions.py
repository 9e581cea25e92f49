"""This node's opinion of a peer: its own counts, and a little of what credible raters say (trust.md §3).

    opinion = (2·p₀ + own good + Σ_k ½·cred_k·good_k) / (2 + the same, good and bad)

A rater k is believed for what it said of other peers (``credibility``). Each rater's counts of one peer are scaled to
a total of at most 3 first, so that nobody speaks louder than a few own outcomes, and what all raters say together to
at most POOL_CAP: raters cost nothing, and credibility can be had by repeating what this node itself has published.
So whatever any number of Sybils say, with P = POOL_CAP,

    (2·p₀ + own good) / (2 + own + P)  ≤  opinion  ≤  (2·p₀ + own good + P) / (2 + own + P),

and own outcomes overrule them after a few tasks. What others say is pooled once an epoch; own counts are added at every
look, for they change at every task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from p2peval.defaults import POOL_CAP, PRIOR_COUNTS, RATER_CAP, RATER_SHARE
from p2peval.trust.claims import Claims, claims, totals
from p2peval.trust.credibility import Credibility, credibility
from p2peval.trust.testimony import Testimony, Vector

Counts = TypeVar("Counts", float, Vector)


@dataclass(frozen=True, slots=True)
class Pooled:
    """What others' word comes to, for each of n peers.

    ``good``, ``bad``: counts ≥ 0, weighted by who said them. ``credibility``: of each peer as a rater, 0 to 1.
    """

    good: Vector
    bad: Vector
    credibility: Vector


def opinion(
    prior: float | Counts, own_good: Counts, own_bad: Counts, pooled_good: Counts, pooled_bad: Counts
) -> Counts:
    """How likely the next outcome is good, 0 to 1. ``prior``: p₀, 0 to 1; counts ≥ 0; floats, or n of each.

    One more good outcome, own or pooled, never lowers it; a bad one never raises it. ``prior`` where all are zero.
    """
    good = PRIOR_COUNTS * prior + own_good + pooled_good
    return good / (PRIOR_COUNTS + own_good + own_bad + pooled_good + pooled_bad)


def pool(testimony: Testimony) -> Pooled:
    """Others' word about every peer, each rater weighed by its credibility."""
    said = claims(testimony)
    return pool_claims(said, credibility(said, testimony.prior))


def pool_claims(said: Claims, credible: Credibility) -> Pooled:
    """As ``pool``, with the raters' credibility given."""
    weights = weight(credible.elsewhere, said.good + said.bad)
    good = totals(said.peer, weights * said.good, said.size)
    bad = totals(said.peer, weights * said.bad, said.size)
    scale = ceiling(good + bad)
    return Pooled(good=scale * good, bad=scale * bad, credibility=credible.of)


def weight(credible: Vector, total: Vector) -> Vector:
    """What a rater's counts of one peer, ``total`` in all, are multiplied by: 0 to RATER_SHARE."""
    return RATER_SHARE * credible * RATER_CAP / np.maximum(total, RATER_CAP)


def ceiling(total: Vector) -> Vector:
    """What all raters' weighted counts of one peer, ``total`` in all, are multiplied by: 0 to 1."""
    return POOL_CAP / np.maximum(total, POOL_CAP)


def opinions(testimony: Testimony) -> Vector:
    """This node's opinion of all n peers: the rule that p2peval asks by."""
    said = claims(testimony)
    pooled = pool_claims(said, credibility(said, testimony.prior))
    return opinion(testimony.prior, said.own_good, said.own_bad, pooled.good, pooled.bad)
