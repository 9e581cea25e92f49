"""Camouflage: right often enough to be asked again, wrong where it may; the ring praises itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.events import EvaluationFinished
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversaries.rater import Rater
from p2peval.sim.checked import SHARE


@dataclass
class Camouflage(Liar, Rater):
    """Answers a share ``honest`` of its tasks rightly, drawn anew for each; lies else, and praises its ring.

    After trust that good work earns, to spend it on the ring: under EigenTrust a little honesty draws trust into the
    whole of it (Kamvar 2003, threat model C, with f = ``honest``).
    """

    knows: ClassVar[str] = "who belongs to its ring"
    costs: ClassVar[str] = "honest work in the share of tasks in which it is right; a statement an epoch"
    honest: float = field(default=0.5, metadata=SHARE)

    def lies(self, event: EvaluationFinished) -> bool:
        return self.grip.rng.random() >= self.honest
