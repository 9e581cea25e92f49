"""Real hosts on loopback, the memory twin, and a clock-bound way to wait for what must happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import trio
from libp2p import generate_peer_id_from
from libp2p.crypto.ed25519 import create_new_key_pair

from p2peval.core.types import PeerId
from p2peval.net.host import Libp2pNetwork, open_network
from p2peval.net.memory import MemoryHub

LOOPBACK = "/ip4/127.0.0.1/tcp/0"


def seed_of(name: str) -> bytes:
    return name.encode().ljust(32, b".")


def peer_of(name: str) -> PeerId:
    return PeerId(str(generate_peer_id_from(create_new_key_pair(seed_of(name)))))


def real_host(name: str, *, bootstrap: Sequence[str] = ()) -> AbstractAsyncContextManager[Libp2pNetwork]:
    return open_network(seed_of(name), [LOOPBACK], bootstrap=bootstrap)


class RealWorld:
    """Nodes over libp2p on loopback."""

    def node(self, name: str) -> AbstractAsyncContextManager[Any]:
        return real_host(name)


class MemoryWorld:
    """The same nodes in memory."""

    def __init__(self) -> None:
        self._hub = MemoryHub()

    def node(self, name: str) -> AbstractAsyncContextManager[Any]:
        return self._hub.join(peer_of(name))


async def until(condition: Callable[[], object], *, within: float = 10.0) -> None:
    """Wait for ``condition``; a test that uses this fails when it stays false."""
    with trio.fail_after(within):
        while not condition():  # noqa: ASYNC110 - libp2p's inner state fires no event of ours
            await trio.sleep(0.01)


async def found_by(node: Any, key: bytes, *, within: float = 15.0) -> tuple[PeerId, ...]:
    """Ask the DHT until it names somebody."""
    with trio.fail_after(within):
        while True:
            found: tuple[PeerId, ...] = await node.find(key, timeout=3)
            if found:
                return found


async def connected(a: Any, b: Any) -> None:
    """Dial from ``a`` to ``b`` and wait until both know."""
    await a.connect(b.addresses()[0])
    await until(lambda: any(status.peer == a.peer_id for status in b.peers()))


async def gossiping(topic: str, *nodes: Any) -> None:
    """Wait until every libp2p node knows another subscriber of ``topic`` (the memory twin always does)."""
    for node in nodes:
        if isinstance(node, Libp2pNetwork):
            await until(lambda node=node: node.gossip.ready(topic))
