"""Look-ups by Kademlia: a world's hosts find members and blobs as libp2p's DHT lets them (``sim.kademlia``)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from p2peval.core.types import Seconds
from p2peval.sim.kademlia.network import Kademlia

if TYPE_CHECKING:
    from p2peval.sim.world import World

QUESTION_BYTES = 300


class Lookups:
    """``dht``: for who wants to look into it, or to make a host lie there.

    Whoever is up before anybody provides or looks for anything has known the others for long; later ones join.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._first: dict[int, int] | None = {}
        self._provided: dict[int, dict[str, None]] = {}
        self.dht = Kademlia(world.heap, Random(f"{world.seed}/dht"), self._delay)

    def up(self, host: int) -> None:
        """What it provided before its process ended, it provides again, as the daemon does."""
        if self._first is not None:
            self._first[host] = _key(self._world.hosts[host].id)
            return
        self.dht.join(host, _key(self._world.hosts[host].id))
        for key in self._provided.get(host, ()):
            self.dht.provide(host, _key(key))

    def down(self, host: int) -> None:
        self._settle()
        self.dht.leave(host)

    def provide(self, host: int, key: str) -> None:
        self._settle()
        held = self._provided.setdefault(host, {})
        if key not in held and self.dht.is_up(host):
            self.dht.provide(host, _key(key))
        held[key] = None

    def find(self, host: int, key: str, done: Callable[[tuple[int, ...]], None]) -> None:
        self._settle()
        self.dht.find(host, _key(key), done)

    def _settle(self) -> None:
        if self._first is not None:
            self.dht.settle(self._first)
            self._first = None

    def _delay(self, sender: int, receiver: int) -> Seconds | None:
        return self._world.links.delay(sender, receiver, QUESTION_BYTES, self._world.now)


def _key(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest(), "big")
