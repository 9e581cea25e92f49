"""Blobs past their time go; what is in use stays however old."""

from __future__ import annotations

import os
from pathlib import Path

from p2peval.daemon.retention import forget
from p2peval.store.blobs import BlobStore


def test_old_blobs_go_unless_they_are_in_use(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", 10_000_000)
    old, used, young = (store.add_bytes(text).cid for text in (b"old", b"used", b"young"))
    for cid in (old, used):
        os.utime(store.path(cid), (1000.0, 1000.0))
    assert forget(store, {used}, before=2000.0) == [old]
    assert store.stored() == sorted([used, young])
