"""Virtual time: callbacks in a heap, run in order of their time and, where times tie, of their arrival.

Nothing here sleeps. Ties are where order bugs hide, so a callback never runs by the whim of a hash or an address: two
runs that ask for the same things at the same times do the same in the same order.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from math import inf

from p2peval.core.types import Seconds


class Heap:
    """``now``: seconds, from ``start`` on. ``events``: callbacks run so far."""

    __slots__ = ("_heap", "_ticket", "events", "now")

    def __init__(self, start: Seconds = 0.0) -> None:
        self.now = start
        self.events = 0
        self._heap: list[tuple[Seconds, int, Callable[..., None], tuple[object, ...]]] = []
        self._ticket = 0

    def __len__(self) -> int:
        """How many callbacks wait."""
        return len(self._heap)

    def later(self, delay: Seconds, what: Callable[..., None], *args: object) -> None:
        """Call ``what(*args)`` in ``delay`` seconds, or as soon as what is due has been done."""
        self._ticket += 1
        heapq.heappush(self._heap, (self.now + max(0.0, delay), self._ticket, what, args))

    def run(self, until: Seconds, most: float = inf) -> None:
        """All that is due by the time ``until``, which becomes the time; or the first ``most`` callbacks of it."""
        heap, last = self._heap, self.events + most
        while heap and heap[0][0] <= until:
            if self.events >= last:
                return
            self.now, _, what, args = heapq.heappop(heap)
            self.events += 1
            what(*args)
        self.now = max(self.now, until)

    def run_while(self, holds: Callable[[], bool], until: Seconds) -> bool:
        """Until ``holds`` does not hold any more: True; or nothing more is due by ``until``: False."""
        while holds():
            if not self._heap or self._heap[0][0] > until:
                self.now = max(self.now, until)
                return False
            self.now, _, what, args = heapq.heappop(self._heap)
            self.events += 1
            what(*args)
        return True
