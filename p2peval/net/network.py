"""What the rest of p2peval may ask of a network; ``host.py`` gives it over libp2p, ``memory.py`` in memory.

Bytes in, bytes out: this room knows no message, no benchmark and no policy. Whatever a peer sends is
bounded in size before it is read, and an exception in a handler costs that stream only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from p2peval.core.types import PeerId


class Stream(Protocol):
    """A bidirectional byte stream to ``peer``. Every method raises NetworkError when it breaks."""

    @property
    def peer(self) -> PeerId: ...

    async def read_exactly(self, n: int) -> bytes:
        """Exactly n bytes; NetworkError on early EOF."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None:
        """Close politely; never raises."""
        ...

    async def reset(self) -> None:
        """Tear down; never raises."""
        ...


RequestHandler = Callable[[PeerId, bytes], Awaitable[bytes]]
"""(peer, request) -> reply. May raise RemoteProtocolError to have the stream reset."""

StreamHandler = Callable[[Stream], Awaitable[None]]

GossipHandler = Callable[[PeerId, bytes], bool]
"""(forwarding neighbour, data) -> False to REJECT (costs the forwarder), True for ACCEPT and IGNORE.

Synchronous, cheap and must not raise; it queues what it accepts (libp2p.md, traps 1, 3 and 5).
"""


@dataclass(frozen=True, slots=True)
class PeerChange:
    """A peer's first connection opened, or its last one is gone (or failed our heartbeat)."""

    peer: PeerId
    connected: bool


@dataclass(frozen=True, slots=True)
class PeerStatus:
    peer: PeerId
    addresses: tuple[str, ...]
    inbound: bool
    rtt_ms: float | None


class Network(Protocol):
    """One node's view of the network. Open with ``async with``; closing ends every task it started."""

    @property
    def peer_id(self) -> PeerId: ...

    def addresses(self) -> tuple[str, ...]:
        """Full listening multiaddrs, with ``/p2p/<peer id>``."""
        ...

    def peers(self) -> tuple[PeerStatus, ...]:
        """Connected peers, sorted by id."""
        ...

    def counters(self) -> dict[str, int]:
        """What was refused, dropped or contained since the start, by reason."""
        ...

    def changes(self) -> Awaitable[PeerChange]:
        """The next connection change, in order (``await network.changes()``)."""
        ...

    async def connect(self, address: str, timeout: float = 10.0) -> PeerId:
        """Dial a multiaddr with ``/p2p/``. Raises NetworkError, ConfigError for a malformed address."""
        ...

    def learn(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Remember where ``peer`` can be dialled (multiaddrs without ``/p2p/``); replaces what was known."""
        ...

    async def request(self, peer: PeerId, protocol: str, body: bytes, *, timeout: float, max_reply: int) -> bytes:
        """One length-prefixed frame each way on a fresh stream. Dials if need be. Raises NetworkError."""
        ...

    async def open_stream(self, peer: PeerId, protocol: str, *, timeout: float) -> Stream: ...

    def serve(self, protocol: str, handler: RequestHandler, *, max_request: int) -> None: ...

    def serve_stream(self, protocol: str, handler: StreamHandler) -> None: ...

    async def subscribe(self, topic: str, handler: GossipHandler) -> None: ...

    async def unsubscribe(self, topic: str) -> None: ...

    async def publish(self, topic: str, data: bytes) -> None:
        """Best effort; paced. Never raises for lack of neighbours."""
        ...

    async def provide(self, key: bytes) -> None:
        """Tell the DHT that this node holds ``key`` (any bytes). Best effort, paced, in the background."""
        ...

    async def find(self, key: bytes, *, timeout: float, limit: int = 20) -> tuple[PeerId, ...]:
        """Peers that say they hold ``key``; their addresses are learned. Unverified claims."""
        ...
