"""Tables: groups and digests say what a look at every row would."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from random import Random

from p2peval.core.rows import ObjectRow, OfferRow
from p2peval.core.state import Bucket, State, Table
from p2peval.core.types import BenchmarkId, ObjectId, PeerId, TaskId

OFFER = OfferRow(TaskId("t0"), PeerId("p"), "class", 1.0, "")


def test_a_group_holds_what_a_look_at_every_row_finds() -> None:
    rng = Random(1)
    table: Table[OfferRow] = Table("offers", [], lambda offer: offer.declined)
    for _ in range(2000):
        key = PeerId(f"p{rng.randrange(40)}")
        if rng.random() < 0.3:
            table.delete(f"t0/{key}")
        else:
            table.put(replace(OFFER, peer=key, declined=f"reason {rng.randrange(5)}"))
        for group in (f"reason {number}" for number in range(5)):
            assert sorted(row.key for row in table.of(group)) == sorted(r.key for r in table if r.declined == group)
        assert set(table.groups()) == {row.declined for row in table}


def test_rows_of_a_group_come_in_order_of_insertion_after_a_restart_too() -> None:
    table: Table[OfferRow] = Table("offers", [], lambda offer: offer.task)
    rows = [replace(OFFER, peer=PeerId(name)) for name in ("c", "a", "b")]
    for row in rows:
        table.put(row)
    again: Table[OfferRow] = Table("offers", [], lambda offer: offer.task)
    again.load(iter(table))
    assert table.of("t0") == again.of("t0") == tuple(rows)


def test_a_digest_follows_what_is_kept_and_forgotten() -> None:
    state = State()
    row = ObjectRow(ObjectId("b"), "TaskAnnouncement", PeerId("p"), BenchmarkId("x"), "1", 3, 0.0, b"envelope")
    bucket = Bucket(BenchmarkId("x"), "TaskAnnouncement", 3)
    state.keep(row)
    assert state.digest(bucket) == (*bucket, sha256(b"b").digest())
    state.keep(replace(row, id=ObjectId("a"), slot="2"))
    assert state.digest(bucket).digest == sha256(b"a\nb").digest()
    state.forget(ObjectId("b"))
    assert state.digest(bucket).digest == sha256(b"a").digest()
