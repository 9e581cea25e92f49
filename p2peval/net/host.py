"""The network over libp2p: TCP, Noise and Yamux only; identify, ping, GossipSub and a DHT of our own.

Composes the parts of this room and translates what libp2p raises; decides nothing about messages or peers.
Known traps of libp2p 0.8.1 are handled where they bite: ``guard`` (crashes, starvation), ``gossip``,
``discovery``, ``peers`` (reconnecting). Specs: libp2p noise, yamux, identify, ping, gossipsub v1.1, kad-dht.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import trio
from libp2p import generate_peer_id_from
from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.exceptions import HostException
from libp2p.host.ping import ID as PING
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore, PeerStoreError
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.transport.tcp.tcp import TCP
from libp2p.transport.upgrader import TransportUpgrader
from libp2p.utils.address_validation import expand_wildcard_address
from multiaddr import Multiaddr

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import ConfigError, NetworkError
from p2peval.net.addresses import check_free, parse_peer_id, peer_address, transport_address
from p2peval.net.discovery import FIXED_PROTOCOL, Discovery
from p2peval.net.gossip import Gossip
from p2peval.net.guard import GuardedHost, GuardedSwarm, run_service
from p2peval.net.network import (
    GossipHandler,
    PeerChange,
    PeerStatus,
    RequestHandler,
    Stream,
    StreamHandler,
)
from p2peval.net.peers import AddressBook, Changes, Healer, Heartbeat
from p2peval.net.scopes import deadline, plainly
from p2peval.net.streams import BROKEN, PatientStream, answering, containing, exchange, resetting

log = logging.getLogger(__name__)

_PING_BYTES = 32


class Libp2pNetwork:
    """``network.Network`` over libp2p. Made by ``open_network``."""

    def __init__(self, host: GuardedHost, counters: Counter[str], nursery: trio.Nursery) -> None:
        self._host = host
        self._counters = counters
        self._nursery = nursery
        self._changes = Changes()
        self._book = AddressBook(counters)
        self._dialling: dict[PeerId, trio.Event] = {}
        self.peer_id = PeerId(str(host.get_id()))
        self.gossip = Gossip(host, counters)
        self.healer = Healer(dial=self._reach, is_connected=self._is_connected)
        self.heartbeat = Heartbeat(self._connected, self._ping, self._drop)
        self.discovery = Discovery(host, counters, self._connected)
        host.swarm.dialler = self._reach_id
        host.swarm.register_notifee(_Notifee(self))

    # ── who and where ─────────────────────────────────────────────────────────────────────────────

    def addresses(self) -> tuple[str, ...]:
        return tuple(str(address) for address in self._host.get_addrs())

    def peers(self) -> tuple[PeerStatus, ...]:
        return tuple(self._status(peer) for peer in self._connected())

    def counters(self) -> dict[str, int]:
        """What was refused, dropped or contained since the start, by reason."""
        return dict(self._counters)

    async def changes(self) -> PeerChange:
        return await self._changes.next()

    def learn(self, peer: PeerId, addresses: Sequence[str]) -> None:
        self._book.learn(peer, addresses)

    async def connect(self, address: str, timeout: float = defaults.DIAL_TIMEOUT) -> PeerId:
        peer, transport = peer_address(address)
        if peer == self.peer_id:
            raise ConfigError(f"{address} is this node itself")
        if not self._is_connected(peer):
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
        self._serve(protocol, answering(handler, max_request=max_request, counters=self._counters))

    def serve_stream(self, protocol: str, handler: StreamHandler) -> None:
        self._serve(protocol, containing(handler, self._counters))

    def _serve(self, protocol: str, handler: StreamHandler) -> None:
        async def on_stream(raw: INetStream) -> None:
            await handler(PatientStream(raw, PeerId(str(raw.muxed_conn.peer_id))))

        self._host.keep_connection_for(protocol)
        self._host.set_stream_handler(TProtocol(protocol), on_stream)

    async def _open(self, peer: PeerId, protocol: str) -> PatientStream:
        await self._reach(peer)
        try:
            raw = await self._host.new_stream(parse_peer_id(peer), [TProtocol(protocol)])
        except (*BROKEN, SwarmException, HostException) as error:
            raise NetworkError(f"{peer} did not open {protocol}: {error}") from error
        return PatientStream(raw, peer)

    # ── gossip ────────────────────────────────────────────────────────────────────────────────────

    async def subscribe(self, topic: str, handler: GossipHandler) -> None:
        await self.gossip.subscribe(topic, handler, self._nursery)

    async def unsubscribe(self, topic: str) -> None:
        await self.gossip.unsubscribe(topic)

    async def publish(self, topic: str, data: bytes) -> None:
        await self.gossip.publish(topic, data)

    # ── discovery ─────────────────────────────────────────────────────────────────────────────────

    async def provide(self, key: bytes) -> None:
        self.discovery.provide(key)

    async def find(self, key: bytes, *, timeout: float, limit: int = 20) -> tuple[PeerId, ...]:
        found = await self.discovery.find(key, timeout=timeout, limit=limit)
        for provider in found:
            # hearsay goes behind what we know: a liar may not hide a peer from us
            self._book.learn(provider.peer, [*self._addresses_of(provider.peer), *provider.addresses])
        return tuple(provider.peer for provider in found)

    # ── reaching peers ────────────────────────────────────────────────────────────────────────────

    def _connected(self) -> list[PeerId]:
        return sorted(PeerId(str(peer)) for peer in self._host.swarm.connections)

    def _is_connected(self, peer: PeerId) -> bool:
        return any(not conn.is_closed for conn in self._host.swarm.get_connections(parse_peer_id(peer)))

    def _status(self, peer: PeerId) -> PeerStatus:
        conns = self._host.swarm.get_connections(parse_peer_id(peer))
        return PeerStatus(
            peer=peer,
            addresses=self._addresses_of(peer),
            inbound=all(str(getattr(conn, "direction", "")).lower().endswith("inbound") for conn in conns),
            rtt_ms=self.heartbeat.rtt_ms.get(peer),
        )

    def _addresses_of(self, peer: PeerId) -> tuple[str, ...]:
        """What we learned first, then what the peer itself said by identify."""
        try:
            said = self._host.get_peerstore().addrs(parse_peer_id(peer))
        except PeerStoreError:  # unknown, or said too long ago
            said = []
        return self._book.merged(peer, [str(address) for address in said])

    async def _reach(self, peer: PeerId) -> None:
        """Make sure of a connection; concurrent callers share one dial. Raises NetworkError."""
        if self._is_connected(peer):
            return
        under_way = self._dialling.get(peer)
        if under_way is not None:
            await under_way.wait()
            if not self._is_connected(peer):
                raise NetworkError(f"{peer} is out of reach")
            return
        done = self._dialling[peer] = trio.Event()
        try:
            await self._dial(peer)
        finally:
            del self._dialling[peer]
            done.set()

    async def _reach_id(self, peer: ID) -> None:
        await self._reach(PeerId(str(peer)))

    async def _dial(self, peer: PeerId) -> None:
        """Try one address after the other: libp2p's own dial tries a single TCP address and then blocks 60 s."""
        swarm = self._host.swarm
        problem: Exception | None = None
        for address in self._addresses_of(peer):
            try:
                with trio.fail_after(defaults.DIAL_TIMEOUT):
                    await swarm.dial_addr(Multiaddr(address), parse_peer_id(peer))
                return
            except (*BROKEN, SwarmException, trio.TooSlowError) as error:
                problem = error
                log.debug("dialling %s at %s: %r", peer, address, error)
        if problem is None:
            raise NetworkError(f"no address of {peer} is known", hint="connect to a member that knows it first")
        raise NetworkError(f"{peer} is out of reach: {problem}") from problem

    async def _ping(self, peer: PeerId) -> float:
        stream = await self._open(peer, PING)
        async with resetting(stream):
            challenge = secrets.token_bytes(_PING_BYTES)
            started = trio.current_time()
            await stream.write(challenge)
            if await stream.read_exactly(_PING_BYTES) != challenge:
                raise NetworkError(f"{peer} answered a ping with other bytes")
            elapsed = trio.current_time() - started
        await stream.close()
        return elapsed

    async def _drop(self, peer: PeerId) -> None:
        self._counters["dropped.frozen"] += 1
        await self._host.swarm.drop(parse_peer_id(peer))

    def _noted(self, peer: ID, connected: bool) -> None:
        name = PeerId(str(peer))
        self._changes.note(name, connected)
        if connected:
            self._host.swarm.unblock_peer(peer)
            self.healer.forget(name)
        else:
            self.healer.lost(name)


class _Notifee(INotifee):
    """libp2p's connection events, passed on."""

    def __init__(self, network: Libp2pNetwork) -> None:
        self._network = network

    async def connected(self, swarm: INetwork, conn: INetConn) -> None:
        self._network._noted(conn.muxed_conn.peer_id, True)

    async def disconnected(self, swarm: INetwork, conn: INetConn) -> None:
        peer = conn.muxed_conn.peer_id
        self._network._noted(peer, bool(swarm.get_connections(peer)))

    async def opened_stream(self, swarm: INetwork, stream: INetStream) -> None: ...
    async def closed_stream(self, swarm: INetwork, stream: INetStream) -> None: ...
    async def listen(self, swarm: INetwork, address: Multiaddr) -> None: ...
    async def listen_close(self, swarm: INetwork, address: Multiaddr) -> None: ...


def open_network(
    seed: bytes, listen: Sequence[str], *, bootstrap: Sequence[str] = (), dht_prefix: str = "/p2peval"
) -> AbstractAsyncContextManager[Libp2pNetwork]:
    """A running node whose peer id follows from ``seed``, the 32-byte Ed25519 private key.

    ``listen``: multiaddrs without ``/p2p/``; port 0 takes a free one. ``bootstrap``: multiaddrs with
    ``/p2p/``, dialled in the background and for ever; none need answer. Leaving the block closes every
    stream and connection within about two seconds. Raises ConfigError for a malformed address and
    NetworkError for one that cannot be listened on.
    """
    return plainly(_running(seed, listen, bootstrap, dht_prefix))


@asynccontextmanager
async def _running(
    seed: bytes, listen: Sequence[str], bootstrap: Sequence[str], dht_prefix: str
) -> AsyncIterator[Libp2pNetwork]:
    addresses = [transport_address(text) for text in listen]
    first_peers = [peer_address(text) for text in bootstrap]
    for address in addresses:
        check_free(address)
    counters: Counter[str] = Counter()
    host = _make_host(seed, counters, dht_prefix)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(run_service(host.swarm, counters))
        nursery = await stack.enter_async_context(_background())
        network = Libp2pNetwork(host, counters, nursery)
        stack.push_async_callback(_close, host)
        await _listen(host.swarm, addresses)
        await stack.enter_async_context(run_service(network.gossip.pubsub, counters))
        await stack.enter_async_context(run_service(network.gossip.router, counters))
        await network.gossip.pubsub.wait_until_ready()
        await stack.enter_async_context(run_service(network.discovery.service, counters))
        for peer, address in first_peers:
            if peer != network.peer_id:
                network.learn(peer, [address])
                network.healer.keep(peer)
        nursery.start_soon(network.healer.run)
        nursery.start_soon(network.heartbeat.run)
        nursery.start_soon(network.discovery.run)
        yield network


@asynccontextmanager
async def _background() -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        finally:
            nursery.cancel_scope.cancel()


def _make_host(seed: bytes, counters: Counter[str], dht_prefix: str) -> GuardedHost:
    if len(seed) != 32:
        raise ConfigError(f"an Ed25519 seed has 32 bytes, this one {len(seed)}")
    key_pair = create_new_key_pair(seed)
    peer = generate_peer_id_from(key_pair)
    peerstore = PeerStore()
    peerstore.add_key_pair(peer, key_pair)
    noise = NoiseTransport(key_pair, noise_privkey=create_noise_key_pair().private_key)
    swarm = GuardedSwarm(
        peer,
        peerstore,
        # named, because libp2p's default also accepts plaintext
        TransportUpgrader({NOISE: noise}, {TProtocol(YAMUX): Yamux}),
        transports=[TCP()],
        retry_config=RetryConfig(max_retries=0),  # the healer decides when to try again
        connection_config=ConnectionConfig(
            max_connections=defaults.MAX_CONNECTIONS,
            high_watermark=defaults.MAX_CONNECTIONS,
            low_watermark=0,  # no dials of libp2p's own choice
            min_connections=0,
            inbound_upgrade_timeout=defaults.HANDSHAKE_TIMEOUT,
            outbound_upgrade_timeout=defaults.HANDSHAKE_TIMEOUT,
        ),
        counters=counters,
    )
    return GuardedHost(
        swarm,
        counters=counters,
        renamed={FIXED_PROTOCOL: f"{dht_prefix}/kad/1.0.0"},
        disable_identify_address_discovery=True,
        addrs_factory=_advertised,
    )


def _advertised(listening: Sequence[Multiaddr]) -> list[Multiaddr]:
    """``0.0.0.0`` means nothing to others: name this machine's addresses instead."""
    return [concrete for address in listening for concrete in expand_wildcard_address(address)]


async def _listen(swarm: GuardedSwarm, addresses: Sequence[str]) -> None:
    for address in addresses:
        if not await swarm.listen(Multiaddr(address)):
            raise NetworkError(f"cannot listen on {address}", hint="is it an address of this machine, and free?")


async def _close(host: GuardedHost) -> None:
    """Say goodbye to all peers at once; libp2p's own shutdown takes them one by one."""
    for scope in list(host._identify_tasks):
        scope.cancel()
    await host.swarm.shut()
