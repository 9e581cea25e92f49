"""Eclipse: stand on the ways to others, name only friends, and pass nothing on."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from p2peval.core.effects import Effect, RunEvaluation
from p2peval.defaults import DHT_NEAREST, DHT_PROVIDERS_KEPT
from p2peval.sim.adversary import Adversary, Effects
from p2peval.sim.gossip.conduct import Silent
from p2peval.sim.kademlia.liars import Steering
from p2peval.sim.lookups import Lookups
from p2peval.sim.meshed import Meshed


@dataclass
class Eclipse(Adversary):
    """Names its ring for the way to every key and as its providers; sits in meshes and forwards nothing, runs nothing.

    It hears no announcement and offers nothing, so that requesters wait for its offers, and gossip takes longer ways.
    No step of a task needs a look-up, and sync brings what gossip did not: it slows tasks down and stops none. Where
    look-ups are direct, or gossip is a flood, that half of it does nothing (Heilman et al. 2015; Baumgart & Mies 2007,
    §5; Vyzovitis et al. 2020, "eclipse").
    """

    knows: ClassVar[str] = "all ids of the DHT, and who is in a topic"
    costs: ClassVar[str] = "an identity each; connections to everybody it can reach"

    def begin(self) -> None:
        world, ring, number = self.grip.world, self.grip.ring, self.grip.host.number
        if isinstance(world.directory, Lookups):
            ids = {friend: _place(world.hosts[friend].id) for friend in ring.numbers}
            world.directory.dht.lie(number, Steering(ids, DHT_NEAREST, ring.numbers[:DHT_PROVIDERS_KEPT]))
        if isinstance(world.gossip, Meshed):
            world.gossip.mesh.act(number, Silent(self.grip.rng))

    def act(self, effect: Effect) -> Effects:
        if not isinstance(effect, RunEvaluation):
            yield effect


def _place(peer: str) -> int:
    return int.from_bytes(sha256(peer.encode()).digest(), "big")
