from __future__ import annotations

import os
import random
import resource
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from p2peval.core import merkle
from p2peval.core.parts import Blob
from p2peval.core.types import Cid
from p2peval.defaults import BLOB_CHUNK, BLOB_PARTIAL_KEPT
from p2peval.errors import NotFoundError, StoreError, VerificationError
from p2peval.store.blobs import BlobStore
from p2peval.store.disk import DamagedError, DiskFullError
from p2peval.store.partial import Partial
from p2peval.wire.ids import cid_of

MIB = 1 << 20


def bytes_of(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def chunks_of(data: bytes) -> list[bytes]:
    return [data[i : i + BLOB_CHUNK] for i in range(0, len(data), BLOB_CHUNK)]


def hashes_of(data: bytes) -> bytes:
    return b"".join(merkle.leaf(chunk) for chunk in chunks_of(data))


def blob_of(data: bytes) -> Blob:
    return Blob(cid_of(data), len(data), merkle.root([merkle.leaf(chunk) for chunk in chunks_of(data)]))


def flip(path: Path, offset: int, bit: int) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def begin(store: BlobStore, blob: Blob) -> Partial:
    partial = store.begin(blob)
    assert partial is not None
    return partial


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", 64 * MIB)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mount], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


@pytest.mark.parametrize("size", [0, 1, BLOB_CHUNK - 1, BLOB_CHUNK, BLOB_CHUNK + 1, 3 * BLOB_CHUNK + 7])
def test_added_bytes_are_named_by_their_cid_size_and_root(store: BlobStore, size: int) -> None:
    data = bytes_of(size)
    blob = store.add_bytes(data)
    assert blob == blob_of(data)
    assert store.path(blob.cid).read_bytes() == data
    assert [store.chunk(blob.cid, i) for i in range(len(chunks_of(data)))] == chunks_of(data)
    assert store.hashes(blob.cid) == hashes_of(data)


def test_file_and_its_bytes_are_the_same_blob(store: BlobStore, tmp_path: Path) -> None:
    data = bytes_of(MIB + 5)
    (tmp_path / "model.onnx").write_bytes(data)
    assert store.add_file(tmp_path / "model.onnx") == store.add_bytes(data)
    assert store.total_bytes() == len(data)


def test_missing_source_and_missing_blob_are_not_found(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"model\.onnx"):
        store.add_file(tmp_path / "model.onnx")
    with pytest.raises(NotFoundError):
        store.path(cid_of(b"nobody has this"))


@pytest.mark.parametrize("name", ["../identity.key", "/etc/passwd", "", "bafkrei", "bafkrei" + "a" * 51 + "/"])
def test_name_that_is_no_cid_never_reaches_the_disk(store: BlobStore, name: str) -> None:
    assert not store.has(Cid(name))
    with pytest.raises(VerificationError):
        store.path(Cid(name))
    with pytest.raises(VerificationError):
        store.begin(Blob(Cid(name), 5, b"\0" * 32))
    with pytest.raises(VerificationError):
        store.delete(Cid(name))


def test_flipped_bit_is_found_and_the_blob_removed(store: BlobStore) -> None:
    data = bytes_of(2 * BLOB_CHUNK)
    rng = random.Random(7)
    for _ in range(200):
        blob = store.add_bytes(data)
        flip(store.path(blob.cid), rng.randrange(len(data)), rng.randrange(8))
        with pytest.raises(DamagedError, match=blob.cid):
            store.path(blob.cid)
        assert not store.has(blob.cid)


def test_flip_under_an_unchanged_stamp_is_found_by_the_chunk_that_is_given_away(store: BlobStore) -> None:
    blob = store.add_bytes(bytes_of(3 * BLOB_CHUNK))
    path = store.path(blob.cid)
    before = path.stat()
    flip(path, BLOB_CHUNK + 17, 3)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert len(store.chunk(blob.cid, 0)) == BLOB_CHUNK
    with pytest.raises(DamagedError):
        store.chunk(blob.cid, 1)
    assert not store.has(blob.cid)


def test_bytes_are_hashed_once_while_the_file_stays_the_same(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = store.add_bytes(bytes_of(BLOB_CHUNK))
    fresh = BlobStore(store.directory, store.quota_bytes)
    hashed: list[int] = []
    monkeypatch.setattr("p2peval.store.blobs.sha256", lambda: hashed.append(1) or sha256())
    for _ in range(5):
        fresh.path(blob.cid)
    assert len(hashed) == 1
    os.utime(fresh.path(blob.cid), ns=(0, 0))
    fresh.path(blob.cid)
    assert len(hashed) == 2


def test_chunks_in_any_order_become_the_blob(store: BlobStore) -> None:
    data = bytes_of(5 * BLOB_CHUNK + 99)
    blob = blob_of(data)
    partial = begin(store, blob)
    assert not partial.ready
    partial.learn(hashes_of(data))
    for index in (3, 0, 5, 1, 4, 2):
        assert not store.has(blob.cid)
        partial.write(index, chunks_of(data)[index])
    assert partial.missing() == []
    partial.finish()
    partial.close()
    assert store.path(blob.cid).read_bytes() == data
    assert store.total_bytes() == len(data)
    assert store.begin(blob) is None


def test_wrong_chunk_and_wrong_hashes_are_refused_and_the_rest_goes_on(store: BlobStore) -> None:
    data = bytes_of(2 * BLOB_CHUNK)
    partial = begin(store, blob_of(data))
    with pytest.raises(VerificationError):
        partial.learn(hashes_of(bytes_of(2 * BLOB_CHUNK, seed=2)))
    with pytest.raises(VerificationError):
        partial.learn(hashes_of(data)[:-1])
    partial.learn(hashes_of(data))
    with pytest.raises(VerificationError):
        partial.write(0, chunks_of(data)[1])
    assert partial.missing() == [0, 1]
    for index, chunk in enumerate(chunks_of(data)):
        partial.write(index, chunk)
    partial.finish()
    partial.close()


def test_download_goes_on_after_a_restart_with_what_really_reached_the_disk(store: BlobStore) -> None:
    data = bytes_of(6 * BLOB_CHUNK)
    blob = blob_of(data)
    partial = begin(store, blob)
    partial.learn(hashes_of(data))
    for index in (0, 2, 3):
        partial.write(index, chunks_of(data)[index])
    partial.close()
    (file,) = (path for path in (store.directory / "partial").iterdir() if not path.name.endswith("-hashes"))
    flip(file, 2 * BLOB_CHUNK + 5, 0)  # acknowledged, then lost

    again = begin(BlobStore(store.directory, store.quota_bytes), blob)
    assert again.ready
    assert again.missing() == [1, 2, 4, 5]
    for index in again.missing():
        again.write(index, chunks_of(data)[index])
    again.finish()
    again.close()
    assert store.path(blob.cid).read_bytes() == data


def test_unfinished_blob_cannot_be_finished(store: BlobStore) -> None:
    data = bytes_of(2 * BLOB_CHUNK)
    partial = begin(store, blob_of(data))
    partial.learn(hashes_of(data))
    partial.write(1, chunks_of(data)[1])
    with pytest.raises(StoreError, match="not complete"):
        partial.finish()
    assert not store.has(blob_of(data).cid)
    partial.close()


def test_root_that_does_not_belong_to_the_cid_is_found_at_the_end(store: BlobStore) -> None:
    true, other = bytes_of(BLOB_CHUNK), bytes_of(BLOB_CHUNK, seed=2)
    lie = Blob(cid_of(true), BLOB_CHUNK, blob_of(other).root)
    partial = begin(store, lie)
    partial.learn(hashes_of(other))
    partial.write(0, other)
    with pytest.raises(VerificationError):
        partial.finish()
    partial.close()
    assert not store.has(lie.cid)
    assert store.total_bytes() == 0


def test_false_declaration_does_not_disturb_the_true_one(store: BlobStore) -> None:
    data = bytes_of(2 * BLOB_CHUNK)
    blob = blob_of(data)
    false = begin(store, Blob(blob.cid, 7, b"\1" * 32))
    partial = begin(store, blob)
    partial.learn(hashes_of(data))
    for index, chunk in enumerate(chunks_of(data)):
        partial.write(index, chunk)
    partial.finish()
    partial.close()
    false.close()
    assert store.path(blob.cid).read_bytes() == data


def test_same_blob_is_not_fetched_twice_at_once(store: BlobStore) -> None:
    blob = blob_of(b"one")
    first = begin(store, blob)
    with pytest.raises(StoreError, match="already"):
        store.begin(blob)
    first.close()
    begin(store, blob).close()


def test_quota_refuses_before_anything_is_written(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", MIB)
    store.add_bytes(bytes_of(MIB // 2))
    with pytest.raises(StoreError, match=r"needs 524289 bytes, 524288 of 1048576 are left") as refusal:
        store.add_bytes(bytes_of(MIB // 2 + 1, seed=2))
    assert "storage.quota_gb" in refusal.value.hint
    with pytest.raises(StoreError, match="are left"):
        store.begin(Blob(cid_of(b"big"), MIB, b"\0" * 32))
    begin(store, Blob(cid_of(b"fits"), MIB // 2, b"\0" * 32)).close()
    with pytest.raises(StoreError, match="0 of 1048576 are left"):  # a download under way counts whole
        store.add_bytes(b"x")
    store.delete(cid_of(b"fits"))
    store.add_bytes(b"x")


def test_deleted_blob_is_gone_and_its_room_free(store: BlobStore) -> None:
    blob = store.add_bytes(bytes_of(MIB))
    assert store.stored() == [blob.cid]
    store.delete(blob.cid)
    store.delete(blob.cid)
    assert store.stored() == []
    assert store.total_bytes() == 0


def test_leftovers_of_a_crash_are_removed_and_recent_downloads_kept(store: BlobStore) -> None:
    (store.directory / "draft" / "half").write_bytes(b"half a blob")
    recent, old = blob_of(b"recent"), blob_of(b"old")
    begin(store, recent).close()
    begin(store, old).close()
    for path in (store.directory / "partial").glob(f"{old.cid}-*"):
        os.utime(path, (path.stat().st_mtime - BLOB_PARTIAL_KEPT - 1,) * 2)
    BlobStore(store.directory, store.quota_bytes)
    assert list((store.directory / "draft").iterdir()) == []
    assert [path.name.split("-")[0] for path in (store.directory / "partial").iterdir()] == [recent.cid]


def test_blobs_are_private_and_read_only(store: BlobStore) -> None:
    path = store.path(store.add_bytes(b"data").cid)
    assert path.stat().st_mode & 0o777 == 0o444
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_full_disk_leaves_no_half_written_blob(tiny_disk: Path) -> None:
    store = BlobStore(tiny_disk / "blobs", 64 * MIB)
    kept = store.add_bytes(bytes_of(MIB // 2))
    with pytest.raises(DiskFullError) as refusal:
        store.add_bytes(bytes_of(3 * MIB))
    assert "free space" in refusal.value.hint
    with pytest.raises(DiskFullError):
        store.begin(blob_of(bytes_of(3 * MIB)))
    assert store.stored() == [kept.cid]
    assert store.total_bytes() == MIB // 2
    assert store.path(kept.cid).read_bytes() == bytes_of(MIB // 2)
    store.add_bytes(bytes_of(MIB, seed=3))


def test_file_size_limit_is_a_full_disk_and_leaves_no_half_written_blob(store: BlobStore) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, before[1]))
    try:
        with pytest.raises(DiskFullError):
            store.add_bytes(bytes_of(2 * MIB))
        with pytest.raises(DiskFullError):
            store.begin(blob_of(bytes_of(2 * MIB)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert store.total_bytes() == 0
    store.add_bytes(bytes_of(2 * MIB))
