"""Rows of whom this node believes: others' trust statements, what was made of them, and the operator's own word.

As in ``rows``: one frozen dataclass for each table, no secrets, nothing over 64 KiB, times in unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.parts import TrustEntry
from p2peval.core.types import BenchmarkId, ObjectId, PeerId, Seconds
from p2peval.trust.evidence import Evidence


@dataclass(frozen=True, slots=True)
class LocalEvidenceRow:
    """This node's evidence about ``peer`` from one benchmark alone; what it adds up to is in the table ``evidence``."""

    peer: PeerId
    benchmark: BenchmarkId
    evidence: Evidence

    @property
    def key(self) -> str:
        return f"{self.benchmark}/{self.peer}"


@dataclass(frozen=True, slots=True)
class StatementRow:
    """The newest TrustStatement of ``rater`` about a benchmark's peers.

    ``believed``: whether there was any reason to listen to this rater when it was last looked at. ``received``: when
    this statement came; of who is not believed, the first of those that were renewed since.
    """

    id: ObjectId
    rater: PeerId
    benchmark: BenchmarkId
    epoch: int
    entries: tuple[TrustEntry, ...]
    received: Seconds
    believed: bool

    @property
    def key(self) -> str:
        return f"{self.benchmark}/{self.rater}"


@dataclass(frozen=True, slots=True)
class PooledRow:
    """What was made of others' word at the end of ``epoch``, about one peer.

    ``good``, ``bad``: others' counts, weighted by their credibility. ``credibility``: this peer's own as a rater, 0 to
    1. ``opinion``: what the rule in force made of it. ``mass``: π, 0 to 1; ``reach``: the probability that a walk of
    trust from here ever visits it (trust.md §3).
    """

    peer: PeerId
    epoch: int
    good: float
    bad: float
    credibility: float
    opinion: float
    mass: float
    reach: float

    @property
    def key(self) -> str:
        return self.peer


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """This node's reputation of ``peer`` as it stood at the end of ``epoch``, with its 95 % interval."""

    peer: PeerId
    epoch: int
    reputation: float
    low: float
    high: float
    resolved: int

    @property
    def key(self) -> str:
        return f"{self.peer}/{self.epoch}"


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """The operator's own word on a peer, until ``until``: trusted as a root, or not to be asked at all."""

    peer: PeerId
    trusted: bool
    at: Seconds
    until: Seconds
    note: str

    @property
    def key(self) -> str:
        return self.peer


@dataclass(frozen=True, slots=True)
class PetNameRow:
    """What this node's operator calls a peer; nobody else hears of it."""

    peer: PeerId
    name: str

    @property
    def key(self) -> str:
        return self.peer
