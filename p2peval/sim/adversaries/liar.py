"""The part that most attacks share: to answer some tasks with a lie instead of the truth."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.events import EvaluationFinished, Event
from p2peval.sim.adversary import Adversary, Events


@dataclass
class Liar(Adversary):
    """Alters the outputs of the evaluations for which ``lies`` says so; all of one ring alter them alike.

    ``altered``: share of a lie's samples that are false; at 0.02, the default δ, a lie is just large enough to count.
    """

    altered: float = 0.02

    def hear(self, event: Event) -> Events:
        if isinstance(event, EvaluationFinished) and self.lies(event):
            event = self.grip.lie(event, self.altered, self.tag(event))
        yield event

    def lies(self, event: EvaluationFinished) -> bool:
        """Whether this answer shall be a lie: asked once for each evaluation."""
        return True

    def tag(self, event: EvaluationFinished) -> str:
        """Who lies under one tag gives the same false answer about a model."""
        return self.grip.ring.name
