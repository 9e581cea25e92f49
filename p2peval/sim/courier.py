"""Deliveries and blobs: again and again until it is there, as ``daemon/courier.py`` and ``daemon/library.py`` do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2peval.core.effects import FetchBlob, Recall, Send
from p2peval.core.events import BlobFailed, BlobReady, MessageReceived, Recalled, SendFailed
from p2peval.core.types import Cid, Seconds
from p2peval.defaults import FETCH_RETRY, RETRY_FIRST, RETRY_MOST
from p2peval.sim.exchange import CHATTER
from p2peval.sim.host import Host

if TYPE_CHECKING:
    from p2peval.sim.world import World

STREAM = 2.0
"""One-way delays until a request is there: a libp2p stream negotiates its protocol first."""

TRY_LATER = ("busy", "read_only")
"""Refusals that pass by themselves."""


class Courier:
    __slots__ = ("_tickets", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._tickets = 0

    # ── one envelope to one peer ──────────────────────────────────────────────────────────────────

    def send(self, host: Host, effect: Send, pause: Seconds = RETRY_FIRST) -> None:
        """At least once, until it is acknowledged, refused, or ``effect.until`` has passed."""
        if effect.id not in host.performing:
            return  # stopped
        world, number = self._world, self._world.reachable(effect.peer)
        delay = None
        if number is not None:
            delay = world.links.delay(host.number, number, len(effect.envelope), world.now)
        if number is None or delay is None:
            return self._again(host, effect, pause)
        world.work["messages"] += 1
        world.connect(host.number, number)
        world.heap.later(STREAM * delay, self._arrive, host, host.life, effect, pause, number)

    def _again(self, host: Host, effect: Send, pause: Seconds) -> None:
        world = self._world
        if world.now + pause > effect.until:
            world.answer(host, SendFailed(effect.id, effect.peer, effect.about, ""), effect.id)
        else:
            world.after(host, pause, self.send, host, effect, min(2 * pause, RETRY_MOST))

    def _arrive(self, host: Host, life: int, effect: Send, pause: Seconds, number: int) -> None:
        world, receiver = self._world, self._world.hosts[number]
        answer: str | None = None
        if receiver.up and receiver.id == effect.peer:
            self._tickets += 1
            ticket = f"ack-{self._tickets}"
            world.handle(receiver, MessageReceived(world.archive.open(effect.envelope), host.id, ticket))
            reply = world.replies.pop(ticket, None)
            answer = reply.error if reply is not None else None
        delay = world.links.delay(number, host.number, CHATTER, world.now)
        if not (host.up and host.life == life):
            return
        if answer is None or delay is None or answer in TRY_LATER:
            self._again(host, effect, pause)
        else:
            world.after(host, delay, self._acknowledged, host, effect, answer)

    def _acknowledged(self, host: Host, effect: Send, error: str) -> None:
        if error:
            self._world.handle(host, SendFailed(effect.id, effect.peer, effect.about, error), effect.id)
        else:
            host.done(effect.id)

    # ── blobs ─────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, host: Host, effect: FetchBlob, pause: Seconds = RETRY_FIRST) -> None:
        """From the holders that are named, then from whoever is said to have it."""
        if effect.id not in host.performing:
            return
        world, cid = self._world, effect.blob.cid
        if cid in host.blobs:
            return world.answer(host, BlobReady(effect.id, cid), effect.id)
        named = tuple(number for peer in effect.holders if (number := world.reachable(peer)) is not None)
        if self._serving(host, cid, named) is not None:
            return self._transfer(host, effect, named, pause)
        world.find(host, cid, self._transfer_from, effect, pause)

    def _transfer_from(self, host: Host, providers: tuple[int, ...], effect: FetchBlob, pause: Seconds) -> None:
        self._transfer(host, effect, providers, pause)

    def _serving(self, host: Host, cid: Cid, numbers: tuple[int, ...]) -> int | None:
        hosts = self._world.hosts
        serving = (n for n in numbers if n != host.number and hosts[n].up and cid in hosts[n].blobs)
        return next(serving, None)

    def _transfer(self, host: Host, effect: FetchBlob, numbers: tuple[int, ...], pause: Seconds) -> None:
        world, number = self._world, self._serving(host, effect.blob.cid, numbers)
        delay = None
        if number is not None:
            delay = world.links.delay(number, host.number, effect.blob.size, world.now)
        if delay is not None:
            world.work["messages"] += 2
            world.work["bytes"] += effect.blob.size
            return world.after(host, (STREAM + 1.0) * delay, self._fetched, host, effect)
        if world.now + pause > effect.until:
            return world.answer(host, BlobFailed(effect.id, effect.blob.cid, "no holder is known"), effect.id)
        world.after(host, pause, self.fetch, host, effect, min(2 * pause, FETCH_RETRY))

    def _fetched(self, host: Host, effect: FetchBlob) -> None:
        self._world.hold(host, effect.blob.cid)
        self._world.handle(host, BlobReady(effect.id, effect.blob.cid), effect.id)

    # ── what is held here ─────────────────────────────────────────────────────────────────────────

    def recall(self, host: Host, effect: Recall) -> None:
        world = self._world
        held = world.archive.get(effect.object) if effect.object in host.node.state.objects else None
        envelope = held.envelope if held is not None else b""
        world.answer(host, Recalled(effect.id, envelope, effect.beside), effect.id)
