"""What a node knows: tables of frozen rows, and the journal of what changed since it was last drained.

One event is one transaction: the shell drains the journal after ``Node.handle`` and writes it together
with the outbox, or throws the whole state away and loads it again. Rows hold no secrets and nothing
over 64 KiB; an object's envelope is written once and not kept in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar, cast

from p2peval.core.messages import BenchmarkSpec, Blob, Certificate, Efficiency, Membership, MetricReport
from p2peval.core.types import AssignmentId, BenchmarkId, Cid, ObjectId, PeerId, Seconds, TaskId
from p2peval.trust.evidence import Evidence


class Row(Protocol):
    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """A signed object as it came. ``bucket``: which of sync's buckets it falls into (core/sync.py)."""

    id: ObjectId
    type: str
    signer: PeerId
    benchmark: BenchmarkId
    slot: str
    bucket: int
    envelope: bytes

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class NameRow:
    """An author's claim to a topic name: the newest BenchmarkAnnouncement."""

    name: str
    author: PeerId
    title: str
    benchmark: BenchmarkId
    sequence: int

    @property
    def key(self) -> str:
        return f"{self.author}/{self.name}"


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    id: BenchmarkId
    spec: BenchmarkSpec
    joined: bool
    evaluates: bool
    requests: bool

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class WantedRow:
    """A benchmark asked for (``join``) whose spec has not arrived yet."""

    id: BenchmarkId
    evaluates: bool
    requests: bool
    reply_id: str
    deadline: Seconds

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class PeerRow:
    """The newest PeerProfile of a peer."""

    peer: PeerId
    name: str
    addresses: tuple[str, ...]
    classes: tuple[str, ...]
    memberships: tuple[Membership, ...]
    sequence: int
    seen: Seconds

    @property
    def key(self) -> str:
        return self.peer


class TaskState(Enum):
    ANNOUNCED = "announced"
    ASSIGNED = "assigned"
    REVEALING = "revealing"
    AUDITING = "auditing"
    ACCEPTED = "accepted"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task that this node asked for. ``deadline`` is that of the current state."""

    id: TaskId
    benchmark: BenchmarkId
    model: Blob
    model_name: str
    epsilon_nano: int
    delta_nano: int
    replicas: int
    created: Seconds
    expires: Seconds
    state: TaskState
    attempt: int
    looks: int
    deadline: Seconds
    generation: int
    reason: str
    record: ObjectId
    announcement: bytes

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What a peer answered to an announcement of ours; ``declined`` holds the reason of a Decline."""

    task: TaskId
    peer: PeerId
    equivalence_class: str
    expires: Seconds
    declined: str

    @property
    def key(self) -> str:
        return f"{self.task}/{self.peer}"


class ReplicaState(Enum):
    ASSIGNED = "assigned"
    COMMITTED = "committed"
    REVEALED = "revealed"
    FETCHED = "fetched"
    AGREES = "agrees"
    DIFFERS = "differs"
    SILENT = "silent"
    DECLINED = "declined"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One assignment of a task of ours, as the requester sees it, with its envelopes verbatim."""

    id: AssignmentId
    task: TaskId
    peer: PeerId
    attempt: int
    state: ReplicaState
    assignment: bytes
    commitment_id: ObjectId
    commitment_digest: bytes
    commitment: bytes
    commitment_set: bytes
    reveal: bytes
    equivalence_class: str
    root: bytes
    outputs: Blob | None
    drawn: int
    audited: int
    differing: tuple[int, ...]
    metrics: tuple[MetricReport, ...]
    reason: str

    @property
    def key(self) -> str:
        return self.id


class DutyState(Enum):
    OFFERED = "offered"
    FETCHING = "fetching"
    RUNNING = "running"
    COMMITTED = "committed"
    REVEALED = "revealed"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A task of somebody else's, as the evaluator sees it."""

    task: TaskId
    requester: PeerId
    benchmark: BenchmarkId
    model: Blob
    model_name: str
    state: DutyState
    assignment: AssignmentId
    attempt: int
    deadline: Seconds
    generation: int
    equivalence_class: str
    root: bytes
    outputs: Blob | None
    efficiency: Efficiency | None
    commitment_id: ObjectId
    reason: str

    @property
    def key(self) -> str:
        return self.task


@dataclass(frozen=True, slots=True)
class ResultRow:
    """An accepted (or failed) task as its newest ResultRecord tells it.

    ``standing`` is "me" where this node audited it itself, else "claimed".
    """

    task: TaskId
    record: ObjectId
    revision: int
    benchmark: BenchmarkId
    model: Cid
    model_name: str
    requester: PeerId
    evaluator: PeerId
    evaluators: tuple[PeerId, ...]
    accepted: bool
    metrics: tuple[MetricReport, ...]
    certificate: Certificate | None
    standing: str
    finished: Seconds

    @property
    def key(self) -> str:
        return self.task


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    peer: PeerId
    evidence: Evidence

    @property
    def key(self) -> str:
        return self.peer


@dataclass(frozen=True, slots=True)
class CounterRow:
    """Numbers that must outlive a restart: the last sequence, resolved tasks in all."""

    name: str
    value: int

    @property
    def key(self) -> str:
        return self.name


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
