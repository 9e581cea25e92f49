"""Crasher: commits, and is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, Send
from p2peval.core.messages import Commitment
from p2peval.core.types import Seconds
from p2peval.sim.adversary import Adversary, Effects


@dataclass
class Crasher(Adversary):
    """Goes down the moment its commitment has left, for ``away_s`` seconds: nobody can say that it withheld anything.

    After the cheapest way to hold up a task: a machine that is off looks like one that is unlucky (availability is kept
    apart from honesty, trust.md §2).
    """

    knows: ClassVar[str] = "when it has committed"
    costs: ClassVar[str] = "an evaluation a task; its name for being there"
    away_s: Seconds = field(default=120.0, metadata={"above": 0.0})

    def act(self, effect: Effect) -> Effects:
        yield effect
        if isinstance(effect, Send) and isinstance(self.grip.open(effect.envelope).payload, Commitment):
            self.grip.later(0.0, self.grip.world.down, self.grip.host)
            self.grip.later(self.away_s, self._back, self.grip.world.neighbours(self.grip.host.number))

    def _back(self, neighbours: list[int]) -> None:
        world, host = self.grip.world, self.grip.host
        if not host.up:
            world.up(host)
            for other in neighbours:
                world.connect(host.number, other)
