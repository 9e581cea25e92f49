"""A baseline: MeritRank, walks of trust whose reach decays (Nasrulin, Ishmaev, Pouwelse 2022).

Walks start at this node and follow positive feedback. Transitivity decay α: before each step a walk ends with
probability α, so that long chains of Sybils gain little. Connectivity decay β: where almost all walks to a peer come
through one other peer, a bridge, as they must to any crowd behind one attack edge, its reputation is cut by β.

Taken: both decays, and the share of walks that visit a peer as its reputation. Feedback is good − bad, never below 0.
Left out: epoch decay, for evidence fades already before it comes here. A walk that comes back here ends.
"""

from __future__ import annotations

import numpy as np

from p2peval.defaults import (
    MERITRANK_ALPHA,
    MERITRANK_BETA,
    MERITRANK_BRIDGE,
    MERITRANK_SEED,
    MERITRANK_STEPS,
    MERITRANK_WALKS,
)
from p2peval.trust.claims import Index
from p2peval.trust.testimony import Testimony, Vector


def meritrank(
    testimony: Testimony,
    walks: int = MERITRANK_WALKS,
    alpha: float = MERITRANK_ALPHA,
    seed: int = MERITRANK_SEED,
    beta: float = MERITRANK_BETA,
    steps: int = MERITRANK_STEPS,
) -> Vector:
    """n reputations, 0 to 1; 0 for this node itself. The same ``seed``, the same walks, of ``steps`` at most."""
    paths = _walked(testimony, walks, alpha, steps, np.random.Generator(np.random.PCG64(seed)))
    size = testimony.size
    walk, peer = _first_visits(paths, size)
    seen = np.bincount(peer, minlength=size)
    share = seen / walks
    return share * np.where(_bridged(walk, peer, seen, steps), 1.0 - beta, 1.0) if beta else share


def _walked(testimony: Testimony, walks: int, alpha: float, steps: int, draws: np.random.Generator) -> Index:
    """``walks`` × ``steps`` peers in the order in which each walk meets them; −1 after its end."""
    from scipy.sparse import csr_array

    links = csr_array(testimony.good - testimony.bad)
    links.setdiag(0.0)
    links.data = np.maximum(links.data, 0.0)
    summed = np.concatenate([[0.0], np.cumsum(links.data)])
    begin, end = summed[links.indptr[:-1]], summed[links.indptr[1:]]
    paths = np.full((walks, steps), -1, dtype=np.int64)
    at = np.full(walks, testimony.me, dtype=np.int64)
    under_way = np.arange(walks)
    for step in range(steps):
        goes = (draws.random(len(under_way)) >= alpha) & (end[at] > begin[at])
        under_way, at = under_way[goes], at[goes]
        place = begin[at] + draws.random(len(at)) * (end[at] - begin[at])
        at = links.indices[np.searchsorted(summed, place, side="right") - 1].astype(np.int64)
        away = at != testimony.me
        under_way, at = under_way[away], at[away]
        paths[under_way, step] = at
    return paths


def _first_visits(paths: Index, size: int) -> tuple[Index, Index]:
    """Walk and peer of each first visit of a walk to a peer, walk by walk, in the order in which they were met."""
    walk, step = np.nonzero(paths >= 0)
    peer = paths[walk, step]
    _, place = np.unique(walk * size + peer, return_index=True)
    place.sort()
    return walk[place], peer[place]


def _bridged(walk: Index, peer: Index, seen: Index, steps: int) -> np.ndarray:
    """Which peers have another that more than MERITRANK_BRIDGE of the walks to them met before they met it.

    ``walk``, ``peer``: first visits in their order; ``seen``: walks that visit each peer.
    """
    size = len(seen)
    led = []
    for lag in range(1, steps):
        later = np.flatnonzero(walk[lag:] == walk[:-lag]) + lag
        if not len(later):
            break
        led.append(peer[later - lag] * size + peer[later])
    if not led:
        return np.zeros(size, dtype=bool)
    pair, walks = np.unique(np.concatenate(led), return_counts=True)
    bridged = np.zeros(size, dtype=bool)
    bridged[pair[walks > MERITRANK_BRIDGE * seen[pair % size]] % size] = True
    return bridged
