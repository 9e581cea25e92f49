"""The same loops for numba, which compiles them: without temporaries, and without work for what is settled.

Nothing here needs numba to be read or run; ``compiled`` imports it, and answers None where it is not installed.
``solve`` sweeps peers in order and hands on what is unsettled at once (Gauss–Seidel), where power iteration waits for
the whole pass; what is far below the mean waits. After each sweep one factor makes the flow sum up to what flows in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.defaults import MAX_STEPS
from p2peval.trust.changing_rows import Indices, Offsets, Rows
from p2peval.trust.kernels import HIGH, Kernel, Pushed, Rules, unreached
from p2peval.trust.testimony import Vector

Places = NDArray[np.uint64]  # as ``Offsets``, unsigned: see ``_unsigned``; a fifth of a sweep's time (measured)
LOW = 0.1  # of the mean unsettled amount: below it a peer waits for the next sweep; measured (0.05 to 8 tried)


def unsettled_of(offsets: Places, peers: Indices, shares: Vector, trusted: Vector, flow: Vector, a: float) -> Vector:
    """a·p + (1−a)·Cᵀ·flow − flow."""
    unsettled = a * trusted - flow
    for u in range(len(flow)):
        amount = (1.0 - a) * flow[u]
        if amount != 0.0:
            for k in range(offsets[u], offsets[u + 1]):
                unsettled[peers[k]] += shares[k] * amount
    return unsettled


def sweeps(
    offsets: Places, peers: Indices, shares: Vector, trusted: Vector, flow: Vector, unsettled: Vector,
    a: float, residual: float, most: int,
) -> tuple[int, float]:  # fmt: skip
    """Sweep until the L1 residual of flow / Σ flow is at most ``residual``; passes and the residual reached."""
    n, wait, left, steps = len(flow), 0.0, np.inf, 0
    while steps < most:
        for u in range(n):
            amount = unsettled[u]
            if abs(amount) > wait:
                flow[u] += amount
                unsettled[u] = 0.0
                amount *= 1.0 - a
                for k in range(offsets[u], offsets[u + 1]):
                    unsettled[peers[k]] += shares[k] * amount
        steps += 1
        # flow·t has Σ unsettled = 0 for t = a / (a − Σ unsettled): all that flows in ends somewhere
        factor = a / (a - unsettled.sum())
        total, size = 0.0, 0.0
        for u in range(n):
            flow[u] *= factor
            unsettled[u] = factor * unsettled[u] + (1.0 - factor) * a * trusted[u]
            total += flow[u]
            size += abs(unsettled[u])
        wait, left = LOW * size / n, size / total
        if left <= residual:
            break
    return steps, left


def pushes(
    starts: Offsets, ends: Offsets, peers: Indices, shares: Vector, flow: Vector, unsettled: Vector,
    listed: Indices, seen: NDArray[np.uint8], seeds: Indices,
    a: float, goal: float, most: int, size: float, whole: float, total: float,
) -> Pushed:  # fmt: skip
    """As ``Plain.push``, peer by peer, the highest quarter first."""
    size0, whole0, total0, count, work = size, whole, total, 0, 0
    for v in seeds:
        if not seen[v]:
            seen[v] = 1
            listed[count] = v
            count += 1
    while (size + abs(whole)) / total > goal and work < most:
        highest = 0.0
        for i in range(count):
            highest = max(highest, abs(unsettled[listed[i]]))
        if highest == 0.0:
            break
        i = 0
        while i < count and (size + abs(whole)) / total > goal and work < most:
            u = listed[i]
            i += 1
            amount = unsettled[u]
            if abs(amount) <= highest * HIGH:
                continue
            flow[u] += amount
            unsettled[u] = 0.0
            total += amount
            whole -= amount
            size -= abs(amount)
            work += ends[u] - starts[u]
            for k in range(starts[u], ends[u]):
                v = peers[k]
                before = unsettled[v]
                added = shares[k] * amount * (1.0 - a)
                unsettled[v] = before + added
                whole += added
                size += abs(before + added) - abs(before)
                if not seen[v]:
                    seen[v] = 1
                    listed[count] = v
                    count += 1
    for i in range(count):
        seen[listed[i]] = 0
    return size - size0, whole - whole0, total - total0, work


class Fast:
    """``unsettled_of``, ``sweeps`` and ``pushes``, through ``compiler``."""

    name = "numba"

    def __init__(self, compiler: Any) -> None:
        self._unsettled = compiler(unsettled_of)
        self._sweeps = compiler(sweeps)
        self._pushes = compiler(pushes)

    def solve(
        self, local: Any, trusted: Vector, weight: float, residual: float, start: Vector
    ) -> tuple[Vector, int, float]:
        edges = local.indptr.astype(np.uint64), _unsigned(local.indices), np.asarray(local.data, np.float64)
        flow = np.array(start, np.float64)
        unsettled = self._unsettled(*edges, trusted, flow, weight)
        steps, left = self._sweeps(*edges, trusted, flow, unsettled, weight, residual, MAX_STEPS)
        if not left <= residual:
            raise unreached(residual)
        return flow / flow.sum(), steps, float(left)

    def push(self, rows: Rows, flow: Vector, unsettled: Vector, seeds: Indices, rules: Rules) -> Pushed:
        size, whole, grown, work = self._pushes(
            rows.starts, rows.ends, rows.peers, rows.shares, flow, unsettled,
            rules.listed, rules.seen, _unsigned(seeds),
            rules.weight, rules.goal, rules.most, rules.size, rules.whole, rules.total,
        )  # fmt: skip
        return float(size), float(whole), float(grown), int(work)


def compiled() -> Kernel | None:
    """These loops compiled by numba, when first called; kept on disk where numba finds a place for it."""
    try:
        from numba import njit
    except ImportError:
        return None
    try:
        return Fast(njit(cache=True))
    except RuntimeError:  # nowhere to keep what is compiled: compile again in every process
        return Fast(njit)


def _unsigned(indices: Any) -> Indices:
    """Without the sign, numba need not look whether an index counts from the end."""
    unsigned: Indices = indices.view(np.uint32) if indices.dtype == np.int32 else indices.astype(np.uint32)
    return unsigned
