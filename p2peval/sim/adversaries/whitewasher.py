"""Whitewasher: whoever has lost its name takes another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, Notify
from p2peval.core.events import EvaluationFinished
from p2peval.core.types import Seconds
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversary import Effects
from p2peval.sim.checked import COUNT


@dataclass
class Whitewasher(Liar):
    """Lies after ``first_honest`` right answers, and comes back under a new key as soon as it stands accused.

    It also does where nobody has given it a task for ``patience_s``: then its name is worth nothing, or worse. After
    rules that give newcomers more than they take from the convicted (Friedman & Resnick 2001; trust.md §5).
    """

    knows: ClassVar[str] = "its own tasks, and proofs against itself, which are public"
    costs: ClassVar[str] = "an identity a lie that was found; honest work before each"
    first_honest: int = field(default=0, metadata=COUNT)
    patience_s: Seconds = field(default=3600.0, metadata={"above": 0.0})
    _served: int = field(default=0, init=False)
    _lives: int = field(default=0, init=False)
    _asked: Seconds = field(default=0.0, init=False)

    def begin(self) -> None:
        self._wait()

    def lies(self, event: EvaluationFinished) -> bool:
        self._served += 1
        return self._served > self.first_honest

    def act(self, effect: Effect) -> Effects:
        if isinstance(effect, Notify):
            if effect.kind == "fraud.accused":
                self.grip.later(0.0, self._leave, self._lives)
            elif effect.kind == "duty.assigned":
                self._asked = self.grip.now
        yield from super().act(effect)

    def _leave(self, life: int) -> None:
        """The name of that life; a second proof against it changes nothing."""
        if life == self._lives:
            self._lives, self._served = self._lives + 1, 0
            self.grip.become_new()
            self._wait()

    def _wait(self) -> None:
        self._asked = self.grip.now
        self.grip.later(self.patience_s, self._look, self._lives)

    def _look(self, life: int) -> None:
        if life != self._lives:
            return
        idle = self.grip.now - self._asked
        if idle >= self.patience_s:
            self._leave(life)
        else:
            self.grip.later(self.patience_s - idle, self._look, life)
