"""Targeting: honest to most, who will vouch for it, and never to its victims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from p2peval.core.events import EvaluationFinished
from p2peval.core.types import PeerId
from p2peval.sim.adversaries.liar import Liar


@dataclass
class Targeting(Liar):
    """Lies to a share ``victims`` of those who ask, the smallest ids, of whom there is at least one; to nobody else.

    The ring picks them once, together. After pooled records: what it earns with many it spends on few (trust.md §4:
    with k pooled, a targeted victim was wrong in 1 to 3 % of its results).
    """

    knows: ClassVar[str] = "who asks for evaluations, from public profiles"
    costs: ClassVar[str] = "an evaluation a task; honest work for all who are no victims"
    victims: float = 0.5

    def lies(self, event: EvaluationFinished) -> bool:
        chosen: tuple[PeerId, ...] = self.grip.ring.memory.setdefault("victims", self._choose())
        return self.grip.requester_of(event.task) in chosen

    def _choose(self) -> tuple[PeerId, ...]:
        friends = self.grip.friends
        rows = [row for row in self.grip.node.state.peers if row.peer not in friends]
        asking = sorted(row.peer for row in rows if any(held.requests for held in row.memberships))
        return tuple(asking[: max(1, int(self.victims * len(asking)))])
