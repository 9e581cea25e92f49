"""What a node has to go by when it asks whom to believe: its own evidence and what others state of theirs.

Peers are numbers 0 … n−1 here, in an order that the caller keeps; the lab has no other names for them. Policies that
turn a testimony into opinions stand behind one signature, so that they can be compared fairly (trust.md §5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Testimony:
    """Who says what of whom, at one moment.

    ``good``, ``bad``: scipy CSR arrays, n × n, float64 ≥ 0: row i holds the decayed counts that rater i states of each
    peer; row ``me`` is this node's own evidence, which alone is known to be true. ``roots``: peers that this node's
    operator trusts from the start. ``prior``: p₀, 0 to 1, its own success rate with strangers.
    """

    me: int
    good: Any
    bad: Any
    roots: tuple[int, ...]
    prior: float

    @property
    def size(self) -> int:
        return int(self.good.shape[0])


OpinionRule = Callable[[Testimony], Vector]
"""Testimony -> n opinions: the higher, the better this peer is to ask. Only their order means the same to all rules."""
