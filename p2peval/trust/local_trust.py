"""From counts to local trust: who may hand on how much of the trust that reaches him (trust.md §2).

A row says how a rater spreads trust over others. It sums to 1 where his evidence is thick, to less where it is thin:
what is missing is slack, and flows back to the pre-trusted peers (``eigentrust``), so that one thin opinion cannot
carry a whole row. Nobody hands trust to himself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.defaults import LOWER_QUANTILE, ROW_SLACK
from p2peval.trust.testimony import Vector


def weights(good: Vector, bad: Vector) -> Vector:
    """w = max(q − ½, 0), 0 to ½, q the lower quantile of Beta(1+good, 1+bad): ``Evidence.weight`` for whole arrays.

    Raises ValueError for counts that are negative or not finite.
    """
    from scipy.special import betaincinv

    good, bad = np.asarray(good, float), np.asarray(bad, float)
    if not (np.isfinite(good).all() and np.isfinite(bad).all() and (good >= 0).all() and (bad >= 0).all()):
        raise ValueError("counts of agreement and disagreement must be finite and not negative")
    quantile = np.zeros(good.shape)
    some = good > bad  # else the median is at most ½, and the lower quantile below it
    quantile[some] = betaincinv(1.0 + good[some], 1.0 + bad[some], LOWER_QUANTILE)
    return np.maximum(quantile - 0.5, 0.0)


def row(rater: int, peers: NDArray[np.int32], good: Vector, bad: Vector) -> tuple[NDArray[np.int32], Vector]:
    """One rater's row, as peers in rising order and c_ij > 0: what ``local_trust`` makes of the same counts."""
    weight = np.where(np.asarray(peers) == rater, 0.0, weights(good, bad))
    kept = np.flatnonzero(weight)
    kept = kept[np.argsort(np.asarray(peers)[kept])]
    chosen = weight[kept]
    return np.asarray(peers)[kept].astype(np.int32), chosen / max(float(chosen.sum()), ROW_SLACK)


def local_trust(good: Any, bad: Any) -> Any:
    """C, n × n scipy CSR: c_ij = w_ij / max(Σ_j w_ij, w₀), 0 on the diagonal, row sums at most 1.

    ``good``, ``bad``: scipy CSR arrays as in ``Testimony``; without agreement there is no weight, so only the places
    that ``good`` stores are looked at.
    """
    from scipy import sparse

    if good.shape != bad.shape or good.shape[0] != good.shape[1]:
        raise ValueError(f"counts must be two square arrays of one size, not {good.shape} and {bad.shape}")
    size = good.shape[0]
    rows, columns, agreed = _places(good)
    weight = weights(agreed, _at(bad, rows * size + columns))
    weight[rows == columns] = 0.0
    kept = weight > 0
    rows, columns, weight = rows[kept], columns[kept], weight[kept]
    total = np.maximum(np.bincount(rows, weight, minlength=size), ROW_SLACK)
    starts = np.searchsorted(rows, np.arange(size + 1)).astype(np.int32)
    return sparse.csr_array((weight / total[rows], columns.astype(np.int32), starts), shape=good.shape)


def slack(local: Any) -> Vector:
    """What each of the n rows leaves to the pre-trusted peers, 0 to 1."""
    return np.maximum(1.0 - np.asarray(local.sum(axis=1), float), 0.0)


def _places(counts: Any) -> tuple[NDArray[np.int64], NDArray[np.int64], Vector]:
    """Rows, columns and values that are stored, each place once, in order."""
    whole = counts.tocsr(copy=True)
    whole.sum_duplicates()
    rows = np.repeat(np.arange(whole.shape[0]), np.diff(whole.indptr))
    return rows, whole.indices.astype(np.int64), np.asarray(whole.data, float)


def _at(counts: Any, keys: NDArray[np.int64]) -> Vector:
    """Values at places ``row · n + column``, 0 where nothing is stored."""
    rows, columns, values = _places(counts)
    stored = rows * counts.shape[0] + columns
    if not len(stored):
        return np.zeros(len(keys))
    near = np.minimum(np.searchsorted(stored, keys), len(stored) - 1)
    return np.where(stored[near] == keys, values[near], 0.0)
