"""The side of a task that asks: announce it, and go on when somebody falls away or time is up.

Who runs it is in ``offers``, commitments and reveals in ``window``, what follows the reveals in ``auditing``
(protocol.md, A task's life).
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import alone, auditing, checks, consult, membership, offers, window, withholding
from p2peval.core.benchmark import request_problem
from p2peval.core.context import Context
from p2peval.core.effects import Stop
from p2peval.core.events import (
    BlobFailed,
    BlobReady,
    CancelTask,
    ComparisonFailed,
    ComparisonFinished,
    SendFailed,
    StartTask,
)
from p2peval.core.messages import Decline, Sealed, TaskAnnouncement
from p2peval.core.rows import OfferRow, ReplicaState, TaskRow, TaskState
from p2peval.core.task import OVER, Step, arm, fail, release, replicas_of, step
from p2peval.core.text import one_line
from p2peval.core.types import ObjectId, PeerId, TaskId
from p2peval.defaults import (
    ALWAYS_CERTIFIED,
    BUSY_PATIENCE,
    OFFER_WINDOW,
    REVEAL_WINDOW,
    TASK_LIFETIME,
)
from p2peval.trust.checking import Do


def start(ctx: Context, command: StartTask) -> None:
    row = ctx.state.benchmarks.get(command.benchmark)
    if row is None or not row.joined or not row.requests:
        return ctx.reply(command.reply_id, "", "not_found", "join the benchmark first, as a requester")
    spec = row.spec
    epsilon = command.epsilon_nano or spec.verification.epsilon_nano
    delta = command.delta_nano or spec.verification.delta_nano
    replicas = command.replicas or spec.verification.replicas
    wrong = request_problem(epsilon, delta, replicas)
    if not wrong and command.model.size > spec.limits.model_mb * 1_000_000:
        wrong = f"the model has {command.model.size} bytes, the benchmark allows {spec.limits.model_mb} MB"
    if wrong:
        return ctx.reply(command.reply_id, "", "usage", wrong)
    created = ctx.sequence()
    sealed = ctx.seal(
        TaskAnnouncement(
            network=ctx.network,
            author=ctx.me,
            benchmark=row.id,
            model=command.model,
            model_name=one_line(command.model_name),
            epsilon_nano=epsilon,
            delta_nano=delta,
            replicas=replicas,
            created_ms=created,
            deadline_ms=created + int(TASK_LIFETIME * 1000),
        ),
        row.id,
    )
    task = TaskRow(
        id=TaskId(sealed.id),
        benchmark=row.id,
        model=command.model,
        model_name=sealed.payload.model_name,
        epsilon_nano=epsilon,
        delta_nano=delta,
        replicas=replicas,
        created=ctx.now,
        expires=ctx.now + TASK_LIFETIME,
        state=TaskState.ANNOUNCED,
        attempt=1,
        looks=0,
        deadline=0.0,
        generation=0,
        reason="",
        record=ObjectId(""),
        announcement=sealed.envelope,
        certify=command.certify or spec.samples >= ALWAYS_CERTIFIED,
        known=command.known,
    )
    first = checks.first_step(ctx, ctx.state.tasks.put(task))
    if first.do is Do.COMPUTE and not (command.replicas or task.known):  # a number of evaluators: evaluators are wanted
        alone.begin(ctx, task, first)
    else:
        task = replace(task, replicas=max(task.replicas, first.count) if first.do is Do.ASK else task.replicas)
        arm(ctx, task, ctx.now + OFFER_WINDOW)
        ctx.publish(sealed, row.id)
        ctx.notify("task.announced", task.id, members=len(membership.evaluators(ctx, row.id)), model=task.model_name)
    ctx.reply(command.reply_id, task.id)


def resume(ctx: Context) -> None:
    """Timers again, after a restart. What ran out while this node was down was nobody else's fault."""
    for task in ctx.state.tasks:
        if not task.deadline:
            continue
        if task.state in (TaskState.ASSIGNED, TaskState.REVEALING):
            arm(ctx, task, max(task.deadline, ctx.now + REVEAL_WINDOW))
        elif task.state not in OVER:
            ctx.timer(f"task/{task.id}", task.deadline, task.generation)


def cancel(ctx: Context, command: CancelTask) -> None:
    task = ctx.state.tasks.get(command.task)
    if task is None:
        return ctx.reply(command.reply_id, "", "not_found", "no such task of this node")
    if task.state in OVER:
        return ctx.reply(command.reply_id, "", "usage", f"the task is {task.state.value} already")
    step(ctx, task, Step.CANCEL, reason="cancelled by the user")
    release(ctx, task)
    ctx.do(Stop(tuple(f"{alone.PREFIX}{row.id}" for row in ctx.state.replicas.of(task.id) if row.peer == ctx.me)))
    ctx.notify("task.cancelled", task.id)
    _look_on(ctx)
    ctx.reply(command.reply_id, task.id)


# ── who will not evaluate ─────────────────────────────────────────────────────────────────────────


def on_decline(ctx: Context, sealed: Sealed[Decline]) -> str:
    decline = sealed.payload
    if not decline.assignment:
        again = min(decline.until_ms / 1000, ctx.now + BUSY_PATIENCE)
        return offers.answer(ctx, OfferRow(decline.task, decline.author, "", again, decline.reason or "declined"))
    if decline.assignment in ctx.state.consults:
        on_auditor(ctx, consult.on_decline(ctx, sealed))
        return ""
    replica = ctx.state.replicas.get(decline.assignment)
    if replica is None or replica.peer != sealed.signer or replica.task != decline.task:
        return "unknown_assignment"
    if replica.state is ReplicaState.ASSIGNED:
        window.lose(ctx, replica, ReplicaState.DECLINED, decline.reason)
    return ""


def on_assignment_undelivered(ctx: Context, event: SendFailed) -> None:
    """An assignment that could not be handed over: availability, not honesty."""
    replica = ctx.state.replicas.get(event.about)
    if replica is not None and replica.state is ReplicaState.ASSIGNED:
        window.lose(ctx, replica, ReplicaState.SILENT, event.refused or "unreachable")


def on_peer_gone(ctx: Context, peer: PeerId) -> None:
    """A peer has been away for the grace time: do not wait for its commitments, unless it is we who are away."""
    for replica in ctx.state.replicas:
        if replica.peer == peer and replica.state is ReplicaState.ASSIGNED and ctx.connected:
            window.lose(ctx, replica, ReplicaState.SILENT, "disconnected")


# ── when an attempt ends ──────────────────────────────────────────────────────────────────────────


def on_audit(ctx: Context, event: BlobReady | BlobFailed | ComparisonFinished | ComparisonFailed) -> None:
    """Outputs came or did not, an audit ended: when all are judged and none agrees, try others."""
    task = auditing.proceed(ctx, event)
    if task is not None:
        _retry(ctx, task)
    _look_on(ctx)


def _look_on(ctx: Context) -> None:
    """Nobody is audited for two tasks at once: whoever waited for the end of another audit may be next."""
    for task in auditing.waiting(ctx):
        over = auditing.look(ctx, task)
        if over is not None:
            _retry(ctx, over)


def on_auditor(ctx: Context, task: TaskRow | None) -> None:
    """A blind auditor answered, or did not: where that settles the last replica, go on."""
    unbelieved = auditing.conclude(ctx, task)
    if unbelieved is not None:
        _retry(ctx, unbelieved)
    _look_on(ctx)  # a task that failed for want of auditors is over, too


def on_deadline(ctx: Context, task: TaskRow) -> None:
    match task.state:
        case TaskState.ANNOUNCED if ctx.now >= task.expires:
            fail(ctx, task, "no evaluator offered in time")
        case TaskState.ANNOUNCED:
            offers.seek(ctx, task)
        case TaskState.ASSIGNED | TaskState.REVEALING if not ctx.connected and ctx.now < task.expires:
            arm(ctx, task, ctx.now + REVEAL_WINDOW)  # it is we who are away, or are just back: blame nobody
        case TaskState.ASSIGNED:
            for replica in replicas_of(ctx, task, ReplicaState.ASSIGNED):
                window.lose(ctx, replica, ReplicaState.SILENT, "no commitment in time")
        case TaskState.REVEALING:
            _reveals_over(ctx, task)
        case _:
            pass


def _reveals_over(ctx: Context, task: TaskRow) -> None:
    for replica in replicas_of(ctx, task, ReplicaState.COMMITTED):
        withholding.withhold(ctx, replica, "commitment never revealed")
    if replicas_of(ctx, task, ReplicaState.REVEALED):
        auditing.begin(ctx, task)
    else:
        _retry(ctx, task)


def _retry(ctx: Context, task: TaskRow) -> None:
    """Nobody of this attempt can be believed: ask others, as often as the benchmark allows looks."""
    spec = ctx.state.benchmarks[task.benchmark].spec
    if task.looks >= spec.verification.max_attempts:
        return fail(ctx, task, f"no evaluator agreed with the audit in {task.looks} attempts")
    task = step(ctx, task, Step.REOPEN)
    offers.seek(ctx, ctx.state.tasks.put(replace(task, attempt=task.attempt + 1)))
