"""Whose job is next: W places, and a queue for each who waits, served in turn.

Decides that nobody who sends many jobs makes others wait longer, and that one's own come first. Must not know
what a place is for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

OWN = ""
"""The queue that goes before all others."""

CHECKS = "checks"
"""The queue of what this node checks without having asked for it; it waits in turn with what others ask."""


class Turns:
    """``places``: how many may work at once."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: dict[str, deque[trio.Event]] = {}  # in the order of their turns

    @asynccontextmanager
    async def place(self, queue: str) -> AsyncIterator[None]:
        """Wait for a turn, and keep the place while inside. Whoever gives up leaves no gap."""
        await self._take(queue)
        try:
            yield
        finally:
            self._give()

    async def _take(self, queue: str) -> None:
        if self._free:  # nobody waits then
            await trio.lowlevel.checkpoint_if_cancelled()
            self._free -= 1
            return
        turn = trio.Event()
        self._waiting.setdefault(queue, deque()).append(turn)
        try:
            await turn.wait()
        except trio.Cancelled:
            if turn.is_set():
                self._give()
            else:
                self._forget(queue, turn)
            raise

    def _give(self) -> None:
        """Hand a free place to who is next."""
        if not self._waiting:
            self._free += 1
            return
        queue = OWN if OWN in self._waiting else next(iter(self._waiting))
        line = self._waiting.pop(queue)
        line.popleft().set()
        if line:
            self._waiting[queue] = line  # behind all others

    def _forget(self, queue: str, turn: trio.Event) -> None:
        self._waiting[queue].remove(turn)
        if not self._waiting[queue]:
            del self._waiting[queue]
