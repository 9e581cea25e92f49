"""The simplest gossip and the simplest look-ups: who is subscribed hears everything, and who is asked knows everybody.

Right for worlds in which the network is not what is attacked: a message takes one link, a look-up a round trip. What
libp2p really does is in ``gossip`` and ``kademlia``, which a scenario can ask for instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from p2peval.core.messages import Payload, Sealed
from p2peval.core.types import BenchmarkId, Seconds

if TYPE_CHECKING:
    from p2peval.sim.world import World

AGAIN: Seconds = 1.0
"""After a partition heals, what could not be delivered is not: sync brings it. This is how long a look-up takes."""

MOST_FOUND = 20
"""Providers that a look-up names at most: Kademlia's k."""


class Flood:
    __slots__ = ("_topics", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._topics: dict[BenchmarkId, dict[int, None]] = {}

    def up(self, host: int) -> None:
        """Nothing is to be known of it."""

    def down(self, host: int) -> None:
        """Who is down does not hear."""

    def subscribe(self, host: int, topic: BenchmarkId) -> None:
        self._topics.setdefault(topic, {})[host] = None

    def unsubscribe(self, host: int, topic: BenchmarkId) -> None:
        self._topics.get(topic, {}).pop(host, None)

    def connect(self, one: int, other: int) -> None:
        """Everybody is in reach of everybody."""

    def disconnect(self, one: int, other: int) -> None:
        """Likewise."""

    def publish(self, host: int, topic: BenchmarkId, sealed: Sealed[Payload]) -> None:
        world, size = self._world, len(sealed.envelope)
        for other in self._topics.get(topic, ()):
            if other != host and world.hosts[other].up:
                world.reach(host, other, size, world.heard, other, host, sealed)


class Register:
    """Look-ups that are always right, and take a round trip."""

    __slots__ = ("_providers", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._providers: dict[str, dict[int, None]] = {}

    def up(self, host: int) -> None:
        """What it provided is still known."""

    def down(self, host: int) -> None:
        """Who is down is not found."""

    def provide(self, host: int, key: str) -> None:
        self._providers.setdefault(key, {})[host] = None

    def find(self, host: int, key: str, done: Callable[[tuple[int, ...]], None]) -> None:
        hosts = self._world.hosts
        up = [other for other in self._providers.get(key, ()) if other != host and hosts[other].up]
        self._world.heap.later(AGAIN, done, tuple(up[-MOST_FOUND:]))
