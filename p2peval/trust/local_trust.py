"""Local trust: how much of its trust a rater gives to each peer, from the outcomes that it has seen (trust.md §2).

w = max(q − ½, 0), q the lower quantile of Beta(1 + good, 1 + bad); c_ij = w_ij / max(Σ_j w_ij, w₀). A row need not sum
to 1: what a thin opinion leaves over is slack, which goes back to where walks of trust begin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from p2peval.defaults import LOWER_QUANTILE, ROW_SLACK
from p2peval.trust.testimony import Vector


def weights(good: Vector, bad: Vector) -> Vector:
    """w of each pair of counts ≥ 0: from 0 to ½. Equal to ``Evidence.weight``."""
    from scipy.special import betaincinv

    quantile: Vector = betaincinv(1.0 + good, 1.0 + bad, LOWER_QUANTILE)
    return np.maximum(quantile - 0.5, 0.0)


def local_trust(good: Any, bad: Any) -> Any:
    """C, n × n CSR float64 with rows that sum to at most 1 and an empty diagonal, from counts of the same shape."""
    from scipy.sparse import coo_array

    said = (good + bad).tocoo()
    rater, peer = said.coords
    others = rater != peer
    rater, peer = rater[others], peer[others]
    agreed = np.asarray(good.tocsr()[rater, peer]).ravel()
    differed = np.asarray(bad.tocsr()[rater, peer]).ravel()
    weight = weights(agreed, differed)
    positive = weight > 0.0
    rater, peer, weight = rater[positive], peer[positive], weight[positive]
    row = np.bincount(rater, weight, good.shape[0])
    share = weight / np.maximum(row, ROW_SLACK)[rater]
    return coo_array((share, (rater, peer)), shape=good.shape).tocsr()
