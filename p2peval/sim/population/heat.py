"""How much reputation a Sybil attack captures, by its attack edges and its identities, and what it could at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from p2peval.sim.population.crowd import Crowd
from p2peval.sim.population.groups import Group, Population
from p2peval.sim.population.trust_graph import captured, local_trust_of
from p2peval.trust.testimony import Vector

HONEST = 10_000  # peers; guess
MET = 12  # acquaintances of each; guess


@dataclass(frozen=True, slots=True)
class Heat:
    """``captured[i, j]``: share of the observers' reputation that ``identities[j]`` Sybils hold by ``edges[i]`` edges.

    ``bound``: that they could hold at most (trust.md §3). ``reached``: how likely a walk of trust comes by any of them.
    All 0 to 1. ``honest``: peers, each of whom has ``met`` others and may be at one attack edge.
    """

    edges: NDArray[np.int64]
    identities: NDArray[np.int64]
    captured: Vector
    bound: Vector
    reached: Vector
    honest: int
    met: int


def heat(edges: Sequence[int], identities: Sequence[int], seed: int, *, honest: int = HONEST, met: int = MET) -> Heat:
    """The same honest peers in each cell. Who is at an attack edge trusts a Sybil as it trusts whom else it knows.

    ``edges``: 0 to ``honest``; ``identities``: 1 or more. Raises ValueError for others.
    """
    cells = [[_cell(honest, met, seed, of, ids) for ids in identities] for of in edges]
    held, most, visited = np.moveaxis(np.array(cells).reshape(len(edges), len(identities), 3), 2, 0)
    return Heat(np.array(edges), np.array(identities), held, most, visited, honest, met)


def _cell(honest: int, met: int, seed: int, edges: int, identities: int) -> tuple[float, float, float]:
    rng = Generator(PCG64(seed))
    observers = np.sort(rng.choice(honest, min(honest, 64), replace=False)).astype(np.int32)
    crowd = Crowd(Population(honest, (Group("sybils", identities, edges=edges),), met=met), rng)
    told = captured(local_trust_of(crowd), observers, crowd.members(0), visits=True)
    assert told.reached is not None
    return told.captured, told.bound, told.reached
