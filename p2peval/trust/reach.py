"""First visits: how probably a walk of trust from here ever comes to a peer before it goes home (trust.md §3).

For ranking: what a peer says of others lies behind its first visit, so no out-link of its own can raise this
(Hopcroft & Sheldon 2008). One walk starts at p, stops with probability a at every step, and stops where trust is
slack: with G = Σ_t ((1−a)C)^t, visits to j are (pG)_j = reach_j · G_jj, and G_jj, the returns, is divided out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.defaults import PRE_TRUST, RESIDUAL
from p2peval.trust.testimony import Vector


def reach(trust: Any, p: Vector, peers: Sequence[int] | None = None, *, a: float = PRE_TRUST) -> Vector:
    """reach of ``peers`` (all for None), each 0 to 1, to within RESIDUAL. ``trust``: C, CSR; ``p`` sums to 1."""
    visits = _summed((1.0 - a) * trust.T.tocsr(), p)
    asked = np.arange(len(p)) if peers is None else np.asarray(peers, dtype=np.int64)
    found = asked[visits[asked] > 0.0]
    out = np.zeros(len(p))
    out[found] = np.minimum(1.0, visits[found] / _returns((1.0 - a) * trust.tocsr(), found))
    return out[asked]


def _summed(step: Any, start: Vector) -> Vector:
    """Σ_t step^t · start, until what is left to come is below RESIDUAL; ``step`` shrinks by 1−a at least."""
    total, current = start.copy(), start
    while current.sum() > RESIDUAL:
        current = step @ current
        total += current
    return total


def _returns(forward: Any, peers: NDArray[np.int64]) -> Vector:
    """G_jj for each of ``peers``: visits to j of a walk that begins there, a block of walks at a time."""
    pull, counts, block = forward.T.tocsr(), np.empty(len(peers)), 256
    for at in range(0, len(peers), block):
        chosen = peers[at : at + block]
        start = np.zeros((forward.shape[0], len(chosen)))
        start[chosen, np.arange(len(chosen))] = 1.0
        current, total = start, np.ones(len(chosen))
        while current.sum(axis=0).max() > RESIDUAL:
            current = pull @ current
            total += current[chosen, np.arange(len(chosen))]
        counts[at : at + block] = total
    return counts
