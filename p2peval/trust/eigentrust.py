"""Personal EigenTrust: how much of this node's trust reaches each peer (trust.md §3).

π = (a + (1−a)·σ)·p + (1−a)·Cᵀπ, where σ = Σ_i π_i (1 − Σ_j c_ij): what rows leave over flows back to p. Kamvar,
Schlosser, Garcia-Molina 2003, with this node and its trust roots as the pre-trusted peers, so that the answer is a
node's own and no number of strangers can shift it beyond ``sybil_bound``.

Which loops do the work is chosen in ``kernels``; both arrive at the same π.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2peval.defaults import PRE_TRUST, RESIDUAL, SELF_SHARE
from p2peval.trust.kernels import Kernel, chosen
from p2peval.trust.testimony import Vector


@dataclass(frozen=True, slots=True)
class Converged:
    """``mass``: π, n values ≥ 0 that sum to 1. ``residual``: L1 distance from π to what one more step would make of
    it, an upper bound; π is within residual / a of the exact one. ``steps``: passes over all edges."""

    mass: Vector
    steps: int
    residual: float


def pre_trusted(size: int, me: int, roots: Sequence[int] = ()) -> Vector:
    """p, n values that sum to 1: 0.8 this node's own and the rest its roots', or all its own where it has none."""
    others = sorted(set(roots) - {me})
    trusted = np.zeros(size)
    trusted[me] = SELF_SHARE if others else 1.0
    trusted[others] = (1.0 - SELF_SHARE) / max(len(others), 1)
    return trusted


def eigentrust(
    local: Any,
    trusted: Vector,
    *,
    weight: float = PRE_TRUST,
    residual: float = RESIDUAL,
    start: Vector | None = None,
    kernel: Kernel | None = None,
) -> Converged:
    """π of ``local`` (C, n × n CSR, row sums at most 1) for the pre-trusted peers p = ``trusted``, n values.

    ``weight``: a, above 0 and at most 1. ``start``: an earlier π, to be quicker. Raises ValueError for other shapes
    or ranges, and for p that is no distribution.
    """
    _check(local, trusted, weight)
    first = trusted if start is None or not start.sum() > 0 else start / start.sum()
    mass, steps, left = (kernel or chosen()).solve(local, trusted, weight, residual, first)
    return Converged(mass, steps, left)


def residual_of(local: Any, trusted: Vector, mass: Vector, weight: float = PRE_TRUST) -> float:
    """L1 distance between ``mass`` (n values that sum to 1) and one more step from it."""
    moved = (1.0 - weight) * (local.T @ mass)
    return float(np.abs(moved + (1.0 - moved.sum()) * trusted - mass).sum())


def _check(local: Any, trusted: Vector, weight: float) -> None:
    if local.shape != (len(trusted), len(trusted)):
        raise ValueError(f"local trust of {local.shape} does not fit {len(trusted)} pre-trust values")
    if not 0.0 < weight <= 1.0:
        raise ValueError(f"pre-trust weight {weight} is not above 0 and at most 1")
    if not (trusted >= 0).all() or abs(float(trusted.sum()) - 1.0) > 1e-9:
        raise ValueError("pre-trust values must not be negative and must sum to 1")
