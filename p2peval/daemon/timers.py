"""Deadlines of the node, kept in memory: each is a column of some row, and ``resume`` sets them anew."""

from __future__ import annotations

import heapq

import trio

from p2peval.core.effects import SetTimer
from p2peval.core.events import TimerExpired
from p2peval.daemon.clock import Clock
from p2peval.daemon.inbox import Inbox


class Timers:
    """One timer per key; setting a key again replaces it."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock
        self._heap: list[tuple[float, str, int]] = []
        self._current: dict[str, tuple[float, int]] = {}
        self._changed = trio.Event()

    def set(self, timer: SetTimer) -> None:
        self._current[timer.key] = (timer.at, timer.generation)
        heapq.heappush(self._heap, (timer.at, timer.key, timer.generation))
        self._changed.set()

    def clear(self) -> None:
        self._heap.clear()
        self._current.clear()

    async def run(self) -> None:
        while True:
            self._changed = trio.Event()
            wait = self._heap[0][0] - self._clock() if self._heap else float("inf")
            with trio.move_on_after(max(0.0, min(wait, 3600.0))):
                await self._changed.wait()
            self._expire()

    def _expire(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            at, key, generation = heapq.heappop(self._heap)
            if self._current.get(key) == (at, generation):
                del self._current[key]
                self._inbox.own(TimerExpired(key, generation))
