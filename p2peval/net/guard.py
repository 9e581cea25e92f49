"""Keeps libp2p alive: whatever a peer sends may cost that peer its stream or connection, and nobody else.

py-libp2p runs everything of a node in a few nurseries, so one unexpected exception, in a stream handler or
in a task of a service, ends the process. Here are its host, swarm and service manager with walls put in:

- a raising stream handler costs its stream, a raising *libp2p* handler also the connection;
- a raising task of a service is counted and, if it was meant to run for ever, started again;
- handshakes in flight are counted per IP address, streams per peer;
- a slot for an inbound connection is free again when that connection ends (libp2p keeps it until shutdown).

This is the one place outside daemon.py with ``except Exception``: the list of what libp2p raises on hostile
bytes has no end (DecodeError, KeyError, AssertionError, ValueError, struct.error, ...).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.custom_types import StreamHandlerFn, TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import IncompleteReadError
from libp2p.network.auto_connector import AutoConnector
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.exceptions import StreamError
from libp2p.network.stream.net_stream import NetStream
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.tools.anyio_service.api import ServiceAPI
from libp2p.tools.anyio_service.trio_manager import TrioManager
from multiaddr import Multiaddr

from p2peval import defaults
from p2peval.errors import NetworkError

log = logging.getLogger(__name__)

CLOSE_PATIENCE = 1.0
"""Seconds for a polite close; a frozen peer's full socket would block it for ever."""

_ENDINGS = (StreamError, IncompleteReadError, OSError, EOFError, trio.TooSlowError)
"""What a stream may raise although its peer did nothing worse than leave."""

_RESTART_FIRST, _RESTART_LAST = 0.5, 30.0


class GuardedManager(TrioManager):
    """Runs a libp2p service so that no task of it can end the service."""

    def __init__(self, service: ServiceAPI, counters: Counter[str]) -> None:
        # a task with 1000 children, such as one busy connection's streams, would otherwise raise
        super().__init__(service, max_children_per_task=1 << 62)
        self._counters = counters

    def run_task(
        self,
        async_fn: Callable[..., Any],
        *args: Any,
        daemon: bool = False,
        name: str | None = None,
        _internal: bool = False,
    ) -> None:
        label = name or getattr(async_fn, "__qualname__", repr(async_fn))
        forever = daemon or _internal
        super().run_task(
            self._contained, async_fn, args, label, forever, daemon=daemon, name=label, _internal=_internal
        )

    async def _contained(self, async_fn: Callable[..., Any], args: Sequence[Any], label: str, forever: bool) -> None:
        """A daemon that returns is left to libp2p, which takes that for the end of the service."""
        pause = _RESTART_FIRST
        while True:
            try:
                await async_fn(*args)
                return
            except Exception:
                self._counters[f"crashed.{label}"] += 1
                log.warning("libp2p task %s crashed%s", label, "; restarting" if forever else "", exc_info=True)
            if not forever:
                return
            await trio.sleep(pause)
            pause = min(2 * pause, _RESTART_LAST)


@asynccontextmanager
async def run_service(service: ServiceAPI, counters: Counter[str]) -> AsyncIterator[None]:
    """Run a libp2p service under a GuardedManager for the length of the block."""
    manager = GuardedManager(service, counters)
    service._manager = manager
    async with trio.open_nursery() as nursery:
        nursery.start_soon(manager.run)
        await manager.wait_started()
        try:
            yield
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(2 * CLOSE_PATIENCE):
                await manager.stop()
            nursery.cancel_scope.cancel()


class GuardedSwarm(Swarm):
    """A swarm that shares its inbound places fairly and gets them back."""

    dialler: Callable[[ID], Awaitable[None]]
    """Set by the host: how to dial a peer, also when libp2p's own services want one. Raises NetworkError."""

    def __init__(self, *args: Any, counters: Counter[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counters = counters
        self._pending: Counter[str] = Counter()
        self.auto_connector = _NoAutoConnector(self)

    async def shut(self) -> None:
        """Stop listening, then say goodbye to everyone at once.

        libp2p's own shutdown runs already cancelled, so its listeners stay open and its goodbyes unsaid.
        """
        self._closing = True
        with trio.CancelScope(shield=True), trio.move_on_after(CLOSE_PATIENCE):
            for listener in list(self.listeners.values()):
                await listener.close()
        self.listeners.clear()
        await self._drop(self.get_connections())

    async def dial_peer(self, peer_id: ID) -> list[INetConn]:
        """libp2p's own would try one TCP address only, then refuse to try again for 60 s."""
        try:
            await self.dialler(peer_id)
        except NetworkError as error:
            raise SwarmException(str(error)) from error
        return self.get_connections(peer_id)

    async def _do_handle_inbound_connection(
        self, read_write_closer: ReadWriteCloser, maddr: Multiaddr, failure_event: object
    ) -> None:
        """Upgrade one inbound connection and hold its place until it closes."""
        origin = _remote_ip(read_write_closer)
        if self._pending[origin] >= defaults.PENDING_PER_ADDRESS:
            self.counters["refused.pending"] += 1
            await read_write_closer.close()
            return
        self._pending[origin] += 1
        try:
            conn = await self._upgrade(RawConnection(read_write_closer, False), maddr)
        finally:
            self._pending[origin] -= 1
            if not self._pending[origin]:
                del self._pending[origin]
        if conn is not None:
            await conn.event_closed.wait()

    async def _upgrade(self, raw: RawConnection, maddr: Multiaddr) -> SwarmConn | None:
        try:
            muxed = await self.upgrade_inbound_raw_conn(raw, maddr)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's first bytes can raise
            self.counters["refused.handshake"] += 1
            log.debug("inbound handshake failed: %r", error)
            with trio.move_on_after(CLOSE_PATIENCE):
                await raw.close()
            return None
        conns: list[SwarmConn] = self.get_connections(muxed.peer_id)  # type: ignore[assignment]
        return next((conn for conn in conns if conn.muxed_conn is muxed), None)

    async def drop(self, peer: ID) -> None:
        """Close every connection to ``peer``, by force where it does not answer. Never raises."""
        await self._drop(self.get_connections(peer))

    async def _drop(self, conns: Sequence[INetConn]) -> None:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for conn in conns:
                    nursery.start_soon(self.drop_connection, conn)

    async def drop_connection(self, conn: SwarmConn) -> None:
        """Close one connection, by force where the other end does not answer. Never raises."""
        with trio.move_on_after(CLOSE_PATIENCE) as polite:
            await conn.close()
        if not polite.cancelled_caught:
            return
        # The peer reads nothing any more: libp2p's close hangs on its goodbye, and cancelling it skips the rest.
        self.counters["dropped.by_force"] += 1
        with trio.move_on_after(CLOSE_PATIENCE):
            await trio.aclose_forcefully(_socket_of(conn))
            await conn.muxed_conn._cleanup_on_error()  # type: ignore[attr-defined]
        self.remove_conn(conn)
        await self.notify_disconnected(conn)


class _NoAutoConnector(AutoConnector):
    """libp2p's own dials anybody in its peer store until half the connection limit is filled; ours are chosen."""

    async def run_background_task(self, nursery: trio.Nursery) -> None:
        await trio.lowlevel.checkpoint()

    async def maybe_connect(self) -> None:
        await trio.lowlevel.checkpoint()


class GuardedHost(BasicHost):
    """A host whose stream handlers cannot raise, and which speaks libp2p's protocols under our names.

    ``renamed`` maps a protocol id fixed inside libp2p to the one used on the wire.
    """

    def __init__(self, swarm: GuardedSwarm, *, counters: Counter[str], renamed: Mapping[str, str], **kwargs: Any):
        self.counters = counters
        self._renamed = dict(renamed)
        self._ours: set[str] = set()
        self._inbound: Counter[ID] = Counter()
        super().__init__(swarm, **kwargs)

    def set_stream_handler(self, protocol_id: TProtocol, stream_handler: StreamHandlerFn) -> None:
        super().set_stream_handler(self.on_wire(protocol_id), stream_handler)

    def remove_stream_handler(self, protocol_id: TProtocol) -> None:
        super().remove_stream_handler(self.on_wire(protocol_id))

    async def new_stream(self, peer_id: ID, protocol_ids: Sequence[TProtocol]) -> INetStream:
        return await super().new_stream(peer_id, [self.on_wire(protocol) for protocol in protocol_ids])

    def keep_connection_for(self, protocol: str) -> None:
        """A crash in this protocol's handler is our own bug: it costs the stream only."""
        self._ours.add(protocol)

    def on_wire(self, protocol: str) -> TProtocol:
        """The name that peers see for a protocol of ours or libp2p's."""
        return TProtocol(self._renamed.get(protocol, protocol))

    async def _swarm_stream_handler(self, net_stream: INetStream) -> None:
        peer = net_stream.muxed_conn.peer_id
        if self._inbound[peer] >= defaults.STREAMS_PER_PEER:
            self.counters["refused.streams"] += 1
            await _reset(net_stream)
            return
        self._inbound[peer] += 1
        try:
            await super()._swarm_stream_handler(net_stream)
        except _ENDINGS as error:
            self.counters["stream.broken"] += 1
            log.debug("stream of %s ended early: %r", peer, error)
            await _reset(net_stream)
        except Exception as error:  # noqa: BLE001 - whatever a peer's bytes can raise in libp2p's handlers
            await self._crashed(net_stream, error)
        finally:
            self._inbound[peer] -= 1
            if not self._inbound[peer]:
                del self._inbound[peer]

    async def _crashed(self, stream: INetStream, error: Exception) -> None:
        protocol = stream.get_protocol() or "negotiation"
        self.counters[f"crashed.{protocol}"] += 1
        log.info("stream %s of %s crashed: %r", protocol, stream.muxed_conn.peer_id, error)
        await _reset(stream)
        if protocol not in self._ours and isinstance(stream, NetStream) and stream.swarm_conn is not None:
            self.swarm.manager.run_task(self.swarm.drop_connection, stream.swarm_conn)

    @property
    def swarm(self) -> GuardedSwarm:
        swarm = self.get_network()
        assert isinstance(swarm, GuardedSwarm)
        return swarm


async def _reset(stream: INetStream) -> None:
    with trio.move_on_after(CLOSE_PATIENCE):
        try:
            await stream.reset()
        except Exception as error:  # noqa: BLE001 - a broken stream's reset may raise anything, and matters to nobody
            log.debug("reset failed: %r", error)


def _remote_ip(transport: ReadWriteCloser) -> str:
    """The other end's address. libp2p's own answer is None for IPv6, which would share one allowance."""
    try:
        return str(transport.stream.socket.getpeername()[0])  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return "unknown"


def _socket_of(conn: SwarmConn) -> trio.abc.AsyncResource:
    """The TCP socket under Yamux, Noise and libp2p's wrappers. Raises NetworkError when it is not there."""
    layer: Any = conn.muxed_conn
    for attribute in ("secured_conn", "conn", "read_writer", "read_write_closer", "stream"):
        layer = getattr(layer, attribute, layer)
    while not isinstance(layer, trio.abc.AsyncResource):
        layer = getattr(layer, "stream", None)
        if layer is None:
            raise NetworkError("no socket under this connection")
    return layer
