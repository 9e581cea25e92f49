"""Gossip, sync and look-ups of one world: the twin of ``daemon/exchange.py``.

A question and its answer are two messages over the links. What a host answers is what its node's state says that it
holds, of the types that everybody may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2peval.core import sync
from p2peval.core.effects import FindMembers, Learn, Publish, Pull, Subscribe, SyncWith, Unsubscribe
from p2peval.core.events import MessageReceived
from p2peval.core.messages import Payload, PeerProfile, Sealed
from p2peval.core.state import BucketDigest
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import BenchmarkId, ObjectId
from p2peval.defaults import FIND_AGAIN, MAX_GET_IDS, MAX_PEERS
from p2peval.sim.host import Host

if TYPE_CHECKING:
    from p2peval.sim.world import World

PROFILE = PeerProfile.__name__

CHATTER = 300
"""Bytes of a question or an answer whose size is not modelled."""


class Exchange:
    """``near``: profiles go to neighbours alone."""

    __slots__ = ("_near", "_world")

    def __init__(self, world: World, near: bool) -> None:
        self._world = world
        self._near = near

    # ── gossip ────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, host: Host, effect: Subscribe) -> None:
        self._world.gossip.subscribe(host.number, effect.benchmark)
        if effect.benchmark != DIRECTORY:
            self._world.directory.provide(host.number, effect.benchmark)

    def unsubscribe(self, host: Host, effect: Unsubscribe) -> None:
        self._world.gossip.unsubscribe(host.number, effect.benchmark)

    def publish(self, host: Host, effect: Publish) -> None:
        """Best effort, by design: sync guarantees."""
        world, sealed = self._world, self._world.archive.open(effect.envelope)
        world.work["published"] += 1
        if self._near and isinstance(sealed.payload, PeerProfile):
            for other in world.neighbours(host.number):
                world.reach(host.number, other, len(sealed.envelope), self.heard, other, host.number, sealed)
        else:
            world.gossip.publish(host.number, effect.benchmark, sealed)
        host.done(effect.id)

    def heard(self, number: int, via: int, sealed: Sealed[Payload]) -> None:
        """An object has come, by gossip for the first time, or because it was asked for."""
        hosts = self._world.hosts
        self._world.handle(hosts[number], MessageReceived(sealed, hosts[via].id))

    # ── sync ──────────────────────────────────────────────────────────────────────────────────────

    def pull(self, host: Host, effect: Pull) -> None:
        number = self._world.reachable(effect.peer)
        if number is not None and effect.ids:
            for start in range(0, len(effect.ids), MAX_GET_IDS):
                ids = effect.ids[start : start + MAX_GET_IDS]
                self._world.reach(host.number, number, CHATTER, self._give, number, host.number, ids)

    def _give(self, number: int, asker: int, ids: tuple[ObjectId, ...]) -> None:
        host = self._world.hosts[number]
        if not host.up:
            return
        held = host.node.state.objects
        given = [id_ for id_ in ids if (row := held.get(id_)) is not None and row.type in sync.SYNCED]
        objects = [sealed for id_ in given if (sealed := self._world.archive.get(id_)) is not None]
        if objects:
            size = sum(len(sealed.envelope) for sealed in objects)
            self._world.reach(number, asker, size, self._given, asker, number, objects)

    def _given(self, number: int, by: int, objects: list[Sealed[Payload]]) -> None:
        for sealed in objects:
            self.heard(number, by, sealed)

    def sync(self, host: Host, effect: SyncWith) -> None:
        number = self._world.reachable(effect.peer)
        if number is None:
            return
        digests = sync.digests(host.node.state, effect.benchmarks)
        size = CHATTER + 48 * len(digests)
        self._world.reach(host.number, number, size, self._offer, number, host.number, effect.benchmarks, digests)

    def _offer(self, number: int, asker: int, benchmarks: tuple[BenchmarkId, ...], digests: list[BucketDigest]) -> None:
        """The asked one names what it holds in buckets that differ; the asker pulls what it lacks."""
        host = self._world.hosts[number]
        if not host.up:
            return
        ids = sync.offered(host.node.state, benchmarks, digests)
        if self._near:
            ids = self._near_only(ids, host, self._world.hosts[asker])
        if ids:
            self._world.reach(number, asker, CHATTER + 60 * len(ids), self._lacking, asker, number, tuple(ids))

    def _near_only(self, ids: list[ObjectId], host: Host, asker: Host) -> list[ObjectId]:
        """Without the profiles of others than these two, but for those that the asker is connected to."""
        near, held = {host.id, asker.id} | asker.node.connected, host.node.state.objects
        return [id_ for id_ in ids if (row := held[id_]).type != PROFILE or row.signer in near]

    def _lacking(self, number: int, other: int, ids: tuple[ObjectId, ...]) -> None:
        host = self._world.hosts[number]
        if host.up:
            lacking = tuple(id_ for id_ in ids if host.node.state.lacks(id_))
            self.pull(host, Pull(self._world.hosts[other].id, lacking))

    # ── finding ───────────────────────────────────────────────────────────────────────────────────

    def find_members(self, host: Host, effect: FindMembers) -> None:
        """As long as the spec is wanted."""
        if effect.benchmark not in host.node.state.wanted:
            return
        self._world.find(host, effect.benchmark, self._meet)
        self._world.after(host, FIND_AGAIN, self.find_members, host, effect)

    def _meet(self, host: Host, members: tuple[int, ...]) -> None:
        for number in members:
            if len(host.neighbours) < MAX_PEERS:
                self._world.connect(host.number, number)

    def learn(self, host: Host, effect: Learn) -> None:
        number = self._world.reachable(effect.peer)
        if effect.meet and number is not None:
            self._meet(host, (number,))
