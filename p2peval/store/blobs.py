"""Content-addressed files: models, datasets and outputs, named by their CID and checked before use.

A blob is visible only when it is whole, hashed and synced. On reading it is hashed again, once per
(inode, mtime, size); a wrong bit removes it, so that it is fetched again. Knows no peer and no benchmark.
Everything here is synchronous: callers use a thread.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Lock

from p2peval.core import merkle
from p2peval.core.parts import Blob
from p2peval.core.types import Cid, Seconds
from p2peval.defaults import BLOB_CHUNK, BLOB_PARTIAL_KEPT
from p2peval.errors import NotFoundError, StoreError, VerificationError
from p2peval.store.disk import DamagedError, make_private, refusals, sync_directory
from p2peval.store.partial import Partial
from p2peval.wire.ids import cid_from_digest, is_cid


@dataclass(frozen=True, slots=True)
class Checked:
    """A stored blob whose bytes were found right. ``leaves``: RFC 6962 leaf hashes of its chunks."""

    blob: Blob
    path: Path
    leaves: tuple[bytes, ...]


_Stamp = tuple[int, int, int]  # inode, mtime in ns, size


class BlobStore:
    """A folder of blobs of at most ``quota_bytes`` together, downloads under way included.

    Every method may raise StoreError (DiskFullError, DamagedError among them).
    """

    def __init__(self, directory: Path, quota_bytes: int) -> None:
        self.directory = directory
        self.quota_bytes = quota_bytes
        self._drafts = directory / "draft"
        self._partials = directory / "partial"
        self._guard = Lock()  # over the quota: one reservation at a time
        self._open: set[Path] = set()
        self._known: dict[Cid, tuple[_Stamp, Checked]] = {}
        for folder in (directory, self._drafts, self._partials):
            make_private(folder)
        self._clean()

    # ── adding ────────────────────────────────────────────────────────────────────────────────────

    def add_file(self, source: Path) -> Blob:
        """Copy a file in. Raises NotFoundError when there is none."""
        try:
            file = source.open("rb")
        except FileNotFoundError as error:
            raise NotFoundError(f"no file {source}") from error
        except OSError as error:
            raise StoreError(f"reading {source}: {error.strerror}") from error
        with file:
            size = os.fstat(file.fileno()).st_size
            return self._add(iter(partial(file.read, BLOB_CHUNK), b""), size, str(source))

    def add_bytes(self, data: bytes) -> Blob:
        chunks = (data[i : i + BLOB_CHUNK] for i in range(0, len(data), BLOB_CHUNK))
        return self._add(chunks, len(data), "data")

    def begin(self, blob: Blob) -> Partial | None:
        """Start or go on fetching ``blob``; None when it is here already.

        Raises StoreError where quota or disk have no room for all of it, before a byte is fetched.
        """
        if self.has(blob.cid):
            return None
        # Somebody may announce a false size or root of a CID: each declaration has a file of its own.
        path = self._partials / f"{self._name(blob.cid)}-{blob.size}-{blob.root.hex()}"
        with self._guard, refusals("reserving", path):
            if path in self._open:
                raise StoreError(f"blob {blob.cid} is being fetched already", hint="wait for it")
            self._make_room(blob.size - _size(path), f"blob {blob.cid}")
            path.touch(mode=0o600)
            os.truncate(path, blob.size)
            self._open.add(path)
        try:
            return Partial(path, blob, keep=partial(self._keep, blob), release=partial(self._open.discard, path))
        except BaseException:
            self._open.discard(path)
            raise

    # ── reading ───────────────────────────────────────────────────────────────────────────────────

    def has(self, cid: Cid) -> bool:
        """Whether it is here, by name alone; ``checked`` may still find it damaged."""
        return is_cid(cid) and (self.directory / cid).is_file()

    def checked(self, cid: Cid) -> Checked:
        """The blob with its bytes verified. Raises NotFoundError, and DamagedError after removing a bad one."""
        path = self.directory / self._name(cid)
        stamp = _stamp(path)
        if stamp is None:
            raise NotFoundError(f"no blob {cid}")
        known = self._known.get(cid)
        if known and known[0] == stamp:
            return known[1]
        with refusals("reading", path), path.open("rb") as file:
            digest, leaves = _hash(iter(partial(file.read, BLOB_CHUNK), b""))
        if cid_from_digest(digest) != cid:
            raise self._quarantine(cid)
        return self._remember(Blob(cid, stamp[2], merkle.root(leaves)), path, leaves)

    def path(self, cid: Cid) -> Path:
        """Where the verified bytes are; read-only."""
        return self.checked(cid).path

    def blob(self, cid: Cid) -> Blob:
        return self.checked(cid).blob

    def hashes(self, cid: Cid) -> bytes:
        """Leaf hashes of all chunks, 32 bytes each."""
        return b"".join(self.checked(cid).leaves)

    def chunk(self, cid: Cid, index: int) -> bytes:
        """One chunk, hashed as it is read. Raises IndexError outside the blob."""
        checked = self.checked(cid)
        leaf = checked.leaves[index]
        with refusals("reading", checked.path), checked.path.open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), BLOB_CHUNK, index * BLOB_CHUNK)
        if merkle.leaf(data) != leaf:
            raise self._quarantine(cid)
        return data

    # ── room ──────────────────────────────────────────────────────────────────────────────────────

    def total_bytes(self) -> int:
        """What is stored, under way or being copied in."""
        return sum(_size(path) for path in self._files())

    def stored(self) -> list[Cid]:
        return sorted(Cid(path.name) for path in self.directory.iterdir() if is_cid(path.name))

    def since(self, cid: Cid) -> Seconds:
        """Unix time at which it was stored; 0 when it is not here."""
        stamp = _stamp(self.directory / self._name(cid))
        return stamp[1] / 1e9 if stamp else 0.0

    def delete(self, cid: Cid) -> None:
        """Forget a blob and what was fetched of it; no error when there is none."""
        self._known.pop(cid, None)
        path = self.directory / self._name(cid)
        with refusals("deleting", path):
            for each in (path, *self._partials.glob(f"{cid}-*")):
                each.unlink(missing_ok=True)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def _add(self, chunks: Iterable[bytes], size: int, what: str) -> Blob:
        draft = self._drafts / secrets.token_hex(8)
        with refusals("writing", draft):
            try:
                with draft.open("wb", buffering=0) as file:
                    with self._guard:
                        self._make_room(size, what)
                        os.ftruncate(file.fileno(), size)  # counts towards the quota from here on
                    digest, leaves = _hash(_copied(chunks, file.fileno()))
                    written = os.lseek(file.fileno(), 0, os.SEEK_CUR)
                    if written != size:
                        raise StoreError(f"{what} changed while it was copied: {written} bytes, then {size}")
                    os.fsync(file.fileno())
                blob = Blob(cid_from_digest(digest), size, merkle.root(leaves))
                self._keep(blob, draft, leaves)
            finally:
                draft.unlink(missing_ok=True)
        return blob

    def _keep(self, blob: Blob, path: Path, leaves: tuple[bytes, ...]) -> None:
        """Make a whole, synced file visible under its CID."""
        target = self.directory / blob.cid
        path.chmod(0o444)
        path.replace(target)
        sync_directory(self.directory)
        self._remember(blob, target, leaves)

    def _remember(self, blob: Blob, path: Path, leaves: tuple[bytes, ...]) -> Checked:
        checked = Checked(blob, path, leaves)
        stamp = _stamp(path)
        if stamp is not None:
            self._known[blob.cid] = stamp, checked
        return checked

    def _quarantine(self, cid: Cid) -> DamagedError:
        self.delete(cid)
        return DamagedError(
            f"blob {cid} in {self.directory} was damaged and is removed", hint="fetch or add it again; check the disk"
        )

    def _make_room(self, size: int, what: str) -> None:
        free = self.quota_bytes - self.total_bytes()
        if size > free:
            raise StoreError(
                f"{what} needs {size} bytes, {max(free, 0)} of {self.quota_bytes} are left in {self.directory}",
                hint="raise storage.quota_gb, or delete blobs no longer needed",
            )

    def _files(self) -> Iterator[Path]:
        for folder in (self.directory, self._drafts, self._partials):
            yield from (path for path in folder.iterdir() if path.is_file())

    def _clean(self) -> None:
        """Remove what a crash left half-copied, and downloads nobody went on with."""
        too_old = time.time() - BLOB_PARTIAL_KEPT
        with refusals("cleaning", self.directory):
            for path in self._drafts.iterdir():
                path.unlink()
            for path in self._partials.iterdir():
                if path.stat().st_mtime < too_old:
                    path.unlink()

    @staticmethod
    def _name(cid: Cid) -> str:
        if not is_cid(cid):  # peers choose it: nothing else may become a file name
            raise VerificationError(f"{cid[:80]!r} is not a CID")
        return cid


def _hash(chunks: Iterable[bytes]) -> tuple[bytes, tuple[bytes, ...]]:
    """SHA-256 of the whole, and the leaf hash of each chunk."""
    whole, leaves = sha256(), []
    for chunk in chunks:
        whole.update(chunk)
        leaves.append(merkle.leaf(chunk))
    return whole.digest(), tuple(leaves)


def _copied(chunks: Iterable[bytes], fd: int) -> Iterator[bytes]:
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            view = view[os.write(fd, view) :]
        yield chunk


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _size(path: Path) -> int:
    stamp = _stamp(path)
    return stamp[2] if stamp else 0
