"""Withholding requester: lets others work, and never says what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, Publish, Send
from p2peval.core.events import StartTask
from p2peval.core.messages import Assignment, CommitmentSet, ResultRecord
from p2peval.core.types import Seconds
from p2peval.sim.adversary import Adversary, Effects
from p2peval.sim.stage import made_up


@dataclass
class WithholdingRequester(Adversary):
    """Asks for a task every ``every_s`` seconds, assigns it, and publishes neither its commitments nor its record.

    After evaluators' time: work that ends in no record earns nobody anything, and the price of an evaluation is an
    assignment (protocol.md, Withholding requester; in a market, a buyer who never pays). Its node asks one member after
    the other, each once: nobody reveals to it, and who has committed waits. Nobody remembers that it ends no task.
    """

    knows: ClassVar[str] = "nothing"
    costs: ClassVar[str] = "an announcement a task and an assignment for each evaluation wasted; it runs nothing for it"
    every_s: Seconds = field(default=60.0, metadata={"above": 0.0})
    _asked: int = field(default=0, init=False)

    def begin(self) -> None:
        self.grip.later(self.grip.rng.random() * self.every_s, self._ask)

    def act(self, effect: Effect) -> Effects:
        if isinstance(effect, Send | Publish):
            said = self.grip.open(effect.envelope).payload
            if isinstance(said, CommitmentSet | ResultRecord) and said.author == self.grip.me:
                if isinstance(effect, Publish):
                    self.grip.node.state.forget(effect.object)  # else who syncs with it would get it
                return
            if isinstance(said, Assignment) and said.author == self.grip.me:
                self.grip.ring.spend("assignments")
        yield effect

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
