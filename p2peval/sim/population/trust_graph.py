"""The statements of all peers as one graph of trust, and what observers make of it: reputation, bound, first visits."""

from __future__ import annotations

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

    ends, peers, good, bad = crowd.known.told()
    weight = weights(good, bad)
    lengths = np.zeros(crowd.population.size, np.int64)
    lengths[: crowd.population.asking] = np.diff(ends)
    columns, shares = [peers], [_shares(weight, lengths[: crowd.population.asking])]
    for number in range(len(crowd.population.groups)):
        members, ring = praise(crowd, number)
        lengths[members] = ring.shape[1]
        columns.append(ring.ravel())
        loud = np.repeat(weights(np.array([ALPHA_CAP]), np.zeros(1)), ring.size)
        shares.append(_shares(loud, lengths[members]))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return csr_array(
        (np.concatenate(shares), np.concatenate(columns), indptr), shape=(crowd.population.size,) * 2, copy=False
    )


def praise(crowd: Crowd, number: int) -> tuple[Peers, Peers]:
    """The members of a group that are there, and whom each of them praises: m × praises."""
    group = crowd.population.groups[number]
    members = crowd.there[crowd.group[crowd.there] == number]
    many = min(group.praises, max(len(members) - 1, 0))
    steps = np.arange(1, many + 1)
    return members, members[(np.arange(len(members))[:, None] + steps) % max(len(members), 1)]


def _shares(weight: Vector, lengths: Places) -> Vector:
    """Weights of rows that follow each other, each divided by its row's sum or ROW_SLACK, whichever is more."""
    sums = np.add.reduceat(np.append(weight, 0.0), np.cumsum(lengths) - lengths) * (lengths > 0)
    return np.asarray(weight / np.repeat(np.maximum(sums, ROW_SLACK), lengths))
