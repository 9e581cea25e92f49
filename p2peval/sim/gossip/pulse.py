"""The heartbeats of all hosts: one event per phase and period, and none for hosts at which nothing can happen."""

from __future__ import annotations

from collections.abc import Callable

from p2peval.core.types import Seconds
from p2peval.sim.gossip.router import Router
from p2peval.sim.heap import Heap

SLOTS = 64
"""Phases of a period. Hosts of one phase share an event."""


class Pulse:
    """``beat(host)`` is called in the host's phase once per ``period`` while it returns True, and after ``wake``."""

    __slots__ = ("_armed", "_beat", "_heap", "_period", "_routers", "_slots")

    def __init__(self, heap: Heap, period: Seconds, routers: list[Router], beat: Callable[[int], bool]) -> None:
        self._heap = heap
        self._period = period
        self._routers = routers
        self._beat = beat
        self._slots: list[dict[int, None]] = [{} for _ in range(SLOTS)]
        self._armed = bytearray(SLOTS)

    def wake(self, host: int) -> None:
        """Something has happened that the host's next heartbeat must look at."""
        router = self._routers[host]
        if router.awake:
            return
        router.awake = True
        slot = router.slot
        self._slots[slot][host] = None
        if not self._armed[slot]:
            self._armed[slot] = 1
            next_beat = (self.beats(router) + 1) * self._period + self._phase(slot)
            self._heap.later(next_beat - self._heap.now, self._fire, slot)

    def beats(self, router: Router) -> int:
        """How many heartbeats the host's phase has seen."""
        return int((self._heap.now - self._phase(router.slot)) // self._period)

    def _phase(self, slot: int) -> Seconds:
        return self._period * slot / SLOTS

    def _fire(self, slot: int) -> None:
        hosts, routers = self._slots[slot], self._routers
        for host in sorted(hosts):
            router = routers[host]
            if not (router.up and self._beat(host)):
                router.awake = False
                del hosts[host]
        if hosts:
            self._heap.later(self._period, self._fire, slot)
        else:
            self._armed[slot] = 0
