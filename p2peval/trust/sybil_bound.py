"""What a set of peers can hold at most of this node's reputation, however many ids it has (trust.md §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2peval.defaults import PRE_TRUST
from p2peval.trust.local_trust import slack
from p2peval.trust.testimony import Vector


@dataclass(frozen=True, slots=True)
class SybilBound:
    """Shares of all reputation, 0 to 1. ``mass``: π(S) as it is. ``bound``: what S can make of the trust it has.

    ``flow``: F = Σ_{i∉S} π_i c_iS, trust of others that flows into S. ``slack``: σ = Σ_i π_i (1 − Σ_j c_ij), what rows
    leave to the pre-trusted. ``seeds``: p(S). The bound is ``from_flow`` + ``from_seeds``.
    """

    mass: float
    flow: float
    slack: float
    seeds: float
    from_flow: float
    from_seeds: float

    @property
    def bound(self) -> float:
        return min(self.from_flow + self.from_seeds, 1.0)


def sybil_bound(
    local: Any, mass: Vector, trusted: Vector, peers: Sequence[int], weight: float = PRE_TRUST
) -> SybilBound:
    """π(S) ≤ ((a + (1−a)·σ)·p(S) + (1−a)·F) / a for S = ``peers``.

    Holds since what S hands to itself is at most (1−a)·π(S). ``local``: C, n × n CSR; ``mass``: π; ``trusted``: p.
    """
    inside = np.zeros(len(mass), bool)
    inside[np.asarray(peers, np.int64)] = True
    into = np.asarray(local @ inside.astype(float))
    flow = float(mass[~inside] @ into[~inside])
    left = float(mass @ slack(local))
    seeds = float(trusted[inside].sum())
    from_seeds = (weight + (1.0 - weight) * left) * seeds / weight
    return SybilBound(float(mass[inside].sum()), flow, left, seeds, (1.0 - weight) * flow / weight, from_seeds)
