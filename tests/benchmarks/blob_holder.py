"""A process that holds a blob: gives it by the blob protocol, and the same bytes on a bare libp2p stream."""

from __future__ import annotations

import sys
from pathlib import Path

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from worlds import LOOPBACK, say, seed_of

from p2peval.config import LogConfig
from p2peval.core.types import Cid
from p2peval.daemon.logs import configure
from p2peval.defaults import BLOB_CHUNK
from p2peval.net.blob_server import BlobServer
from p2peval.net.host import open_network
from p2peval.store.blobs import BlobStore

BARE = TProtocol("/bench/bare/1")


async def main(folder: Path, cid: Cid) -> None:
    """Until killed."""
    store = BlobStore(folder, 1 << 30)
    data = memoryview(store.path(cid).read_bytes())

    async def pour(stream: INetStream) -> None:
        """All bytes, for one byte of the asker's."""
        await stream.read(1)
        for start in range(0, len(data), BLOB_CHUNK):
            await stream.write(bytes(data[start : start + BLOB_CHUNK]))
        await stream.close()

    async with open_network(seed_of("holder"), [LOOPBACK]) as network:
        BlobServer(store).attach(network)
        network._host.set_stream_handler(BARE, pour)
        say(network.addresses()[0])
        await trio.sleep_forever()


if __name__ == "__main__":
    configure(LogConfig(level="error"))
    trio.run(main, Path(sys.argv[1]), Cid(sys.argv[2]))
