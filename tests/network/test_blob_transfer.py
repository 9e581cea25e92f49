"""Blobs over real libp2p on loopback; the slow test compares with a bare stream (``BLOB_CHUNK`` in defaults)."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from nethosts import connected, real_host

from p2peval.core.parts import Blob
from p2peval.defaults import BLOB_CHUNK
from p2peval.net.blob_server import BlobServer
from p2peval.net.blobs import fetch
from p2peval.net.network import Network, Stream
from p2peval.store.blobs import BlobStore

MIB = 1 << 20


async def test_blob_arrives_whole_from_two_holders(tmp_path: Path) -> None:
    data = random.Random(3).randbytes(5 * MIB + 3)
    async with real_host("asker") as asker, real_host("one") as one, real_host("two") as two:
        for name, holder in (("one", one), ("two", two)):
            store = BlobStore(tmp_path / name, 64 * MIB)
            blob = store.add_bytes(data)
            BlobServer(store).attach(holder)
            await connected(asker, holder)
        store = BlobStore(tmp_path / "asker", 64 * MIB)
        report = await fetch(asker, store, blob, [one.peer_id, two.peer_id], timeout=60)
        assert store.path(blob.cid).read_bytes() == data
        assert sum(report.received.values()) >= len(data)
        assert report.liars == []


@pytest.mark.slow
async def test_fetching_costs_little_beyond_the_bytes_and_their_hashes(tmp_path: Path) -> None:
    # With a core to spare hashing hides behind the transfer; where there is none it adds to it. The limit counts
    # both, twice over for a busy machine; a round trip per chunk or small writes cost several times as much.
    size = 32 * MIB
    async with real_host("asker") as asker, real_host("holder") as holder:
        holding, asking = BlobStore(tmp_path / "holder", 1 << 30), BlobStore(tmp_path / "asker", 1 << 30)
        blob = holding.add_bytes(os.urandom(size))
        BlobServer(holding).attach(holder)
        holder.serve_stream("/bare/1", pour)
        await connected(asker, holder)
        bare, local, fetched = [], [], []
        for _ in range(5):
            bare.append(await drink(asker, holder, size))
            local.append(copied(holding, asking, blob))
            start = time.perf_counter()
            await fetch(asker, asking, blob, [holder.peer_id], timeout=120)
            fetched.append(time.perf_counter() - start)
            asking.delete(blob.cid)
        rates = {
            name: size / min(times) / 1e6 for name, times in (("bare", bare), ("fetch", fetched), ("local", local))
        }
        print(", ".join(f"{name} {rate:.0f} MB/s" for name, rate in rates.items()), f"{min(bare) / min(fetched):.2f}")
        assert min(fetched) <= 2 * (min(bare) + min(local))


def copied(source: BlobStore, target: BlobStore, blob: Blob) -> float:
    """Seconds that reading, checking and storing take without a network between; the copy is deleted again."""
    start = time.perf_counter()
    partial = target.begin(blob)
    assert partial is not None
    partial.learn(source.hashes(blob.cid))
    for index in range(partial.count):
        partial.write(index, source.chunk(blob.cid, index))
    partial.finish()
    partial.close()
    seconds = time.perf_counter() - start
    target.delete(blob.cid)
    return seconds


async def pour(stream: Stream) -> None:
    """As many bytes as were asked for, in chunks of the same size as a blob's."""
    left = int.from_bytes(await stream.read_exactly(8), "big")
    chunk = bytes(BLOB_CHUNK)
    for _ in range(left // BLOB_CHUNK):
        await stream.write(chunk)
    await stream.close()


async def drink(asker: Network, holder: Network, size: int) -> float:
    """Seconds that ``size`` bytes take on a bare stream."""
    start = time.perf_counter()
    stream = await asker.open_stream(holder.peer_id, "/bare/1", timeout=10)
    await stream.write(size.to_bytes(8, "big"))
    for _ in range(size // BLOB_CHUNK):
        await stream.read_exactly(BLOB_CHUNK)
    seconds = time.perf_counter() - start
    await stream.close()
    return seconds
