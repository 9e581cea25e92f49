"""Eclipse: stand on the ways to others, name only friends, and pass nothing on."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from p2peval.core.effects import Effect, RunEvaluation
from p2peval.defaults import DHT_NEAREST
from p2peval.sim.adversary import Adversary, Effects
from p2peval.sim.gossip.conduct import Silent
from p2peval.sim.kademlia.liars import Steering
from p2peval.sim.lookups import Lookups
from p2peval.sim.meshed import Meshed


@dataclass
class Eclipse(Adversary):
    """Answers look-ups with its own ring, nearest the key; sits in every mesh and forwards nothing; evaluates nothing.

    Where a scenario's look-ups are direct, or its gossip a flood, there is no way to stand on, and that half of it does
    nothing (Heilman et al. 2015; Baumgart & Mies 2007, §5; Vyzovitis et al. 2020, "eclipse").
    """

    knows: ClassVar[str] = "all ids of the DHT, and who is in a topic"
    costs: ClassVar[str] = "an identity each; connections to everybody it can reach"

    def begin(self) -> None:
        world, ring, number = self.grip.world, self.grip.ring, self.grip.host.number
        if isinstance(world.directory, Lookups):
            ids = {friend: _place(world.hosts[friend].id) for friend in ring.numbers}
            world.directory.dht.lie(number, Steering(ids, DHT_NEAREST))
        if isinstance(world.gossip, Meshed):
            world.gossip.mesh.act(number, Silent(self.grip.rng))

    def act(self, effect: Effect) -> Effects:
        if not isinstance(effect, RunEvaluation):
            yield effect


def _place(peer: str) -> int:
    return int.from_bytes(sha256(peer.encode()).digest(), "big")
