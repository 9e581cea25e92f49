"""ResultRecords: composing our own, and admitting somebody else's that hangs together (core/record_check.py).

A foreign record that passes here is consistent, not true: requester and evaluator may be one person.
It enters the board as a claim (trust.md §1).
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import equivocation, record_check, watch
from p2peval.core.certificates import Looked, Question, certificate, is_certified
from p2peval.core.context import Context
from p2peval.core.leaderboard import CLAIMED, MINE
from p2peval.core.messages import Payload, ResultRecord, Sealed
from p2peval.core.parts import Check, Outcome
from p2peval.core.record_check import SlotFilledTwiceError, examine
from p2peval.core.rows import ReplicaRow, ReplicaState, ResultRow, TaskRow
from p2peval.core.types import AssignmentId, Cid, PeerId
from p2peval.defaults import CLOCK_SKEW, RECORD_REPLICAS
from p2peval.errors import RemoteProtocolError


def build(ctx: Context, task: TaskRow, accepted: ReplicaRow) -> Sealed[ResultRecord]:
    """Seal the record of a task whose ``accepted`` replica agreed with the audit, and rank it as ours."""
    rows, spec = _told(ctx, task), ctx.state.benchmarks[task.benchmark].spec
    consulted = accepted.id in ctx.state.panels or not accepted.drawn
    checked = [
        row
        for row in rows
        if row.state is ReplicaState.AGREES or (row.differing and row.state is not ReplicaState.LATE)
    ]
    question = Question(spec.samples, task.epsilon_nano, task.delta_nano, task.looks)
    looks = [Looked(row.attempt, row.drawn) for row in checked]
    taken = Looked(accepted.attempt, accepted.drawn)
    record = ResultRecord(
        network=ctx.network,
        author=ctx.me,
        task=task.id,
        benchmark=task.benchmark,
        revision=1,
        outcome=Outcome.ACCEPTED,
        accepted=accepted.id,
        metrics=accepted.metrics if spec.labels is not None else (),
        certificate=None if consulted else certificate(question, taken, looks),
        checks=tuple(
            Check(
                row.id,
                ctx.secrets.nonce("audit", task.id, row.peer, row.attempt),
                0 if row.id in ctx.state.panels else row.drawn,
                row.differing,
            )
            for row in checked
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
    standing = CLAIMED if consulted else MINE  # others looked: core/standing.py says how far they count
    rank(ctx, sealed, task.model.cid, task.model_name, {row.id: row.peer for row in rows}, standing)
    certified = not consulted and is_certified(question, taken, looks)
    ctx.state.results.put(replace(ctx.state.results[task.id], metrics=accepted.metrics, certified=certified))
    watch.tell_scores(ctx, sealed.id, task.id, task.benchmark, accepted.metrics)
    if not accepted.metrics:  # the labels may have been revealed while the audit went on without them
        watch.score_anew(ctx, task.benchmark)
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
    record = sealed.payload
    if record.finished_ms > ctx.now_ms + CLOCK_SKEW * 1000:
        return "from_the_future"
    try:
        contents = examine(ctx.state.benchmarks[record.benchmark].spec, record, lambda data: _opened(ctx, data))
    except SlotFilledTwiceError as twice:
        equivocation.expose(ctx, twice.first, twice.second)
        return twice.reason
    except RemoteProtocolError as error:
        return error.reason
    announcement = contents.announcement
    evaluators = {id_: assigned.payload.evaluator for id_, assigned in contents.assignments.items()}
    rank(ctx, sealed, announcement.model.cid, announcement.model_name, evaluators, CLAIMED)
    held = ctx.state.results[record.task]
    if held.record == sealed.id:
        ctx.state.results.put(replace(held, certified=record_check.is_certified(contents)))
    watch.note(ctx, sealed.id, contents.task, contents.accepted)
    ctx.notify("record.received", record.task, requester=sealed.signer, model=announcement.model_name)
    return ""


def _opened(ctx: Context, envelope: bytes) -> Sealed[Payload]:
    """As the sealer opens it. Refuses, and has proven, a second object in a slot whose first is held here."""
    sealed = ctx.sealer.open(envelope)
    payload = sealed.payload
    held = ctx.state.in_slot(sealed.signer, type(payload).__name__, "/".join(payload.slot))
    if held is not None and held != sealed.id:
        equivocation.suspect(ctx, held, sealed)
        raise RemoteProtocolError("equivocation")
    return sealed
