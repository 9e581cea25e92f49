"""A blob on its way in: chunks written where they belong, each checked against the root before it counts.

Keeps no list of what is there: after a restart the file itself is hashed again, so a chunk that was
acknowledged but never reached the platter is merely missing, not wrong.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Lock

from p2peval.core import merkle
from p2peval.core.parts import Blob
from p2peval.defaults import BLOB_CHUNK
from p2peval.errors import StoreError, VerificationError
from p2peval.store.disk import refusals
from p2peval.wire.ids import cid_from_digest

HASHES = "-hashes"
"""What the name of a partial's chunk hashes ends with."""

_HASH_BYTES = 32


class Partial:
    """Bytes of ``blob`` in ``path``, its chunk hashes beside it. Thread-safe; close it when done with it.

    ``path`` has the blob's size already. ``keep(path, leaves)`` is called by ``finish`` with the checked, synced
    file, to make it visible; ``release()`` by ``close``.
    """

    def __init__(
        self,
        path: Path,
        blob: Blob,
        *,
        keep: Callable[[Path, tuple[bytes, ...]], None],
        release: Callable[[], None],
    ) -> None:
        self.blob = blob
        self.count = -(-blob.size // BLOB_CHUNK)
        self._path = path
        self._hashes = path.with_name(path.name + HASHES)
        self._keep = keep
        self._release = release
        self._guard = Lock()
        self._leaves: tuple[bytes, ...] = ()
        self._have = bytearray(self.count)
        self._digest = sha256()  # over the first ``_digested`` chunks: most of the final check is done on the way
        self._digested = 0
        with refusals("opening", path):
            self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._reserve()
            self._resume()
        except BaseException:
            self.close()
            raise

    @property
    def ready(self) -> bool:
        """Whether the chunk hashes are known, so that chunks can be written."""
        return len(self._leaves) == self.count

    def missing(self) -> list[int]:
        """Indices of chunks that are not there, in order."""
        return [index for index, there in enumerate(self._have) if not there]

    def learn(self, hashes: bytes) -> None:
        """Take the leaf hashes of all chunks (32 bytes each). Raises VerificationError if they have another root."""
        leaves = tuple(hashes[i : i + _HASH_BYTES] for i in range(0, len(hashes), _HASH_BYTES))
        if len(hashes) != self.count * _HASH_BYTES or merkle.root(leaves) != self.blob.root:
            raise VerificationError(f"chunk hashes of {self.blob.cid} do not have its root")
        with self._guard, refusals("writing", self._hashes):
            if not self.ready:
                self._hashes.write_bytes(hashes)  # checked against the root when read again, so it need not be synced
                self._leaves = leaves

    def write(self, index: int, chunk: bytes) -> None:
        """Check and keep one chunk; one that is there already costs nothing. Raises VerificationError, StoreError."""
        if merkle.leaf(chunk) != self._leaves[index]:
            raise VerificationError(f"chunk {index} of {self.blob.cid} is not what its hash says")
        with self._guard, refusals("writing", self._path):
            if self._have[index]:
                return
            _write_all(self._fd, chunk, index * BLOB_CHUNK)
            self._have[index] = 1
            if index == self._digested:
                self._digest.update(chunk)
                self._digested += 1
                self._catch_up()

    def finish(self) -> None:
        """Check the whole, make it durable and visible. Raises VerificationError where root and CID disagree."""
        with self._guard, refusals("finishing", self._path):
            self._catch_up()
            if self._digested != self.count:
                raise StoreError(f"{self.blob.cid} is not complete: {self.count - self._digested} chunks are missing")
            if cid_from_digest(self._digest.digest()) != self.blob.cid:
                self.discard()
                raise VerificationError(f"the blob announced as {self.blob.cid} has another hash")
            os.fsync(self._fd)
            self._keep(self._path, self._leaves)
            self._hashes.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget what came so far."""
        self._path.unlink(missing_ok=True)
        self._hashes.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; what came so far stays for the next try."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._release()

    def _reserve(self) -> None:
        """Claim the whole size now: a full disk refuses before the first byte is fetched."""
        with refusals("reserving space for", self._path):
            try:
                if self.blob.size:
                    os.posix_fallocate(self._fd, 0, self.blob.size)
            except OSError:
                self.discard()
                raise

    def _resume(self) -> None:
        if not self._hashes.exists():
            return
        with refusals("reading", self._hashes):
            try:
                self.learn(self._hashes.read_bytes())
            except VerificationError:
                self._hashes.unlink()
                return
        with refusals("reading", self._path):
            for index in range(self.count):
                self._have[index] = merkle.leaf(self._read(index)) == self._leaves[index]

    def _catch_up(self) -> None:
        while self._digested < self.count and self._have[self._digested]:
            self._digest.update(self._read(self._digested))
            self._digested += 1

    def _read(self, index: int) -> bytes:
        return os.pread(self._fd, BLOB_CHUNK, index * BLOB_CHUNK)


def _write_all(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written
