"""Withholding requester: lets others work, and never says what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, Publish, Send
from p2peval.core.events import StartTask
from p2peval.core.messages import CommitmentSet, ResultRecord
from p2peval.core.types import Seconds
from p2peval.sim.adversary import Adversary, Effects
from p2peval.sim.stage import made_up


@dataclass
class WithholdingRequester(Adversary):
    """Asks for a task every ``every_s`` seconds, assigns it, and publishes neither its commitments nor its record.

    After evaluators' time: work that ends in no record earns nobody anything, and the price of asking is a message
    (protocol.md, Withholding requester; in a market, a buyer who never pays).
    """

    knows: ClassVar[str] = "nothing"
    costs: ClassVar[str] = "two messages a task; no evaluation and no audit"
    every_s: Seconds = field(default=60.0, metadata={"above": 0.0})
    _asked: int = field(default=0, init=False)

    def begin(self) -> None:
        self.grip.later(self.grip.rng.random() * self.every_s, self._ask)

    def act(self, effect: Effect) -> Effects:
        if not (isinstance(effect, Send | Publish) and self._would_end_it(effect)):
            yield effect

    def _would_end_it(self, effect: Send | Publish) -> bool:
        said = self.grip.open(effect.envelope).payload
        return isinstance(said, CommitmentSet | ResultRecord) and said.author == self.grip.me

    def _ask(self) -> None:
        grip = self.grip
        grip.later(self.every_s, self._ask)
        for row in grip.node.state.benchmarks:
            if row.joined and grip.host.up:
                self._asked += 1
                model = made_up(f"for nothing {grip.me} {self._asked}")
                grip.world.hold(grip.host, model.cid)
                grip.ring.spend("tasks")
                grip.inject(StartTask("", row.id, model, "for nothing", 0, 0, 0))
