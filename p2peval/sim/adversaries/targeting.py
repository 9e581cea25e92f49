"""Targeting: honest to most, who will vouch for it, and never to its victims."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar

from p2peval.core.events import EvaluationFinished
from p2peval.core.types import PeerId
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.checked import SHARE


@dataclass
class Targeting(Liar):
    """Lies to a share ``victims`` of those who ask its ring, and to nobody else: at 0.5 to every second, at 0 to one.

    After pooled records: what it earns with many it spends on few (trust.md §4: with k pooled, a targeted victim was
    wrong in 1 to 3 % of its results).
    """

    knows: ClassVar[str] = "who has asked its ring so far, without a message"
    costs: ClassVar[str] = "an evaluation a task; honest work for all who are no victims"
    victims: float = field(default=0.5, metadata=SHARE)

    def lies(self, event: EvaluationFinished) -> bool:
        asked: dict[PeerId, int] = self.grip.ring.memory.setdefault("asked", {})
        place = asked.setdefault(self.grip.requester_of(event.task), len(asked))
        return place == 0 or ceil((place + 1) * self.victims) > ceil(place * self.victims)
