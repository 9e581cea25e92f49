"""The part that most attacks share: to answer some tasks with a lie instead of the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

from p2peval.core.effects import Effect, Prove
from p2peval.core.events import EvaluationFinished, Event
from p2peval.defaults import DELTA
from p2peval.sim.adversary import Adversary, Effects, Events
from p2peval.sim.checked import SHARE


@dataclass
class Liar(Adversary):
    """Alters the outputs of the evaluations for which ``lies`` says so; all of one ring alter them alike.

    ``altered``: share of a lie's samples that are false. At the default δ a lie is just large enough to be one, and
    hardest to find. Nobody proves a friend's lie.
    """

    altered: float = field(default=DELTA, metadata=SHARE)

    def hear(self, event: Event) -> Events:
        if isinstance(event, EvaluationFinished) and self.grip.serves(event.task) and self.lies(event):
            event = self.grip.lie(event, self.altered, self.grip.ring.name)
        yield from super().hear(event)

    def act(self, effect: Effect) -> Effects:
        if not (isinstance(effect, Prove) and effect.evaluator in self.grip.friends):
            yield from super().act(effect)

    def lies(self, event: EvaluationFinished) -> bool:
        """Whether this answer shall be a lie: asked once for each evaluation of somebody's task."""
        return True
