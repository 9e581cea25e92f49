"""Reputation that follows one changed row without being computed anew (trust.md §3).

Kept beside π is the *flow* x = a·p + (1−a)·Cᵀx, of which π is the normalised form (slack only scales it), and what of
that equation is unsettled. A row that changes by Δc at a peer with flow x_u unsettles (1−a)·x_u·Δc and nothing else;
pushing that on costs as much as it reaches. When it reaches too far, the whole is swept again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from p2peval.defaults import PRE_TRUST, REPAIR_LEAST, REPAIR_SHARE, REPAIRED_WITHIN, RESIDUAL
from p2peval.trust.changing_rows import Indices, Rows
from p2peval.trust.eigentrust import eigentrust
from p2peval.trust.kernels import Kernel, Rules, chosen
from p2peval.trust.testimony import Vector


class Live:
    """π of rows that change. ``sweeps`` counts how often all had to be computed anew, the first time included."""

    def __init__(self, local: Any, trusted: Vector, *, weight: float = PRE_TRUST, kernel: Kernel | None = None) -> None:
        self._rows = Rows(local)
        self._trusted = trusted
        self._kernel = kernel or chosen()
        most = max(int(REPAIR_SHARE * local.nnz), REPAIR_LEAST)
        self._rules = Rules(len(trusted), weight, weight * REPAIRED_WITHIN, most)
        self.sweeps = 0
        self._flow = trusted
        self._sweep(local)

    @property
    def mass(self) -> Vector:
        """π, n values; costs n."""
        return self._flow / self._rules.total

    def mass_of(self, peer: int) -> float:
        """π of one peer; costs nothing."""
        return float(self._flow[peer] / self._rules.total)

    @property
    def error(self) -> float:
        """An upper bound on the L1 distance between ``mass`` and the exact π, at most REPAIRED_WITHIN."""
        return self._rules.error() / self._rules.weight

    def row(self, rater: int) -> tuple[Indices, Vector]:
        """Whom ``rater`` hands trust to, and how much."""
        peers, shares = self._rows.of(rater)
        return peers.copy(), shares.copy()

    def array(self) -> Any:
        """C as it stands, a scipy CSR array."""
        return self._rows.array()

    def replace(self, rater: int, peers: Indices, shares: Vector) -> int:
        """``rater`` now hands trust on like this (``local_trust.row``); how many edges were walked to follow.

        Raises ValueError for a row that names a peer twice, the rater itself, or sums to more than 1.
        """
        peers, shares = np.asarray(peers).astype(np.uint32), np.asarray(shares, float)
        if len(np.unique(peers)) != len(peers) or rater in peers or not (shares >= 0).all() or shares.sum() > 1 + 1e-9:
            raise ValueError(f"row of rater {rater} must name others, each once, with shares ≥ 0 that sum to at most 1")
        self._unsettle(rater, -1.0)
        seeds = np.concatenate([self._rows.of(rater)[0], peers])
        self._rows.replace(rater, peers, shares)
        self._unsettle(rater, 1.0)
        rules = self._rules
        size, whole, grown, work = self._kernel.push(self._rows, self._flow, self._unsettled, seeds, rules)
        rules.size, rules.whole, rules.total = rules.size + size, rules.whole + whole, rules.total + grown
        if rules.error() > rules.goal:
            self._sweep(self.array())
        return work

    def _unsettle(self, rater: int, sign: float) -> None:
        peers, shares = self._rows.of(rater)
        added = sign * (1.0 - self._rules.weight) * self._flow[rater] * shares
        before = np.abs(self._unsettled[peers]).sum()
        self._unsettled[peers] += added
        self._rules.size += float(np.abs(self._unsettled[peers]).sum() - before)
        self._rules.whole += float(added.sum())

    def _sweep(self, local: Any) -> None:
        """Compute anew from where it stands, to a tenth of what may be left, so that many repairs may follow."""
        weight, rules = self._rules.weight, self._rules
        goal = min(RESIDUAL, rules.goal / 10)
        start = np.maximum(self._flow, 0.0)
        mass = eigentrust(local, self._trusted, weight=weight, residual=goal, start=start, kernel=self._kernel).mass
        moved = (1.0 - weight) * (local.T @ mass)
        factor = weight / (1.0 - float(moved.sum()))  # as much flows in as ends
        self._flow = factor * mass
        self._unsettled = weight * self._trusted + factor * moved - self._flow
        rules.size, rules.whole = float(np.abs(self._unsettled).sum()), float(self._unsettled.sum())
        rules.total = float(self._flow.sum())
        self.sweeps += 1
