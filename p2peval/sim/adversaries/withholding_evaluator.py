"""Withholding evaluator: commits to a lie, and does not reveal it where it would be found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, Publish, Send
from p2peval.core.events import EvaluationFinished, Event, MessageReceived
from p2peval.core.messages import CommitmentSet, Reveal
from p2peval.core.types import ObjectId, TaskId
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversary import Effects, Events


@dataclass
class WithholdingEvaluator(Liar):
    """Always lies, and reveals a lie only where it smells no check: where all commitments to a task are its ring's.

    So no lie is ever outvoted, and each that it hides costs its task a window of time. An audit gives no smell: what is
    audited is drawn once the outputs are out of its hands. Who fears audits hides its lies ``always``: then none is
    ever told, and what it does is to waste tasks. ``lying`` False leaves it to another adversary beside it which
    answers are lies. After rules for which silence is no offence (trust.md §4: if refusing kept k, a refuser reached
    82 % wrong accepts; §5, "refusing").
    """

    knows: ClassVar[str] = "which commitments are its ring's"
    costs: ClassVar[str] = "an evaluation a task, most of them for nothing"
    always: bool = False
    lying: bool = True
    _said: dict[TaskId, set[ObjectId]] = field(default_factory=dict, init=False)

    def hear(self, event: Event) -> Events:
        if isinstance(event, MessageReceived):
            said = event.sealed.payload
            if isinstance(said, CommitmentSet):  # those of earlier rounds too: they are gossiped to all members
                self._said.setdefault(said.task, set()).update(said.commitments)
        yield from super().hear(event)

    def act(self, effect: Effect) -> Effects:
        if not (isinstance(effect, Send | Publish) and self._hides(effect)):
            yield from super().act(effect)

    def lies(self, event: EvaluationFinished) -> bool:
        return self.lying

    def _hides(self, effect: Send | Publish) -> bool:
        said = self.grip.open(effect.envelope).payload
        if not isinstance(said, Reveal) or said.author != self.grip.me or not self.grip.lied(said.task):
            return False
        hosts = [self.grip.world.hosts[number] for number in self.grip.ring.numbers]
        duties = [duty for host in hosts if (duty := host.node.state.duties.get(said.task)) is not None]
        return self.always or not self._said.get(said.task, set()) <= {duty.commitment_id for duty in duties}
