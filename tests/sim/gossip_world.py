"""A few hosts that gossip, what each received and from whom."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from p2peval.sim.gossip.mesh import Mesh
from p2peval.sim.gossip.params import Params
from p2peval.sim.gossip.router import Ruling
from p2peval.sim.heap import Heap

TOPIC = 7


class GossipWorld:
    """``received``: (time, host, sender, message) in order. ``rule``: what a host makes of a message."""

    def __init__(self, params: Params, seed: str = "1", delay: Callable[[int, int, int], float | None] | None = None):
        self.heap = Heap()
        self.received: list[tuple[float, int, int, int]] = []
        self.rule: Callable[[int, int], Ruling] = lambda host, message: Ruling.ACCEPT
        self.mesh = Mesh(self.heap, Random(seed), delay or (lambda a, b, size: 0.05), params, self._deliver)

    def hosts(self, hosts: int, topic: int = TOPIC) -> GossipWorld:
        for host in range(hosts):
            self.mesh.up(host)
            self.mesh.subscribe(host, topic)
        return self

    def random_links(self, hosts: int, dials: int, seed: str = "links") -> GossipWorld:
        rng = Random(seed)
        for host in range(hosts):
            for peer in rng.sample(range(hosts), dials):
                self.mesh.connect(host, peer)
        return self

    def linked(self, *pairs: tuple[int, int]) -> GossipWorld:
        for a, b in pairs:
            self.mesh.connect(a, b)
        return self

    def after(self, seconds: float) -> GossipWorld:
        self.heap.run(self.heap.now + seconds)
        return self

    def publish(self, host: int, message: int, topic: int = TOPIC) -> GossipWorld:
        self.mesh.publish(host, topic, message, 1000)
        return self

    def heard(self, message: int) -> list[int]:
        """Hosts that received it, sorted; a host that did twice stands there twice."""
        return sorted(host for _, host, _, got in self.received if got == message)

    def _deliver(self, host: int, sender: int, message: int) -> Ruling:
        self.received.append((self.heap.now, host, sender, message))
        return self.rule(host, message)
