"""ResultRecords: composing our own, and checking that somebody else's hangs together.

A foreign record that passes here is consistent, not true: requester and evaluator may be one person.
It enters the board as a claim (trust.md §1).
"""

from __future__ import annotations

from typing import TypeVar

from p2peval.core import audit, commitment, watch
from p2peval.core.benchmark import output_bytes, reports_of
from p2peval.core.context import Context
from p2peval.core.leaderboard import CLAIMED, MINE
from p2peval.core.messages import (
    Assignment,
    Certificate,
    Check,
    Commitment,
    CommitmentSet,
    Outcome,
    Payload,
    ResultRecord,
    Reveal,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.rows import ReplicaRow, ReplicaState, ResultRow, TaskRow
from p2peval.core.types import AssignmentId, Cid, ObjectId, PeerId, TaskId
from p2peval.defaults import CLOCK_SKEW, MAX_REVISIONS, RECORD_REPLICAS
from p2peval.errors import RemoteProtocolError

P = TypeVar("P", bound=Payload)


def build(ctx: Context, task: TaskRow, accepted: ReplicaRow) -> Sealed[ResultRecord]:
    """Seal the record of a task whose ``accepted`` replica agreed with the audit, and rank it as ours."""
    rows = _told(ctx, task)
    record = ResultRecord(
        network=ctx.network,
        author=ctx.me,
        task=task.id,
        benchmark=task.benchmark,
        revision=1,
        outcome=Outcome.ACCEPTED,
        accepted=accepted.id,
        metrics=accepted.metrics,
        certificate=Certificate(
            epsilon_nano=audit.spent_epsilon(task.epsilon_nano, task.looks),
            delta_nano=task.delta_nano,
            samples=ctx.state.benchmarks[task.benchmark].spec.samples,
            audited=accepted.drawn,
            attempts=task.looks,
        ),
        checks=tuple(
            Check(row.id, ctx.secrets.nonce("audit", task.id, row.peer, row.attempt), row.drawn, row.differing)
            for row in rows
            if row.state is ReplicaState.AGREES or row.differing
        ),
        announcement=task.announcement,
        assignments=tuple(row.assignment for row in rows),
        commitments=tuple(row.commitment for row in rows if row.commitment),
        commitment_sets=tuple(dict.fromkeys(row.commitment_set for row in rows if row.commitment_set)),
        reveals=tuple(row.reveal for row in rows if row.reveal),
        audits=(),
        finished_ms=ctx.sequence(),
    )
    sealed = ctx.seal(record, task.benchmark)
    rank(ctx, sealed, task.model.cid, task.model_name, {row.id: row.peer for row in rows}, MINE)
    return sealed


def _told(ctx: Context, task: TaskRow) -> list[ReplicaRow]:
    """Every replica that an audit looked at, then the latest others for which a record has room.

    Who falls silent is replaced as often as it takes: told in full, that could outgrow any record.
    """
    rows = sorted(ctx.state.replicas.of(task.id), key=lambda row: (not row.drawn, -row.attempt, row.id))
    return sorted(rows[:RECORD_REPLICAS], key=lambda row: (row.attempt, row.id))


def rank(
    ctx: Context,
    sealed: Sealed[ResultRecord],
    model: Cid,
    model_name: str,
    evaluators: dict[AssignmentId, PeerId],
    standing: str,
) -> None:
    """Put a record where the board reads it; a higher revision replaces a lower one."""
    record = sealed.payload
    held = ctx.state.results.get(record.task)
    if held is not None and held.revision >= record.revision:
        return
    ctx.state.results.put(
        ResultRow(
            task=record.task,
            record=sealed.id,
            revision=record.revision,
            benchmark=record.benchmark,
            model=model,
            model_name=model_name,
            requester=record.author,
            evaluator=evaluators.get(record.accepted, PeerId("")),
            evaluators=tuple(dict.fromkeys(evaluators[c.assignment] for c in record.checks if not c.differing)),
            accepted=record.outcome is Outcome.ACCEPTED,
            metrics=record.metrics,
            certificate=record.certificate,
            standing=standing,
            finished=record.finished_ms / 1000,
        )
    )


def on_record(ctx: Context, sealed: Sealed[ResultRecord]) -> str:
    """Admit a foreign record, or say why it contradicts itself."""
    try:
        announcement, evaluators = _consistent(ctx, sealed.payload)
    except RemoteProtocolError as error:
        return error.reason
    rank(ctx, sealed, announcement.model.cid, announcement.model_name, evaluators, CLAIMED)
    reveals = (_open(ctx, envelope, Reveal) for envelope in sealed.payload.reveals)
    shown = next((reveal for reveal in reveals if reveal.payload.assignment == sealed.payload.accepted), None)
    watch.note(ctx, sealed, announcement, shown)
    ctx.notify("record.received", sealed.payload.task, requester=sealed.signer, model=announcement.model_name)
    return ""


def _consistent(ctx: Context, record: ResultRecord) -> tuple[TaskAnnouncement, dict[AssignmentId, PeerId]]:
    """Every inner envelope is signed, belongs here, and opens what it must. Raises RemoteProtocolError."""
    _require(record.finished_ms <= ctx.now_ms + CLOCK_SKEW * 1000, "from_the_future")
    _require(1 <= record.revision <= MAX_REVISIONS, "too_many_revisions")
    sealed = _open(ctx, record.announcement, TaskAnnouncement)
    announcement = sealed.payload
    _require(TaskId(sealed.id) == record.task and sealed.signer == record.author, "foreign_announcement")
    _require(announcement.benchmark == record.benchmark, "foreign_benchmark")
    given = {AssignmentId(s.id): s for s in _open_all(ctx, record.assignments, Assignment)}
    for assigned in given.values():
        _require(assigned.signer == record.author and assigned.payload.task == record.task, "foreign_assignment")
    said = {s.id: s for s in _open_all(ctx, record.commitments, Commitment)}
    for committed in said.values():
        _check_commitment(committed, given, record.task)
    listed: set[tuple[int, ObjectId]] = set()
    for window in _open_all(ctx, record.commitment_sets, CommitmentSet):
        _require(window.signer == record.author and window.payload.task == record.task, "foreign_set")
        listed |= {(window.payload.round, id_) for id_ in window.payload.commitments}
    shown: dict[AssignmentId, Reveal] = {}
    for reveal in _open_all(ctx, record.reveals, Reveal):
        _check_reveal(reveal, given, said, listed)
        shown[reveal.payload.assignment] = reveal.payload
    _require(len({check.assignment for check in record.checks}) == len(record.checks), "checked_twice")
    for check in record.checks:
        _require(check.assignment in shown, "foreign_check")
        opened = commitment.audit_commitment(check.nonce)
        _require(opened == given[check.assignment].payload.audit_commitment, "nonce_does_not_open")
    if record.outcome is Outcome.ACCEPTED:
        _check_acceptance(ctx, record, announcement, shown, given)
    return announcement, {assignment: sealed.payload.evaluator for assignment, sealed in given.items()}


def _check_commitment(
    committed: Sealed[Commitment], given: dict[AssignmentId, Sealed[Assignment]], task: TaskId
) -> None:
    assigned = given.get(committed.payload.assignment)
    if assigned is None or assigned.payload.evaluator != committed.signer or committed.payload.task != task:
        raise RemoteProtocolError("foreign_commitment")


def _check_reveal(
    reveal: Sealed[Reveal],
    given: dict[AssignmentId, Sealed[Assignment]],
    said: dict[ObjectId, Sealed[Commitment]],
    listed: set[tuple[int, ObjectId]],
) -> None:
    """It opens a commitment of its own assignment, and the window of that very attempt has it."""
    shown, committed = reveal.payload, said.get(reveal.payload.commitment)
    if committed is None or committed.payload.assignment != shown.assignment:
        raise RemoteProtocolError("reveal_without_commitment")
    _require(reveal.signer == committed.signer and shown.task == committed.payload.task, "foreign_reveal")
    _require((given[shown.assignment].payload.attempt, committed.id) in listed, "commitment_not_in_set")
    _require(commitment.opens(committed.payload.digest, shown, reveal.signer), "does_not_open")


def _check_acceptance(
    ctx: Context,
    record: ResultRecord,
    announcement: TaskAnnouncement,
    shown: dict[AssignmentId, Reveal],
    given: dict[AssignmentId, Sealed[Assignment]],
) -> None:
    spec = ctx.state.benchmarks[record.benchmark].spec
    check = next((c for c in record.checks if c.assignment == record.accepted), None)
    certificate = record.certificate
    if check is None or certificate is None or record.accepted not in shown:
        raise RemoteProtocolError("accepted_without_audit")
    _require(not check.differing, "accepted_what_differs")
    accepted = shown[record.accepted]
    _require(certificate.samples == spec.samples == accepted.samples, "wrong_samples")
    _require(accepted.outputs.size == output_bytes(spec), "wrong_size")
    _require(1 <= certificate.attempts <= spec.verification.max_attempts, "too_many_attempts")
    _require(certificate.delta_nano == announcement.delta_nano, "certificate_is_wrong")
    spent = audit.spent_epsilon(announcement.epsilon_nano, certificate.attempts)
    look = audit.look_epsilon(announcement.epsilon_nano, certificate.attempts)
    attempts = {assignment: sealed.payload.attempt for assignment, sealed in given.items()}
    sharing = sum(attempts[c.assignment] == attempts[record.accepted] for c in record.checks)
    enough = audit.sample_size(spec.samples, max(1, look // sharing), announcement.delta_nano)
    _require(certificate.epsilon_nano == spent, "certificate_is_wrong")
    _require(certificate.audited == check.drawn >= enough, "certificate_is_wrong")
    _require(tuple((m.name, m.group) for m in record.metrics) == reports_of(spec), "wrong_metrics")


def _open(ctx: Context, envelope: bytes, kind: type[P]) -> Sealed[P]:
    sealed = ctx.sealer.open(envelope)
    if not isinstance(sealed.payload, kind):
        raise RemoteProtocolError("wrong_type", f"{type(sealed.payload).__name__} for {kind.__name__}")
    return sealed  # type: ignore[return-value]


def _open_all(ctx: Context, envelopes: tuple[bytes, ...], kind: type[P]) -> list[Sealed[P]]:
    """As ``_open``. Refuses two objects in one slot, be both inside the record or one of them held here."""
    opened = [_open(ctx, envelope, kind) for envelope in envelopes]
    _require(len({(s.signer, s.payload.slot) for s in opened}) == len(opened), "equivocation")
    for sealed in opened:
        held = ctx.state.in_slot(sealed.signer, kind.__name__, "/".join(sealed.payload.slot))
        _require(held is None or held == sealed.id, "equivocation")
    return opened


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise RemoteProtocolError(reason)
