"""One trial of a gossip network under Sybils: who connects when, who publishes, what arrives where and how late.

The set-up is that of Vyzovitis et al. 2020, read from its authors' published test plan (gossipsub-hardening): honest
hosts dial ``dials`` honest ones at random, each Sybil dials ``sybil_dials`` of them, all within a second; links take
25 ms, give or take a tenth. A publisher publishes at a steady pace.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from random import Random

from p2peval.core.types import Seconds
from p2peval.sim.gossip.conduct import Silent
from p2peval.sim.gossip.mesh import Mesh
from p2peval.sim.gossip.params import Params
from p2peval.sim.gossip.router import Ruling
from p2peval.sim.heap import Heap

TOPIC = 0
DIALLING: Seconds = 1.0
LATENCY: Seconds = 0.025
JITTER = 0.1
SIZE = 2048
AFTER: Seconds = 15.0
"""From the last publication to the end: thrice as long as a message can be asked for."""


@dataclass(frozen=True, slots=True)
class Trial:
    """``rate``: messages/s of all publishers. ``head_start``: by which Sybils connect before the honest dial.

    ``quiet``: when Sybils cease to forward. Publications start at ``warm``; those from ``judged`` to ``end`` count.
    """

    params: Params
    honest: int = 1000
    publishers: int = 100
    sybils: int = 0
    dials: int = 20
    sybil_dials: int = 100
    rate: float = 12.0
    head_start: Seconds = 0.0
    quiet: Seconds = 0.0
    warm: Seconds = 30.0
    judged: Seconds = 30.0
    end: Seconds = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of the messages that count. ``lags``: of each delivery to an honest host, sorted, seconds. ``due``: deliveries.

    ``honest_mesh``: mean share of honest hosts in honest meshes at the end. ``copies``: sent by all, per delivery.
    """

    lags: Sequence[float]
    due: int
    honest_mesh: float
    copies: float
    events: int

    @property
    def lost(self) -> float:
        return 1.0 - len(self.lags) / self.due

    def later_than(self, deadline: Seconds) -> float:
        """Share of deliveries that were due and not made within ``deadline``."""
        return 1.0 - sum(lag <= deadline for lag in self.lags) / self.due

    def percentile(self, share: float) -> Seconds:
        """Of the deliveries that were made, nearest rank."""
        return self.lags[max(0, ceil(share * len(self.lags)) - 1)]


def play(trial: Trial, seed: int) -> Outcome:
    world = _World(trial, seed)
    world.heap.run(trial.end + AFTER)
    return world.outcome()


class _World:
    def __init__(self, trial: Trial, seed: int) -> None:
        self._trial = trial
        self._sent: dict[int, Seconds] = {}
        self._lags = array("d")
        self._jitter = Random(f"{seed}/latency").random
        self._rng = rng = Random(f"{seed}/world")
        self.heap = Heap()
        self.mesh = Mesh(self.heap, Random(f"{seed}/mesh"), self._delay, trial.params, self._deliver)
        for host in range(trial.honest):
            self.mesh.up(host)
            self.mesh.subscribe(host, TOPIC)
        silent = Silent(Random(f"{seed}/sybils"), trial.quiet)
        for host in range(trial.honest, trial.honest + trial.sybils):
            self.mesh.up(host)
            self.mesh.act(host, silent)
            self.mesh.subscribe(host, TOPIC)
            self._dial(host, trial.sybil_dials, 0.0)
        for host in range(trial.honest):
            self._dial(host, trial.dials, trial.head_start)
        for publisher in range(trial.publishers):
            self.heap.later(trial.warm + rng.random() * trial.publishers / trial.rate, self._publish, publisher)

    def outcome(self) -> Outcome:
        trial, mesh = self._trial, self.mesh
        judged = sum(trial.judged <= at for at in self._sent.values())
        shares = [
            sum(peer < trial.honest for peer in peers) / len(peers)
            for peers in (mesh.mesh_of(host, TOPIC) for host in range(trial.honest))
            if peers
        ]
        return Outcome(
            sorted(self._lags),
            judged * (trial.honest - 1),
            sum(shares) / max(len(shares), 1),
            mesh.counts.copies / max(mesh.counts.delivered, 1),
            self.heap.events,
        )

    def _dial(self, host: int, dials: int, at: Seconds) -> None:
        for peer in self._rng.sample(range(self._trial.honest), min(dials, self._trial.honest)):
            self.heap.later(at + self._rng.random() * DIALLING, self.mesh.connect, host, peer)

    def _delay(self, sender: int, receiver: int, size: int) -> Seconds:
        return LATENCY * (1.0 - JITTER + 2.0 * JITTER * self._jitter())

    def _publish(self, host: int) -> None:
        trial, message = self._trial, len(self._sent)
        if self.heap.now < trial.end:
            self._sent[message] = self.heap.now
            self.mesh.publish(host, TOPIC, message, SIZE)
            self.heap.later(trial.publishers / trial.rate, self._publish, host)

    def _deliver(self, host: int, sender: int, message: int) -> Ruling:
        sent = self._sent[message]
        if host < self._trial.honest and sent >= self._trial.judged:
            self._lags.append(self.heap.now - sent)
        return Ruling.ACCEPT
