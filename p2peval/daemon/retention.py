"""Forgetting blobs: models and outputs go after the retention time, a joined benchmark's data never.

A record outlives its outputs: it then is one that nobody can audit any more, without blame (protocol.md).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from p2peval.core.benchmark import data_of
from p2peval.core.rows import DutyState
from p2peval.core.state import State
from p2peval.core.task import OVER
from p2peval.core.types import Cid, Seconds
from p2peval.defaults import RETENTION_CHECK
from p2peval.errors import StoreError
from p2peval.store.blobs import BlobStore

log = logging.getLogger(__name__)


async def run(store: BlobStore, state: Callable[[], State], clock: Callable[[], Seconds], days: float) -> None:
    """Look at start and every RETENTION_CHECK seconds."""
    while True:
        await trio.to_thread.run_sync(forget, store, in_use(state()), clock() - days * 86_400)
        await trio.sleep(RETENTION_CHECK)


def in_use(state: State) -> set[Cid]:
    """What must stay however old it is."""
    kept: set[Cid] = set()
    for row in state.benchmarks:
        if row.joined:
            kept |= {blob.cid for blob in data_of(row.known).values()}
    for task in state.tasks:
        if task.state not in OVER:
            kept.add(task.model.cid)
    for duty in state.duties:
        if duty.state not in (DutyState.DONE, DutyState.FAILED):
            kept |= {blob.cid for blob in (duty.model, duty.outputs) if blob}
    return kept


def forget(store: BlobStore, kept: set[Cid], before: Seconds) -> list[Cid]:
    """Delete blobs not in ``kept`` that were stored before that time; returns their ids."""
    gone = [cid for cid in store.stored() if cid not in kept and store.since(cid) < before]
    for cid in gone:
        try:
            store.delete(cid)
        except StoreError as error:
            log.warning("%s", error.message)
    return gone
