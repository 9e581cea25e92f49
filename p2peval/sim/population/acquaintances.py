"""Whom every asker has met, and how that went: one table for all of them.

Asker i's places are i·K … i·K + K − 1 of each column, filled from the left. A place holds a peer by its number and by
its *life*: who is caught goes on, if at all, in the next life, and what is remembered of an earlier one is void. So a
proof costs nothing to spread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.defaults import ALPHA_CAP
from p2peval.trust.testimony import Vector

Places = NDArray[np.int64]
Peers = NDArray[np.int32]
Lives = NDArray[np.int16]
Mask = NDArray[np.bool_]
Counts = NDArray[np.float32]

LONGEST = np.iinfo(np.int16).max  # results of one peer to one asker that are counted


class Acquaintances:
    """``good``, ``bad``: faded counts. ``served``: results that this peer has given this asker, and ``streak``, k."""

    __slots__ = ("_columns", "bad", "filled", "good", "life", "peer", "served", "streak", "width")

    def __init__(self, askers: int, width: int) -> None:
        size = askers * width
        self.width = width
        self.filled = np.zeros(askers, np.int32)
        self.peer: Peers = np.full(size, -1, np.int32)
        self.life: Lives = np.zeros(size, np.int16)
        self.good: Counts = np.zeros(size, np.float32)
        self.bad: Counts = np.zeros(size, np.float32)
        self.served = np.zeros(size, np.int16)
        self.streak = np.zeros(size, np.int16)
        self._columns: tuple[NDArray[Any], ...] = (
            self.peer, self.life, self.good, self.bad, self.served, self.streak,
        )  # fmt: skip

    def row(self, askers: Places, columns: Places) -> Places:
        """Places in ``columns`` of ``askers``: their product, len(askers) × len(columns) or as they broadcast."""
        return askers[:, None] * self.width + columns

    def holds(self, places: Places, lives: Lives) -> Mask:
        """Whether a peer is remembered there that still has the same life."""
        peer = self.peer[places]
        return np.asarray((peer >= 0) & (lives[peer] == self.life[places]))

    def add(self, askers: Places, peers: Peers, lives: Lives) -> Places:
        """Places for peers that their askers have not met, one each; of a full row, who did worst is forgotten."""
        column = self.filled[askers].astype(np.int64)
        full = column >= self.width
        if full.any():
            column[full] = self._worst(askers[full], lives)
        self.filled[askers[~full]] += 1
        places = askers * self.width + column
        self.peer[places], self.life[places] = peers, lives[peers]
        for counts in (self.good, self.bad, self.served, self.streak):
            counts[places] = 0
        return places

    def _worst(self, askers: Places, lives: Lives) -> Places:
        """The column of who is void, or else of who did worst: more bad than good, or least known."""
        places = self.row(askers, np.arange(self.width))
        worth = np.where(self.holds(places, lives), self.good[places] - self.bad[places], -np.inf)
        return np.asarray(worth.argmin(1))

    def held(self, places: Places) -> None:
        """Results were accepted after their audits, one at each place."""
        self.good[places] = np.minimum(self.good[places] + 1.0, ALPHA_CAP)
        self.streak[places] = np.minimum(self.streak[places], LONGEST - 1) + 1

    def withheld(self, places: Places, cost: float) -> None:
        """A commitment was not revealed: the streak is over."""
        self.bad[places] += np.float32(cost)
        self.streak[places] = 0

    def drop(self, places: Places) -> None:
        """Whoever is at these places, one of an asker at most, is forgotten; the last of its row takes its place."""
        askers = places // self.width
        last = askers * self.width + self.filled[askers] - 1
        for counts in self._columns:
            counts[places] = counts[last]
        self.peer[last] = -1
        self.filled[askers] -= 1

    def end_epoch(self, good: float, bad: float, lives: Lives) -> None:
        """Counts fade by these factors; what is void is forgotten."""
        self.good *= np.float32(good)
        self.bad *= np.float32(bad)
        void = np.flatnonzero((self.peer >= 0) & (lives[self.peer] != self.life))
        if len(void):
            self.peer[void] = -1
            self._close_up(np.unique(void // self.width))

    def _close_up(self, askers: Places) -> None:
        """Rows filled from the left again, in the same order."""
        places = self.row(askers, np.arange(self.width))
        order = np.argsort(self.peer[places] < 0, axis=1, kind="stable")
        moved = np.take_along_axis(places, order, 1)
        for counts in self._columns:
            counts[places] = counts[moved]
        self.filled[askers] = (self.peer[places] >= 0).sum(1)

    def told(self, askers: slice) -> tuple[Places, Peers, Vector, Vector]:
        """What a run of askers remembers: how many each, then peers, good and bad counts, row after row."""
        places = slice(askers.start * self.width, askers.stop * self.width)
        used = self.peer[places] >= 0
        good, bad = (counts[places][used].astype(np.float64) for counts in (self.good, self.bad))
        return self.filled[askers].astype(np.int64), self.peer[places][used], good, bad
