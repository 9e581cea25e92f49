"""What a node knows: tables of frozen rows, and the journal of what changed since it was last drained.

One event is one transaction: the shell drains the journal after ``Node.handle`` and writes it together
with the outbox, or throws the whole state away and loads it again. Rows hold no secrets and nothing
over 64 KiB; an object's envelope is written once and not kept in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Generic, NamedTuple, Protocol, TypeVar, cast

from p2peval.core.rows import (
    BenchmarkRow,
    CounterRow,
    DutyRow,
    EvidenceRow,
    NameRow,
    ObjectRow,
    OfferRow,
    PeerRow,
    ReplicaRow,
    ResultRow,
    TaskRow,
    WantedRow,
)
from p2peval.core.types import ObjectId, PeerId


class Row(Protocol):
    @property
    def key(self) -> str: ...


R = TypeVar("R", bound=Row)

TABLES: dict[str, type] = {
    "objects": ObjectRow,
    "names": NameRow,
    "benchmarks": BenchmarkRow,
    "wanted": WantedRow,
    "peers": PeerRow,
    "tasks": TaskRow,
    "offers": OfferRow,
    "replicas": ReplicaRow,
    "duties": DutyRow,
    "results": ResultRow,
    "evidence": EvidenceRow,
    "counters": CounterRow,
}
"""Table name -> row type: what the store creates, loads and saves."""

LAZY: dict[str, tuple[str, ...]] = {"objects": ("envelope",)}
"""Columns that are written but not loaded again."""


class Change(NamedTuple):
    """``row`` None deletes the key."""

    table: str
    key: str
    row: Row | None


class Table(Generic[R]):
    """A dict of rows that remembers, in the state's journal, what was put and deleted."""

    def __init__(self, name: str, journal: list[Change]) -> None:
        self._name = name
        self._rows: dict[str, R] = {}
        self._journal = journal

    def load(self, rows: Iterable[R]) -> None:
        """Fill without journalling: what a restart does."""
        self._rows = {row.key: row for row in rows}

    def load_one(self, row: R) -> None:
        """Change the row in memory only; what the journal holds stays."""
        self._rows[row.key] = row

    def get(self, key: str) -> R | None:
        return self._rows.get(key)

    def __getitem__(self, key: str) -> R:
        return self._rows[key]

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        """All rows, in order of their insertion (equal on every run of the same events)."""
        return iter(tuple(self._rows.values()))

    def put(self, row: R) -> R:
        self._rows[row.key] = row
        self._journal.append(Change(self._name, row.key, row))
        return row

    def delete(self, key: str) -> None:
        if self._rows.pop(key, None) is not None:
            self._journal.append(Change(self._name, key, None))


class State:
    """All tables of a node."""

    def __init__(self) -> None:
        self._journal: list[Change] = []

        def table(name: str) -> Table[R]:
            return Table(name, self._journal)

        self.objects: Table[ObjectRow] = table("objects")
        self.names: Table[NameRow] = table("names")
        self.benchmarks: Table[BenchmarkRow] = table("benchmarks")
        self.wanted: Table[WantedRow] = table("wanted")
        self.peers: Table[PeerRow] = table("peers")
        self.tasks: Table[TaskRow] = table("tasks")
        self.offers: Table[OfferRow] = table("offers")
        self.replicas: Table[ReplicaRow] = table("replicas")
        self.duties: Table[DutyRow] = table("duties")
        self.results: Table[ResultRow] = table("results")
        self.evidence: Table[EvidenceRow] = table("evidence")
        self.counters: Table[CounterRow] = table("counters")
        self._slots: dict[tuple[PeerId, str, str], ObjectId] = {}
        self._signed: Counter[PeerId] = Counter()

    def load(self, rows: dict[str, list[Row]]) -> None:
        for name in TABLES:
            cast("Table[Row]", getattr(self, name)).load(rows.get(name, []))
        for row in self.objects:
            self._index(row)

    def drain(self) -> list[Change]:
        """What changed since the last drain, in order; the last change of a key wins."""
        last = {(change.table, change.key): change for change in self._journal}
        self._journal.clear()
        return list(last.values())

    def keep(self, row: ObjectRow) -> None:
        """Append an object: its envelope goes to the journal, the index alone stays in memory."""
        self.objects.put(row)
        self.objects.load_one(replace(row, envelope=b""))
        self._index(row)

    def forget(self, object_id: ObjectId) -> None:
        """Drop an object that a newer one replaces."""
        row = self.objects.get(object_id)
        if row is None:
            return
        self.objects.delete(object_id)
        self._slots.pop((row.signer, row.type, row.slot), None)
        self._signed[row.signer] -= 1

    def in_slot(self, signer: PeerId, type_name: str, slot: str) -> ObjectId | None:
        """The object that ``signer`` said in this slot, if any."""
        return self._slots.get((signer, type_name, slot))

    def signed_by(self, signer: PeerId) -> int:
        """How many objects of this signer are kept."""
        return self._signed[signer]

    def _index(self, row: ObjectRow) -> None:
        self._slots[(row.signer, row.type, row.slot)] = row.id
        self._signed[row.signer] += 1

    def counter(self, name: str) -> int:
        row = self.counters.get(name)
        return row.value if row else 0

    def count(self, name: str, value: int) -> int:
        return self.counters.put(CounterRow(name, value)).value
