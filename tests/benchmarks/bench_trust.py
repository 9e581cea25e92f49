"""What reputation of many peers costs, beside scipy's power iteration, igraph and scikit-network, in one run.

Everybody gets the same graph and pre-trusted peers and starts from a CSR array. The yardstick is power iteration in
plain scipy to the same L1 residual, in whichever of scipy's two layouts is quicker here, without the cost of turning
the array. igraph and scikit-network stop by rules of their own.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from report import Row
from scipy import sparse

from p2peval.defaults import PRE_TRUST, RESIDUAL
from p2peval.trust.eigentrust import eigentrust, pre_trusted
from p2peval.trust.kernels import Plain, chosen
from p2peval.trust.repair import Live

SIZES = {"100k": (100_000, 1_000_000), "1m": (1_000_000, 10_000_000)}
RUNS = 5
CHANGES = 200


def run(scratch: Path) -> list[Row]:
    rows = []
    for label, (peers, edges) in SIZES.items():
        local, trusted = graph(peers, edges)
        rows += _whole(label, local, trusted) + _one_row(label, local, trusted)
    return rows


def graph(peers: int, edges: int) -> tuple[Any, Any]:
    """Raters at random, of peers whose popularity is heavy-tailed; one self with five roots."""
    random = np.random.default_rng(7)
    popular = random.pareto(1.5, peers) + 1.0
    raters = random.integers(0, peers, edges)
    rated = random.choice(peers, edges, p=popular / popular.sum())
    others = raters != rated
    places = raters[others].astype(np.int32), rated[others].astype(np.int32)
    local = sparse.csr_array((random.uniform(0.05, 0.45, int(others.sum())), places), shape=(peers, peers))
    local.sum_duplicates()
    local.data /= np.repeat(np.maximum(local.sum(axis=1), 1.0), np.diff(local.indptr))
    return local, pre_trusted(peers, 0, range(1, 6))


def yardstick(onward: Any, trusted: Any) -> tuple[Any, int]:
    """Power iteration as one would write it with scipy; ``onward`` is Cᵀ."""
    mass, steps = trusted, 0
    while True:
        moved = (1.0 - PRE_TRUST) * (onward @ mass)
        moved += (1.0 - moved.sum()) * trusted
        residual, mass, steps = np.abs(moved - mass).sum(), moved, steps + 1
        if residual <= RESIDUAL:
            return mass, steps


def _whole(label: str, local: Any, trusted: Any) -> list[Row]:
    turned = local.T.tocsr()
    ways: dict[str, Callable[[], Any]] = {
        "scipy": lambda: yardstick(local.T, trusted)[1],
        "scipy turned": lambda: yardstick(turned, trusted)[1],
        "numpy": lambda: eigentrust(local, trusted, kernel=Plain()).steps,
        chosen().name: lambda: eigentrust(local, trusted).steps,
        **_others(local, trusted),
    }
    seconds, steps = _medians(ways)
    scipy = min(seconds["scipy"], seconds["scipy turned"])
    beside = f"scipy {scipy * 1e3:.0f} ms, {steps['scipy']} steps; {local.shape[0]} peers, {local.nnz} edges"
    names = {chosen().name: "ratio_to_scipy", "numpy": "ratio_to_scipy.numpy"}
    rows = [
        Row(f"trust.{label}.{name}", seconds[way] / scipy, "x", f"{beside}; {way}, {steps[way]} steps")
        for way, name in names.items()
    ]
    rows += [
        Row(f"trust.{label}.ms.{way}", seconds[way] * 1e3, "ms", "the same graph and run; its own rule to stop")
        for way in ("igraph", "scikit-network")
    ]
    return [*rows, Row(f"trust.{label}.peak_mb", _peak(local, trusted), "MB", _held(local))]


def _others(local: Any, trusted: Any) -> dict[str, Callable[[], Any]]:
    """Their solvers; building their graphs is not counted."""
    import igraph
    from sknetwork.ranking import PageRank

    entries = local.tocoo()
    other = igraph.Graph(local.shape[0], np.column_stack(entries.coords), directed=True)
    other.es["weight"] = entries.data.tolist()
    reset = trusted.tolist()
    old = sparse.csr_matrix((local.data, local.indices, local.indptr), shape=local.shape)
    rank = PageRank(damping_factor=1.0 - PRE_TRUST, solver="piteration", n_iter=100, tol=RESIDUAL)

    def prpack() -> int:
        other.personalized_pagerank(damping=1.0 - PRE_TRUST, reset=reset, weights="weight")
        return 0

    def network() -> int:
        rank.fit_predict(old, weights=trusted)
        return 0

    return {"igraph": prpack, "scikit-network": network}


def _medians(ways: dict[str, Callable[[], Any]]) -> tuple[dict[str, float], dict[str, Any]]:
    """Median seconds of RUNS rounds of A B A B, after one round to compile and to warm the caches; last answers."""
    answers = {name: way() for name, way in ways.items()}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            spent[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in spent.items()}, answers


def _peak(local: Any, trusted: Any) -> float:
    """MB that the computation holds at most, beside what it is given."""
    tracemalloc.start()
    eigentrust(local, trusted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def _held(local: Any) -> str:
    given = local.data.nbytes + local.indices.nbytes + local.indptr.nbytes
    return f"beside the graph itself, {given / 1e6:.0f} MB; arrays only"


def _one_row(label: str, local: Any, trusted: Any) -> list[Row]:
    """One more agreement about one peer, at raters drawn at random."""
    live, random = Live(local, trusted), np.random.default_rng(11)
    spent, walked = [], []
    first = live.sweeps
    for rater in random.choice(local.shape[0], CHANGES + 1, replace=False):
        peers, shares = live.row(rater)
        if not len(peers):
            continue
        more = shares.copy()
        more[random.integers(len(more))] *= 1.2
        more /= max(more.sum(), 1.0)
        start = time.perf_counter()
        walked.append(live.replace(rater, peers, more))
        spent.append(time.perf_counter() - start)
    times = np.array(spent[1:]) * 1e3
    told = (
        f"{len(times)} rows, one share a fifth larger; mean {times.mean():.3g}, p99 {np.quantile(times, 0.99):.3g} ms; "
        f"{live.sweeps - first} sweeps; {np.mean(walked):.0f} edges each; L1 error ≤ {live.error:.1g}"
    )
    return [Row(f"trust.row_update_ms.{label}", float(np.median(times)), "ms", told)]
