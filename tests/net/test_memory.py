"""The in-memory network under the autojump clock: cuts, healing, latency and pacing, in no time."""

from __future__ import annotations

import pytest
import trio

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import NetworkError
from p2peval.net.memory import MemoryHub
from p2peval.net.network import PeerChange, Stream

A, B, C = PeerId("A"), PeerId("B"), PeerId("C")
ECHO, TOPIC = "/echo/1", "topic"


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(latency=0.05)


async def echo(peer: PeerId, body: bytes) -> bytes:
    return body


async def test_request_takes_latency_and_no_wall_time(hub: MemoryHub, autojump_clock: trio.testing.MockClock) -> None:
    async with hub.join(A) as a, hub.join(B) as b:
        b.serve(ECHO, echo, max_request=10)
        await a.connect(b.addresses()[0])
        started = trio.current_time()
        assert await a.request(B, ECHO, b"x", timeout=5, max_reply=10) == b"x"
        assert trio.current_time() - started == pytest.approx(hub.latency)


async def test_cut_parts_both_sides_breaks_streams_and_blocks_dialling(
    hub: MemoryHub, autojump_clock: trio.testing.MockClock
) -> None:
    broken: list[str] = []

    async def wait(stream: Stream) -> None:
        try:
            await stream.read_exactly(1)
        except NetworkError as error:
            broken.append(error.code)

    async with hub.join(A) as a, hub.join(B) as b:
        b.serve_stream(ECHO, wait)
        await a.connect(b.addresses()[0])
        stream = await a.open_stream(B, ECHO, timeout=5)
        assert await a.changes() == PeerChange(B, True)
        hub.cut(A, B)
        assert await a.changes() == PeerChange(B, False)
        with pytest.raises(NetworkError):
            await stream.read_exactly(1)
        await trio.testing.wait_all_tasks_blocked()
        assert broken == ["network"]
        started = trio.current_time()
        with pytest.raises(NetworkError):
            await a.request(B, ECHO, b"x", timeout=3, max_reply=10)
        assert trio.current_time() - started == pytest.approx(3)


async def test_heal_reconnects_who_was_connected(hub: MemoryHub, autojump_clock: trio.testing.MockClock) -> None:
    async with hub.join(A) as a, hub.join(B) as b, hub.join(C) as c:
        await a.connect(b.addresses()[0])
        await b.connect(c.addresses()[0])
        hub.split([A], [B, C])
        assert [status.peer for status in b.peers()] == [C]
        hub.mend()
        assert [status.peer for status in b.peers()] == [A, C]
        assert [status.inbound for status in b.peers()] == [True, False]
        assert a.peers()[0].inbound is False


async def test_rejoining_finds_old_neighbours(hub: MemoryHub, autojump_clock: trio.testing.MockClock) -> None:
    async with hub.join(A) as a:
        async with hub.join(B) as b:
            await a.connect(b.addresses()[0])
        assert a.peers() == ()
        async with hub.join(B) as b:
            assert [status.peer for status in b.peers()] == [A]


async def test_gossip_does_not_cross_a_cut(hub: MemoryHub, autojump_clock: trio.testing.MockClock) -> None:
    heard: dict[PeerId, list[bytes]] = {B: [], C: []}
    async with hub.join(A) as a, hub.join(B) as b, hub.join(C) as c:
        await a.connect(b.addresses()[0])
        await b.connect(c.addresses()[0])
        for node in (b, c):
            await node.subscribe(TOPIC, lambda _, data, ear=heard[node.peer_id]: ear.append(data) or True)
        hub.cut(B, C)
        await a.publish(TOPIC, b"before")
        await trio.sleep(1)
        hub.heal(B, C)
        await a.publish(TOPIC, b"after")
        await trio.sleep(1)
    assert heard == {B: [b"before", b"after"], C: [b"after"]}


async def test_publishing_is_paced(hub: MemoryHub, autojump_clock: trio.testing.MockClock) -> None:
    async with hub.join(A) as a:
        started = trio.current_time()
        for _ in range(defaults.GOSSIP_BURST + 20):
            await a.publish(TOPIC, b"x")
        assert trio.current_time() - started == pytest.approx(20 / defaults.GOSSIP_RATE)


async def test_writer_waits_for_a_reader_that_does_not_read_and_then_gives_up(
    hub: MemoryHub, autojump_clock: trio.testing.MockClock
) -> None:
    async def idle(stream: Stream) -> None:
        await trio.sleep_forever()

    async with hub.join(A) as a, hub.join(B) as b:
        b.serve_stream(ECHO, idle)
        await a.connect(b.addresses()[0])
        stream = await a.open_stream(B, ECHO, timeout=5)
        started = trio.current_time()
        with pytest.raises(NetworkError, match="stalled"):
            await stream.write(bytes(1_000_000))
        assert trio.current_time() - started == pytest.approx(defaults.STREAM_PATIENCE)


async def test_request_that_never_arrives_whole_is_given_up(
    hub: MemoryHub, autojump_clock: trio.testing.MockClock
) -> None:
    async with hub.join(A) as a, hub.join(B) as b:
        b.serve(ECHO, echo, max_request=100)
        await a.connect(b.addresses()[0])
        stream = await a.open_stream(B, ECHO, timeout=5)
        await stream.write(b"\x00\x00\x00\x05ab")
        started = trio.current_time()
        with pytest.raises(NetworkError):
            await stream.read_exactly(1)
        assert trio.current_time() - started == pytest.approx(defaults.REQUEST_PATIENCE)
        assert b.counters()["stream.timeout"] == 1


async def test_one_who_knows_nobody_finds_nobody(hub: MemoryHub, autojump_clock: trio.testing.MockClock) -> None:
    async with hub.join(A) as a, hub.join(B) as b:
        await b.provide(b"key")
        assert await a.find(b"key", timeout=1) == ()
        await a.connect(b.addresses()[0])
        assert await a.find(b"key", timeout=1) == (B,)
