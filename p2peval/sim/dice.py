"""A node's chance in the lab: ``core.ports.Dice`` in eight bytes of state, where Mersenne Twister keeps 2.5 kB.

SplitMix64 (Steele, Lea & Flood 2014): equidistributed over its period of 2**64, and good enough for draws that nobody's
security rests on; what must not be guessed comes from ``Secrets``.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from typing import TypeVar

T = TypeVar("T")

MASK = (1 << 64) - 1


class LabDice:
    __slots__ = ("_state",)

    def __init__(self, seed: str) -> None:
        """``seed``: any text; equal texts, equal draws."""
        self._state = int.from_bytes(blake2b(seed.encode(), digest_size=8).digest(), "big")

    def random(self) -> float:
        """Uniform in [0, 1), 53 bits."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        return ((state ^ (state >> 31)) >> 11) * 2.0**-53

    def choice(self, seq: Sequence[T]) -> T:
        """One of ``seq``. Raises IndexError where it is empty."""
        return seq[int(self.random() * len(seq))]

    def sample(self, population: Sequence[T], k: int) -> list[T]:
        """``k`` distinct places of ``population``, in random order: a sparse Fisher–Yates. ValueError for more."""
        n = len(population)
        if not 0 <= k <= n:
            raise ValueError(f"{k} of {n}")
        moved: dict[int, int] = {}
        chosen = []
        for i in range(k):
            j = i + int(self.random() * (n - i))
            chosen.append(population[moved.get(j, j)])
            moved[j] = moved.get(i, i)
        return chosen

    def expovariate(self, lambd: float) -> float:
        """Exponential of rate ``lambd`` > 0."""
        return -log(1.0 - self.random()) / lambd
