"""The event feed: what the node noticed, numbered, for ``p2peval events`` and for progress lines.

Kept in memory, the last FEED_KEPT of them; a gap in the ids means that events were lost.
"""

from __future__ import annotations

from collections import deque

import trio

from p2peval.core.effects import Notify
from p2peval.core.types import Seconds
from p2peval.daemon.views import EventView
from p2peval.defaults import FEED_BEHIND, FEED_KEPT


class Feed:
    def __init__(self) -> None:
        self._kept: deque[EventView] = deque(maxlen=FEED_KEPT)
        self._subscribers: set[trio.MemorySendChannel[EventView]] = set()
        self._last = 0

    def add(self, notice: Notify, now: Seconds) -> None:
        self._last += 1
        event = EventView(id=self._last, time=now, kind=notice.kind, subject=notice.subject, data=dict(notice.data))
        self._kept.append(event)
        for channel in tuple(self._subscribers):
            try:
                channel.send_nowait(event)
            except (trio.WouldBlock, trio.BrokenResourceError):
                self._subscribers.discard(channel)
                channel.close()

    def follow(self, after: int | None) -> trio.MemoryReceiveChannel[EventView]:
        """Kept events with an id above ``after`` (None: none of them), then new ones as they come.

        A reader that falls FEED_BEHIND events behind finds its channel at its end.
        """
        old = [event for event in self._kept if after is not None and event.id > after]
        send, receive = trio.open_memory_channel[EventView](len(old) + FEED_BEHIND)
        for event in old:
            send.send_nowait(event)
        self._subscribers.add(send)
        return receive

    def close(self) -> None:
        """End every subscription."""
        for channel in self._subscribers:
            channel.close()
        self._subscribers.clear()
