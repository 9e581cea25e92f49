"""Blobs: serving what we hold, fetching what an effect asks for."""

from __future__ import annotations

import logging

import trio

from p2peval.core.effects import FetchBlob
from p2peval.core.events import BlobFailed, BlobReady
from p2peval.core.parts import Blob
from p2peval.core.types import Cid, PeerId
from p2peval.daemon.clock import Clock
from p2peval.daemon.shelf import Shelf
from p2peval.defaults import FETCH_RETRY, FETCH_STALL, FIND_TIMEOUT, RESUME_GRACE, RETRY_FIRST
from p2peval.errors import NetworkError, NotFoundError, StoreError, VerificationError
from p2peval.net.blobs import fetch
from p2peval.net.network import Network
from p2peval.store.blobs import BlobStore
from p2peval.store.disk import DamagedError
from p2peval.wire.topics import blob_key

log = logging.getLogger(__name__)


class Library(Shelf):
    """A shelf that fetches what it lacks; what was fetched is offered to others through the DHT."""

    def __init__(self, network: Network, store: BlobStore, clock: Clock) -> None:
        super().__init__(store)
        self._network = network
        self._clock = clock
        self._fetching: dict[Cid, trio.Lock] = {}

    async def fetch(self, effect: FetchBlob) -> BlobReady | BlobFailed:
        """Try the named holders, then whoever the DHT names, until ``until`` has passed."""
        pause, reason = RETRY_FIRST, "no holder is known"
        until = max(effect.until, self._clock() + RESUME_GRACE)
        while True:
            try:
                await self.have(effect.blob, effect.holders)
                return BlobReady(effect.id, effect.blob.cid)
            except NetworkError as error:
                reason = error.message
            except StoreError as error:
                return BlobFailed(effect.id, effect.blob.cid, error.message, ours=True)
            except VerificationError as error:
                return BlobFailed(effect.id, effect.blob.cid, error.message)
            if self._clock() + pause > until:
                return BlobFailed(effect.id, effect.blob.cid, reason)
            await trio.sleep(pause)
            pause = min(2 * pause, FETCH_RETRY)

    async def have(self, blob: Blob, holders: tuple[PeerId, ...]) -> None:
        """Returns once ``blob`` is on the shelf, its hash checked: what was damaged there is fetched again.

        Raises NetworkError, StoreError, VerificationError.
        """
        async with self._fetching.setdefault(blob.cid, trio.Lock()):
            try:
                await self.path(blob.cid)
            except NotFoundError:
                await self._fetch(blob, holders)
            except DamagedError as damaged:
                await self._replace(blob, holders, damaged)

    async def _replace(self, blob: Blob, holders: tuple[PeerId, ...], damaged: DamagedError) -> None:
        log.warning("%s", damaged.message)
        try:
            await self._fetch(blob, holders)
        except NetworkError as error:
            raise VerificationError(f"{damaged.message}; {error.message}", hint=error.hint) from error

    async def _fetch(self, blob: Blob, holders: tuple[PeerId, ...]) -> None:
        others = tuple(peer for peer in holders if peer != self._network.peer_id)
        try:
            report = await fetch(self._network, self.store, blob, others, timeout=FETCH_STALL)
        except NetworkError:
            found = await self._network.find(blob_key(blob.cid), timeout=FIND_TIMEOUT)
            strangers = tuple(peer for peer in found if peer not in others and peer != self._network.peer_id)
            if not strangers:
                raise
            report = await fetch(self._network, self.store, blob, strangers, timeout=FETCH_STALL)
        if report.liars:
            log.warning("wrong bytes for %s from %s", blob.cid, ", ".join(report.liars))
        await self._network.provide(blob_key(blob.cid))
