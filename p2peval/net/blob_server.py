"""Giving blobs to whoever asks (``/p2peval/blob/1``; what is said on the stream: ``net/blobs.py``).

Decides how much one peer may take at a time, and nothing else: blobs are public to whoever knows their CID.
Every chunk is hashed as it leaves the disk, so a damaged file makes us say "not found", never lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import trio

from p2peval import defaults
from p2peval.core.parts import Blob
from p2peval.core.types import Cid, PeerId
from p2peval.errors import NetworkError, NotFoundError, RemoteProtocolError, StoreError
from p2peval.net.blobs import PROTOCOL, BlobStore, together
from p2peval.net.network import Network, Stream
from p2peval.net.streams import read_frame, write_frame
from p2peval.wire.bounds import FRAME_BYTES
from p2peval.wire.codec import decode_frame, encode_frame
from p2peval.wire.frames import BlobHeader, BlobRequest

_READ_AHEAD = 1  # chunks read while another is written
_NOT_FOUND = encode_frame(BlobHeader(found=False, size=0, root=b""))


class BlobServer:
    """Serves one store; bounded in streams, and in chunks a request. ``sent`` counts bytes per peer."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._streams: Counter[PeerId] = Counter()
        self.sent: Counter[PeerId] = Counter()

    def attach(self, network: Network) -> None:
        network.serve_stream(PROTOCOL, self.serve)

    async def serve(self, stream: Stream) -> None:
        """Answer requests until the asker leaves. Raises RemoteProtocolError and NetworkError: reset the stream."""
        with self._place(stream.peer):
            while (request := await self._next(stream)) is not None:
                await self._answer(stream, request)
        await stream.close()

    @contextmanager
    def _place(self, peer: PeerId) -> Iterator[None]:
        if self._streams[peer] >= defaults.BLOB_STREAMS_PER_PEER or self._streams.total() >= defaults.BLOB_STREAMS:
            raise RemoteProtocolError("too_many_streams", f"{peer} has {self._streams[peer]}")
        self._streams[peer] += 1
        try:
            yield
        finally:
            self._streams[peer] -= 1
            if not self._streams[peer]:
                del self._streams[peer]

    async def _next(self, stream: Stream) -> BlobRequest | None:
        """The next request, or None when the asker has left or wants no more."""
        frame: bytes | None = None
        with trio.move_on_after(defaults.BLOB_IDLE), suppress(NetworkError):  # leaving is how it says "that was all"
            frame = await read_frame(stream, FRAME_BYTES[BlobRequest])
        return decode_frame(BlobRequest, frame) if frame is not None else None

    async def _answer(self, stream: Stream, request: BlobRequest) -> None:
        blob = await self._find(request.cid)
        if blob is None:
            await write_frame(stream, _NOT_FOUND)
            return
        chunks = -(-blob.size // defaults.BLOB_CHUNK)
        if request.count > defaults.BLOB_MAX_RUN or request.first_chunk + request.count > chunks:
            raise RemoteProtocolError("range", f"{request.count} from {request.first_chunk} of {chunks} chunks")
        await write_frame(stream, encode_frame(BlobHeader(True, blob.size, blob.root)))
        send, receive = trio.open_memory_channel[bytes](_READ_AHEAD)
        await together(partial(self._read, request, send), partial(self._write, stream, receive))

    async def _find(self, cid: Cid) -> Blob | None:
        try:
            return await trio.to_thread.run_sync(self._store.blob, cid)
        except (NotFoundError, StoreError):  # damaged is as good as gone
            return None

    async def _read(self, request: BlobRequest, send: trio.MemorySendChannel[bytes]) -> None:
        """Reads ahead of ``_write``, so that disk and network are busy at the same time."""
        reads = [partial(self._store.hashes, request.cid)] if request.want_hashes else []
        run = range(request.first_chunk, request.first_chunk + request.count)
        async with send:
            for read in (*reads, *(partial(self._store.chunk, request.cid, index) for index in run)):
                try:
                    await send.send(await trio.to_thread.run_sync(read))
                except (NotFoundError, StoreError) as error:  # gone or damaged since we said that we have it
                    raise NetworkError(f"cannot go on giving: {error.message}") from error

    async def _write(self, stream: Stream, receive: trio.MemoryReceiveChannel[bytes]) -> None:
        async for data in receive:
            try:
                with trio.fail_after(defaults.BLOB_IDLE):
                    await stream.write(data)
            except trio.TooSlowError as error:
                raise NetworkError(f"{stream.peer} takes nothing") from error
            self.sent[stream.peer] += len(data)
