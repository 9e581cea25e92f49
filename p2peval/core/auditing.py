"""The requester's own audit of what was revealed, and what follows from it (trust.md §1).

Order matters: an outputs blob is here whole before the audit nonce leaves this node. Every replica is
audited at its own secret draw; where replicas differ, some of the differing samples are re-run too, so
that the requester settles the dispute with its own eyes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from p2peval.core import checks, consult, fraud, records, reputation, withholding
from p2peval.core.context import Context
from p2peval.core.conviction import FRAUD, proven
from p2peval.core.effects import Compare, FetchBlob
from p2peval.core.events import BlobFailed, BlobReady, ComparisonFailed, ComparisonFinished
from p2peval.core.parts import Blob
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.task import Step, fail, replicas_of, step
from p2peval.core.types import PeerId, TaskId
from p2peval.core.verdict import BLAMED, INVALID, REASONS, Verdict
from p2peval.defaults import OUTPUTS_PATIENCE
from p2peval.trust import checking
from p2peval.trust.checking import Do

OUTPUTS = "outputs/"
"""Prefix of the effect ids under which revealed outputs are fetched."""


def nonce_of(ctx: Context, task: TaskId, evaluator: PeerId, attempt: int) -> bytes:
    """The audit nonce of an assignment: derived, so that it never has to be stored."""
    return ctx.secrets.nonce("audit", task, evaluator, attempt)


def begin(ctx: Context, task: TaskRow) -> None:
    """Fetch what was revealed, from whoever revealed it."""
    step(ctx, task, Step.AUDIT)
    for replica in replicas_of(ctx, task, ReplicaState.REVEALED):
        _fetch(ctx, replica)


def _fetch(ctx: Context, replica: ReplicaRow) -> None:
    if replica.outputs is not None:
        until = ctx.now + OUTPUTS_PATIENCE
        ctx.do(FetchBlob(f"{OUTPUTS}{replica.id}", replica.outputs, (replica.peer,), until))


def waiting(ctx: Context) -> list[TaskRow]:
    """Tasks whose answers are here, but not looked at: an evaluator of theirs is under audit for another task."""
    return [
        task
        for task in ctx.state.tasks.of(TaskState.AUDITING)
        if not replicas_of(ctx, task, ReplicaState.REVEALED)
        and any(not row.drawn and not row.why for row in replicas_of(ctx, task, ReplicaState.FETCHED))
    ]


def proceed(ctx: Context, event: BlobReady | BlobFailed | ComparisonFinished | ComparisonFailed) -> TaskRow | None:
    """Take one step of an audit. Returns the task when its attempt is over and nobody agreed."""
    match event:
        case BlobReady(effect_id=effect_id) | BlobFailed(effect_id=effect_id):
            replica = ctx.state.replicas.get(effect_id.removeprefix(OUTPUTS))
        case _:
            replica = ctx.state.replicas.get(event.assignment)
    if replica is None:
        return None
    task = ctx.state.tasks[replica.task]
    if task.state is not TaskState.AUDITING:
        return None
    match event:
        case BlobReady() if replica.state is ReplicaState.REVEALED:
            ctx.state.replicas.put(replace(replica, state=ReplicaState.FETCHED))
            return look(ctx, task)
        case BlobFailed(ours=True) if replica.state is ReplicaState.REVEALED:
            fail(ctx, task, f"this node could not audit: {event.reason}")
        case BlobFailed() if replica.state is ReplicaState.REVEALED and not ctx.connected:
            _fetch(ctx, replica)  # it is we who are away: blame nobody
        case BlobFailed() if replica.state is ReplicaState.REVEALED:
            withholding.withhold(ctx, replica, f"outputs not served: {event.reason}")
            return look(ctx, task)
        case ComparisonFinished(verdict=Verdict.AGREES) if (
            replica.state is ReplicaState.FETCHED and replica.id in ctx.state.panels
        ):
            return conclude(ctx, consult.begin(ctx, task, replica, event))
        case ComparisonFinished(verdict=Verdict.AGREES) if replica.state is ReplicaState.FETCHED and (
            not replica.drawn or replica.peer == ctx.me
        ):
            _take(ctx, task, replica, event)
        case ComparisonFinished() if replica.state is ReplicaState.FETCHED and replica.peer == ctx.me:
            fail(ctx, task, f"this node could not read its own outputs: {REASONS[event.verdict]}")
        case ComparisonFinished() if replica.state is ReplicaState.FETCHED:
            _judge(ctx, task, replica, event)
            if event.verdict not in INVALID:
                return conclude(ctx, task)
            fail(ctx, task, REASONS[event.verdict])
        case ComparisonFailed() if replica.state is ReplicaState.FETCHED:
            fail(ctx, task, f"this node could not audit: {event.reason}")
    return None


def look(ctx: Context, task: TaskRow) -> TaskRow | None:
    """Audit what was fetched, once all of it is here; the task when there is nothing left to look at."""
    if replicas_of(ctx, task, ReplicaState.REVEALED):
        return None
    answers = checks.answers_of(ctx, task)
    fetched = [row for row in answers if row.state is ReplicaState.FETCHED]
    if not fetched:
        return task
    if any(row.why and not row.drawn for row in fetched):
        return None  # one of them is being taken as it is
    if any(checks.is_under_audit(ctx, row.peer) for row in fetched):
        return None  # until that audit is over: see ``waiting``
    if task.known:
        return _match(ctx, task, fetched)
    step = checks.next_step(ctx, task, answers)
    match step.do:
        case Do.AUDIT | Do.CONSULT:
            _look_at(ctx, task, step, answers, fetched)
        case Do.ACCEPT:
            taken = replace(answers[step.count], why=step.why, numbers=step.numbers)
            compare(ctx, task, taken, (), f"compare/{taken.id}", 0)  # for its metrics alone
        case Do.ASK:
            return ctx.state.tasks.put(replace(task, replicas=step.count))
        case _ if "auditors" in dict(step.numbers):
            consult.too_few(ctx, task, dict(step.numbers)["auditors"])
        case _:
            fail(ctx, task, f"{len(answers)} evaluators answered, and no two of them believed each other enough")
    return None


def _look_at(
    ctx: Context, task: TaskRow, step: checking.Step, answers: list[ReplicaRow], fetched: list[ReplicaRow]
) -> None:
    """Audit those of ``answers`` that the rule wants to be audited, as much as it says."""
    task = ctx.state.tasks.put(replace(task, looks=task.looks + 1))
    for replica, drawn in zip(answers, step.samples, strict=True):
        if drawn and step.do is Do.CONSULT:
            compare(ctx, task, consult.convene(ctx, task, replica, step, drawn), (), f"compare/{replica.id}", 0)
        elif drawn:
            why, numbers = checks.reason(ctx, task, replica, drawn)
            streak = int(dict(numbers).get("streak", checks.record_of(ctx, replica.peer).streak))
            audited = replace(replica, drawn=drawn, streak=streak, why=why, numbers=numbers)
            compare(ctx, task, audited, fetched, f"compare/{replica.id}", drawn)


def _match(ctx: Context, task: TaskRow, fetched: list[ReplicaRow]) -> TaskRow | None:
    """The answer is known: every output is compared with it, and nothing is run (evaluation/disguise.py)."""
    task = ctx.state.tasks.put(replace(task, looks=task.looks + 1))
    samples = ctx.state.benchmarks[task.benchmark].spec.samples
    for replica in fetched:
        streak = checks.record_of(ctx, replica.peer).streak
        seen = replace(replica, drawn=samples, streak=streak, why="known_answer")
        compare(ctx, task, seen, (), f"compare/{replica.id}", 0)
    return None


def _known(ctx: Context, task: TaskRow) -> Blob | None:
    """The outputs that this node has accepted of the model that was disguised."""
    if task.known is None:
        return None
    held = (row for row in ctx.state.replicas.of(task.known) if row.state is ReplicaState.AGREES)
    return next((row.outputs for row in held if row.outputs is not None), None)


def compare(
    ctx: Context, task: TaskRow, replica: ReplicaRow, beside: Iterable[ReplicaRow], effect_id: str, drawn: int
) -> None:
    """Put the replica, and audit ``drawn`` samples of it, and some where those ``beside`` it say otherwise."""
    outputs = replica.outputs
    if outputs is None:
        return
    ctx.state.replicas.put(replica)
    ctx.do(
        Compare(
            id=effect_id,
            task=task.id,
            assignment=replica.id,
            evaluator=replica.peer,
            spec=ctx.state.benchmarks[task.benchmark].known,
            model=task.model,
            outputs=outputs,
            root=replica.root,
            equivalence_class=replica.equivalence_class,
            others=tuple(
                other.outputs for other in beside if other.outputs is not None and other.outputs.cid != outputs.cid
            ),
            nonce=nonce_of(ctx, task.id, replica.peer, replica.attempt),
            drawn=drawn,
            delta_nano=task.delta_nano,
            known=_known(ctx, task),
        )
    )


def _take(ctx: Context, task: TaskRow, replica: ReplicaRow, seen: ComparisonFinished) -> None:
    """Accept what was scored only: others' because the rule asks no more, our own because we ran all of it."""
    if not replica.drawn:
        checks.settle(ctx, task, replica)
    replica = replace(replica, state=ReplicaState.AGREES, audited=replica.drawn, metrics=seen.metrics)
    _accept(ctx, task, ctx.state.replicas.put(replica))


def _judge(ctx: Context, task: TaskRow, replica: ReplicaRow, seen: ComparisonFinished) -> None:
    """Evidence comes from what is beyond doubt alone: a doubtful replica is not counted, and not blamed.

    Where a proof came before it, an audit that saw nothing has missed what is known.
    """
    if seen.verdict is Verdict.AGREES and proven(ctx.state, replica.peer, FRAUD, replica.id):
        seen = replace(seen, verdict=Verdict.DIFFERS)
    replica = ctx.state.replicas.put(
        replace(
            replica,
            state=_state_after(seen.verdict),
            audited=seen.audited,
            differing=seen.differing,
            metrics=seen.metrics,
            reason=REASONS[seen.verdict],
        )
    )
    if seen.verdict is Verdict.AGREES:
        reputation.agreed(ctx, replica.peer, task.benchmark)
        reputation.accepted(ctx, replica.peer, task.benchmark, task.epsilon_nano)
    elif task.known and seen.verdict is Verdict.DIFFERS:  # one of two answers is false: no evidence which (trust.md §2)
        reputation.restart(ctx, replica.peer, task.benchmark)
    elif seen.verdict in BLAMED:
        reputation.differed(ctx, replica.peer, task.benchmark, replica.id)
    computes = ctx.policy.runs(ctx.state.benchmarks[task.benchmark].spec.limits)
    if seen.verdict is Verdict.DIFFERS and (computes or not task.known):
        accuse(ctx, task, replica)
    samples = ctx.state.benchmarks[task.benchmark].spec.samples
    ctx.notify(
        "task.audited",
        task.id,
        peer=replica.peer,
        audited=seen.audited,
        samples=samples,
        differing=len(seen.differing),
        agrees=seen.verdict is Verdict.AGREES,
        verdict=seen.verdict.value,
    )


def accuse(ctx: Context, task: TaskRow, replica: ReplicaRow) -> None:
    if replica.outputs is None or not replica.differing:
        return
    fraud.accuse(
        ctx,
        fraud.Charge(
            benchmark=task.benchmark,
            task=task.id,
            assignment=replica.id,
            evaluator=replica.peer,
            model=task.model,
            outputs=replica.outputs,
            equivalence_class=replica.equivalence_class,
            differing=replica.differing,
            announcement=task.announcement,
            reveal=replica.reveal,
        ),
    )


def _state_after(verdict: Verdict) -> ReplicaState:
    if verdict is Verdict.AGREES:
        return ReplicaState.AGREES
    return ReplicaState.DIFFERS if verdict in BLAMED else ReplicaState.DOUBTFUL


def conclude(ctx: Context, task: TaskRow | None) -> TaskRow | None:
    """Once all that are looked at are judged: accept one, or return the task, of whose replicas none agrees."""
    if task is None or any(row.drawn for row in replicas_of(ctx, task, ReplicaState.FETCHED)):
        return None
    agreeing = replicas_of(ctx, task, ReplicaState.AGREES)
    if not agreeing:
        return look(ctx, task)
    _accept(ctx, task, agreeing[0])
    return None


def _accept(ctx: Context, task: TaskRow, replica: ReplicaRow) -> None:
    record = records.build(ctx, task, replica)
    task = step(ctx, task, Step.ACCEPT)
    ctx.state.tasks.put(replace(task, record=record.id))
    ctx.publish(record, task.benchmark)
    ctx.notify("task.accepted", task.id, record=record.id, peer=replica.peer)
