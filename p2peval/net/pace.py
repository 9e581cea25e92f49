"""What both networks do with gossip: pace what we say, and ask a handler about what we hear."""

from __future__ import annotations

import logging
from collections import Counter

import trio

from p2peval.core.types import PeerId
from p2peval.net.network import GossipHandler

log = logging.getLogger(__name__)


class Pace:
    """A token bucket: ``rate`` per second, ``burst`` at once. Waiting callers are served in order."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = trio.current_time()
        self._turn = trio.Lock()

    async def turn(self) -> None:
        """Wait until one more is allowed."""
        async with self._turn:
            self._fill()
            if self._tokens < 1:
                await trio.sleep((1 - self._tokens) / self._rate)
                self._fill()
            self._tokens -= 1

    def _fill(self) -> None:
        now = trio.current_time()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now


def judged(handler: GossipHandler, forwarder: PeerId, data: bytes, counters: Counter[str]) -> bool:
    """The handler's verdict, counted. A handler that raises is our own bug, and costs the forwarder nothing."""
    try:
        verdict = handler(forwarder, data)
    except Exception:
        counters["gossip.bug"] += 1
        log.exception("gossip handler failed")
        return True
    counters["gossip.accepted" if verdict else "gossip.rejected"] += 1
    return verdict
