"""Colluders on one wrong answer: several replicas of a task that agree, and are false."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.events import EvaluationFinished, Event, MessageReceived, Sampled
from p2peval.core.messages import Assignment
from p2peval.core.types import TaskId
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversary import Events


@dataclass
class Colluders(Liar):
    """Lies, with one voice, about tasks that ``together`` of its ring have been given; is honest about all others.

    With as many as make a quorum no lie is ever outvoted, and so none is ever seen. Asked as blind auditors, they say
    the same of what one of them lied about. After majorities, of replicas and of auditors (Sarmenta 2002; BOINC).
    """

    knows: ClassVar[str] = "which tasks its ring was given, and about which it lied, without a message"
    costs: ClassVar[str] = "an evaluation a task; honest work where too few of the ring were asked"
    together: int = field(default=2, metadata={"least": 1})

    def hear(self, event: Event) -> Events:
        if isinstance(event, MessageReceived):
            if isinstance(event.sealed.payload, Assignment):
                self._holders(event.sealed.payload.task).add(self.grip.host.number)
        elif isinstance(event, Sampled) and event.effect_id.startswith("inquiry/"):
            asked = self.grip.node.state.inquiries.get(event.effect_id.rsplit("/", 1)[1])
            if asked is not None and asked.task in self._lied_about:
                event = self.grip.vouch(event, self.altered, self.grip.ring.name)
        yield from super().hear(event)

    def lies(self, event: EvaluationFinished) -> bool:
        lying = event.task in self._lied_about or len(self._holders(event.task)) >= self.together
        if lying:
            self._lied_about.add(event.task)
        return lying

    def _holders(self, task: TaskId) -> set[int]:
        held: set[int] = self.grip.ring.memory.setdefault("held", {}).setdefault(task, set())
        return held

    @property
    def _lied_about(self) -> set[TaskId]:
        lied: set[TaskId] = self.grip.ring.memory.setdefault("lied", set())
        return lied
