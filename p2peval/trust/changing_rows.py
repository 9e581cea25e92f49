"""Local trust whose rows can change one at a time, without touching the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.trust.testimony import Vector

Indices = NDArray[np.uint32]
Offsets = NDArray[np.int64]


class Rows:
    """Rows of C that can be replaced one by one: ``peers`` and ``shares`` from ``starts`` to ``ends`` of each row.

    A longer row moves to the end; room doubles when it runs out, so a replacement costs no more than its length,
    but for that.
    """

    __slots__ = ("ends", "peers", "room", "shares", "starts", "used")

    def __init__(self, local: Any) -> None:
        self.starts: Offsets = local.indptr[:-1].astype(np.int64)
        self.ends: Offsets = local.indptr[1:].astype(np.int64)
        self.room: Offsets = self.ends - self.starts
        self.used = int(local.indptr[-1])
        spare = self.used // 8 + 64
        self.peers: Indices = np.concatenate([local.indices.astype(np.uint32), np.zeros(spare, np.uint32)])
        self.shares: Vector = np.concatenate([np.asarray(local.data, float), np.zeros(spare)])

    def of(self, rater: int) -> tuple[Indices, Vector]:
        part = slice(int(self.starts[rater]), int(self.ends[rater]))
        return self.peers[part], self.shares[part]

    def replace(self, rater: int, peers: Indices, shares: Vector) -> None:
        if len(peers) > self.room[rater]:
            if self.used + len(peers) > len(self.peers):
                more = len(self.peers) + len(peers)
                self.peers = np.concatenate([self.peers, np.zeros(more, np.uint32)])
                self.shares = np.concatenate([self.shares, np.zeros(more)])
            self.starts[rater], self.room[rater] = self.used, len(peers)
            self.used += len(peers)
        start = int(self.starts[rater])
        self.ends[rater] = start + len(peers)
        self.peers[start : start + len(peers)] = peers
        self.shares[start : start + len(peers)] = shares

    def joined(self, raters: NDArray[np.integer[Any]]) -> tuple[Indices, Vector, NDArray[np.int64]]:
        """Peers and shares of these rows, one after the other, and each row's length."""
        lengths = self.ends[raters] - self.starts[raters]
        first = np.repeat(self.starts[raters] - np.cumsum(lengths) + lengths, lengths)
        places = first + np.arange(int(lengths.sum()))
        return self.peers[places], self.shares[places], lengths

    def array(self) -> Any:
        """All rows as one scipy CSR array; costs as much as there are edges."""
        from scipy import sparse

        size = len(self.starts)
        peers, shares, lengths = self.joined(np.arange(size))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return sparse.csr_array((shares, peers.astype(np.int32), offsets), shape=(size, size))
