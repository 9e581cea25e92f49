"""The network without sockets: the twin of ``host.py`` for tests under trio's autojump clock.

A ``MemoryHub`` is the ether; each ``async with hub.join(peer)`` is a node. What can be observed through
``network.Network`` is meant to be the same here as over libp2p, and ``tests/network/test_twins.py`` holds
both to it: size limits, resets, unreachable peers, gossip that hops from subscriber to subscriber and stops
at a REJECT. Times differ: here nothing takes longer than ``latency``, and a cut shows at once where libp2p
needs its heartbeat.
"""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import ConfigError, NetworkError
from p2peval.net.network import GossipHandler, PeerChange, PeerStatus, RequestHandler, Stream, StreamHandler
from p2peval.net.pace import Pace, judged
from p2peval.net.peers import AddressBook, Changes
from p2peval.net.scopes import deadline, plainly
from p2peval.net.streams import (
    PatientStream,
    answering,
    check_outgoing,
    containing,
    exchange,
    resetting,
)

_WINDOW = 256 * 1024  # bytes a stream holds before its writer waits, as Yamux's first window


class MemoryHub:
    """Nodes and the links between them. ``latency``: seconds each message, dial and stream opening takes."""

    def __init__(self, *, latency: float = 0.0) -> None:
        self.latency = latency
        self._nodes: dict[PeerId, MemoryNetwork] = {}
        self._cuts: set[frozenset[PeerId]] = set()
        self._parted: set[tuple[PeerId, PeerId]] = set()
        self._providers: defaultdict[bytes, set[PeerId]] = defaultdict(set)
        self._ports = itertools.count(1)
        self._addresses: dict[PeerId, str] = {}

    def join(self, peer: PeerId) -> AbstractAsyncContextManager[MemoryNetwork]:
        """A node named ``peer`` for the length of the block; rejoining under a name finds old neighbours again."""
        return plainly(self._joined(peer))

    @asynccontextmanager
    async def _joined(self, peer: PeerId) -> AsyncIterator[MemoryNetwork]:
        if peer in self._nodes:
            raise ConfigError(f"{peer} has joined already")
        address = self._addresses.setdefault(peer, f"/ip4/10.0.0.1/tcp/{next(self._ports)}")
        async with trio.open_nursery() as nursery:
            node = self._nodes[peer] = MemoryNetwork(self, peer, address, nursery)
            self._relink(peer)
            try:
                yield node
            finally:
                for other in node.linked():
                    self._unlink(peer, other)
                del self._nodes[peer]
                nursery.cancel_scope.cancel()

    def cut(self, a: PeerId, b: PeerId) -> None:
        """Part two peers: their connection and streams break, and neither can reach the other directly."""
        self._cuts.add(frozenset((a, b)))
        self._unlink(a, b)

    def heal(self, a: PeerId, b: PeerId) -> None:
        """Undo ``cut``; who was connected is connected again."""
        self._cuts.discard(frozenset((a, b)))
        self._relink(a)

    def split(self, *sides: Sequence[PeerId]) -> None:
        """Cut every peer of one side from every peer of the others."""
        for one, other in itertools.combinations(sides, 2):
            for a, b in itertools.product(one, other):
                self.cut(a, b)

    def mend(self) -> None:
        """Heal every cut."""
        for a, b in [tuple(pair) for pair in self._cuts]:
            self.heal(a, b)

    # ── for the nodes ─────────────────────────────────────────────────────────────────────────────

    def is_cut(self, a: PeerId, b: PeerId) -> bool:
        return frozenset((a, b)) in self._cuts

    def node(self, peer: PeerId) -> MemoryNetwork | None:
        return self._nodes.get(peer)

    def at(self, address: str) -> PeerId | None:
        return next((peer for peer, theirs in self._addresses.items() if theirs == address), None)

    def link(self, dialler: PeerId, dialled: PeerId) -> None:
        self._parted.discard((dialler, dialled))
        self._nodes[dialler].linked_to(self._nodes[dialled], inbound=False)
        self._nodes[dialled].linked_to(self._nodes[dialler], inbound=True)

    def provided(self, key: bytes) -> set[PeerId]:
        return self._providers[key]

    def _unlink(self, a: PeerId, b: PeerId) -> None:
        one, other = self._nodes.get(a), self._nodes.get(b)
        if one is None or other is None or b not in one.linked():
            return
        self._parted.add((b, a) if one.is_inbound(b) else (a, b))
        one.parted_from(b)
        other.parted_from(a)

    def _relink(self, peer: PeerId) -> None:
        for a, b in sorted(self._parted):
            if peer in (a, b) and a in self._nodes and b in self._nodes and not self.is_cut(a, b):
                self.link(a, b)


class MemoryNetwork:
    """``network.Network`` within one process. Made by ``MemoryHub.join``."""

    def __init__(self, hub: MemoryHub, peer: PeerId, address: str, nursery: trio.Nursery) -> None:
        self.peer_id = peer
        self._hub = hub
        self._address = address
        self._nursery = nursery
        self._counters: Counter[str] = Counter()
        self._changes = Changes()
        self._book = AddressBook(self._counters)
        self._links: dict[PeerId, bool] = {}  # peer -> it dialled us
        self._pipes: defaultdict[PeerId, set[_Pipe]] = defaultdict(set)
        self._handlers: dict[str, StreamHandler] = {}
        self._topics: dict[str, GossipHandler] = {}
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._pace = Pace(defaults.GOSSIP_RATE, defaults.GOSSIP_BURST)

    def addresses(self) -> tuple[str, ...]:
        return (f"{self._address}/p2p/{self.peer_id}",)

    def peers(self) -> tuple[PeerStatus, ...]:
        rtt_ms = 2000 * self._hub.latency
        return tuple(PeerStatus(peer, self._book.of(peer), self._links[peer], rtt_ms) for peer in sorted(self._links))

    def counters(self) -> dict[str, int]:
        """What was refused, dropped or contained since the start, by reason."""
        return dict(self._counters)

    async def changes(self) -> PeerChange:
        return await self._changes.next()

    def learn(self, peer: PeerId, addresses: Sequence[str]) -> None:
        self._book.learn(peer, addresses)

    async def connect(self, address: str, timeout: float = defaults.DIAL_TIMEOUT) -> PeerId:
        transport, separator, name = address.partition("/p2p/")
        if not separator or not transport.startswith("/"):
            raise ConfigError(f"{address!r} does not name its peer", hint="append /p2p/<peer id>")
        peer = PeerId(name)
        if peer == self.peer_id:
            raise ConfigError(f"{address} is this node itself")
        self._book.learn(peer, [transport, *self._book.of(peer)])
        with deadline(timeout, f"dialling {address}"):
            await self._reach(peer)
        return peer

    # ── streams ───────────────────────────────────────────────────────────────────────────────────

    async def request(self, peer: PeerId, protocol: str, body: bytes, *, timeout: float, max_reply: int) -> bytes:
        with deadline(timeout, f"{protocol} of {peer}"):
            stream = await self._open(peer, protocol)
            async with resetting(stream):
                return await exchange(stream, body, max_reply=max_reply)

    async def open_stream(self, peer: PeerId, protocol: str, *, timeout: float) -> Stream:
        with deadline(timeout, f"opening {protocol} to {peer}"):
            return await self._open(peer, protocol)

    def serve(self, protocol: str, handler: RequestHandler, *, max_request: int) -> None:
        self._handlers[protocol] = answering(handler, max_request=max_request, counters=self._counters)

    def serve_stream(self, protocol: str, handler: StreamHandler) -> None:
        self._handlers[protocol] = containing(handler, self._counters)

    async def _open(self, peer: PeerId, protocol: str) -> PatientStream:
        await self._reach(peer)
        await trio.sleep(self._hub.latency)
        other = self._hub.node(peer)
        if other is None or peer not in self._links:
            raise NetworkError(f"{peer} is out of reach")
        handler = other._handlers.get(protocol)
        if handler is None:
            raise NetworkError(f"{peer} did not open {protocol}")
        there, back = _Pipe(), _Pipe()
        for node, partner in ((self, peer), (other, self.peer_id)):
            node._pipes[partner] |= {there, back}
        other._nursery.start_soon(other._run_handler, handler, PatientStream(_End(there, back), self.peer_id))
        return PatientStream(_End(back, there), peer)

    async def _run_handler(self, handler: StreamHandler, stream: PatientStream) -> None:
        async with resetting(stream):
            await handler(stream)

    # ── gossip ────────────────────────────────────────────────────────────────────────────────────

    async def subscribe(self, topic: str, handler: GossipHandler) -> None:
        self._topics[topic] = handler

    async def unsubscribe(self, topic: str) -> None:
        self._topics.pop(topic, None)

    async def publish(self, topic: str, data: bytes) -> None:
        check_outgoing(data, defaults.GOSSIP_MAX_BYTES, "gossip")
        await self._pace.turn()
        self._counters["gossip.sent"] += 1
        message = next(_MESSAGES)
        self._remember(message)
        self._forward(topic, message, data, excluding=self.peer_id)

    def _forward(self, topic: str, message: int, data: bytes, *, excluding: PeerId) -> None:
        for peer in sorted(self._links):
            other = self._hub.node(peer)
            if peer != excluding and other is not None and topic in other._topics:
                other._nursery.start_soon(other._hear, topic, message, data, self.peer_id)

    async def _hear(self, topic: str, message: int, data: bytes, forwarder: PeerId) -> None:
        await trio.sleep(self._hub.latency)
        handler = self._topics.get(topic)
        if handler is None or message in self._seen or forwarder not in self._links:
            return
        self._remember(message)
        verdict = judged(handler, forwarder, data, self._counters)
        if verdict:
            self._forward(topic, message, data, excluding=forwarder)

    def _remember(self, message: int) -> None:
        self._seen[message] = None
        while len(self._seen) > 8192:
            self._seen.popitem(last=False)

    # ── the DHT, as far as anyone can tell ────────────────────────────────────────────────────────

    async def provide(self, key: bytes) -> None:
        self._hub.provided(key).add(self.peer_id)

    async def find(self, key: bytes, *, timeout: float, limit: int = 20) -> tuple[PeerId, ...]:
        await trio.sleep(min(self._hub.latency, timeout))
        if not self._links:
            return ()
        found: list[PeerId] = []
        for peer in sorted(self._hub.provided(key) - {self.peer_id}):
            node = self._hub.node(peer)
            if node is not None and len(found) < limit:
                self._book.learn(peer, [node._address])
                found.append(peer)
        return tuple(found)

    # ── links ─────────────────────────────────────────────────────────────────────────────────────

    def linked(self) -> list[PeerId]:
        return list(self._links)

    def is_inbound(self, peer: PeerId) -> bool:
        return self._links[peer]

    def linked_to(self, other: MemoryNetwork, *, inbound: bool) -> None:
        self._links.setdefault(other.peer_id, inbound)
        self._book.learn(other.peer_id, [other._address, *self._book.of(other.peer_id)])
        self._changes.note(other.peer_id, True)

    def parted_from(self, peer: PeerId) -> None:
        self._links.pop(peer, None)
        for pipe in self._pipes.pop(peer, ()):
            pipe.snap()
        self._changes.note(peer, False)

    async def _reach(self, peer: PeerId) -> None:
        if peer in self._links:
            return
        addresses = self._book.of(peer)
        if not addresses:
            raise NetworkError(f"no address of {peer} is known", hint="connect to a member that knows it first")
        if self._hub.is_cut(self.peer_id, peer):
            await trio.sleep(defaults.DIAL_TIMEOUT)  # packets into a cut go nowhere; nobody says no
        await trio.sleep(self._hub.latency)
        here = self._hub.node(peer) is not None and any(self._hub.at(address) == peer for address in addresses)
        if not here or self._hub.is_cut(self.peer_id, peer):
            raise NetworkError(f"{peer} is out of reach")
        self._hub.link(self.peer_id, peer)


class _Pipe:
    """One direction of a stream: bounded, ended politely or snapped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ended = self._snapped = False
        self._moved = trio.Event()

    async def send(self, data: bytes) -> None:
        view = memoryview(data)
        while True:
            if self._snapped:
                raise trio.BrokenResourceError("the stream was reset")
            if self._ended:
                raise trio.ClosedResourceError("closed for writing")
            room = _WINDOW - len(self._buffer)
            self._buffer += view[: max(room, 0)]
            view = view[max(room, 0) :]
            self._wake()
            if not view:
                return await trio.lowlevel.checkpoint()
            await self._moved.wait()

    async def receive(self, n: int) -> bytes:
        while not self._buffer and not self._ended and not self._snapped:
            await self._moved.wait()
        if self._snapped:
            raise trio.BrokenResourceError("the stream was reset")
        data = bytes(self._buffer[:n])
        del self._buffer[:n]
        self._wake()
        await trio.lowlevel.checkpoint()
        return data

    def end(self) -> None:
        self._ended = True
        self._wake()

    def snap(self) -> None:
        self._snapped = True
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = trio.Event()


class _End:
    """One end of a stream, as ``streams.ByteStream``."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._incoming, self._outgoing = incoming, outgoing

    async def read(self, n: int) -> bytes:
        return await self._incoming.receive(n)

    async def write(self, data: bytes) -> None:
        await self._outgoing.send(data)

    async def close(self) -> None:
        self._outgoing.end()

    async def reset(self) -> None:
        self._incoming.snap()
        self._outgoing.snap()


_MESSAGES = itertools.count()
