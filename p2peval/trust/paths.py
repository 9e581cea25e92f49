"""By whose mouth a peer is trusted: the strongest chains of local trust from this node to it.

A chain is as strong as the product of its links c_ij: the share of a walk's way that it carries. Best-first search
with an exact bound (A*, Hart, Nilsson & Raphael 1968): the strongest way on from each peer, computed backwards once.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2peval.defaults import PATH_HOPS, PATHS_SHOWN
from p2peval.trust.testimony import Vector

MOST_TRIED = 10_000  # chains looked at before the search gives up: rings of equals have very many


@dataclass(frozen=True, slots=True)
class Path:
    """``peers``: from this node to the peer asked about, nobody twice. ``strength``: product of the links, 0 to 1."""

    peers: tuple[int, ...]
    strength: float


def strongest_paths(
    trust: Any, start: int, goal: int, most: int = PATHS_SHOWN, hops: int = PATH_HOPS
) -> tuple[Path, ...]:
    """The ``most`` strongest chains of at most ``hops`` links, strongest first; fewer where there are no more.

    ``trust``: scipy CSR array, n × n, links 0 to 1. Exact, unless MOST_TRIED weaker beginnings run out before.
    """
    if start == goal:
        return ()
    onward = _onward(trust, goal, hops)
    waiting: list[tuple[float, tuple[int, ...], float]] = [(-float(onward[hops][start]), (start,), 1.0)]
    found: list[Path] = []
    tried = 0
    while waiting and len(found) < most and tried < MOST_TRIED:
        _, peers, strength = heapq.heappop(waiting)
        tried += 1
        if peers[-1] == goal:
            found.append(Path(peers, strength))
            continue
        left = onward[hops - len(peers)]
        row = slice(trust.indptr[peers[-1]], trust.indptr[peers[-1] + 1])
        for peer, link in zip(trust.indices[row].tolist(), trust.data[row].tolist(), strict=True):
            reachable = strength * link * float(left[peer])
            if reachable > 0.0 and peer not in peers:
                heapq.heappush(waiting, (-reachable, (*peers, peer), strength * link))
    return tuple(found)


def _onward(trust: Any, goal: int, hops: int) -> list[Vector]:
    """[h][i]: strength of the strongest way from i to ``goal`` in at most h links, peers twice or not."""
    size = trust.shape[0]
    at_goal = np.zeros(size)
    at_goal[goal] = 1.0
    best = [at_goal]
    filled = np.flatnonzero(np.diff(trust.indptr))
    for _ in range(hops):
        now = at_goal.copy()
        if len(filled):
            now[filled] = np.maximum.reduceat(trust.data * best[-1][trust.indices], trust.indptr[filled])
        now[goal] = 1.0
        best.append(now)
    return best
