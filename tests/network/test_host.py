"""What only the real host can show: its identity, its listening addresses, healing, and leaving in time."""

from __future__ import annotations

import errno
import socket

import pytest
import trio
from libp2p.peer.id import ID
from nethosts import LOOPBACK, connected, peer_of, real_host, seed_of, until

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import ConfigError, NetworkError
from p2peval.net.addresses import check_free, peer_address
from p2peval.net.host import open_network
from p2peval.net.network import PeerChange, Stream

SLOW, ECHO = "/p2peval/slow/1", "/p2peval/echo/1"


async def echo(peer: PeerId, body: bytes) -> bytes:
    return body


async def test_identity_follows_from_the_seed() -> None:
    for _ in range(2):
        async with real_host("same") as node:
            assert node.peer_id == peer_of("same")
            assert node.addresses()[0].endswith(f"/p2p/{peer_of('same')}")


async def test_listening_on_all_interfaces_advertises_addresses_that_others_can_dial() -> None:
    async with open_network(seed_of("wide"), ["/ip4/0.0.0.0/tcp/0"]) as wide:
        assert wide.addresses()
        assert not any("/0.0.0.0/" in address for address in wide.addresses())


async def test_taken_port_is_named_in_the_error() -> None:
    async with real_host("first") as first:
        taken = first.addresses()[0].partition("/p2p/")[0]
        with pytest.raises(NetworkError, match=taken) as caught:
            async with open_network(seed_of("second"), [taken]):
                pass
        assert "another process" in caught.value.hint


async def test_address_of_another_machine_is_named_in_the_error() -> None:
    with pytest.raises(NetworkError, match=r"192\.0\.2\.1") as caught:
        check_free("/ip4/192.0.2.1/tcp/0")
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:4001", "/ip4/127.0.0.1", "/ip4/999.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1", "/tcp/1"],
)
async def test_malformed_listening_address_is_a_config_error_with_an_example(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        async with open_network(seed_of("x"), [address]):
            pass
    assert "/ip4/" in caught.value.hint


@pytest.mark.parametrize("tail", ["", "/p2p/nonsense", "/p2p/QmNotAPeerId"])
async def test_malformed_bootstrap_address_is_a_config_error(tail: str) -> None:
    with pytest.raises(ConfigError):
        async with real_host("x", bootstrap=["/ip4/127.0.0.1/tcp/4001" + tail]):
            pass


def test_peer_address_is_split_into_peer_and_transport() -> None:
    assert peer_address(f"/dns4/example.org/tcp/4001/p2p/{peer_of('a')}") == (
        peer_of("a"),
        "/dns4/example.org/tcp/4001",
    )


async def test_bootstrap_peer_that_starts_later_is_joined() -> None:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        listen = f"/ip4/127.0.0.1/tcp/{chosen.getsockname()[1]}"
    async with real_host("early", bootstrap=[f"{listen}/p2p/{peer_of('late')}"]) as early:
        assert early.peers() == ()
        async with open_network(seed_of("late"), [listen]):
            with trio.fail_after(10):
                assert await early.changes() == PeerChange(peer_of("late"), True)


async def test_peer_that_restarts_is_found_again_without_anyone_asking() -> None:
    async with real_host("stays") as stays:
        async with real_host("restarts") as restarts:
            await connected(stays, restarts)
            listen = restarts.addresses()[0].partition("/p2p/")[0]
        await until(lambda: stays.peers() == ())
        async with open_network(seed_of("restarts"), [listen]) as restarted:
            await until(lambda: [status.peer for status in stays.peers()] == [restarted.peer_id], within=15)


async def test_first_address_that_answers_is_taken() -> None:
    async with real_host("a") as a, real_host("b") as b:
        b.serve(ECHO, echo, max_request=10)
        good = b.addresses()[0].partition("/p2p/")[0]
        a.learn(b.peer_id, ["/ip4/127.0.0.1/tcp/1", good])
        assert await a.request(b.peer_id, ECHO, b"x", timeout=5, max_reply=10) == b"x"


async def test_impostor_at_a_known_address_is_refused() -> None:
    async with real_host("a") as a, real_host("impostor") as impostor:
        a.learn(peer_of("b"), [impostor.addresses()[0].partition("/p2p/")[0]])
        with pytest.raises(NetworkError):
            await a.request(peer_of("b"), ECHO, b"x", timeout=5, max_reply=10)


async def test_failed_peer_is_dialled_again_at_once_when_asked() -> None:
    """libp2p's own negative cache would refuse for 60 s."""
    async with real_host("a") as a:
        async with real_host("b") as b:
            address = b.addresses()[0]
        with pytest.raises(NetworkError):
            await a.connect(address)
        async with open_network(seed_of("b"), [address.partition("/p2p/")[0]]) as again:
            assert await a.connect(address) == again.peer_id


async def test_frozen_peer_is_dropped_by_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "HEARTBEAT_INTERVAL", 0.2)
    monkeypatch.setattr(defaults, "HEARTBEAT_TIMEOUT", 0.3)
    async with real_host("a") as a, real_host("b") as b:
        await connected(a, b)
        await until(lambda: a.peers() and a.peers()[0].rtt_ms is not None)

        async def never(peer: PeerId) -> float:
            await trio.sleep_forever()
            return 0.0

        a.heartbeat._ping = never
        await until(lambda: a.counters().get("dropped.frozen"))


async def test_connection_whose_goodbye_blocks_is_closed_by_force() -> None:
    async with real_host("a") as a, real_host("b") as b:
        await connected(a, b)
        swarm = a._host.swarm
        (conn,) = swarm.get_connections(ID.from_base58(b.peer_id))
        async with conn.muxed_conn._write_lock:  # as when the peer has stopped reading
            with trio.fail_after(5):
                await swarm.drop(ID.from_base58(b.peer_id))
        assert a.peers() == ()
        assert a.counters()["dropped.by_force"] == 1


async def test_inbound_places_are_free_again_after_connections_end() -> None:
    async with real_host("a") as a:
        limiter = a._host.swarm._inbound_limiter
        for name in ("b", "c"):
            async with real_host(name) as other:
                await connected(other, a)
                assert limiter.borrowed_tokens == 1
            await until(lambda: limiter.borrowed_tokens == 0)


async def test_leaving_takes_less_than_two_seconds_with_streams_open_and_handlers_busy() -> None:
    async def busy(stream: Stream) -> None:
        await stream.read_exactly(1)
        await trio.sleep_forever()

    async with real_host("server") as server:
        server.serve_stream(SLOW, busy)
        async with trio.open_nursery() as nursery:
            for name in ("a", "b", "c", "d"):

                async def client(name: str = name) -> None:
                    async with real_host(name) as node:
                        await node.connect(server.addresses()[0])
                        for _ in range(5):
                            stream = await node.open_stream(server.peer_id, SLOW, timeout=5)
                            await stream.write(b"x")
                        started = trio.current_time()
                    assert trio.current_time() - started < 2

                nursery.start_soon(client)
        async with real_host("e") as last:
            await last.connect(server.addresses()[0])
            await last.open_stream(server.peer_id, SLOW, timeout=5)
            started = trio.current_time()
            await server._host.swarm.shut()
            assert trio.current_time() - started < 2


async def test_port_is_free_as_soon_as_the_network_has_closed() -> None:
    async with real_host("a") as a:
        address = a.addresses()[0].partition("/p2p/")[0]
    check_free(address)


async def test_what_the_block_raises_comes_out_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_network(seed_of("a"), [LOOPBACK]):
            raise ZeroDivisionError
