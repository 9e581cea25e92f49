"""Naive Sybils: many names of one actor who runs nothing and makes up every answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from p2peval.core.effects import Effect, RunEvaluation
from p2peval.sim.adversary import Adversary, Effects


@dataclass
class Sybils(Adversary):
    """Answers at once, with outputs that are all false, each name with its own: they offer for whatever is announced.

    After nothing but tasks: whoever checks nothing believes them, and where anybody is asked alike, so are they
    (Douceur 2002; Kamvar 2003, threat model A: malicious peers that act alone).
    """

    knows: ClassVar[str] = "nothing but its own tasks"
    costs: ClassVar[str] = "an identity; no evaluation is ever run"

    def act(self, effect: Effect) -> Effects:
        if isinstance(effect, RunEvaluation) and self.grip.serves(effect.task):
            self.grip.inject(self.grip.make_up(effect, self.grip.me))
        else:
            yield effect
