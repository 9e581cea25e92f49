"""A joiner that knows one bootstrap peer finds the members of a key through the DHT."""

from __future__ import annotations

from contextlib import AsyncExitStack
from hashlib import sha256

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.kad_dht.routing_table import peer_id_to_key
from libp2p.network.stream.net_stream import INetStream
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.records.utils import InvalidRecordType
from multiaddr import Multiaddr
from nethosts import LOOPBACK, connected, found_by, peer_of, real_host, seed_of, until

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.net.discovery import FIXED_PROTOCOL, Discovery, Hearsay, dht_key
from p2peval.net.host import Libp2pNetwork, open_network

ECHO, KEY = "/p2peval/echo/1", b"topic: house-prices"


async def echo(peer: PeerId, body: bytes) -> bytes:
    return body


async def test_joiner_with_one_bootstrap_peer_finds_connects_and_asks_every_member() -> None:
    async with AsyncExitStack() as stack:
        boot = await stack.enter_async_context(real_host("boot"))
        members = []
        for name in ("m1", "m2", "m3", "m4"):
            member = await stack.enter_async_context(real_host(name, bootstrap=[boot.addresses()[0]]))
            member.serve(ECHO, echo, max_request=100)
            await member.provide(KEY)
            members.append(member)
        await until(lambda: all(member.counters().get("dht.provided") for member in members), within=30)
        joiner = await stack.enter_async_context(real_host("joiner", bootstrap=[boot.addresses()[0]]))
        await until(lambda: joiner.peers())
        found = await found_by(joiner, KEY)
        assert set(found) == {member.peer_id for member in members}
        for peer in found:
            assert await joiner.request(peer, ECHO, b"hello", timeout=5, max_reply=100) == b"hello"


async def test_limit_caps_what_is_returned() -> None:
    async with real_host("a") as a, real_host("b") as b, real_host("c") as c:
        for node in (b, c):
            await connected(node, a)
            await node.provide(KEY)
        await until(lambda: b.counters().get("dht.provided") and c.counters().get("dht.provided"), within=20)
        assert len(await a.find(KEY, timeout=5, limit=1)) == 1


async def test_connected_peer_enters_the_routing_table() -> None:
    async with real_host("a") as a, real_host("b") as b:
        await connected(a, b)
        for here, there in ((a, b), (b, a)):
            table = here.discovery.service.routing_table
            await until(lambda table=table, there=there: table.peer_in_table(ID.from_base58(there.peer_id)))


async def test_peers_of_another_prefix_do_not_share_the_table() -> None:
    async with real_host("a") as a, open_network(seed_of("b"), [LOOPBACK], dht_prefix="/other") as b:
        await connected(a, b)
        await b.provide(KEY)
        await until(lambda: b.counters().get("dht.unconfirmed"))
        assert await a.find(KEY, timeout=3) == ()
        assert not a.discovery.service.routing_table.peer_in_table(ID.from_base58(b.peer_id))


async def test_hearsay_does_not_replace_a_known_address() -> None:
    async with real_host("a") as a:
        a.learn(peer_of("b"), ["/ip4/192.0.2.1/tcp/1"])
        a.discovery._store.add_provider(dht_key(KEY), _elsewhere(peer_of("b")))
        assert await a.find(KEY, timeout=3) == (peer_of("b"),)
        assert a._addresses_of(peer_of("b")) == ("/ip4/192.0.2.1/tcp/1", "/ip4/198.51.100.9/tcp/9")


def _elsewhere(peer: PeerId) -> PeerInfo:
    return PeerInfo(ID.from_base58(peer), [Multiaddr("/ip4/198.51.100.9/tcp/9")])


async def test_a_peer_that_never_answers_does_not_hide_a_key() -> None:
    async def silent(stream: INetStream) -> None:
        await trio.sleep_forever()

    async with real_host("holder") as holder, real_host("provider") as provider, real_host("mute") as mute:
        await connected(provider, holder)
        await provider.provide(KEY)
        await until(lambda: provider.counters().get("dht.provided"), within=20)
        mute.discovery._host.set_stream_handler(TProtocol(FIXED_PROTOCOL), silent)
        async with real_host("seeker") as seeker:
            for peer in (holder, mute):
                await _known(seeker, peer)
            assert await seeker.find(KEY, timeout=defaults.FIND_TIMEOUT) == (provider.peer_id,)


async def test_a_key_with_more_holders_than_sybils_nearest_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two peers that take a key and forget it sit nearest it: with two holders it is lost, with four it is found."""
    monkeypatch.setattr(defaults, "PROVIDE_RETRY", 1.0)
    monkeypatch.setattr(defaults, "DHT_HOLDERS", 2)
    honest, sybils = ("h1", "h2"), ("s1", "s2")
    key = _key_nearest(sybils, honest)
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(real_host("provider"))
        holders = [await stack.enter_async_context(real_host(name)) for name in (*honest, *sybils)]
        for holder in holders:
            await _known(provider, holder)
        for sybil in holders[2:]:
            monkeypatch.setattr(sybil.discovery._store, "get_providers", lambda key: [])
        await provider.provide(key)
        await until(lambda: provider.counters().get("dht.unconfirmed"), within=20)
        seeker = await stack.enter_async_context(real_host("seeker"))
        for holder in holders:
            await _known(seeker, holder)
        assert await seeker.find(key, timeout=defaults.FIND_TIMEOUT) == ()
        monkeypatch.setattr(defaults, "DHT_HOLDERS", 4)
        await until(lambda: provider.counters().get("dht.provided"), within=20)
        assert await seeker.find(key, timeout=defaults.FIND_TIMEOUT) == (provider.peer_id,)


def _key_nearest(near: tuple[str, ...], far: tuple[str, ...]) -> bytes:
    """A key to which all of ``near`` are nearer than any of ``far``, the provider or the seeker."""

    def distance(name: str, target: bytes) -> int:
        return int.from_bytes(peer_id_to_key(ID.from_base58(peer_of(name))), "big") ^ int.from_bytes(target, "big")

    for number in range(100_000):
        key = f"key {number}".encode()
        target = sha256(dht_key(key)).digest()
        ordered = sorted((*near, *far, "provider", "seeker"), key=lambda name: distance(name, target))
        if set(ordered[: len(near)]) == set(near) and ordered[-1] == "seeker":
            return key
    raise AssertionError("no such key")


async def _known(one: Libp2pNetwork, other: Libp2pNetwork) -> None:
    """Connected, and in its routing table."""
    await connected(one, other)
    table = one.discovery.service.routing_table
    await until(lambda: table.peer_in_table(ID.from_base58(other.peer_id)))


def test_who_names_a_crowd_of_providers_has_no_more_say_than_who_names_one() -> None:
    hearsay, own = Hearsay(ID.from_base58(peer_of("me"))), _elsewhere(peer_of("me"))
    crowd = [_elsewhere(peer_of(f"false {number}")) for number in range(40)]
    true = _elsewhere(peer_of("true"))
    for _ in range(3):
        hearsay.hear(crowd)
    assert true not in hearsay.best(20)
    hearsay.hear([own, true])
    assert hearsay.best(4) == [*crowd[:3], true]
    assert own not in hearsay.best(100)


async def test_foreign_keys_are_bounded_and_values_must_be_small_public_keys() -> None:
    async with real_host("a") as a:
        discovery: Discovery = a.discovery
        validator = discovery.service.validator
        for key, value in (
            ("/p2peval/anything", b"x"),
            ("bare", b"x"),
            (f"/pk/{ID.from_base58(peer_of('b')).to_bytes().hex()}", b"not a key"),
            (f"/pk/{ID.from_base58(peer_of('b')).to_bytes().hex()}", bytes(defaults.DHT_VALUE_BYTES + 1)),
        ):
            with pytest.raises(InvalidRecordType):
                validator.validate(key, value)
        providers = discovery._store.providers
        for number in range(providers._limit + 10):
            providers[number.to_bytes(4, "big")] = {}
        assert len(providers) == providers._limit
