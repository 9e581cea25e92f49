"""On-off: honest for a while, lying for a while, and again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.events import EvaluationFinished
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.checked import COUNT


@dataclass
class OnOff(Liar):
    """``right`` tasks answered rightly, then ``wrong`` lies, and from the beginning again.

    After rules that forgive: what was lost while it lied is earned back while it does not (trust.md §5,
    "on-off 50/10").
    """

    knows: ClassVar[str] = "nothing but its own tasks"
    costs: ClassVar[str] = "an evaluation a task; honest work in between"
    right: int = field(default=50, metadata=COUNT)
    wrong: int = field(default=10, metadata={"least": 1})
    _served: int = field(default=0, init=False)

    def lies(self, event: EvaluationFinished) -> bool:
        served, self._served = self._served, self._served + 1
        return served % (self.right + self.wrong) >= self.right
