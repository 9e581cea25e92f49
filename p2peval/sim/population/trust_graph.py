"""The statements of all peers as one graph of trust, and what observers make of it: reputation, bound, first visits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2peval.defaults import ALPHA_CAP, RESIDUAL, ROW_SLACK
from p2peval.sim.population.acquaintances import Peers, Places
from p2peval.sim.population.crowd import Crowd
from p2peval.trust.eigentrust import eigentrust
from p2peval.trust.local_trust import weights
from p2peval.trust.reach import reach_of
from p2peval.trust.sybil_bound import sybil_bound
from p2peval.trust.testimony import Vector

AT_ONCE = 1 << 13
"""Rows of the graph that are made at once: some megabytes."""

Rows = tuple[Places, Peers, Vector]
"""How many entries each row has; then peers and shares of all rows, one after the other."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What a set of peers holds of the observers' reputation, on average, each 0 to 1.

    ``captured``: its share of π. ``bound``: the most that it could make of the trust that flows into it (§3).
    ``reached``: how likely a walk of trust comes by any of it (first visits), and ``None`` where it was not asked for.
    """

    captured: float
    bound: float
    reached: float | None = None


def captured(
    local: Any, observers: Peers, members: Peers, *, visits: bool = False, residual: float = RESIDUAL
) -> Captured:
    """By ``observers``, each with equal weight. π is linear in p but for its scale, so that one solution serves all."""
    trusted = np.zeros(local.shape[0])
    trusted[observers] = 1.0 / len(observers)
    mass = eigentrust(local, trusted, residual=residual).mass
    inside = members.tolist()
    told = sybil_bound(local, mass, trusted, inside)
    return Captured(told.mass, told.bound, reach_of(local, trusted, inside) if visits else None)


def local_trust_of(crowd: Crowd) -> Any:
    """C, n × n CSR, as ``trust.local_trust`` makes it of the same statements; askers and groups that praise have rows.

    Askers state what they remember; each member of a group praises the next of its group, in a ring.
    """
    from scipy.sparse import csr_array

    rows = [*_asking(crowd), *(_praising(crowd, number) for number in range(len(crowd.population.groups)))]
    lengths, columns, shares = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    ends = np.cumsum(lengths).astype(np.int32)  # as the columns: nothing has to be converted then
    shape = (crowd.population.size, crowd.population.size)
    return csr_array((shares, columns, np.concatenate([np.zeros(1, np.int32), ends])), shape=shape)


def _asking(crowd: Crowd) -> Iterator[Rows]:
    """Rows of all honest peers, some at a time: a million at once would take longer, for want of cache."""
    asking = crowd.population.asking
    for first in range(0, asking, AT_ONCE):
        lengths, peers, good, bad = crowd.known.told(slice(first, min(first + AT_ONCE, asking)))
        yield _rows(lengths, peers, weights(good, bad))
    silent = np.zeros(crowd.population.honest - asking, np.int64)
    yield silent, np.zeros(0, np.int32), np.zeros(0)


def _praising(crowd: Crowd, number: int) -> Rows:
    """Rows of a group, those of whom is not there empty."""
    members, ring = praise(crowd, number)
    lengths = np.zeros(crowd.population.groups[number].peers, np.int64)
    lengths[np.searchsorted(crowd.members(number), members)] = ring.shape[1]
    loud = weights(np.array([ALPHA_CAP]), np.zeros(1))
    return _rows(lengths, ring.ravel(), np.repeat(loud, ring.size))


def _rows(lengths: Places, peers: Peers, weight: Vector) -> Rows:
    """Rows that follow each other, each weight divided by its row's sum or ROW_SLACK, whichever is more."""
    rater = np.repeat(np.arange(len(lengths)), lengths)
    kept = weight > 0.0
    rater, peers, weight = rater[kept], peers[kept], weight[kept]
    sums = np.bincount(rater, weight, len(lengths))
    return np.bincount(rater, minlength=len(lengths)), peers, weight / np.maximum(sums, ROW_SLACK)[rater]


def praise(crowd: Crowd, number: int) -> tuple[Peers, Peers]:
    """The members of a group that are there, and whom each of them praises: m × praises."""
    group = crowd.population.groups[number]
    members = crowd.there[crowd.group[crowd.there] == number]
    many = min(group.praises, max(len(members) - 1, 0))
    steps = np.arange(1, many + 1)
    return members, members[(np.arange(len(members))[:, None] + steps) % max(len(members), 1)]
