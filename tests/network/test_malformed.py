"""After a real handshake, garbage on every protocol: the node lives, honest peers notice nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
import trio
from attacker import attacker, framed
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.exceptions import SwarmException
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.pb import rpc_pb2
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from multiaddr import Multiaddr
from nethosts import connected, gossiping, real_host, until

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.net.host import Libp2pNetwork
from p2peval.net.network import Stream

REQUEST, STREAM, TOPIC = "/p2peval/test-request/1", "/p2peval/test-stream/1", "news"
MESHSUB, KAD = "/meshsub/1.1.0", "/p2peval/kad/1.0.0"
PROTOCOLS = ["/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", MESHSUB, KAD, REQUEST, STREAM]
NOISE_SEEDED = random.Random(20251123)  # what is sent must be the same in every run


@dataclass
class Scene:
    """A victim and an honest peer that keeps talking to it."""

    victim: Libp2pNetwork
    honest: Libp2pNetwork
    heard: list[bytes] = field(default_factory=list)
    _round: int = 0

    async def prove_alive(self) -> None:
        """A request, gossip both ways, and the honest connection never dropped."""
        self._round += 1
        news = f"round {self._round}".encode()
        reply = await self.honest.request(self.victim.peer_id, REQUEST, news, timeout=5, max_reply=100)
        assert reply == news
        await self.honest.publish(TOPIC, b"to victim " + news)
        await self.victim.publish(TOPIC, b"to honest " + news)
        await until(lambda: {b"to victim " + news, b"to honest " + news} <= set(self.heard), within=5)
        assert any(status.peer == self.honest.peer_id for status in self.victim.peers())


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async def echo(peer: PeerId, body: bytes) -> bytes:
        return body

    async def read(stream: Stream) -> None:
        length = int.from_bytes(await stream.read_exactly(4), "big")
        await stream.write(await stream.read_exactly(min(length, 1000)))

    async with AsyncExitStack() as stack:
        victim = await stack.enter_async_context(real_host("victim"))
        honest = await stack.enter_async_context(real_host("honest"))
        it = Scene(victim, honest)
        victim.serve(REQUEST, echo, max_request=1000)
        victim.serve_stream(STREAM, read)
        for node in (victim, honest):
            await node.subscribe(TOPIC, lambda forwarder, data: it.heard.append(data) or True)
        await connected(honest, victim)
        await gossiping(TOPIC, victim, honest)
        yield it


def garbage() -> list[bytes]:
    return [
        b"",
        b"\x00",
        b"\xff" * 64,
        *(NOISE_SEEDED.randbytes(n) for n in (1, 31, 33, 500, 70_000)),
        framed(b"\xff" * 12),  # a whole frame that is no protobuf
        framed(NOISE_SEEDED.randbytes(300)),
        framed(b"x" * 1000)[:100],  # half a frame
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + b"a" * 10,  # a varint length of 2^63
        b"\xff\xff\xff\xff" + b"a" * 10,  # our own length prefix, 4 GiB
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_garbage_after_a_real_handshake_ends_nobody_elses_conversation(scene: Scene, protocol: str) -> None:
    for end in ("close", "reset", "open"):
        async with attacker(scene.victim) as villain:
            for data in garbage():
                await villain.say(protocol, data, end=end)
        await scene.prove_alive()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_dripping_half_a_frame_blocks_nobody(scene: Scene, protocol: str) -> None:
    async with attacker(scene.victim) as villain:
        stream = await villain.open(protocol)
        prefixed = (100).to_bytes(4, "big") + b"x" * 100
        for byte in (prefixed if protocol in (REQUEST, STREAM) else framed(b"x" * 100))[:6]:
            await stream.write(bytes([byte]))
            await scene.prove_alive()


def rpc(**fields: object) -> bytes:
    return framed(rpc_pb2.RPC(**fields).SerializeToString())


def hashed_id_and_garbage_key() -> bytes:
    """A sha2-256 peer id does not contain its key, so libp2p parses the one in the message."""
    message = rpc_pb2.Message(
        from_id=b"\x12\x20" + bytes(32), seqno=bytes(8), data=b"x", topicIDs=[TOPIC], key=b"\xff" * 40, signature=b"s"
    )
    return rpc(publish=[message])


def graft(topic: str) -> bytes:
    return rpc(control=rpc_pb2.ControlMessage(graft=[rpc_pb2.ControlGraft(topicID=topic)]))


def prune(topic: str) -> bytes:
    strangers = [rpc_pb2.PeerInfo(peerID=b"\xff\xfe", signedPeerRecord=b"\x00nonsense")]
    return rpc(
        control=rpc_pb2.ControlMessage(prune=[rpc_pb2.ControlPrune(topicID=topic, peers=strangers, backoff=1 << 62)])
    )


ATTACKS = {
    "invalid protobuf": framed(b"\xff\xff\xff\xff\xff"),
    "hashed id, garbage key": hashed_id_and_garbage_key(),
    "empty from": rpc(publish=[rpc_pb2.Message(from_id=b"", seqno=b"", data=b"x", topicIDs=[TOPIC])]),
    "no signature": rpc(publish=[rpc_pb2.Message(from_id=b"\x00\x24\x08\x01\x12\x20" + bytes(32), topicIDs=[TOPIC])]),
    "graft unknown topic": graft("nobody subscribes to this"),
    "graft without subscribing": graft(TOPIC),
    "prune with peers": prune(TOPIC),
    "prune unknown topic": prune("nobody"),
    "ihave": rpc(
        control=rpc_pb2.ControlMessage(ihave=[rpc_pb2.ControlIHave(topicID=TOPIC, messageIDs=[b"(", b"x" * 9999])])
    ),
    "ihave that is code": rpc(
        control=rpc_pb2.ControlMessage(ihave=[rpc_pb2.ControlIHave(topicID=TOPIC, messageIDs=[b"1/0", b"[", b"b'"])])
    ),
    "iwant": rpc(control=rpc_pb2.ControlMessage(iwant=[rpc_pb2.ControlIWant(messageIDs=[b"(", b"__import__(1)"])])),
    "garbage record": rpc(senderRecord=b"\xff" * 100),
    "5000 subscriptions": rpc(subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid=str(i)) for i in range(5000)]),
    "no topic id": rpc(subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True)]),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_hostile_gossip_frame_is_contained(scene: Scene, attack: str) -> None:
    async with attacker(scene.victim) as villain:
        hello = rpc(subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid=TOPIC)])
        await villain.say(MESHSUB, hello + ATTACKS[attack], end="open")
        await scene.prove_alive()
    await scene.prove_alive()


async def test_peer_whose_gossip_does_not_parse_is_disconnected(scene: Scene) -> None:
    async with attacker(scene.victim) as villain:
        await until(lambda: villain.peer_id in {status.peer for status in scene.victim.peers()})
        await villain.say(MESHSUB, ATTACKS["invalid protobuf"], end="open")
        await until(lambda: villain.peer_id not in {status.peer for status in scene.victim.peers()})
    assert scene.victim.counters()[f"crashed.{MESHSUB}"] >= 1


async def test_plaintext_is_refused(scene: Scene) -> None:
    pair = create_new_key_pair(b"p" * 32)
    host = new_host(
        key_pair=pair,
        sec_opt={TProtocol(PLAINTEXT_PROTOCOL_ID): InsecureTransport(pair)},
        muxer_opt={TProtocol(YAMUX): Yamux},
    )
    async with host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        with pytest.raises(SwarmException), trio.fail_after(20):
            await host.connect(info_from_p2p_addr(Multiaddr(scene.victim.addresses()[0])))
        await host.close()
    await scene.prove_alive()


async def test_garbage_instead_of_a_handshake_is_refused(scene: Scene) -> None:
    port = int(scene.victim.addresses()[0].split("/")[4])
    for data in garbage():
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(data)
    await scene.prove_alive()


async def test_half_open_connections_beyond_the_share_of_an_address_are_refused(scene: Scene) -> None:
    port = int(scene.victim.addresses()[0].split("/")[4])
    async with AsyncExitStack() as stack:
        for _ in range(defaults.PENDING_PER_ADDRESS + 20):
            await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
        await until(lambda: scene.victim.counters().get("refused.pending", 0) >= 20)
        await scene.prove_alive()
    await until(lambda: not scene.victim._host.swarm._pending)


async def test_peer_with_too_many_streams_is_refused_more(scene: Scene) -> None:
    async with attacker(scene.victim) as villain:
        with trio.move_on_after(10):
            for _ in range(defaults.STREAMS_PER_PEER + 8):
                stream = await villain.host.get_network().new_stream(villain._victim.peer_id)
                await stream.write(b"\x13/multistream/1.0.0\n")
        await until(lambda: scene.victim.counters().get("refused.streams", 0) >= 1)
        await scene.prove_alive()
