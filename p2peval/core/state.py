"""What a node knows: tables of frozen rows, and the journal of what changed since it was last drained.

One event is one transaction: the shell drains the journal after ``Node.handle`` and writes it together
with the outbox, or throws the whole state away and loads it again. Rows hold no secrets and nothing
over 64 KiB; an object's envelope is written once and not kept in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from hashlib import sha256
from operator import attrgetter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from p2peval.core.belief_rows import AuditRow, ConvictionRow, ProofRow, WatchRow
from p2peval.core.consult_rows import ConsultRow, InquiryRow, PanelRow
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
from p2peval.core.trust_rows import HistoryRow, JudgementRow, LocalEvidenceRow, PetNameRow, PooledRow, StatementRow
from p2peval.core.types import BenchmarkId, ObjectId, PeerId
from p2peval.defaults import REFUSED_KEPT


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
    "watches": WatchRow,
    "proofs": ProofRow,
    "convictions": ConvictionRow,
    "audits": AuditRow,
    "local_evidence": LocalEvidenceRow,
    "statements": StatementRow,
    "pooled": PooledRow,
    "history": HistoryRow,
    "judgements": JudgementRow,
    "pet_names": PetNameRow,
    "panels": PanelRow,
    "consults": ConsultRow,
    "inquiries": InquiryRow,
}
"""Table name -> row type: what the store creates, loads and saves."""

LAZY: dict[str, tuple[str, ...]] = {"objects": ("envelope",)}
"""Columns that are written but not loaded again."""


class Bucket(NamedTuple):
    """One of the groups into which sync puts objects (core/sync.py)."""

    benchmark: BenchmarkId
    type: str
    number: int


class BucketDigest(NamedTuple):
    """A bucket, and the SHA-256 over the sorted ids in it, one a line: what peers compare."""

    benchmark: BenchmarkId
    type: str
    bucket: int
    digest: bytes


class Change(NamedTuple):
    """``row`` None deletes the key."""

    table: str
    key: str
    row: Row | None


def bucket(row: ObjectRow) -> Bucket:
    """Where sync looks for this object."""
    return Bucket(row.benchmark, row.type, row.bucket)


GROUPS: dict[str, Callable[[Any], Hashable]] = {
    "objects": bucket,
    "names": attrgetter("author"),
    "tasks": attrgetter("state"),
    "offers": attrgetter("task"),
    "replicas": attrgetter("task"),
    "duties": attrgetter("state"),
    "watches": attrgetter("state"),
    "proofs": attrgetter("state"),
    "convictions": attrgetter("peer"),
    "audits": attrgetter("record"),
    "local_evidence": attrgetter("peer"),
    "statements": attrgetter("benchmark", "believed"),
    "history": attrgetter("peer"),
    "panels": attrgetter("task"),
    "consults": attrgetter("assignment"),
}
"""Table name -> what the rows of a group share. No event may look at all rows that there ever were."""


class Table(Generic[R]):
    """A dict of rows that remembers, in the state's journal, what was put and deleted; grouped as GROUPS says."""

    __slots__ = ("_group", "_groups", "_journal", "_name", "_rows")

    def __init__(self, name: str, journal: list[Change], group: Callable[[R], Hashable] | None = None) -> None:
        self._name = name
        self._rows: dict[str, R] = {}
        self._journal = journal
        self._group = group
        self._groups: dict[Hashable, dict[str, R]] = {}

    def load(self, rows: Iterable[R]) -> None:
        """Fill without journalling: what a restart does."""
        self._rows.clear()
        self._groups.clear()
        for row in rows:
            self.load_one(row)

    def load_one(self, row: R) -> None:
        """Change the row in memory only; what the journal holds stays."""
        key = row.key
        if self._group is not None:
            group, held = self._group(row), self._rows.get(key)
            if held is not None and self._group(held) != group:
                self._ungroup(held)
            self._groups.setdefault(group, {})[key] = row
        self._rows[key] = row

    def _ungroup(self, row: R) -> None:
        if self._group is not None:
            group = self._group(row)
            del self._groups[group][row.key]
            if not self._groups[group]:
                del self._groups[group]

    def of(self, group: Hashable) -> tuple[R, ...]:
        """The rows of a group, in order of their insertion into it."""
        held = self._groups.get(group)
        return tuple(held.values()) if held else ()

    def many(self, group: Hashable) -> int:
        """How many rows a group has."""
        return len(self._groups.get(group, ()))

    def groups(self) -> tuple[Any, ...]:
        """Groups that have a row, in order of their first."""
        return tuple(self._groups)

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
        self.load_one(row)
        self._journal.append(Change(self._name, row.key, row))
        return row

    def delete(self, key: str) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._ungroup(row)
            self._journal.append(Change(self._name, key, None))


LISTED = 64
"""Lists of buckets that a state remembers; peers ask for as many as there are sets of benchmarks in common."""


class State:
    """All tables of a node, by the names of TABLES."""

    __slots__ = (*TABLES, "_digests", "_journal", "_listed", "_refused", "_signed", "_slots")

    objects: Table[ObjectRow]
    names: Table[NameRow]
    benchmarks: Table[BenchmarkRow]
    wanted: Table[WantedRow]
    peers: Table[PeerRow]
    tasks: Table[TaskRow]
    offers: Table[OfferRow]
    replicas: Table[ReplicaRow]
    duties: Table[DutyRow]
    results: Table[ResultRow]
    evidence: Table[EvidenceRow]
    counters: Table[CounterRow]
    watches: Table[WatchRow]
    proofs: Table[ProofRow]
    convictions: Table[ConvictionRow]
    audits: Table[AuditRow]
    local_evidence: Table[LocalEvidenceRow]
    statements: Table[StatementRow]
    pooled: Table[PooledRow]
    history: Table[HistoryRow]
    judgements: Table[JudgementRow]
    pet_names: Table[PetNameRow]
    panels: Table[PanelRow]
    consults: Table[ConsultRow]
    inquiries: Table[InquiryRow]

    def __init__(self) -> None:
        self._journal: list[Change] = []
        self._slots: dict[tuple[PeerId, str, str], ObjectId] = {}
        self._signed: Counter[PeerId] = Counter()
        self._digests: dict[Bucket, BucketDigest] = {}
        self._listed: dict[tuple[frozenset[BenchmarkId], tuple[str, ...]], tuple[Bucket, ...]] = {}
        self._refused: dict[ObjectId, None] = {}

    def __getattr__(self, name: str) -> Table[Any]:
        """A table comes to be when somebody first looks into it: most nodes of a lab never need most of them."""
        if name not in TABLES:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        table: Table[Any] = Table(name, self._journal, GROUPS.get(name))
        setattr(self, name, table)
        return table

    def load(self, rows: dict[str, list[Row]]) -> None:
        """Fill without journalling a state that is new."""
        for name, found in rows.items():
            cast("Table[Row]", getattr(self, name)).load(found)
        for row in self.objects:
            self._index(row)

    def drain(self) -> list[Change]:
        """What changed since the last drain, in order; the last change of a key wins."""
        last = {(change.table, change.key): change for change in self._journal}
        self._journal.clear()
        return list(last.values())

    def settle(self) -> None:
        """As ``drain``, for a shell that has no disk: what changed stays in memory alone."""
        self._journal.clear()

    def keep(self, row: ObjectRow) -> None:
        """Append an object: its envelope goes to the journal, the index alone stays in memory."""
        self._journal.append(Change("objects", row.key, row))
        self.objects.load_one(row.without_envelope())
        self._index(row)

    def forget(self, object_id: ObjectId) -> None:
        """Drop an object that a newer one replaces."""
        row = self.objects.get(object_id)
        if row is None:
            return
        self.objects.delete(object_id)
        self._slots.pop((row.signer, row.type, row.slot), None)
        self._signed[row.signer] -= 1
        self._digests.pop(bucket(row), None)
        if not self.objects.many(bucket(row)):
            self._listed.clear()

    def refuse(self, object_id: ObjectId) -> None:
        """Remember, until the next start, that this object is not wanted."""
        self._refused[object_id] = None
        if len(self._refused) > REFUSED_KEPT:
            del self._refused[next(iter(self._refused))]

    def lacks(self, object_id: ObjectId) -> bool:
        """Whether to ask others for it: it is not here, and was not refused for good."""
        return object_id not in self.objects and object_id not in self._refused

    def in_slot(self, signer: PeerId, type_name: str, slot: str) -> ObjectId | None:
        """The object that ``signer`` said in this slot, if any."""
        return self._slots.get((signer, type_name, slot))

    def signed_by(self, signer: PeerId) -> int:
        """How many objects of this signer are kept."""
        return self._signed[signer]

    def buckets(self, benchmarks: frozenset[BenchmarkId], types: tuple[str, ...]) -> tuple[Bucket, ...]:
        """Sorted, of the objects of these types; listed anew only when a bucket comes or goes."""
        held = self._listed.get((benchmarks, types))
        if held is None:
            if len(self._listed) > LISTED:
                self._listed.clear()
            every: tuple[Bucket, ...] = self.objects.groups()
            held = self._listed[benchmarks, types] = tuple(
                sorted(bucket for bucket in every if bucket.benchmark in benchmarks and bucket.type in types)
            )
        return held

    def digest(self, of: Bucket) -> BucketDigest:
        """Reckoned when first asked for, and again when the bucket has changed."""
        held = self._digests.get(of)
        if held is None:
            ids = "\n".join(sorted(row.id for row in self.objects.of(of)))
            held = self._digests[of] = BucketDigest(*of, sha256(ids.encode()).digest())
        return held

    def _index(self, row: ObjectRow) -> None:
        self._slots[(row.signer, row.type, row.slot)] = row.id
        self._signed[row.signer] += 1
        self._digests.pop(bucket(row), None)
        if self.objects.many(bucket(row)) == 1:
            self._listed.clear()

    def counter(self, name: str) -> int:
        row = self.counters.get(name)
        return row.value if row else 0

    def count(self, name: str, value: int) -> int:
        return self.counters.put(CounterRow(name, value)).value
