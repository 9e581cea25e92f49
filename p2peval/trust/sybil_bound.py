"""The most trust that a set of peers can hold, however many identities stand behind it (trust.md §3).

π(S) = (a + (1−a)σ)·p(S) + (1−a)·(F + Σ_{i∈S} π_i c_iS), and what flows within S is at most π(S). So

    π(S) ≤ [(a + (1−a)σ)·p(S) + (1−a)·F] / a,    F = Σ_{i∉S} π_i c_iS,    σ = Σ_i π_i (1 − Σ_j c_ij)

with no regard to the size of S: only trust that flows into it counts (Cheng & Friedman 2005).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2peval.defaults import PRE_TRUST
from p2peval.trust.testimony import Vector


@dataclass(frozen=True, slots=True)
class SybilBound:
    """``mass``: π(S) as it is; ``bound``: the most it can be; ``inflow``: F; ``slack``: σ; ``pre_trust``: p(S)."""

    mass: float
    bound: float
    inflow: float
    slack: float
    pre_trust: float


def sybil_bound(trust: Any, mass: Vector, p: Vector, peers: Collection[int], *, a: float = PRE_TRUST) -> SybilBound:
    """Of the set ``peers``, where ``mass`` is π of ``trust`` (CSR) for pre-trust ``p``."""
    inside = np.zeros(len(mass), dtype=bool)
    inside[list(peers)] = True
    given = np.asarray(trust.sum(axis=1)).ravel()
    into = np.asarray(trust @ inside.astype(np.float64)).ravel()
    inflow = float((mass * into)[~inside].sum())
    slack = float((mass * (1.0 - given)).sum())
    trusted = float(p[inside].sum())
    bound = ((a + (1.0 - a) * slack) * trusted + (1.0 - a) * inflow) / a
    return SybilBound(float(mass[inside].sum()), min(1.0, bound), inflow, slack, trusted)
