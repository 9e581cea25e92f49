"""Blobs by CID, whoever brought them: what work on a model and its data needs to know of storage."""

from __future__ import annotations

from pathlib import Path

import trio

from p2peval.core.parts import Blob
from p2peval.core.types import Cid
from p2peval.store.blobs import BlobStore


class Shelf:
    """``store`` without waiting for the disk."""

    def __init__(self, store: BlobStore) -> None:
        self.store = store

    async def path(self, cid: Cid) -> str:
        """The file of a blob, its hash just checked. Raises StoreError where it is missing or damaged."""
        return str(await trio.to_thread.run_sync(self.store.path, cid))

    async def add(self, file: Path) -> Blob:
        """Copy a file in. Raises StoreError and NotFoundError."""
        return await trio.to_thread.run_sync(self.store.add_file, file)
