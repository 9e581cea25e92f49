"""One set of observations, made of the real network and of its in-memory twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from nethosts import MemoryWorld, RealWorld, connected, found_by, gossiping, peer_of, until

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import ConfigError, LocalProtocolError, NetworkError, RemoteProtocolError
from p2peval.net.network import PeerChange, Stream

ECHO, TOPIC = "/p2peval/test/1", "twins"
Node = Callable[[str], Any]


@pytest.fixture(params=[MemoryWorld, RealWorld], ids=["memory", "libp2p"])
def node(request: pytest.FixtureRequest) -> Node:
    return request.param().node


async def echo(peer: PeerId, body: bytes) -> bytes:
    return body


async def test_request_is_answered_and_the_handler_knows_who_asked(node: Node) -> None:
    async def who(peer: PeerId, body: bytes) -> bytes:
        return f"{peer} said ".encode() + body

    async with node("a") as a, node("b") as b:
        b.serve(ECHO, who, max_request=100)
        await connected(a, b)
        reply = await a.request(b.peer_id, ECHO, b"hello", timeout=5, max_reply=1000)
        assert reply == f"{peer_of('a')} said hello".encode()


async def test_empty_and_large_bodies_survive(node: Node) -> None:
    async with node("a") as a, node("b") as b:
        b.serve(ECHO, echo, max_request=2_000_000)
        await connected(a, b)
        for body in (b"", bytes(range(256)) * 4096):
            assert await a.request(b.peer_id, ECHO, body, timeout=10, max_reply=2_000_000) == body


async def test_request_beyond_the_servers_limit_is_refused_and_the_server_lives(node: Node) -> None:
    async with node("a") as a, node("b") as b:
        b.serve(ECHO, echo, max_request=10)
        await connected(a, b)
        with pytest.raises(NetworkError):
            await a.request(b.peer_id, ECHO, bytes(11), timeout=5, max_reply=100)
        assert await a.request(b.peer_id, ECHO, bytes(10), timeout=5, max_reply=100) == bytes(10)


async def test_reply_beyond_the_askers_limit_is_not_read(node: Node) -> None:
    async with node("a") as a, node("b") as b:
        b.serve(ECHO, echo, max_request=100)
        await connected(a, b)
        with pytest.raises(NetworkError, match="20 bytes"):
            await a.request(b.peer_id, ECHO, bytes(20), timeout=5, max_reply=19)


@pytest.mark.parametrize("failure", [RemoteProtocolError("bad"), RuntimeError("a bug"), KeyError("x")])
async def test_raising_handler_costs_its_stream_only(node: Node, failure: Exception) -> None:
    async def fail(peer: PeerId, body: bytes) -> bytes:
        raise failure

    async with node("a") as a, node("b") as b:
        b.serve("/p2peval/fail/1", fail, max_request=100)
        b.serve(ECHO, echo, max_request=100)
        await connected(a, b)
        with pytest.raises(NetworkError):
            await a.request(b.peer_id, "/p2peval/fail/1", b"x", timeout=5, max_reply=100)
        assert await a.request(b.peer_id, ECHO, b"still here", timeout=5, max_reply=100) == b"still here"
        assert [status.peer for status in a.peers()] == [b.peer_id]


async def test_request_that_takes_too_long_is_a_network_error(node: Node) -> None:
    async def ponder(peer: PeerId, body: bytes) -> bytes:
        await trio.sleep_forever()
        return b""

    async with node("a") as a, node("b") as b:
        b.serve(ECHO, ponder, max_request=100)
        await connected(a, b)
        with pytest.raises(NetworkError, match="longer than"):
            await a.request(b.peer_id, ECHO, b"x", timeout=0.3, max_reply=100)


async def test_unknown_protocol_is_a_network_error(node: Node) -> None:
    async with node("a") as a, node("b") as b:
        await connected(a, b)
        with pytest.raises(NetworkError):
            await a.open_stream(b.peer_id, "/nobody/speaks/this", timeout=5)


async def test_stream_carries_both_directions_and_ends_politely(node: Node) -> None:
    async def reverse(stream: Stream) -> None:
        await stream.write((await stream.read_exactly(6))[::-1])
        await stream.close()

    async with node("a") as a, node("b") as b:
        b.serve_stream(ECHO, reverse)
        await connected(a, b)
        stream = await a.open_stream(b.peer_id, ECHO, timeout=5)
        assert stream.peer == b.peer_id
        await stream.write(b"abc")
        await stream.write(b"def")
        assert await stream.read_exactly(6) == b"fedcba"
        with pytest.raises(NetworkError):
            await stream.read_exactly(1)
        await stream.close()


async def test_reset_reaches_the_other_end(node: Node) -> None:
    outcome: list[type[Exception]] = []

    async def read(stream: Stream) -> None:
        try:
            await stream.read_exactly(10)
        except NetworkError as error:
            outcome.append(type(error))

    async with node("a") as a, node("b") as b:
        b.serve_stream(ECHO, read)
        await connected(a, b)
        stream = await a.open_stream(b.peer_id, ECHO, timeout=5)
        await stream.write(b"half")
        await stream.reset()
        await until(lambda: outcome == [NetworkError])


async def test_peers_that_come_and_go_are_reported_to_both_sides(node: Node) -> None:
    async with node("a") as a:
        async with node("b") as b:
            await a.connect(b.addresses()[0])
            assert await a.changes() == PeerChange(b.peer_id, True)
            assert await b.changes() == PeerChange(a.peer_id, True)
            assert [(s.peer, s.inbound) for s in a.peers()] == [(b.peer_id, False)]
            assert [(s.peer, s.inbound) for s in b.peers()] == [(a.peer_id, True)]
        with trio.fail_after(5):
            assert await a.changes() == PeerChange(peer_of("b"), False)
        assert a.peers() == ()


async def test_learned_address_is_enough_to_reach_a_peer(node: Node) -> None:
    async with node("a") as a, node("b") as b:
        b.serve(ECHO, echo, max_request=100)
        a.learn(b.peer_id, [address.partition("/p2p/")[0] for address in b.addresses()])
        assert await a.request(b.peer_id, ECHO, b"x", timeout=5, max_reply=100) == b"x"


async def test_peer_without_an_address_is_out_of_reach(node: Node) -> None:
    async with node("a") as a:
        with pytest.raises(NetworkError, match="no address"):
            await a.request(peer_of("stranger"), ECHO, b"x", timeout=5, max_reply=100)


async def test_peer_that_has_left_is_out_of_reach(node: Node) -> None:
    async with node("a") as a:
        async with node("b") as b:
            gone = b.addresses()[0]
        with pytest.raises(NetworkError):
            await a.connect(gone, timeout=5)


@pytest.mark.parametrize("address", ["", "nonsense", "/ip4/127.0.0.1/tcp/4001"])
async def test_malformed_address_is_a_config_error(node: Node, address: str) -> None:
    async with node("a") as a:
        with pytest.raises(ConfigError):
            await a.connect(address)


async def test_dialling_oneself_is_a_config_error(node: Node) -> None:
    async with node("a") as a:
        with pytest.raises(ConfigError, match="itself"):
            await a.connect(a.addresses()[0])


class Ear:
    """A gossip handler that remembers."""

    def __init__(self, *, accepts: bool = True) -> None:
        self.heard: list[tuple[PeerId, bytes]] = []
        self._accepts = accepts

    def __call__(self, forwarder: PeerId, data: bytes) -> bool:
        self.heard.append((forwarder, data))
        return self._accepts


async def test_gossip_reaches_subscribers_once_and_not_its_author(node: Node) -> None:
    ears = [Ear(), Ear(), Ear()]
    async with node("a") as a, node("b") as b, node("c") as c:
        await connected(a, b)
        await connected(b, c)
        await connected(c, a)
        for member, ear in zip((a, b, c), ears, strict=True):
            await member.subscribe(TOPIC, ear)
        await gossiping(TOPIC, a, b, c)
        await a.publish(TOPIC, b"news")
        await until(lambda: ears[1].heard and ears[2].heard)
        await b.publish(TOPIC, b"more")
        await until(lambda: ears[0].heard and len(ears[2].heard) == 2)
        assert ears[0].heard[0][1] == b"more"
        assert len(ears[0].heard) == len(ears[1].heard) == 1


async def test_gossip_hops_and_names_the_neighbour_that_forwarded_it(node: Node) -> None:
    middle, end = Ear(), Ear()
    async with node("a") as a, node("b") as b, node("c") as c:
        await connected(a, b)
        await connected(b, c)
        await a.subscribe(TOPIC, Ear())
        await b.subscribe(TOPIC, middle)
        await c.subscribe(TOPIC, end)
        await gossiping(TOPIC, a, b, c)
        await a.publish(TOPIC, b"news")
        await until(lambda: end.heard)
        assert middle.heard == [(a.peer_id, b"news")]
        assert end.heard == [(b.peer_id, b"news")]


async def test_rejected_gossip_goes_no_further(node: Node) -> None:
    middle, end = Ear(accepts=False), Ear()
    async with node("a") as a, node("b") as b, node("c") as c:
        await connected(a, b)
        await connected(b, c)
        await a.subscribe(TOPIC, Ear())
        await b.subscribe(TOPIC, middle)
        await c.subscribe(TOPIC, end)
        await gossiping(TOPIC, a, b, c)
        await a.publish(TOPIC, b"junk")
        await until(lambda: middle.heard)
        await b.publish(TOPIC, b"fine")
        await until(lambda: end.heard)
        assert [data for _, data in end.heard] == [b"fine"]
        assert b.counters()["gossip.rejected"] == 1


async def test_raising_gossip_handler_costs_nobody_anything(node: Node) -> None:
    def broken(forwarder: PeerId, data: bytes) -> bool:
        raise RuntimeError("a bug")

    end = Ear()
    async with node("a") as a, node("b") as b:
        await connected(a, b)
        await a.subscribe(TOPIC, end)
        await b.subscribe(TOPIC, broken)
        await gossiping(TOPIC, a, b)
        await a.publish(TOPIC, b"news")
        await until(lambda: b.counters().get("gossip.bug") == 1)
        await b.publish(TOPIC, b"still here")
        await until(lambda: end.heard)


async def test_unsubscribed_topic_is_heard_no_more(node: Node) -> None:
    ear, other = Ear(), Ear()
    async with node("a") as a, node("b") as b:
        await connected(a, b)
        for topic in (TOPIC, "other"):
            await a.subscribe(topic, Ear())
        await b.subscribe(TOPIC, ear)
        await b.subscribe("other", other)
        await gossiping(TOPIC, a, b)
        await gossiping("other", a, b)
        await b.unsubscribe(TOPIC)
        await a.publish(TOPIC, b"unheard")
        await a.publish("other", b"heard")
        await until(lambda: other.heard)
        assert ear.heard == []


async def test_publishing_to_nobody_is_no_error_and_too_much_is_ours(node: Node) -> None:
    async with node("a") as a:
        await a.publish(TOPIC, b"alone")
        with pytest.raises(LocalProtocolError):
            await a.publish(TOPIC, bytes(defaults.GOSSIP_MAX_BYTES + 1))


async def test_provider_is_found_through_others_and_can_be_asked(node: Node) -> None:
    async with node("a") as a, node("b") as b, node("c") as c:
        c.serve(ECHO, echo, max_request=100)
        await connected(a, b)
        await connected(c, b)
        await c.provide(b"dataset")
        assert await found_by(a, b"dataset") == (c.peer_id,)
        assert await a.request(c.peer_id, ECHO, b"x", timeout=5, max_reply=100) == b"x"
        assert await a.find(b"nobody holds this", timeout=3) == ()


async def test_one_who_provides_finds_the_others_not_itself(node: Node) -> None:
    async with node("a") as a, node("b") as b:
        await connected(a, b)
        await a.provide(b"topic")
        await b.provide(b"topic")
        assert await found_by(a, b"topic") == (b.peer_id,)
