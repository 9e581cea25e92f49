"""The two sets of loops that trust is computed with: numpy and scipy for everybody, numba's where it is installed.

Both solve the same equations to the same certified residual. ``solve`` sweeps over all edges; ``push`` follows what a
changed row left unsettled (Andersen, Chung, Lang 2006: local push), and stops when it is settled or too much work.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from p2peval.defaults import MAX_STEPS
from p2peval.trust.changing_rows import Indices, Rows
from p2peval.trust.testimony import Vector


class Kernel(Protocol):
    name: str

    def solve(
        self, local: Any, trusted: Vector, weight: float, residual: float, start: Vector
    ) -> tuple[Vector, int, float]:
        """π from ``start`` (sums to 1), passes over all edges, and a bound on the L1 residual.

        Raises ArithmeticError where float64 cannot reach ``residual``.
        """

    def push(self, rows: Rows, flow: Vector, unsettled: Vector, seeds: Indices, rules: Rules) -> Pushed:
        """Settle what is unsettled at ``seeds`` and where that leads; ``flow`` and ``unsettled`` change in place."""


class Rules:
    """When a push may stop: at a residual of ``goal``, or after ``most`` edges. ``weight``: a.

    ``size``, ``whole``, ``total``: Σ|unsettled|, Σ unsettled and Σ flow as it begins. ``listed``, ``seen``: scratch of
    n places, all 0 between pushes, so that a push costs nothing for peers that it does not reach.
    """

    __slots__ = ("goal", "listed", "most", "seen", "size", "total", "weight", "whole")

    def __init__(self, peers: int, weight: float, goal: float, most: int) -> None:
        self.weight, self.goal, self.most = weight, goal, most
        self.size = self.whole = self.total = 0.0
        self.listed: Indices = np.zeros(peers, np.uint32)
        self.seen: NDArray[np.uint8] = np.zeros(peers, np.uint8)

    def error(self, size: float = 0.0, whole: float = 0.0, grown: float = 0.0) -> float:
        """The L1 residual of π when the sums have grown by this much: that of flow / Σ flow."""
        return (self.size + size + abs(self.whole + whole)) / (self.total + grown)


Pushed = tuple[float, float, float, int]
"""By how much Σ|unsettled|, Σ unsettled and Σ flow have grown, and how many edges were walked."""


class Plain:
    """numpy and scipy: power iteration, and pushes of whole frontiers at once."""

    name = "numpy"

    def solve(
        self, local: Any, trusted: Vector, weight: float, residual: float, start: Vector
    ) -> tuple[Vector, int, float]:
        onward, mass = local.T, start.copy()
        for step in range(1, MAX_STEPS):
            moved = onward @ mass
            moved *= 1.0 - weight
            moved += (1.0 - moved.sum()) * trusted
            mass -= moved
            bound = (1.0 - weight) * float(np.abs(mass, out=mass).sum())  # each step shrinks differences by 1 − a
            mass = moved
            if bound <= residual:
                return mass, step, bound
        raise unreached(residual)

    def push(self, rows: Rows, flow: Vector, unsettled: Vector, seeds: Indices, rules: Rules) -> Pushed:
        reached = np.unique(seeds)
        size = whole = grown = 0.0
        work = 0
        while rules.goal < rules.error(size, whole, grown) and work < rules.most:
            height = np.abs(unsettled[reached])
            if not height.max(initial=0.0) > 0.0:
                break
            least = height.max() * HIGH
            high = reached[height > least]
            moved = unsettled[high]
            peers, shares, lengths = rows.joined(high)
            unsettled[high] = 0.0
            flow[high] += moved
            targets, place = np.unique(peers, return_inverse=True)
            added = np.bincount(
                place, (1.0 - rules.weight) * shares * np.repeat(moved, lengths), minlength=len(targets)
            )
            before = np.abs(unsettled[targets]).sum()
            unsettled[targets] += added
            size += float(np.abs(unsettled[targets]).sum() - before - np.abs(moved).sum())
            whole += float(added.sum() - moved.sum())
            grown += float(moved.sum())
            work += len(peers)
            reached = np.union1d(reached, targets)
        return size, whole, grown, work


HIGH = 0.25  # of the highest unsettled amount: what is at least as high is pushed in one go; guess


def unreached(residual: float) -> ArithmeticError:
    return ArithmeticError(
        f"reputation did not reach a residual of {residual} in {MAX_STEPS} passes; float64 ends near 1e-15"
    )


@cache
def chosen() -> Kernel:
    """numba's loops if it is installed, else numpy's; decided once in a process."""
    from p2peval.trust.fast import compiled

    return compiled() or Plain()
