"""Blobs past their time go; what is in use stays however old."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from p2peval.core.rows import BenchmarkRow
from p2peval.core.state import State
from p2peval.core.types import BenchmarkId
from p2peval.daemon.retention import forget, in_use
from p2peval.store.blobs import BlobStore
from tests.wire.wire_examples import SPEC, blob


def test_old_blobs_go_unless_they_are_in_use(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", 10_000_000)
    old, used, young = (store.add_bytes(text).cid for text in (b"old", b"used", b"young"))
    for cid in (old, used):
        os.utime(store.path(cid), (1000.0, 1000.0))
    assert forget(store, {used}, before=2000.0) == [old]
    assert store.stored() == sorted([used, young])


def test_an_author_keeps_the_labels_that_it_holds_back_even_of_a_benchmark_that_it_has_left() -> None:
    labels, state = blob(b"held back"), State()
    committed = replace(SPEC, labels=None, labels_commitment=bytes(32))
    state.benchmarks.put(BenchmarkRow(BenchmarkId("b"), committed, False, False, False, labels=labels))
    state.benchmarks.put(BenchmarkRow(BenchmarkId("c"), SPEC, False, False, False))
    assert in_use(state) == {labels.cid}
