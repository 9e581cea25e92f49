"""What happened in a world, as a digest that two runs can be compared by, and as a log where somebody wants to read it.

The digest covers every event that a node handled: when, which node, what it was and what it led to. One different
decision anywhere changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from p2peval.core.effects import Effect, External, Notify
from p2peval.core.events import Event
from p2peval.core.types import Seconds

Listener = Callable[[Seconds, int, Event, Sequence[Effect]], None]


class Trace:
    """``listener``: is told every event with its effects, if there is one."""

    __slots__ = ("_hash", "events", "listener")

    def __init__(self, listener: Listener | None = None) -> None:
        self._hash = blake2b(digest_size=16)
        self.events = 0
        self.listener = listener

    def handled(self, now: Seconds, host: int, event: Event, effects: Sequence[Effect]) -> None:
        self.events += 1
        led_to = "".join(_word(effect) for effect in effects)
        self._hash.update(f"{now!r} {host} {type(event).__name__} {led_to}\n".encode())
        if self.listener is not None:
            self.listener(now, host, event, effects)

    @property
    def digest(self) -> str:
        """32 hexadecimal digits over all events so far."""
        return self._hash.hexdigest()


def _word(effect: Effect) -> str:
    if isinstance(effect, External):
        return effect.id
    if isinstance(effect, Notify):
        return effect.kind + effect.subject
    return type(effect).__name__
