"""Partitioner: lies while the network is in two, where half of those who could tell others cannot be heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from p2peval.core.events import EvaluationFinished
from p2peval.sim.adversaries.liar import Liar


@dataclass
class Partitioner(Liar):
    """Honest as long as everybody hears everybody; always lies while a cut of the scenario's stands.

    After proofs that do not get through: each side must catch it alone (Gilbert & Lynch 2002: consistency is what a
    partition costs). Without ``[[network.partitions]]`` it never lies.
    """

    knows: ClassVar[str] = "when the network is cut"
    costs: ClassVar[str] = "an evaluation a task; the cut itself, which the scenario has"

    def lies(self, event: EvaluationFinished) -> bool:
        now = self.grip.now
        return any(cut.start <= now < cut.start + cut.seconds for cut in self.grip.world.links.cuts)
