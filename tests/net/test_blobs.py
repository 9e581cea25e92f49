"""Fetching and serving over the memory network: the real server, and liars that speak the same protocol."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from p2peval import defaults
from p2peval.core import merkle
from p2peval.core.parts import Blob
from p2peval.core.types import PeerId
from p2peval.errors import NetworkError, RemoteProtocolError, StoreError, VerificationError
from p2peval.net.blob_server import BlobServer
from p2peval.net.blobs import PROTOCOL, FetchError, fetch
from p2peval.net.memory import MemoryHub, MemoryNetwork
from p2peval.net.network import Stream
from p2peval.net.streams import read_frame, write_frame
from p2peval.store.blobs import BlobStore
from p2peval.store.disk import DiskFullError
from p2peval.store.partial import Partial
from p2peval.wire.bounds import FRAME_BYTES
from p2peval.wire.codec import decode_frame, encode_frame
from p2peval.wire.frames import BlobHeader, BlobRequest
from p2peval.wire.ids import cid_of

CHUNK = defaults.BLOB_CHUNK
DATA = random.Random(1).randbytes(40 * CHUNK + 17)
CHUNKS = [DATA[i : i + CHUNK] for i in range(0, len(DATA), CHUNK)]
LEAVES = [merkle.leaf(chunk) for chunk in CHUNKS]
BLOB = Blob(cid_of(DATA), len(DATA), merkle.root(LEAVES))
HEADER, HASHES = BlobHeader(True, BLOB.size, BLOB.root), b"".join(LEAVES)

Answer = Callable[[Stream, BlobRequest], Awaitable[None]]


class World:
    """One asker, and as many holders as a test makes."""

    def __init__(self, folder: Path, nursery: trio.Nursery) -> None:
        self.folder = folder
        self.hub = MemoryHub()
        self.asked: list[tuple[PeerId, BlobRequest]] = []
        self._nursery = nursery

    async def join(self, name: str) -> MemoryNetwork:
        node: MemoryNetwork = await self._nursery.start(self._live, PeerId(name))
        return node

    async def _live(self, peer: PeerId, task_status: trio.TaskStatus[MemoryNetwork]) -> None:
        async with self.hub.join(peer) as node:
            task_status.started(node)
            await trio.sleep_forever()

    async def start(self) -> None:
        self.network = await self.join("asker")
        self.store = BlobStore(self.folder / "asker", 1 << 30)

    async def holder(self, name: str, data: bytes = DATA) -> PeerId:
        """An honest one, with the real server."""
        store = BlobStore(self.folder / name, 1 << 30)
        store.add_bytes(data)
        node = await self.join(name)
        BlobServer(store).attach(node)
        return await self._known(node)

    async def liar(self, name: str, answer: Answer) -> PeerId:
        """One that answers every request with ``answer``."""

        async def serve(stream: Stream) -> None:
            while True:
                request = decode_frame(BlobRequest, await read_frame(stream, FRAME_BYTES[BlobRequest]))
                self.asked.append((node.peer_id, request))
                await answer(stream, request)

        node = await self.join(name)
        node.serve_stream(PROTOCOL, serve)
        return await self._known(node)

    async def _known(self, node: MemoryNetwork) -> PeerId:
        await self.network.connect(node.addresses()[0])
        return node.peer_id

    def complete(self) -> bool:
        return self.store.has(BLOB.cid) and self.store.path(BLOB.cid).read_bytes() == DATA


@pytest.fixture
def clock() -> MockClock:
    """Jumps once all tasks have rested for 0.2 s; a task that waits for a thread rests too, but never that long."""
    return MockClock(autojump_threshold=0.2)


@pytest.fixture
async def world(tmp_path: Path, nursery: trio.Nursery) -> World:
    world = World(tmp_path, nursery)
    await world.start()
    return world


def answering(
    *,
    header: BlobHeader = HEADER,
    hashes: bytes = HASHES,
    spoil: Callable[[int, bytes], bytes] = lambda _, chunk: chunk,
    silent_from: int = len(CHUNKS),
) -> Answer:
    """A holder that is honest but for what is named."""

    async def answer(stream: Stream, request: BlobRequest) -> None:
        await write_frame(stream, encode_frame(header))
        if request.want_hashes:
            await stream.write(hashes)
        for index in range(request.first_chunk, request.first_chunk + request.count):
            if index >= silent_from:
                await trio.sleep_forever()
            await stream.write(spoil(index, CHUNKS[index]))

    return answer


def flipped(index: int, chunk: bytes) -> bytes:
    return bytes([chunk[0] ^ 1]) + chunk[1:] if index == 20 else chunk


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 17 * CHUNK])
async def test_blob_of_any_size_arrives_whole(world: World, size: int) -> None:
    data = DATA[:size]
    holder = await world.holder("holder", data)
    blob = Blob(cid_of(data), size, merkle.root([merkle.leaf(data[i : i + CHUNK]) for i in range(0, size, CHUNK)]))
    report = await fetch(world.network, world.store, blob, [holder], timeout=60)
    assert world.store.path(blob.cid).read_bytes() == data
    assert sum(report.received.values()) == size
    assert report.liars == []


async def test_blob_that_is_here_is_not_asked_for(world: World) -> None:
    world.store.add_bytes(DATA)
    report = await fetch(world.network, world.store, BLOB, [], timeout=60)
    assert report.received == {}


async def test_several_holders_share_the_work(world: World, clock: MockClock) -> None:
    world.hub.latency = 0.01

    async def slowly(stream: Stream, request: BlobRequest) -> None:
        await trio.sleep(1.0)
        await answering()(stream, request)

    holders = [await world.liar(name, slowly) for name in ("one", "two", "three")]
    report = await fetch(world.network, world.store, BLOB, holders, timeout=60)
    assert world.complete()
    assert len(report.received) > 1
    assert sum(report.received.values()) == BLOB.size  # nothing twice


async def test_small_blob_is_asked_of_one_holder_only(world: World) -> None:
    holders = [await world.liar(name, answering()) for name in ("one", "two", "three")]
    await fetch(world.network, world.store, BLOB, holders, timeout=60)
    assert {peer for peer, _ in world.asked} == {"one"}


async def test_wrong_byte_costs_its_sender_and_is_fetched_elsewhere(world: World) -> None:
    liar = await world.liar("liar", answering(spoil=flipped))
    honest = await world.holder("honest")
    report = await fetch(world.network, world.store, BLOB, [liar, honest], timeout=60)
    assert world.complete()
    assert report.liars == [liar]
    assert report.received[honest] >= CHUNK
    assert "chunk 20" in report.failed[liar]


async def test_ten_thousand_flips_on_the_way_are_all_found(world: World) -> None:
    # The check is made per chunk, so it is enough to hand chunks over: a byte of each in turn, every bit of it.
    partial = world.store.begin(BLOB)
    assert isinstance(partial, Partial)
    partial.learn(b"".join(LEAVES))
    rng, last, found = random.Random(6), len(CHUNKS) - 1, 0  # the last chunk is short, so that this is quick
    for _ in range(10_000):
        spoiled = bytearray(CHUNKS[last])
        spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
        with pytest.raises(VerificationError):
            partial.write(last, bytes(spoiled))
        found += 1
    assert found == 10_000
    assert last in partial.missing()
    partial.close()


async def test_wrong_hashes_cost_their_sender(world: World) -> None:
    liar = await world.liar("liar", answering(hashes=bytes(32 * len(CHUNKS))))
    report = await fetch(world.network, world.store, BLOB, [liar, await world.holder("honest")], timeout=60)
    assert world.complete()
    assert report.liars == [liar]


@pytest.mark.parametrize(
    "header",
    [BlobHeader(False, 0, b""), BlobHeader(True, BLOB.size + 1, BLOB.root), BlobHeader(True, BLOB.size, bytes(32))],
)
async def test_holder_that_has_something_else_is_passed_over_without_blame(world: World, header: BlobHeader) -> None:
    other = await world.liar("other", answering(header=header))
    report = await fetch(world.network, world.store, BLOB, [other, await world.holder("honest")], timeout=60)
    assert world.complete()
    assert report.liars == []
    assert set(report.failed) == {other}


async def test_holder_that_talks_nonsense_is_passed_over(world: World) -> None:
    async def nonsense(stream: Stream, request: BlobRequest) -> None:
        await stream.write(b"\xff" * 4096)

    liar = await world.liar("liar", nonsense)
    await fetch(world.network, world.store, BLOB, [liar, await world.holder("honest")], timeout=60)
    assert world.complete()


async def test_holder_that_stalls_is_helped_out_long_before_it_is_given_up(world: World, clock: MockClock) -> None:
    staller = await world.liar("staller", answering(silent_from=3))
    honest = await world.holder("honest")
    start = trio.current_time()
    report = await fetch(world.network, world.store, BLOB, [staller, honest], timeout=60)
    assert world.complete()
    assert trio.current_time() - start < defaults.BLOB_STALL
    assert report.liars == []


async def test_lone_holder_that_stalls_is_given_up(world: World, clock: MockClock) -> None:
    staller = await world.liar("staller", answering(silent_from=3))
    start = trio.current_time()
    with pytest.raises(FetchError, match="38 of 41 chunks are missing") as failure:
        await fetch(world.network, world.store, BLOB, [staller], timeout=600)
    assert defaults.BLOB_STALL <= trio.current_time() - start < 2 * defaults.BLOB_STALL
    assert failure.value.report.received == {staller: 3 * CHUNK}


async def test_time_ends_a_fetch_and_the_next_one_goes_on_from_there(world: World, clock: MockClock) -> None:
    staller = await world.liar("staller", answering(silent_from=17))
    with pytest.raises(FetchError, match="5 s have passed, 24 of 41"):
        await fetch(world.network, world.store, BLOB, [staller], timeout=5)
    assert not world.store.has(BLOB.cid)
    world.store = BlobStore(world.store.directory, 1 << 30)  # a restart
    report = await fetch(world.network, world.store, BLOB, [await world.holder("honest")], timeout=60)
    assert world.complete()
    assert sum(report.received.values()) == BLOB.size - 17 * CHUNK


async def test_no_holder_no_blob(world: World) -> None:
    with pytest.raises(FetchError, match="no holder is left"):
        await fetch(world.network, world.store, BLOB, [], timeout=60)
    with pytest.raises(FetchError, match="no holder is left") as failure:
        await fetch(world.network, world.store, BLOB, [PeerId("nobody")], timeout=60)
    assert "nobody" in failure.value.report.failed
    assert failure.value.retryable


async def test_size_beyond_the_quota_is_refused_before_anyone_is_asked(world: World, tmp_path: Path) -> None:
    liar = await world.liar("liar", answering())
    small = BlobStore(tmp_path / "small", CHUNK)
    with pytest.raises(StoreError, match="are left"):
        await fetch(world.network, small, BLOB, [liar], timeout=60)
    huge = Blob(BLOB.cid, 1 << 60, BLOB.root)
    with pytest.raises(StoreError, match="more than any blob"):
        await fetch(world.network, world.store, huge, [liar], timeout=60)
    assert world.asked == []


async def test_full_disk_ends_the_fetch_and_blames_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Partial, index: int, chunk: bytes) -> None:
        raise DiskFullError("the disk is full")

    monkeypatch.setattr(Partial, "write", full)
    with pytest.raises(DiskFullError):
        await fetch(world.network, world.store, BLOB, [await world.holder("honest")], timeout=60)


async def test_root_that_does_not_belong_to_the_cid_is_the_announcers_fault(world: World) -> None:
    lie = Blob(cid_of(b"something else"), BLOB.size, BLOB.root)
    accomplice = await world.liar("accomplice", answering())
    with pytest.raises(VerificationError):
        await fetch(world.network, world.store, lie, [accomplice], timeout=60)
    assert not world.store.has(lie.cid)


async def test_damaged_holder_says_not_found_and_never_lies(world: World) -> None:
    damaged = await world.holder("damaged")
    path = world.folder / "damaged" / BLOB.cid
    path.chmod(0o644)
    path.write_bytes(DATA[:-1] + b"?")
    report = await fetch(world.network, world.store, BLOB, [damaged, await world.holder("honest")], timeout=60)
    assert world.complete()
    assert report.liars == []
    assert "does not have" in report.failed[damaged]


@pytest.mark.parametrize(
    ("first", "count"), [(0, defaults.BLOB_MAX_RUN + 1), (41, 1), (40, 2), (2**32 - 1, defaults.BLOB_MAX_RUN)]
)
async def test_request_beyond_the_blob_or_the_limit_is_cut_off(world: World, first: int, count: int) -> None:
    holder = await world.holder("holder")
    stream = await world.network.open_stream(holder, PROTOCOL, timeout=5)
    await write_frame(stream, encode_frame(BlobRequest(BLOB.cid, first, count, False)))
    with pytest.raises(NetworkError):
        await stream.read_exactly(1)


async def test_peer_cannot_take_more_streams_than_its_share(world: World) -> None:
    server = BlobServer(world.store)
    async with trio.open_nursery() as nursery:
        for _ in range(defaults.BLOB_STREAMS_PER_PEER):
            nursery.start_soon(server.serve, Mute())
        await wait_all_tasks_blocked()
        with pytest.raises(RemoteProtocolError, match="too_many_streams"):
            await server.serve(Mute())
        nursery.cancel_scope.cancel()


async def test_stream_without_a_request_is_closed_in_time(world: World, clock: MockClock) -> None:
    stream = Mute()
    start = trio.current_time()
    await BlobServer(world.store).serve(stream)
    assert trio.current_time() - start == pytest.approx(defaults.BLOB_IDLE, abs=0.5)
    assert stream.closed


class Mute:
    """A stream on which nothing is ever said."""

    peer = PeerId("mute")
    closed = False

    async def read_exactly(self, n: int) -> bytes:
        await trio.sleep_forever()
        raise AssertionError

    async def write(self, data: bytes) -> None:
        raise AssertionError(f"nothing to write, and yet {data!r}")

    async def close(self) -> None:
        self.closed = True

    async def reset(self) -> None:
        self.closed = True
