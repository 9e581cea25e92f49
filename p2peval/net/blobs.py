"""Fetching blobs (``/p2peval/blob/1``): from several holders at once, each chunk checked as it arrives.

On one stream the asker sends requests, as many as it likes, and the holder answers them in order: a header
frame, then, as asked, the hashes of all chunks (32 bytes each) and the chunks themselves, raw. Nothing is
acknowledged on the way, and the next request is sent before the last is answered, so a round trip costs nothing.

Decides whom to ask for which chunks, and whom to drop. Knows no file: what is kept is behind ``BlobStore``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import trio

from p2peval import defaults
from p2peval.core.parts import Blob
from p2peval.core.types import Cid, PeerId
from p2peval.errors import NetworkError, P2pevalError, RemoteProtocolError, StoreError, VerificationError
from p2peval.net.network import Network, Stream
from p2peval.net.streams import read_frame, write_frame
from p2peval.wire.bounds import FRAME_BYTES
from p2peval.wire.codec import decode_frame, encode_frame
from p2peval.wire.frames import BlobHeader, BlobRequest

PROTOCOL = "/p2peval/blob/1"

_HASH = 32  # bytes
_IN_FLIGHT = 2  # requests of one holder under way
_UNCHECKED = 3  # chunks of one holder read but not yet checked


class Partial(Protocol):
    """A blob on its way in. Synchronous: called in threads, except ``ready``, ``missing`` and ``count``."""

    @property
    def count(self) -> int: ...
    @property
    def ready(self) -> bool: ...
    def missing(self) -> list[int]: ...
    def learn(self, hashes: bytes) -> None: ...
    def write(self, index: int, chunk: bytes) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...


class BlobStore(Protocol):
    """What fetching and serving ask of the store."""

    def begin(self, blob: Blob) -> Partial | None: ...
    def blob(self, cid: Cid) -> Blob: ...
    def hashes(self, cid: Cid) -> bytes: ...
    def chunk(self, cid: Cid, index: int) -> bytes: ...


@dataclass(slots=True)
class FetchReport:
    """Who gave how many bytes that checked out; who gave wrong ones; why others were given up."""

    received: dict[PeerId, int] = field(default_factory=dict)
    liars: list[PeerId] = field(default_factory=list)
    failed: dict[PeerId, str] = field(default_factory=dict)


class FetchError(NetworkError):
    """The blob could not be had. What came stays, and the next try goes on from there."""

    def __init__(self, message: str, report: FetchReport) -> None:
        super().__init__(message, hint="try again when a peer that holds it is online")
        self.report = report


async def fetch(
    network: Network, store: BlobStore, blob: Blob, holders: Sequence[PeerId], *, timeout: float
) -> FetchReport:
    """Have ``blob`` in ``store`` when this returns, asking ``holders`` in order of preference.

    ``timeout``: seconds for all of it. Raises FetchError when no holder is left or the time is up, StoreError when
    there is no room for it or somebody else is fetching it, VerificationError when its root and CID do not belong
    together (the fault of who announced it, not of a holder).
    """
    if blob.size > defaults.BLOB_MAX_CHUNKS * defaults.BLOB_CHUNK:
        raise StoreError(f"{blob.cid} has {blob.size} bytes, more than any blob may have")
    stored = await trio.to_thread.run_sync(store.begin, blob)
    if stored is None:
        return FetchReport()
    try:
        transfer = _Transfer(network, stored, blob)
        with trio.move_on_after(timeout) as limit:
            await transfer.run(holders)
        if not transfer.done:
            why = f"{timeout:.0f} s have passed" if limit.cancelled_caught else "no holder is left"
            missing = f"{len(stored.missing())} of {stored.count} chunks are missing"
            raise FetchError(f"{blob.cid}: {why}, {missing}", transfer.report)
        await trio.to_thread.run_sync(stored.finish)
        return transfer.report
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(stored.close)


class _Transfer:
    """One blob being fetched: which chunks are asked of whom. ``_asked`` holds those that are still missing."""

    def __init__(self, network: Network, partial: Partial, blob: Blob) -> None:
        self._network = network
        self.partial = partial
        self.blob = blob
        self.report = FetchReport()
        self._asked: dict[int, set[PeerId]] = {index: set() for index in partial.missing()}
        self._ended = trio.Event()
        self._freed = trio.Event()
        self._failure: P2pevalError | None = None

    @property
    def done(self) -> bool:
        return not self._asked

    async def run(self, holders: Sequence[PeerId]) -> None:
        """Returns when all is there or no holder is left. Raises what our own store raised."""
        if self.done:
            return
        waiting = deque(dict.fromkeys(holders))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._work_all, waiting)
            await self._ended.wait()
            nursery.cancel_scope.cancel()
        if self._failure is not None:
            raise self._failure

    async def freed(self, patience: float) -> bool:
        """Wait until a chunk that was asked of somebody is free again; False after ``patience`` seconds."""
        with trio.move_on_after(patience) as scope:
            await self._freed.wait()
        return not scope.cancelled_caught

    def take(self, holder: PeerId, *, repeat: bool) -> range | None:
        """The next run of chunks for ``holder``: asked of nobody yet, or with ``repeat`` not of this holder."""
        free = (i for i, asked in self._asked.items() if holder not in asked and (repeat or not asked))
        first = next(free, None)
        if first is None:
            return None
        end = first + 1
        for index in free:
            if index != end or end - first == defaults.BLOB_RUN:
                break
            end += 1
        run = range(first, end)
        for index in run:
            self._asked[index].add(holder)
        return run

    def arrived(self, holder: PeerId, index: int, size: int) -> None:
        self.report.received[holder] = self.report.received.get(holder, 0) + size
        self._asked.pop(index, None)
        if self.done:
            self._ended.set()

    def _fail(self, error: P2pevalError) -> None:
        """Our own side cannot go on (a full disk): end it all; ``run`` raises ``error``."""
        self._failure = self._failure or error
        self._ended.set()

    async def _work_all(self, waiting: deque[PeerId]) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(min(defaults.BLOB_HOLDERS, len(waiting))):
                nursery.start_soon(self._work, waiting, number * defaults.BLOB_STAGGER)
        self._ended.set()

    async def _work(self, waiting: deque[PeerId], delay: float) -> None:
        await trio.sleep(delay)  # happy eyeballs: the first holder usually suffices
        while waiting:
            await self._ask(waiting.popleft())

    async def _ask(self, holder: PeerId) -> None:
        try:
            stream = await self._network.open_stream(holder, PROTOCOL, timeout=defaults.DIAL_TIMEOUT)
        except NetworkError as error:
            self.report.failed[holder] = error.message
            return
        try:
            await _Conversation(self, stream).run()
        except VerificationError as lie:
            self.report.liars.append(holder)
            self.report.failed[holder] = lie.message
        except (NetworkError, RemoteProtocolError) as fault:
            self.report.failed[holder] = fault.message
        except P2pevalError as ours:
            self._fail(ours)
        finally:
            self._give_back(holder)
            await stream.reset()

    def _give_back(self, holder: PeerId) -> None:
        """Whatever ``holder`` was asked for and did not give is free again."""
        for asked in self._asked.values():
            asked.discard(holder)
        self._freed.set()
        self._freed = trio.Event()


class _Conversation:
    """What is said with one holder: requests go ahead, chunks are read, and checked behind in a thread."""

    def __init__(self, transfer: _Transfer, stream: Stream) -> None:
        self._transfer = transfer
        self._stream = stream
        self._asked: deque[BlobRequest] = deque()
        self._asked_hashes = transfer.partial.ready

    async def run(self) -> None:
        """Goes on until cancelled, because all is there, or raises what is wrong with this holder, or with us."""
        send, receive = trio.open_memory_channel[tuple[int, bytes]](_UNCHECKED)
        await together(partial(self._read, send), partial(self._check, receive))

    async def _read(self, send: trio.MemorySendChannel[tuple[int, bytes]]) -> None:
        repeat = False
        while True:
            await self._ask_ahead(repeat=repeat)
            if self._asked:
                await self._read_answer(self._asked.popleft(), send)
                repeat = False
            else:
                repeat = not await self._transfer.freed(defaults.BLOB_REPEAT_AFTER)

    async def _ask_ahead(self, *, repeat: bool) -> None:
        while len(self._asked) < _IN_FLIGHT:
            run = self._transfer.take(self._stream.peer, repeat=repeat)
            if run is None:
                return
            request = BlobRequest(self._transfer.blob.cid, run.start, len(run), not self._asked_hashes)
            self._asked_hashes = True
            self._asked.append(request)
            await write_frame(self._stream, encode_frame(request))

    async def _read_answer(self, request: BlobRequest, send: trio.MemorySendChannel[tuple[int, bytes]]) -> None:
        blob, stored = self._transfer.blob, self._transfer.partial
        with _stalling(self._stream.peer):
            header = decode_frame(BlobHeader, await read_frame(self._stream, FRAME_BYTES[BlobHeader]))
        if not header.found:
            raise NetworkError(f"{self._stream.peer} does not have {blob.cid}")
        if (header.size, header.root) != (blob.size, blob.root):  # the announcer may be the one who is wrong
            raise NetworkError(f"{self._stream.peer} has {blob.cid} with another size or root")
        if request.want_hashes:
            await trio.to_thread.run_sync(stored.learn, await self._read_exactly(stored.count * _HASH))
        for index in range(request.first_chunk, request.first_chunk + request.count):
            size = min(defaults.BLOB_CHUNK, blob.size - index * defaults.BLOB_CHUNK)
            await send.send((index, await self._read_exactly(size)))

    async def _read_exactly(self, size: int) -> bytes:
        with _stalling(self._stream.peer):
            return await self._stream.read_exactly(size)

    async def _check(self, receive: trio.MemoryReceiveChannel[tuple[int, bytes]]) -> None:
        async for index, chunk in receive:
            await trio.to_thread.run_sync(self._transfer.partial.write, index, chunk)
            self._transfer.arrived(self._stream.peer, index, len(chunk))


async def together(*halves: Callable[[], Awaitable[None]]) -> None:
    """Run all at once; the first P2pevalError ends the others and is raised as itself, not in a group."""
    failures: list[P2pevalError] = []

    async def run(half: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
        try:
            await half()
        except P2pevalError as error:
            failures.append(error)
            scope.cancel()

    async with trio.open_nursery() as nursery:
        for half in halves:
            nursery.start_soon(run, half, nursery.cancel_scope)
    if failures:
        raise failures[0]


@contextmanager
def _stalling(peer: PeerId) -> Iterator[None]:
    try:
        with trio.fail_after(defaults.BLOB_STALL):
            yield
    except trio.TooSlowError as error:
        raise NetworkError(f"{peer} gave nothing for {defaults.BLOB_STALL:.0f} s") from error
