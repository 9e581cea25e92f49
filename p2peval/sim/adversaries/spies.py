"""Spies: some of a ring never lie, and spend what they earn on praise for those who always do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar

from p2peval.core.events import EvaluationFinished
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversaries.rater import PRAISE, Counts, Rater
from p2peval.sim.checked import SHARE


@dataclass
class Spies(Liar, Rater):
    """The first ⌈``spies`` · ring⌉ hosts answer rightly and praise the liars alone; the others lie and praise all.

    After credibility that is earned by other means than those whom it is spent on: nobody can hold a spy's own work
    against it (Kamvar 2003, threat model D: 15 spies for 40 liars).
    """

    knows: ClassVar[str] = "who belongs to its ring, and who of it lies"
    costs: ClassVar[str] = "spies: honest work always; all: a statement an epoch"
    spies: float = field(default=15 / 55, metadata=SHARE)

    @property
    def is_spy(self) -> bool:
        return self.grip.host.number in self._spies

    @property
    def _spies(self) -> tuple[int, ...]:
        numbers = self.grip.ring.numbers
        return numbers[: ceil(self.spies * len(numbers) - 1e-9)]

    def lies(self, event: EvaluationFinished) -> bool:
        return not self.is_spy

    def word(self, benchmark: BenchmarkId) -> Mapping[PeerId, Counts]:
        liars = {self.grip.world.hosts[number].id for number in self.grip.ring.numbers if number not in self._spies}
        friends = liars if self.is_spy else self.grip.friends
        return {friend: PRAISE for friend in friends if friend != self.grip.me}
