"""First visits: how likely a walk of trust from here ever comes by a peer (trust.md §3).

A walk starts at a pre-trusted peer; at each step it ends with probability a, or else follows the row it is at, and
where the row leaves slack, begins anew. What a peer says of others only matters after the walk has come by, so that it
cannot raise its own reach; mass it can raise, by sending the walk round in a ring. Hopcroft & Sheldon 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from p2peval.defaults import MAX_STEPS, PRE_TRUST, REACH_AT_ONCE, RESIDUAL
from p2peval.trust.local_trust import slack
from p2peval.trust.testimony import Vector


def reach(local: Any, trusted: Vector, weight: float = PRE_TRUST) -> Vector:
    """n probabilities, 1 for a lone pre-trusted peer. Exact; above ``REACH_AT_ONCE``, some passes per peer."""
    if len(trusted) > REACH_AT_ONCE:
        return np.array([reach_of(local, trusted, [peer], weight) for peer in range(len(trusted))])
    onward = local.toarray() + np.outer(slack(local), trusted)
    visits = np.linalg.inv(np.eye(len(trusted)) - (1.0 - weight) * onward)
    # visits of j from p = P(ever at j) · visits of j from j
    return np.asarray(np.clip(trusted @ visits / visits.diagonal(), 0.0, 1.0))


def reach_of(
    local: Any, trusted: Vector, targets: Sequence[int], weight: float = PRE_TRUST, residual: float = RESIDUAL
) -> float:
    """The probability that a walk comes by any of ``targets``, to within ``residual``, for any number of peers."""
    loose, hit = slack(local), np.zeros(len(trusted))
    hit[targets] = 1.0
    for _ in range(MAX_STEPS):
        further = (1.0 - weight) * (local @ hit + loose * float(trusted @ hit))
        further[targets] = 1.0
        change = float(np.abs(further - hit).max())
        hit = further
        if change * (1.0 - weight) <= residual * weight:
            return float(trusted @ hit)
    raise ArithmeticError(f"reach did not settle to {residual} in {MAX_STEPS} passes")


def reach_sampled(
    local: Any, trusted: Vector, walks: int, rng: np.random.Generator, weight: float = PRE_TRUST
) -> tuple[Vector, Vector]:
    """For all of many peers at once: n shares of ``walks`` that came by, and their standard errors."""
    size = len(trusted)
    edges = np.cumsum(local.data)  # a draw within a row is a draw between two of its running sums
    before = np.concatenate([[0.0], edges])[local.indptr[:-1]]
    totals = np.concatenate([[0.0], edges])[local.indptr[1:]] - before
    who, at = np.arange(walks), rng.choice(size, walks, p=trusted)
    visits = [who * size + at]
    while len(who):
        going = rng.random(len(who)) >= weight
        who, at = who[going], at[going]
        drawn = rng.random(len(who))
        follows = drawn < totals[at]
        place = np.searchsorted(edges, before[at] + drawn, side="right")
        last = np.maximum(local.indptr[at + 1] - 1, 0)
        anew = rng.choice(size, len(who), p=trusted)
        at = np.where(follows, local.indices[np.minimum(place, last)], anew) if local.nnz else anew
        visits.append(who * size + at)
    seen = np.unique(np.concatenate(visits)) % size
    share = np.bincount(seen, minlength=size) / walks
    return share, np.sqrt(share * (1.0 - share) / walks)
