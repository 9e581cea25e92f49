"""32 MiB by the blob protocol — every chunk hashed on both sides, written and synced to disk — ÷ the same bytes
on a bare libp2p stream, between the same two processes over the same connection, taking turns."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import trio
from blob_holder import BARE
from report import Row
from worlds import LOOPBACK, MIB, Child, seed_of

from p2peval.core.parts import Blob
from p2peval.core.types import PeerId
from p2peval.net.addresses import parse_peer_id
from p2peval.net.blobs import fetch
from p2peval.net.host import Libp2pNetwork, open_network
from p2peval.store.blobs import BlobStore

SIZE = 32 * MIB
RUNS = 7
READ = 64 * 1024  # bytes asked of libp2p at once; its own frame limit


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds."""

    bare: float
    fetched: float


def run(scratch: Path) -> list[Row]:
    holding = BlobStore(scratch / "holder", 1 << 30)
    blob = holding.add_bytes(os.urandom(SIZE))
    with Child("blob_holder.py", str(scratch / "holder"), blob.cid) as holder:
        turns = trio.run(_turns, holder.hear(), blob, BlobStore(scratch / "asker", 1 << 30))
    ratio = statistics.median(turn.bare / turn.fetched for turn in turns)
    bare, fetched = (SIZE / 1e6 / statistics.median(times) for times in zip(*map(_times, turns), strict=True))
    against = f"bare stream {bare:.0f} MB/s, fetch {fetched:.0f} MB/s; wanted: >= 0.8"
    return [Row("blob.ratio_to_stream", ratio, "ratio", against)]


def _times(turn: Turn) -> tuple[float, float]:
    return turn.bare, turn.fetched


async def _turns(address: str, blob: Blob, store: BlobStore) -> list[Turn]:
    async with open_network(seed_of("asker"), [LOOPBACK]) as network:
        holder = await network.connect(address)
        await _turn(network, holder, blob, store)  # both paths once, unmeasured
        return [await _turn(network, holder, blob, store) for _ in range(RUNS)]


async def _turn(network: Libp2pNetwork, holder: PeerId, blob: Blob, store: BlobStore) -> Turn:
    bare = await _drink(network, holder)
    start = time.perf_counter()
    await fetch(network, store, blob, [holder], timeout=120)
    fetched = time.perf_counter() - start
    store.delete(blob.cid)
    return Turn(bare, fetched)


async def _drink(network: Libp2pNetwork, holder: PeerId) -> float:
    """Seconds until all bytes are here, in memory and unchecked."""
    start = time.perf_counter()
    stream = await network._host.new_stream(parse_peer_id(holder), [BARE])
    await stream.write(b"!")
    left = SIZE
    while left:
        part = await stream.read(min(left, READ))
        if not part:
            raise RuntimeError(f"the bare stream broke off, {left} bytes early")
        left -= len(part)
    seconds = time.perf_counter() - start
    await stream.close()
    return seconds
