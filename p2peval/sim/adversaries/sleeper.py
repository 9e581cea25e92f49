"""Sleeper, or traitor: honest for long, and then never again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.events import EvaluationFinished
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.checked import COUNT


@dataclass
class Sleeper(Liar):
    """Answers its first ``wakes_after`` tasks rightly, whoever asked; or until ``wakes_s`` seconds after it began.

    Whichever comes first turns it; 0 s: time never does. After the trust that a long record earns, to spend all of it
    at once (trust.md §5, "sleeper 30 / 300"; traitors that turn together at one time).
    """

    knows: ClassVar[str] = "nothing but its own tasks"
    costs: ClassVar[str] = "an evaluation a task; honest work until it turns"
    wakes_after: int = field(default=30, metadata=COUNT)
    wakes_s: float = field(default=0.0, metadata={"least": 0.0})
    _served: int = field(default=0, init=False)
    _began: float = field(default=0.0, init=False)

    def begin(self) -> None:
        self._began = self.grip.now

    def lies(self, event: EvaluationFinished) -> bool:
        self._served += 1
        turned = self.wakes_s > 0.0 and self.grip.now - self._began >= self.wakes_s
        return turned or self._served > self.wakes_after
