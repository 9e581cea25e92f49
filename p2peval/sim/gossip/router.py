"""What one host knows of gossip, and one message on its way. Plain state; ``mesh`` and ``upkeep`` act on it.

Ordered dicts stand for sets: their order is that of arrival, so that no run depends on a hash.
"""

from __future__ import annotations

from array import array
from enum import Enum
from typing import TYPE_CHECKING

from p2peval.core.types import Seconds
from p2peval.sim.gossip.standing import Standings

if TYPE_CHECKING:
    from p2peval.sim.gossip.conduct import Conduct

UNSEEN, SEEN, REFUSED = 0, 1, 2
_SWEEP = 64


class Ruling(Enum):
    """What the application says of a message that it was given (v1.1, extended validators)."""

    ACCEPT = "accept"
    """It is forwarded."""
    IGNORE = "ignore"
    """It is not forwarded, and held against nobody."""
    REJECT = "reject"
    """Likewise, and it is held against whoever brought it."""


class Census:
    """How many hosts listen to a topic's announcements now, and how many have ceased to since the start."""

    __slots__ = ("joined", "left")

    def __init__(self) -> None:
        self.joined = self.left = 0


class Message:
    """One message in the whole network.

    ``seen``: per host UNSEEN, SEEN or REFUSED. ``first``: per host when, kept only where standings are. ``due``: when
    the earliest copy under way reaches a host. ``reached``: how many of ``census`` have seen it. ``until``: when all
    forget that they have seen it.
    """

    __slots__ = (
        "_left", "census", "due", "first", "id", "origin", "reached", "resent", "seen", "size", "topic", "until",
    )  # fmt: skip

    def __init__(
        self, id: int, topic: int, size: int, origin: int, hosts: int, timed: bool, until: Seconds, census: Census
    ) -> None:
        self.id = id
        self.topic = topic
        self.size = size
        self.origin = origin
        self.census = census
        self.reached = 0
        self._left = census.left
        self.seen = bytearray(hosts)
        self.first: array[float] | None = array("d", bytes(8 * hosts)) if timed else None
        self.due: dict[int, Seconds] = {}
        self.resent: dict[tuple[int, int], int] = {}
        self.until = until

    @property
    def everywhere(self) -> bool:
        """Whether all who listen have seen it. Sometimes False where they have, after some ceased to listen."""
        census = self.census
        return self.reached - (census.left - self._left) >= census.joined

    def grow(self, hosts: int) -> None:
        more = hosts - len(self.seen)
        self.seen.extend(bytes(more))
        if self.first is not None:
            self.first.frombytes(bytes(8 * more))


class Room:
    """One topic that a host has joined. ``mesh``: peers with whom all messages are exchanged.

    ``backoff``: per peer, until when it must not be grafted. ``pruned``: per peer, when we last pruned it.
    ``counted``: whether the host is in the topic's census. ``settled``: whether its mesh is as it should be. ``alarm``:
    when the end of a backoff is to wake the host.
    """

    __slots__ = ("_sweep", "alarm", "backoff", "counted", "mesh", "pruned", "settled")

    def __init__(self, backoff: dict[int, Seconds]) -> None:
        self.counted = False
        self.settled = False
        self.alarm: Seconds = 0.0
        self.mesh: dict[int, None] = {}
        self.backoff = backoff
        self.pruned: dict[int, Seconds] = {}
        self._sweep = _SWEEP

    def barred(self, peer: int, now: Seconds) -> bool:
        until = self.backoff.get(peer)
        if until is None:
            return False
        if until > now:
            return True
        del self.backoff[peer]
        self.pruned.pop(peer, None)
        return False

    def bar(self, peer: int, now: Seconds, lasting: Seconds) -> None:
        """A longer bar that stands is not shortened. What is over is swept out as bars grow many."""
        until = now + lasting
        self.backoff[peer] = max(until, self.backoff.get(peer, until))
        if len(self.backoff) > self._sweep:
            for other in [other for other, end in self.backoff.items() if end <= now]:
                del self.backoff[other]
                self.pruned.pop(other, None)
            self._sweep = max(_SWEEP, 2 * len(self.backoff))


class Router:
    """One host's gossip.

    ``links``: connected peers, and whether this host dialled. ``backoffs``: per topic; they outlive leaving it.
    ``members``: per topic, those of them who joined it. ``history``: messages, each with the heartbeat in which it
    came. ``promises``: by when a message asked for, of whom.
    """

    __slots__ = (
        "awake", "backoffs", "conduct", "fanout", "heard", "history", "links", "members", "promises", "rooms", "slot",
        "standings", "up",
    )  # fmt: skip

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.awake = False
        self.conduct: Conduct | None = None
        self.clear(None)
        self.up = False

    def clear(self, standings: Standings | None) -> None:
        """As after a restart: nothing is known of anybody."""
        self.up = True
        self.standings = standings
        self.links: dict[int, bool] = {}
        self.members: dict[int, dict[int, None]] = {}
        self.rooms: dict[int, Room] = {}
        self.backoffs: dict[int, dict[int, Seconds]] = {}
        self.fanout: dict[int, tuple[Seconds, dict[int, None]]] = {}
        self.history: list[tuple[int, Message]] = []
        self.heard: dict[int, int] = {}
        self.promises: list[tuple[Seconds, Message, int]] = []
