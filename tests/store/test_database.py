from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from importlib.resources import files
from pathlib import Path
from threading import Thread

import pytest

from p2peval.core.effects import FetchBlob, Notify, Publish, Send
from p2peval.core.parts import Blob, Defined, Interval, MetricReport
from p2peval.core.rows import CounterRow, NameRow, ReplicaRow, ReplicaState
from p2peval.core.state import LAZY, TABLES, Change, Row
from p2peval.core.types import AssignmentId, BenchmarkId, Cid, ObjectId, PeerId, TaskId
from p2peval.errors import StoreError
from p2peval.store import database as module
from p2peval.store.database import Database
from p2peval.store.disk import DamagedError, DiskFullError
from p2peval.store.rows import Layout

PEER = PeerId("12D3KooWpeer")
BLOB = Blob(Cid("bafkreiblob"), 1234, b"\xff" * 32)
REPLICA = ReplicaRow(
    id=AssignmentId("assignment"),
    task=TaskId("task"),
    peer=PEER,
    attempt=1,
    state=ReplicaState.AGREES,
    assignment=b"\0\1",
    commitment_id=ObjectId("commitment"),
    commitment_digest=b"",
    commitment=b"",
    commitment_set=b"",
    reveal=b"\xff",
    equivalence_class="x86-64",
    root=b"\2" * 32,
    outputs=BLOB,
    drawn=404,
    audited=404,
    differing=(1, 2, 3),
    metrics=(
        MetricReport("accuracy", Defined.VALUE, 941_700_000, Interval(930_000_000, 950_000_000), None),
        MetricReport("ece", Defined.UNDEFINED, 0, None, None),
    ),
    reason="naïve “text” with 'quotes', \0 and \n",
)
SEND = Send("send/1", PEER, "task", b"\0envelope\xff", 12.5)
PUBLISH = Publish("publish/1", BenchmarkId("b"), "result-record", ObjectId("o"), b"envelope")


def put(row: Row, table: str) -> Change:
    return Change(table, row.key, row)


def counter(name: str, value: int) -> Change:
    return put(CounterRow(name, value), "counters")


def object_row(number: int, envelope: bytes) -> Row:
    """An ObjectRow, without naming those of its fields that this test does not care about."""
    plain = {"str": "", "int": 0, "bytes": b"", "Seconds": 0.0}
    values = {name: plain.get(str(kind), "") for name, kind in TABLES["objects"].__annotations__.items()}
    row: Row = TABLES["objects"](**{**values, "id": f"object{number}", "envelope": envelope})
    return row


def nth_object(kept: int) -> list[Change]:
    return [put(object_row(kept, b"e" * 10_000), "objects"), counter("kept", kept + 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def db(path: Path) -> Iterator[Database]:
    with Database(path) as database:
        yield database


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_the_fields_of_the_row_type(db: Database, table: str) -> None:
    connection = sqlite3.connect(db.path)
    found = {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")}
    connection.close()
    layout = Layout(TABLES[table], LAZY.get(table, ()))
    assert found == {"key": "TEXT"} | {column.name: column.sql_type for column in layout.columns}


def test_row_with_every_kind_of_value_comes_back_equal_after_a_restart(db: Database, path: Path) -> None:
    other = replace(REPLICA, id=AssignmentId("other"), outputs=None, metrics=(), differing=())
    db.commit([put(REPLICA, "replicas"), put(other, "replicas"), counter("sequence", 2**62)])
    db.close()
    with Database(path) as again:
        rows = again.load()
    assert rows["replicas"] == [REPLICA, other]
    assert rows["counters"] == [CounterRow("sequence", 2**62)]
    assert set(rows) == set(TABLES)


class Colour(Enum):
    RED = (1, 2)


@dataclass(frozen=True, slots=True)
class Everything:
    flag: bool
    real: float
    colour: Colour
    pairs: tuple[tuple[str, float], ...]
    maybe: int | None

    @property
    def key(self) -> str:
        return ""


def test_types_survive_the_columns() -> None:
    layout = Layout(Everything)
    rows = [
        Everything(True, 0.1, Colour.RED, (("a", 1e-300), ("b", 0.1 + 0.2)), None),
        Everything(False, 3.0, Colour.RED, (), 0),
    ]
    for row in rows:
        values = layout.values(row)
        assert [column.sql_type for column in layout.columns] == ["INTEGER", "REAL", "TEXT", "TEXT", "TEXT"]
        back = layout.row([int(values[0] or 0), *values[1:]])
        assert back == row
        assert back.flag is row.flag


def test_later_change_replaces_and_none_deletes(db: Database) -> None:
    names = [NameRow(name, PEER, "title", BenchmarkId("b"), 1) for name in "abc"]
    db.commit([put(row, "names") for row in names])
    newer = replace(names[0], sequence=2)
    db.commit([put(newer, "names"), Change("names", names[1].key, None), Change("names", "never was", None)])
    assert db.load()["names"] == [newer, names[2]]  # in order of first insertion, as in memory


def test_envelope_is_kept_aside_and_a_later_put_does_not_blank_it(db: Database) -> None:
    row = object_row(1, b"signed bytes")
    db.commit([put(row, "objects"), put(object_row(2, b"others"), "objects")])
    (loaded, _) = db.load()["objects"]
    assert loaded == object_row(1, b"")
    db.commit([put(loaded, "objects")])
    assert db.envelopes([ObjectId("object1"), ObjectId("object2"), ObjectId("unknown")]) == {
        "object1": b"signed bytes",
        "object2": b"others",
    }


def test_outbox_is_kept_in_order_until_done(db: Database, path: Path) -> None:
    fetch = FetchBlob("fetch/1", BLOB, (PEER,), 99.0)
    db.commit([], [(SEND.id, SEND), (PUBLISH.id, PUBLISH)])
    db.commit([], [(fetch.id, fetch)], [SEND.id, "never was"])
    db.close()
    with Database(path) as again:
        assert again.pending() == [(PUBLISH.id, PUBLISH), (fetch.id, fetch)]


def test_effect_given_again_keeps_its_place_and_takes_the_newer_wording(db: Database) -> None:
    later = replace(SEND, until=50.0)
    db.commit([], [(SEND.id, SEND), (PUBLISH.id, PUBLISH)])
    db.commit([], [(later.id, later)])
    assert db.pending() == [(SEND.id, later), (PUBLISH.id, PUBLISH)]


def test_effect_that_is_done_and_asked_again_in_one_event_stays(db: Database) -> None:
    db.commit([], [(SEND.id, SEND)])
    db.commit([], [(SEND.id, SEND)], [SEND.id])
    assert db.pending() == [(SEND.id, SEND)]


def test_effect_that_is_not_external_is_refused_with_all_of_its_transaction(db: Database) -> None:
    with pytest.raises(TypeError, match="Notify"):
        db.commit([counter("a", 1)], [("n", Notify("kind", "subject"))])
    assert db.load()["counters"] == []


@pytest.mark.parametrize("value", [2**63, "\ud800"])
def test_value_that_cannot_be_stored_rolls_all_back(db: Database, value: object) -> None:
    bad = counter("bad", value) if isinstance(value, int) else counter(str(value), 1)
    with pytest.raises(StoreError, match="cannot be stored"):
        db.commit([counter("good", 1), bad], [(SEND.id, SEND)])
    assert db.load()["counters"] == []
    assert db.pending() == []
    db.commit([counter("good", 1)])


def test_full_disk_loses_nothing_and_goes_on_when_there_is_space(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * 300_000)
    with Database(tiny_disk / "state.db") as db:
        kept = 0
        with suppress(DiskFullError):
            for kept in range(1000):
                db.commit(nth_object(kept))
        assert 0 < kept < 999
        for _ in range(3):  # still refused, still readable, still whole
            with pytest.raises(DiskFullError, match="disk is full") as refusal:
                db.commit(nth_object(kept))
            assert "free space" in refusal.value.hint
            assert db.load()["counters"] == [CounterRow("kept", kept)]
            assert len(db.load()["objects"]) == kept
        ballast.unlink()
        db.commit(nth_object(kept))
    with Database(tiny_disk / "state.db") as again:
        assert again.check() == []
        assert again.load()["counters"] == [CounterRow("kept", kept + 1)]
        assert len(again.load()["objects"]) == kept + 1


def test_file_that_is_no_database_is_damaged(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(DamagedError, match=str(path)):
        Database(path)


def test_row_that_makes_no_sense_is_damaged(db: Database) -> None:
    db.commit([put(REPLICA, "replicas")])
    connection = sqlite3.connect(db.path)
    connection.execute("UPDATE replicas SET metrics = '[{'")
    connection.commit()
    connection.close()
    with pytest.raises(DamagedError, match="never was one"):
        db.load()


def test_flipped_page_is_found_by_check(db: Database, path: Path) -> None:
    db.commit([put(object_row(i, b"e" * 3000), "objects") for i in range(200)])
    db.close()
    data = bytearray(path.read_bytes())
    page = len(data) // 2 // 4096 * 4096
    data[page : page + 64] = b"\xff" * 64
    path.write_bytes(data)
    with Database(path) as damaged:
        assert damaged.check() != []


def test_newer_schema_is_refused_with_the_version_it_needs(db: Database, path: Path) -> None:
    db.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 70")
    connection.close()
    with pytest.raises(StoreError, match="has schema 70") as refusal:
        Database(path)
    assert "schema 7" in refusal.value.hint


def test_migration_backs_up_first_and_keeps_the_rows(db: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db.commit([counter("kept", 1)])
    db.close()
    scripts = [*module._migrations(), "CREATE TABLE extra (key TEXT) STRICT; UPDATE counters SET value = value + 1;"]
    monkeypatch.setattr(module, "_migrations", lambda: scripts)
    with Database(path) as migrated:
        assert migrated.load()["counters"] == [CounterRow("kept", 2)]
    backup = sqlite3.connect(path.parent / "backups" / f"state-schema{len(scripts) - 1:04}.db")
    assert backup.execute("SELECT value FROM counters").fetchall() == [(1,)]
    assert backup.execute("PRAGMA user_version").fetchone() == (len(scripts) - 1,)
    backup.close()


def test_no_number_of_a_migration_is_left_out_to_be_taken_later() -> None:
    folder = files("p2peval.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    assert names == [f"{number:04}.sql" for number in range(1, len(names) + 1)]


def test_migration_that_fails_changes_nothing(db: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db.commit([counter("kept", 1)])
    db.close()
    good = module._migrations()
    broken = "UPDATE counters SET value = 99; INSERT INTO no_such_table VALUES (1);"
    monkeypatch.setattr(module, "_migrations", lambda: [*good, broken])
    for _ in range(2):
        with pytest.raises(StoreError, match="no_such_table"):
            Database(path)
    monkeypatch.setattr(module, "_migrations", lambda: good)
    with Database(path) as again:
        assert again.load()["counters"] == [CounterRow("kept", 1)]


def test_backup_is_a_whole_copy_and_replaces_nothing(db: Database, tmp_path: Path) -> None:
    db.commit([counter("kept", 1)])
    target = tmp_path / "copies" / "copy.db"
    db.backup(target)
    with pytest.raises(StoreError, match="exists already"):
        db.backup(target)
    with Database(target) as copy:
        assert copy.load()["counters"] == [CounterRow("kept", 1)]
    assert target.stat().st_mode & 0o777 == 0o600


def test_database_is_private(db: Database, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_commits_of_many_threads_do_not_mix(db: Database) -> None:
    def work(name: str) -> None:
        for value in range(50):
            db.commit([counter(f"{name}/a", value), counter(f"{name}/b", value)])

    threads = [Thread(target=work, args=(name,)) for name in "wxyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row.key: row.value for row in db.load()["counters"] if isinstance(row, CounterRow)} == {
        f"{name}/{part}": 49 for name in "wxyz" for part in "ab"
    }
