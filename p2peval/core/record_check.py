"""Whether a ResultRecord hangs together: for a node that admits it, and for anyone who has nothing else.

Decides what every inner envelope must be and must open, step by step, so that who checks can say which step
failed. Must not know a node's state: the benchmark's spec and the way to open an envelope are given. A record
that passes is consistent, not true: requester and evaluator may be one person (trust.md §1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from p2peval.core import certificates, commitment
from p2peval.core.benchmark import output_bytes, reports_of, request_problem
from p2peval.core.certificates import Looked, Question
from p2peval.core.checking import AuditReport
from p2peval.core.messages import (
    Assignment,
    BenchmarkSpec,
    Commitment,
    CommitmentSet,
    Payload,
    ResultRecord,
    Reveal,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.parts import Outcome
from p2peval.core.types import AssignmentId, ObjectId, TaskId
from p2peval.defaults import MAX_REVISIONS
from p2peval.errors import RemoteProtocolError

P = TypeVar("P", bound=Payload)

Opener = Callable[[bytes], Sealed[Payload]]
"""Envelope to checked object; raises RemoteProtocolError."""


class SlotFilledTwiceError(RemoteProtocolError):
    """``first`` and ``second`` stand in one slot: whoever signed them equivocates, or the record repeats itself."""

    def __init__(self, first: Sealed[Payload], second: Sealed[Payload]) -> None:
        super().__init__("equivocation", f"two {type(first.payload).__name__}s of {first.signer} in one slot")
        self.first = first
        self.second = second


@dataclass(slots=True)
class Contents:
    """A record and what its envelopes hold, filled in by the steps that check them.

    ``windows``: (round, commitment) of every commitment that a closed window lists.
    """

    spec: BenchmarkSpec
    record: ResultRecord
    open: Opener
    announced: Sealed[TaskAnnouncement] | None = None
    assignments: dict[AssignmentId, Sealed[Assignment]] = field(default_factory=dict)
    commitments: dict[ObjectId, Sealed[Commitment]] = field(default_factory=dict)
    windows: set[tuple[int, ObjectId]] = field(default_factory=set)
    reveals: dict[AssignmentId, Sealed[Reveal]] = field(default_factory=dict)

    @property
    def task(self) -> Sealed[TaskAnnouncement]:
        """The announcement, sealed. Raises RemoteProtocolError before the first step has passed."""
        if self.announced is None:
            raise RemoteProtocolError("foreign_announcement", "not opened")
        return self.announced

    @property
    def announcement(self) -> TaskAnnouncement:
        """What ``task`` says."""
        return self.task.payload

    @property
    def accepted(self) -> Sealed[Reveal] | None:
        """The reveal whose outputs count; None where the task failed, whatever its record names."""
        return self.reveals.get(self.record.accepted) if self.record.outcome is Outcome.ACCEPTED else None


def examine(spec: BenchmarkSpec, record: ResultRecord, open: Opener) -> Contents:
    """All steps in order. Raises RemoteProtocolError with the reason of the first that fails."""
    contents = Contents(spec, record, open)
    for step in STEPS.values():
        step(contents)
    return contents


# ── the steps ─────────────────────────────────────────────────────────────────────────────────────


def _announcement(this: Contents) -> None:
    """The task is what the requester announced, on this benchmark."""
    record = this.record
    _require(1 <= record.revision <= MAX_REVISIONS, "too_many_revisions")
    sealed = _open(this, record.announcement, TaskAnnouncement)
    _require(TaskId(sealed.id) == record.task and sealed.signer == record.author, "foreign_announcement")
    asked = sealed.payload
    _require(asked.benchmark == record.benchmark, "foreign_benchmark")
    _require(not request_problem(asked.epsilon_nano, asked.delta_nano, asked.replicas), "bad_request")
    this.announced = sealed


def _assignments(this: Contents) -> None:
    """The requester assigned each evaluator to this task."""
    for assigned in _open_all(this, this.record.assignments, Assignment):
        ours = assigned.signer == this.record.author and assigned.payload.task == this.record.task
        _require(ours, "foreign_assignment")
        this.assignments[AssignmentId(assigned.id)] = assigned


def _commitments(this: Contents) -> None:
    """Each commitment is that of an assigned evaluator."""
    for committed in _open_all(this, this.record.commitments, Commitment):
        assigned = this.assignments.get(committed.payload.assignment)
        fits = assigned is not None and assigned.payload.evaluator == committed.signer
        _require(fits and committed.payload.task == this.record.task, "foreign_commitment")
        this.commitments[committed.id] = committed


def _windows(this: Contents) -> None:
    """The requester closed its windows over them."""
    for window in _open_all(this, this.record.commitment_sets, CommitmentSet):
        ours = window.signer == this.record.author and window.payload.task == this.record.task
        _require(ours, "foreign_set")
        this.windows |= {(window.payload.round, id_) for id_ in window.payload.commitments}


def _reveals(this: Contents) -> None:
    """Each reveal opens a commitment of its own assignment, which the window of that very attempt lists."""
    for reveal in _open_all(this, this.record.reveals, Reveal):
        shown, committed = reveal.payload, this.commitments.get(reveal.payload.commitment)
        if committed is None or committed.payload.assignment != shown.assignment:
            raise RemoteProtocolError("reveal_without_commitment")
        _require(reveal.signer == committed.signer and shown.task == committed.payload.task, "foreign_reveal")
        attempt = this.assignments[shown.assignment].payload.attempt
        _require((attempt, committed.id) in this.windows, "commitment_not_in_set")
        _require(commitment.opens(committed.payload.digest, shown, reveal.signer), "does_not_open")
        this.reveals[shown.assignment] = reveal


def _draws(this: Contents) -> None:
    """The requester's audits were drawn with the nonces that it had committed to."""
    checks = this.record.checks
    _require(len({check.assignment for check in checks}) == len(checks), "checked_twice")
    for check in checks:
        _require(check.assignment in this.reveals, "foreign_check")
        opened = commitment.audit_commitment(check.nonce)
        _require(opened == this.assignments[check.assignment].payload.audit_commitment, "nonce_does_not_open")


def _audits(this: Contents) -> None:
    """What others saw when they audited it belongs to this task."""
    for seen in _open_all(this, this.record.audits, AuditReport):
        _require(seen.payload.task == this.record.task, "foreign_audit")


def _certificate(this: Contents) -> None:
    """What was accepted was audited, and its certificate is what that audit gives, computed anew from integers."""
    record, spec = this.record, this.spec
    if record.outcome is not Outcome.ACCEPTED:
        return
    check = next((c for c in record.checks if c.assignment == record.accepted), None)
    certificate, accepted = record.certificate, this.accepted
    if check is None or accepted is None:
        raise RemoteProtocolError("accepted_without_audit")
    _require(not check.differing, "accepted_what_differs")
    told = () if spec.labels is None else reports_of(spec)  # while labels are held back, nobody can check a figure
    _require(tuple((m.name, m.group) for m in record.metrics) == told, "wrong_metrics")
    if certificate is None:  # its requester had others look, or nobody
        return _require(check.drawn == 0, "accepted_without_audit")
    _require(certificate.samples == spec.samples == accepted.payload.samples, "wrong_samples")
    _require(accepted.payload.outputs.size == output_bytes(spec), "wrong_size")
    _require(all(1 <= check.drawn <= spec.samples for check in record.checks), "certificate_is_wrong")
    _require(1 <= certificate.attempts <= spec.verification.max_attempts, "too_many_attempts")
    question, taken, looks = looked_at(this)
    judged = {look.attempt for look in looks}  # replicas of one attempt are judged in one look
    _require(len(judged) <= certificate.attempts, "certificate_is_wrong")
    _require(certificate == certificates.certificate(question, taken, looks), "certificate_is_wrong")


def looked_at(this: Contents) -> tuple[Question, Looked, list[Looked]]:
    """What was asked, how the accepted replica was audited, and all that were.

    Raises RemoteProtocolError for a record without a certificate of an audit of its own.
    """
    certificate, record = this.record.certificate, this.record
    looks = {c.assignment: Looked(this.assignments[c.assignment].payload.attempt, c.drawn) for c in record.checks}
    if certificate is None or record.accepted not in looks:
        raise RemoteProtocolError("accepted_without_audit")
    asked = this.announcement
    question = Question(this.spec.samples, asked.epsilon_nano, asked.delta_nano, certificate.attempts)
    return question, looks[record.accepted], list(looks.values())


def is_certified(this: Contents) -> bool:
    """Whether the number of a record that passed every step carries a certificate, not just its evaluator's record."""
    if this.record.outcome is not Outcome.ACCEPTED or this.record.certificate is None:
        return False
    return certificates.is_certified(*looked_at(this))


STEPS: dict[str, Callable[[Contents], None]] = {
    "announcement": _announcement,
    "assignments": _assignments,
    "commitments": _commitments,
    "windows": _windows,
    "reveals": _reveals,
    "draws": _draws,
    "audits": _audits,
    "certificate": _certificate,
}
"""In this order: each relies on what those before it have opened."""


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────


def _open(this: Contents, envelope: bytes, kind: type[P]) -> Sealed[P]:
    sealed = this.open(envelope)
    if not isinstance(sealed.payload, kind):
        raise RemoteProtocolError("wrong_type", f"{type(sealed.payload).__name__} for {kind.__name__}")
    return sealed  # type: ignore[return-value]


def _open_all(this: Contents, envelopes: tuple[bytes, ...], kind: type[P]) -> list[Sealed[P]]:
    """As ``_open``. Raises SlotFilledTwiceError for two objects in one slot."""
    opened: dict[tuple[str, ...], Sealed[P]] = {}
    for sealed in (_open(this, envelope, kind) for envelope in envelopes):
        first = opened.setdefault((sealed.signer, *sealed.payload.slot), sealed)
        if first is not sealed:
            raise SlotFilledTwiceError(first, sealed)
    return list(opened.values())


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise RemoteProtocolError(reason)
