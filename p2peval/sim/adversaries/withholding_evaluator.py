"""Withholding evaluator: commits to a lie, and does not reveal it where it would be found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, Publish, Send
from p2peval.core.events import EvaluationFinished, Event, MessageReceived
from p2peval.core.messages import CommitmentSet, Reveal
from p2peval.core.types import TaskId
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversary import Effects, Events


@dataclass
class WithholdingEvaluator(Liar):
    """Always lies, and reveals a lie only where it smells no check: where all commitments to a task are its ring's.

    An audit gives no smell: what is audited is drawn once the outputs are out of its hands. Who fears audits hides its
    lies ``always``: then none is ever told, and what it does is to waste tasks. ``lying`` False leaves it to another
    adversary beside it which answers are lies. After rules for which silence is no offence: a quorum asks on until the
    ring has it (trust.md §4: if refusing kept k, a refuser reached 82 % wrong accepts; §5, "refusing").
    """

    knows: ClassVar[str] = "which commitments are its ring's"
    costs: ClassVar[str] = "an evaluation a task, most of them for nothing"
    always: bool = False
    lying: bool = True
    _hidden: set[TaskId] = field(default_factory=set, init=False)

    def hear(self, event: Event) -> Events:
        if isinstance(event, MessageReceived):
            said = event.sealed.payload
            if isinstance(said, CommitmentSet) and self.grip.lied(said.task) and self._smells(said):
                self._hidden.add(said.task)
        yield from super().hear(event)

    def act(self, effect: Effect) -> Effects:
        if not (isinstance(effect, Send | Publish) and self._hidden and self._shows(effect)):
            yield from super().act(effect)

    def lies(self, event: EvaluationFinished) -> bool:
        return self.lying

    def _smells(self, said: CommitmentSet) -> bool:
        hosts = [self.grip.world.hosts[number] for number in self.grip.ring.numbers]
        duties = [duty for host in hosts if (duty := host.node.state.duties.get(said.task)) is not None]
        return self.always or not set(said.commitments) <= {duty.commitment_id for duty in duties}

    def _shows(self, effect: Send | Publish) -> bool:
        said = self.grip.open(effect.envelope).payload
        return isinstance(said, Reveal) and said.author == self.grip.me and said.task in self._hidden
