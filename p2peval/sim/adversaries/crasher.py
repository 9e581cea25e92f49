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
    """Goes down the moment a commitment has left, for ``away_s`` seconds; then it shows what it had committed to.

    After the cheapest way to hold up a task: a machine that is off looks like one that is unlucky (availability is kept
    apart from honesty, trust.md §2).
    """

    knows: ClassVar[str] = "when it has committed"
    costs: ClassVar[str] = "an evaluation a task; its name for being there"
    away_s: Seconds = field(default=120.0, metadata={"above": 0.0})
    _left: set[str] = field(default_factory=set, init=False)

    def act(self, effect: Effect) -> Effects:
        yield effect
        if not isinstance(effect, Send) or effect.id in self._left:  # it is sent again when the process comes back
            return
        if isinstance(self.grip.open(effect.envelope).payload, Commitment):
            self._left.add(effect.id)
            self.grip.later(0.0, self._go)

    def _go(self) -> None:
        world, host = self.grip.world, self.grip.host
        if host.up:
            self.grip.later(self.away_s, self._back, world.neighbours(host.number))
            world.down(host)

    def _back(self, neighbours: list[int]) -> None:
        world, host = self.grip.world, self.grip.host
        world.up(host)
        for other in neighbours:
            world.connect(host.number, other)
