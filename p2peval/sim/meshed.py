"""Gossip by meshes: a world's messages take the ways that gossipsub's do (``sim.gossip``), hop by hop.

Each publication is a message of its own, as in libp2p, whose message ids are the publisher's and a sequence number: the
same object published by two hosts travels twice. What a node refuses is forwarded all the same: the daemon rejects in
gossip only what is malformed, and nothing in the lab is.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from p2peval.core.messages import Payload, Sealed
from p2peval.core.types import BenchmarkId, Seconds
from p2peval.sim.gossip.mesh import Mesh
from p2peval.sim.gossip.params import OURS
from p2peval.sim.gossip.router import Ruling

if TYPE_CHECKING:
    from p2peval.sim.world import World


class Meshed:
    """``mesh``: for who wants to look into it, or to make a host misbehave there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._topics: dict[BenchmarkId, int] = {}
        self._messages: list[Sealed[Payload]] = []
        self.mesh = Mesh(world.heap, Random(f"{world.seed}/mesh"), self._delay, OURS, self._deliver)

    def up(self, host: int) -> None:
        self.mesh.up(host)

    def down(self, host: int) -> None:
        self.mesh.down(host)

    def subscribe(self, host: int, topic: BenchmarkId) -> None:
        self.mesh.subscribe(host, self._number(topic))

    def unsubscribe(self, host: int, topic: BenchmarkId) -> None:
        self.mesh.unsubscribe(host, self._number(topic))

    def connect(self, one: int, other: int) -> None:
        self.mesh.connect(one, other)

    def disconnect(self, one: int, other: int) -> None:
        self.mesh.disconnect(one, other)

    def publish(self, host: int, topic: BenchmarkId, sealed: Sealed[Payload]) -> None:
        self._messages.append(sealed)
        self.mesh.publish(host, self._number(topic), len(self._messages) - 1, len(sealed.envelope))

    def _number(self, topic: BenchmarkId) -> int:
        return self._topics.setdefault(topic, len(self._topics))

    def _delay(self, sender: int, receiver: int, size: int) -> Seconds | None:
        return self._world.links.delay(sender, receiver, size, self._world.now)

    def _deliver(self, host: int, via: int, message: int) -> Ruling:
        self._world.heard(host, via, self._messages[message])
        return Ruling.ACCEPT
