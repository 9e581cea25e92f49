"""Bribed seeds: peers that everybody trusts from the start praise a ring of liars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.types import BenchmarkId, PeerId
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversaries.rater import PRAISE, Counts, Rater
from p2peval.sim.checked import COUNT


@dataclass
class Bribed(Rater):
    """A pre-trusted peer that works honestly and praises the liars who paid it, and nobody else."""

    liars: tuple[int, ...] = ()

    def word(self, benchmark: BenchmarkId) -> Mapping[PeerId, Counts]:
        return {self.grip.world.hosts[number].id: PRAISE for number in self.liars}


@dataclass
class BribedSeeds(Liar, Rater):
    """Always lies, and praises its own; ``bribed`` of the pre-trusted peers, a scenario's first hosts, do so likewise.

    After trust that flows from seeds: whoever owns a seed owns what it gives (Kamvar 2003, §4.5; trust.md §5, "1 or 2
    of 3 roots bribed"). The bribed stay honest in all else, and are measured as honest peers.
    """

    knows: ClassVar[str] = "who is pre-trusted"
    costs: ClassVar[str] = "a bribe a seed; an evaluation a task"
    bribed: int = field(default=1, metadata=COUNT)

    def begin(self) -> None:
        ring, world = self.grip.ring, self.grip.world
        if ring.memory.setdefault("paid", False):
            return
        ring.memory["paid"] = True
        ring.spend("bribes", self.bribed)
        for number in range(self.bribed):
            seed = Bribed(liars=ring.numbers)
            seed.seize(self.grip.at(world.hosts[number]))
            world.hosts[number].adversaries += (seed,)
