"""Streams as the rest of p2peval sees them, and one-frame-each-way requests on top.

A frame is a 4-byte big-endian length and that many bytes. The length is checked before anything is read or
reserved. A request is one frame on a fresh stream, the reply is one frame, then both close. A stream that is
reset instead of answered means the peer refused or failed.

Every read and write has a deadline, so a peer that drips bytes holds a stream for a bounded time only.
Knows no libp2p host: ``ByteStream`` is all it asks for, so the in-memory network uses the same frames.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import trio
from libp2p.exceptions import BaseLibp2pError

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import LocalProtocolError, NetworkError, RemoteProtocolError
from p2peval.net.network import RequestHandler, Stream, StreamHandler

log = logging.getLogger(__name__)

_HEADER = 4  # bytes
_CLOSE_PATIENCE = 1.0  # seconds

BROKEN = (BaseLibp2pError, trio.BrokenResourceError, trio.ClosedResourceError, OSError, EOFError, ValueError, KeyError)
"""What libp2p 0.8.1 raises from a stream that broke: NetStream lets ValueError through, Yamux KeyError."""


class ByteStream(Protocol):
    """The part of libp2p's INetStream that we use; ``read`` may return fewer bytes than asked, none at the end."""

    async def read(self, n: int) -> bytes: ...
    async def write(self, data: bytes) -> None: ...
    async def close(self) -> None: ...
    async def reset(self) -> None: ...


class PatientStream:
    """``network.Stream`` over any byte stream: whole reads, a deadline on each, every break a NetworkError."""

    def __init__(self, raw: ByteStream, peer: PeerId) -> None:
        self._raw = raw
        self._peer = peer

    @property
    def peer(self) -> PeerId:
        return self._peer

    async def read_exactly(self, n: int) -> bytes:
        received = bytearray()
        with self._translated("reading"):
            while len(received) < n:
                chunk = await self._raw.read(min(n - len(received), defaults.FRAME_CHUNK))
                if not chunk:
                    raise EOFError("the peer closed the stream")
                received += chunk
        return bytes(received)

    async def write(self, data: bytes) -> None:
        with self._translated("writing"):
            await self._raw.write(data)

    async def close(self) -> None:
        with trio.move_on_after(_CLOSE_PATIENCE), _ignoring(BROKEN):
            await self._raw.close()

    async def reset(self) -> None:
        with trio.CancelScope(shield=True), trio.move_on_after(_CLOSE_PATIENCE), _ignoring(BROKEN):
            await self._raw.reset()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            with trio.fail_after(defaults.STREAM_PATIENCE):
                yield
        except trio.TooSlowError as error:
            raise NetworkError(f"{self._peer} stalled for {defaults.STREAM_PATIENCE:.0f} s while {doing}") from error
        except BROKEN as error:
            raise NetworkError(f"the stream to {self._peer} broke while {doing}: {error!r}") from error


@contextmanager
def _ignoring(errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """For goodbyes on streams that may be gone already: nobody is left who could act on the error."""
    try:
        yield
    except errors as error:
        log.debug("goodbye failed: %r", error)


async def write_frame(stream: Stream, body: bytes) -> None:
    """Raises NetworkError."""
    await stream.write(len(body).to_bytes(_HEADER, "big") + body)


async def read_frame(stream: Stream, limit: int) -> bytes:
    """At most ``limit`` bytes. Raises RemoteProtocolError for a longer frame, before reading it; NetworkError."""
    length = int.from_bytes(await stream.read_exactly(_HEADER), "big")
    if length > limit:
        raise RemoteProtocolError("frame_too_long", f"{stream.peer} sent {length} bytes, {limit} are allowed")
    return await stream.read_exactly(length)


async def exchange(stream: Stream, body: bytes, *, max_reply: int) -> bytes:
    """The asker's side of a request. Raises NetworkError."""
    await write_frame(stream, body)
    try:
        reply = await read_frame(stream, max_reply)
    except RemoteProtocolError as error:
        raise NetworkError(error.message) from error
    await stream.close()
    return reply


def answering(handler: RequestHandler, *, max_request: int, counters: Counter[str]) -> StreamHandler:
    """A stream handler that reads one request, asks ``handler`` and writes its reply."""

    async def answer(stream: Stream) -> None:
        with trio.fail_after(defaults.REQUEST_PATIENCE):
            request = await read_frame(stream, max_request)
        with trio.fail_after(defaults.HANDLER_PATIENCE):
            reply = await handler(stream.peer, request)
        await write_frame(stream, reply)
        await stream.close()

    return containing(answer, counters)


def containing(handler: StreamHandler, counters: Counter[str]) -> StreamHandler:
    """``handler`` made safe: whatever it raises costs the stream, and is counted."""

    async def contained(stream: Stream) -> None:
        try:
            await handler(stream)
        except (RemoteProtocolError, NetworkError) as error:
            counters[f"stream.{error.code}"] += 1
            log.debug("stream of %s: %s", stream.peer, error)
        except trio.TooSlowError:
            counters["stream.timeout"] += 1
        except Exception:  # a handler's bug must not take the peer's connection with it
            counters["stream.bug"] += 1
            log.exception("stream handler failed for %s", stream.peer)
        else:
            return
        await stream.reset()

    return contained


@asynccontextmanager
async def resetting(stream: Stream) -> AsyncIterator[Stream]:
    """Reset the stream unless the block ends well, cancellation included."""
    try:
        yield stream
    except BaseException:
        await stream.reset()
        raise


def check_outgoing(body: bytes, limit: int, what: str) -> None:
    """Raises LocalProtocolError when we are about to say more than a receiver would read."""
    if len(body) > limit:
        raise LocalProtocolError(f"{what} of {len(body)} bytes; {limit} are allowed")
