"""The node's state on disk: what ``core.state`` names as tables, in SQLite (WAL, synchronous=FULL).

One event is one transaction (architecture, the seam, rule 1): rows, objects and outbox together, or none
of it. This room decides durability and the schema's version; it knows no column by name, and no policy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Lock
from types import TracebackType

from msgspec import MsgspecError

from p2peval.core.effects import Effect
from p2peval.core.state import LAZY, TABLES, Change, Row
from p2peval.core.types import ObjectId
from p2peval.errors import StoreError
from p2peval.store import outbox
from p2peval.store.disk import DamagedError, full, make_private, refusals
from p2peval.store.rows import Layout, Value

_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = OFF",  # core keeps its rows together; the store does not second-guess it
    "trusted_schema = OFF",
    "busy_timeout = 5000",  # ms that a person's sqlite3 or a backup may hold the file; guess
)
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_UNWRITABLE = (OverflowError, UnicodeEncodeError)  # an int over 64 bits, text that is no Unicode


class Database:
    """``state.db``. Synchronous and safe to call from any thread, one call at a time.

    Opening migrates an older schema, after a backup into ``backups/`` beside the file. Every method raises
    StoreError (DiskFullError when that is why); a ``commit`` that raised has changed nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = Lock()
        self._tables = {name: _Table(name, row, LAZY.get(name, ())) for name, row in TABLES.items()}
        make_private(path.parent)
        with self._translated("opening"), refusals("opening", path):
            self._connection = _connect(path)
        try:
            self._migrate()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._guard, self._translated("closing"):
            self._connection.close()

    def load(self) -> dict[str, list[Row]]:
        """Every row of every table, in order of first insertion; lazy columns are empty."""
        with self._guard, self._translated("reading"), self._decoding():
            return {name: table.load(self._connection) for name, table in self._tables.items()}

    def pending(self) -> list[tuple[str, Effect]]:
        """The outbox: ``(id, effect)`` not yet done, oldest first."""
        with self._guard, self._translated("reading the outbox of"), self._decoding():
            return outbox.pending(self._connection)

    def envelopes(self, ids: Iterable[ObjectId]) -> dict[ObjectId, bytes]:
        """The envelopes of those objects that are held."""
        query = "SELECT envelope FROM objects WHERE key = ?"
        with self._guard, self._translated("reading"):
            found = {id_: self._connection.execute(query, (id_,)).fetchone() for id_ in ids}
        return {id_: row[0] for id_, row in found.items() if row is not None}

    def commit(
        self,
        delta: Sequence[Change],
        outbox_add: Sequence[tuple[str, Effect]] = (),
        outbox_done: Sequence[str] = (),
    ) -> None:
        """Write all of it durably, or raise and write nothing. ``outbox_done`` counts before ``outbox_add``."""
        with self._guard, self._translated("writing"), self._transaction():
            for change in delta:
                self._tables[change.table].apply(self._connection, change)
            outbox.done(self._connection, outbox_done)
            outbox.add(self._connection, outbox_add)

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when nothing is."""
        try:
            with self._guard, self._translated("checking"):
                findings = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check")]
        except DamagedError as error:  # too damaged to be checked
            return [error.message]
        return [] if findings == ["ok"] else findings

    def backup(self, target: Path) -> None:
        """A consistent copy while running. Raises StoreError when ``target`` exists."""
        make_private(target.parent)
        with self._guard, self._translated(f"backing up to {target}"):
            self._backup(target)

    def _backup(self, target: Path) -> None:
        if target.exists():
            raise StoreError(f"{target} exists already", hint="name another file")
        self._connection.execute("VACUUM INTO ?", (str(target),))
        target.chmod(0o600)

    def _migrate(self) -> None:
        with self._translated("migrating"):
            version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            scripts = _migrations()
            if version > len(scripts):
                raise StoreError(
                    f"{self.path} has schema {version}, this p2peval knows {len(scripts)}",
                    hint=f"install a p2peval that knows schema {version}, or restore a backup",
                )
            if 0 < version < len(scripts):
                self._backup_before(version)
            for number in range(version + 1, len(scripts) + 1):
                self._run(number, scripts[number - 1])

    def _backup_before(self, version: int) -> None:
        target = self.path.parent / "backups" / f"{self.path.stem}-schema{version:04}.db"
        make_private(target.parent)
        target.unlink(missing_ok=True)  # of an earlier try that did not get through
        self._backup(target)

    def _run(self, number: int, script: str) -> None:
        try:
            self._connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite has rolled some failures back itself
                self._connection.rollback()
            raise

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._refusal(doing, error) from error
        except _UNWRITABLE as error:
            raise StoreError(f"{doing} {self.path}: a value cannot be stored: {error}") from error

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        try:
            yield
        except (MsgspecError, ValueError, LookupError) as error:
            raise DamagedError(
                f"{self.path} holds a row that never was one: {error}",
                hint=f"restore one of {self.path.parent}/backups",
            ) from error

    def _refusal(self, doing: str, error: sqlite3.Error) -> StoreError:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            return full(doing, self.path)
        if name.startswith(_DAMAGE):
            return DamagedError(f"{doing} {self.path}: {error}", hint=f"restore one of {self.path.parent}/backups")
        return StoreError(f"{doing} {self.path}: {error}", hint=f"check the disk that holds {self.path.parent}")


class _Table:
    """The SQL of one table, made from its row type."""

    def __init__(self, name: str, row_type: type, lazy: Sequence[str]) -> None:
        self._layout = layout = Layout(row_type, lazy)
        names = ", ".join(f'"{column.name}"' for column in layout.columns)
        marks = ", ".join("?" for _ in layout.columns)
        # A lazy column is written once: in memory it is blank, and a later put must not blank it on disk.
        updates = ", ".join(f'"{column.name}" = excluded."{column.name}"' for column in layout.eager)
        self._upsert = (
            f'INSERT INTO "{name}" (key, {names}) VALUES (?, {marks}) ON CONFLICT (key) DO UPDATE SET {updates}'
        )
        self._delete = f'DELETE FROM "{name}" WHERE key = ?'
        eager = ", ".join(f'"{column.name}"' for column in layout.eager)
        self._select = f'SELECT {eager} FROM "{name}" ORDER BY rowid'

    def apply(self, connection: sqlite3.Connection, change: Change) -> None:
        if change.row is None:
            connection.execute(self._delete, (change.key,))
        else:
            values: list[Value] = [change.key, *self._layout.values(change.row)]
            connection.execute(self._upsert, values)

    def load(self, connection: sqlite3.Connection) -> list[Row]:
        return [self._layout.row(values) for values in connection.execute(self._select)]


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrations() -> list[str]:
    """The scripts 0001.sql, 0002.sql … in order; number n brings schema n-1 to n. No number is left out: one that
    came later would move all behind it, and databases that have those would run them again."""
    folder = files("p2peval.store") / "migrations"
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    return [script.read_text(encoding="utf-8") for script in scripts]
