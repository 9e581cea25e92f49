"""The bounded queue before the node: own > known > unknown, shedding with a reason (the seam, rule 6).

Own events (answers to effects, timers, commands) are bounded by what we started ourselves and are never
shed. Of what peers send, strangers' is shed first, so that a flood cannot lock known peers out.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from enum import IntEnum

import trio

from p2peval.core.events import Event
from p2peval.defaults import INBOX_KNOWN, INBOX_UNKNOWN


class Rank(IntEnum):
    OWN = 0
    KNOWN = 1
    UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class Incoming:
    """``event`` None carries only the news that the effect ``done`` was performed."""

    event: Event | None
    done: str = ""


class Inbox:
    """Many writers, one reader."""

    def __init__(self) -> None:
        self._queues: dict[Rank, deque[Incoming]] = {rank: deque() for rank in Rank}
        self._limits = {Rank.KNOWN: INBOX_KNOWN, Rank.UNKNOWN: INBOX_UNKNOWN}
        self._ready = trio.Event()
        self.shed: Counter[str] = Counter()

    def put(self, incoming: Incoming, rank: Rank) -> bool:
        """Queue it, or count it as shed and return False."""
        queue = self._queues[rank]
        if rank in self._limits and len(queue) >= self._limits[rank]:
            self.shed[rank.name.lower()] += 1
            return False
        queue.append(incoming)
        self._ready.set()
        return True

    def own(self, event: Event | None, done: str = "") -> None:
        self.put(Incoming(event, done), Rank.OWN)

    async def take(self, most: int) -> list[Incoming]:
        """At least one and up to ``most``, highest rank first."""
        await self._ready.wait()
        taken: list[Incoming] = []
        for queue in self._queues.values():
            while queue and len(taken) < most:
                taken.append(queue.popleft())
        if not any(self._queues.values()):
            self._ready = trio.Event()
        return taken

    def clear(self) -> list[Incoming]:
        """Drop everything, and return it: the state it was meant for has been thrown away."""
        dropped = [incoming for queue in self._queues.values() for incoming in queue]
        for queue in self._queues.values():
            queue.clear()
        self._ready = trio.Event()
        return dropped
