"""Personal EigenTrust: where walks of trust from here end up (Kamvar, Schlosser & Garcia-Molina 2003; trust.md §3).

π = a·p + (1−a)·(Cᵀπ + σ·p), σ = Σ π_i (1 − Σ_j c_ij): each step goes home to the pre-trusted peers with probability a,
and with whatever trust a peer has not given away. Σ_j (Cᵀπ)_j = 1 − σ, so one product a step is all it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2peval.defaults import MAX_STEPS, PRE_TRUST, RESIDUAL, SELF_SHARE
from p2peval.trust.testimony import Vector


@dataclass(frozen=True, slots=True)
class Walk:
    """``mass``: π, n figures ≥ 0 that sum to 1; ``residual``: L1 change of the last of ``steps``."""

    mass: Vector
    residual: float
    steps: int


def pre_trust(size: int, me: int, roots: Sequence[int]) -> Vector:
    """p: SELF_SHARE for this node, the rest evenly among its roots; all for itself where it has none."""
    p = np.zeros(size)
    others = [root for root in roots if root != me]
    p[me] = SELF_SHARE if others else 1.0
    p[others] += (1.0 - SELF_SHARE) / max(1, len(others))
    return p


def eigentrust(trust: Any, p: Vector, *, a: float = PRE_TRUST, start: Vector | None = None) -> Walk:
    """π of local trust C (n × n CSR, row sums ≤ 1) for pre-trust ``p`` (sums to 1), from ``start`` where one is known.

    Ends once an L1 change certifies a distance of at most RESIDUAL·(1−a)/a from the fixed point.
    """
    pull = trust.T.tocsr()
    mass = p.copy() if start is None else start / start.sum()
    residual, steps = np.inf, 0
    while residual > RESIDUAL and steps < MAX_STEPS:
        flow = (1.0 - a) * (pull @ mass)
        flow += (1.0 - flow.sum()) * p
        residual, steps = float(np.abs(flow - mass).sum()), steps + 1
        mass = flow
    return Walk(mass, residual, steps)
