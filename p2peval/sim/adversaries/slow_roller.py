"""Slow-roller: does everything it should, as late as it can."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, Send
from p2peval.core.messages import Commitment, Reveal
from p2peval.core.types import Seconds
from p2peval.sim.adversary import Adversary, Effects


@dataclass
class SlowRoller(Adversary):
    """Offers at once, like the fastest; its commitments and reveals leave ``late_s`` seconds after they could have:
    less than the windows are long (defaults: 20 s to reveal), for who is late is not slow, but silent.

    After requesters' patience: nothing that it says is wrong, and every task that it has takes longest (Amir, Coan,
    Kirsch & Lane 2011, "performance attacks"). No rule of the lab, ours included, prefers who is fast.
    """

    knows: ClassVar[str] = "the protocol's windows"
    costs: ClassVar[str] = "an evaluation a task, done honestly"
    late_s: Seconds = field(default=15.0, metadata={"least": 0.0})

    def act(self, effect: Effect) -> Effects:
        if isinstance(effect, Send) and isinstance(self.grip.open(effect.envelope).payload, Commitment | Reveal):
            self.grip.later(self.late_s, self.grip.do, effect)
        else:
            yield effect
