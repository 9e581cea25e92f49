"""A peer that finishes the Noise and Yamux handshakes honestly and then says whatever the test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from libp2p import new_host
from libp2p.abc import IHost
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.utils.varint import encode_uvarint
from multiaddr import Multiaddr
from nethosts import LOOPBACK

SETTLE = 0.1  # seconds given to a victim that neither answers nor hangs up


class Attacker:
    """A bare libp2p host, without any of our guards, connected to one victim."""

    def __init__(self, host: IHost, victim: Any) -> None:
        self.host = host
        self.peer_id = str(host.get_id())
        self._victim = info_from_p2p_addr(Multiaddr(victim.addresses()[0]))

    async def connect(self) -> None:
        with trio.fail_after(10):
            await self.host.connect(self._victim)

    async def open(self, protocol: str) -> Any:
        with trio.fail_after(10):
            return await self.host.new_stream(self._victim.peer_id, [TProtocol(protocol)])

    async def say(self, protocol: str, data: bytes, *, end: str = "close") -> None:
        """Send ``data`` on a fresh stream, then ``close``, ``reset`` or leave it ``open``; wait for the reaction."""
        if not self.host.get_network().get_connections(self._victim.peer_id):
            await self.connect()
        try:
            stream = await self.open(protocol)
            await stream.write(data)
            if end == "reset":
                await stream.reset()
                return
            if end == "close":
                await stream.close()
            with trio.move_on_after(SETTLE):
                while await stream.read(4096):
                    pass
        except BaseLibp2pError:
            return  # the victim hung up: its good right


@asynccontextmanager
async def attacker(victim: Any, *, name: bytes = b"attacker") -> AsyncIterator[Attacker]:
    pair = create_new_key_pair(name.ljust(32, b"!"))
    host = new_host(
        key_pair=pair,
        sec_opt={NOISE: NoiseTransport(pair, noise_privkey=create_noise_key_pair().private_key)},
        muxer_opt={TProtocol(YAMUX): Yamux},
    )
    async with host.run(listen_addrs=[Multiaddr(LOOPBACK)]):
        villain = Attacker(host, victim)
        await villain.connect()
        try:
            yield villain
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(2):  # libp2p forgets its sockets when cancelled
                await host.close()


def framed(body: bytes) -> bytes:
    """With the varint length that libp2p's protocols use."""
    return bytes(encode_uvarint(len(body))) + body
