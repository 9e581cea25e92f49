"""Others' word as flat arrays: one entry for each rater and peer, which all of pooling is arithmetic on.

What a rater says of itself, and what this node says, are no claims: the first is worth nothing, the second is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.trust.testimony import Testimony, Vector

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Claims:
    """m claims: ``rater[i]`` counts ``good[i]`` and ``bad[i]`` outcomes of ``peer[i]``, not both zero.

    ``own_good``, ``own_bad``: this node's own counts of each of the n peers. A rater has one claim on a peer at most.
    """

    rater: Index
    peer: Index
    good: Vector
    bad: Vector
    own_good: Vector
    own_bad: Vector

    @property
    def size(self) -> int:
        """n, the number of peers."""
        return len(self.own_good)

    @property
    def mean(self) -> Vector:
        """Posterior mean of each claim, 0 to 1: that of Beta(1 + good, 1 + bad)."""
        return posterior_mean(self.good, self.bad)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which of the n peers this node has evidence of itself."""
        return np.asarray(self.own_good + self.own_bad > 0)


def posterior_mean(good: Vector, bad: Vector) -> Vector:
    """Mean of Beta(1 + good, 1 + bad), 0 to 1, elementwise: ½ where nothing is known."""
    return np.asarray((1.0 + good) / (2.0 + good + bad))


def totals(place: Index, amount: Vector, size: int) -> Vector:
    """``size`` sums: of the amounts that belong to each place 0 … ``size`` − 1."""
    return np.bincount(place, amount, size).astype(np.float64, copy=False)


def claims(testimony: Testimony) -> Claims:
    """The claims of a testimony, in the order of its rows. One pass over arrays, whatever the number of raters."""
    good, bad = _aligned(testimony.good, testimony.bad)
    rater = np.repeat(np.arange(testimony.size, dtype=np.int64), np.diff(good.indptr))
    peer = good.indices.astype(np.int64, copy=False)
    own = slice(good.indptr[testimony.me], good.indptr[testimony.me + 1])
    others = (rater != peer) & (rater != testimony.me) & (good.data + bad.data > 0)
    return Claims(
        rater=rater[others],
        peer=peer[others],
        good=good.data[others],
        bad=bad.data[others],
        own_good=totals(peer[own], good.data[own], testimony.size),
        own_bad=totals(peer[own], bad.data[own], testimony.size),
    )


def _aligned(good: Any, bad: Any) -> tuple[Any, Any]:
    """Both counts on the same entries, zeros written out. Free where they stand so already, as in statements."""
    if np.array_equal(good.indptr, bad.indptr) and np.array_equal(good.indices, bad.indices):
        return good, bad
    from scipy.sparse import csr_array

    size = good.shape[0]
    keys = [_keys(matrix, size) for matrix in (good, bad)]
    union = np.union1d(*keys)
    indptr = np.searchsorted(union, np.arange(size + 1, dtype=np.int64) * size)
    both = []
    for key, matrix in zip(keys, (good, bad), strict=True):
        data = np.bincount(np.searchsorted(union, key), matrix.data, len(union))
        both.append(csr_array((data, union % size, indptr), shape=good.shape))
    return both[0], both[1]


def _keys(matrix: Any, size: int) -> Index:
    rows = np.repeat(np.arange(size, dtype=np.int64), np.diff(matrix.indptr))
    return np.asarray(rows * size + matrix.indices)
