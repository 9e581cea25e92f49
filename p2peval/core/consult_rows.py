"""Rows of blind audits on request: panels of auditors that this node asks, and requests of others that it answers.

As in ``rows``: one frozen dataclass for each table, no secrets, nothing over 64 KiB, times in unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from p2peval.core.parts import Blob
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, PeerId, Seconds, TaskId


@dataclass(frozen=True, slots=True)
class PanelRow:
    """The auditors of one replica of a task of ours: so many, with so many samples each.

    ``bound``: x/(1+x), how often a lie may escape them all; ``undetected``: how often this panel lets one escape, where
    HONEST_SHARE holds (trust.md §4). ``known``: of whom it was drawn, peers that this node knew something of.
    """

    assignment: AssignmentId
    task: TaskId
    auditors: int
    each: int
    bound: float
    undetected: float
    known: int
    accepted: bool = False

    @property
    def key(self) -> str:
        return self.assignment


class ConsultState(Enum):
    ASKED = "asked"
    ANSWERED = "answered"
    """Its rows are here, and are being compared."""
    AGREES = "agrees"
    OBJECTS = "objects"
    ABSTAINS = "abstains"
    """Not the same, yet not by enough to be an objection."""
    OVERRULED = "overruled"
    """It objected, and others did not see what it saw."""
    SILENT = "silent"
    DECLINED = "declined"


ANSWERS = frozenset({ConsultState.AGREES, ConsultState.OBJECTS, ConsultState.ABSTAINS, ConsultState.OVERRULED})
"""States of requests whose auditor said something that was compared."""


@dataclass(frozen=True, slots=True)
class ConsultRow:
    """One request to one auditor. ``disputed``: the sample that it is to settle, -1 where it drew its own.

    ``rows``, in ``equivalence_class``: its answer, until it is compared; ``differing``: what it objects to.
    """

    request: ObjectId
    assignment: AssignmentId
    task: TaskId
    auditor: PeerId
    round: int
    disputed: int
    state: ConsultState
    indices: tuple[int, ...]
    deadline: Seconds
    equivalence_class: str = ""
    rows: tuple[bytes, ...] = ()
    differing: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return self.request


@dataclass(frozen=True, slots=True)
class InquiryRow:
    """A request of somebody else's that this node is at work on, until ``deadline``. ``began``: when its run began."""

    request: ObjectId
    requester: PeerId
    benchmark: BenchmarkId
    task: TaskId
    model: Blob
    indices: tuple[int, ...]
    deadline: Seconds
    began: Seconds

    @property
    def key(self) -> str:
        return self.request
