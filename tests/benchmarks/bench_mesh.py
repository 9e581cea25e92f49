"""Gossip's meshes in virtual time: what a message to ten thousand hosts costs, and what an idle host weighs."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from random import Random

from report import Row

from p2peval.sim.gossip.mesh import Mesh
from p2peval.sim.gossip.params import Params
from p2peval.sim.gossip.router import Ruling
from p2peval.sim.heap import Heap

SIZES = {"10k": 10_000}
DIALS = 15
MESSAGES = 30


def run(scratch: Path) -> list[Row]:
    return [row for label, hosts in SIZES.items() for row in (*_messages(label, hosts), _weight(label, hosts))]


class Network:
    """Routers as v1.1 specifies them, each of whom dials fifteen at random; links take 25 ms, give or take a tenth."""

    def __init__(self, hosts: int) -> None:
        self.heap = Heap()
        self.lags: list[float] = []
        self._hosts, self._rng, self._sent = hosts, Random("bench"), [0.0] * MESSAGES
        self.mesh = Mesh(self.heap, Random("mesh"), self._delay, Params(), self._deliver)
        for host in range(hosts):
            self.mesh.up(host)
            self.mesh.subscribe(host, 0)
        for host in range(hosts):
            for peer in self._rng.sample(range(hosts), DIALS):
                self.mesh.connect(host, peer)
        self.heap.run(10.0)

    def publish(self, message: int) -> None:
        self._sent[message] = self.heap.now
        self.mesh.publish(self._rng.randrange(self._hosts), 0, message, 1000)

    def _delay(self, sender: int, receiver: int, size: int) -> float:
        return 0.0225 + 0.005 * self._rng.random()

    def _deliver(self, host: int, sender: int, message: int) -> Ruling:
        self.lags.append(self.heap.now - self._sent[message])
        return Ruling.ACCEPT


def _messages(label: str, hosts: int) -> list[Row]:
    network = Network(hosts)
    for message in range(MESSAGES):
        network.heap.later(0.1 * message, network.publish, message)
    events, copies, cpu = network.heap.events, network.mesh.counts.copies, time.process_time()
    network.heap.run(network.heap.now + 0.1 * MESSAGES + 10.0)
    cpu = time.process_time() - cpu
    events, copies = network.heap.events - events, network.mesh.counts.copies - copies
    delivered = len(network.lags) / (MESSAGES * (hosts - 1))
    p99 = sorted(network.lags)[int(0.99 * len(network.lags))]
    told = f"per second of CPU; {MESSAGES} messages to {hosts} hosts: {delivered:.2%} delivered, p99 {1e3 * p99:.0f} ms"
    return [
        Row(f"sim.gossip_copies_per_s.{label}", copies / cpu, "1/s", told),
        Row(f"sim.gossip_events_per_s.{label}", events / cpu, "1/s", "the same run: those of the copies that matter"),
    ]


def _weight(label: str, hosts: int) -> Row:
    tracemalloc.start()
    network = Network(hosts)
    weight = tracemalloc.get_traced_memory()[0] / hosts
    tracemalloc.stop()
    links = sum(len(network.mesh.router(host).links) for host in range(hosts)) / hosts
    return Row(f"sim.gossip_bytes_per_host.{label}", weight, "B", f"idle, {links:.0f} connections, one topic")
