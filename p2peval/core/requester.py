"""The side of a task that asks: announce, choose, close the window (protocol.md, A task's life).

What follows the reveals — fetching, auditing, concluding — is in ``auditing``.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import assignment, auditing, commitment, membership, reputation
from p2peval.core.benchmark import output_bytes, request_problem
from p2peval.core.context import Context
from p2peval.core.events import (
    BlobFailed,
    BlobReady,
    CancelTask,
    ComparisonFailed,
    ComparisonFinished,
    SendFailed,
    StartTask,
)
from p2peval.core.messages import (
    Assignment,
    Commitment,
    CommitmentSet,
    Decline,
    Offer,
    Reveal,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.rows import OfferRow, ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.task import OVER, Step, arm, fail, replicas_of, step
from p2peval.core.text import one_line
from p2peval.core.types import AssignmentId, ObjectId, PeerId, TaskId
from p2peval.defaults import (
    ASSIGN_PATIENCE,
    CLOCK_SKEW,
    DELIVER_PATIENCE,
    MAX_OFFERS,
    OFFER_LIFETIME,
    OFFER_WINDOW,
    REANNOUNCE_AFTER,
    REVEAL_WINDOW,
    TASK_LIFETIME,
)

# ── announce ──────────────────────────────────────────────────────────────────────────────────────


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
    )
    arm(ctx, task, ctx.now + OFFER_WINDOW)
    ctx.publish(sealed, row.id)
    ctx.notify("task.announced", task.id, members=len(membership.evaluators(ctx, row.id)), model=task.model_name)
    ctx.reply(command.reply_id, task.id)


def cancel(ctx: Context, command: CancelTask) -> None:
    task = ctx.state.tasks.get(command.task)
    if task is None:
        return ctx.reply(command.reply_id, "", "not_found", "no such task of this node")
    if task.state in OVER:
        return ctx.reply(command.reply_id, "", "usage", f"the task is {task.state.value} already")
    step(ctx, task, Step.CANCEL, reason="cancelled by the user")
    ctx.notify("task.cancelled", task.id)
    ctx.reply(command.reply_id, task.id)


# ── offers and assignment ─────────────────────────────────────────────────────────────────────────


def on_offer(ctx: Context, sealed: Sealed[Offer]) -> str:
    """It binds from its arrival: two clocks may differ by more than an offer lives."""
    offer, expires = sealed.payload, ctx.now + OFFER_LIFETIME
    if offer.expires_ms < ctx.now_ms - CLOCK_SKEW * 1000:
        return "expired"
    return _answer(ctx, OfferRow(offer.task, offer.author, offer.equivalence_class, expires, ""))


def on_decline(ctx: Context, sealed: Sealed[Decline]) -> str:
    decline = sealed.payload
    if not decline.assignment:
        return _answer(ctx, OfferRow(decline.task, decline.author, "", 0.0, decline.reason or "declined"))
    replica = ctx.state.replicas.get(decline.assignment)
    if replica is None or replica.peer != sealed.signer or replica.task != decline.task:
        return "unknown_assignment"
    if replica.state is ReplicaState.ASSIGNED:
        _lose(ctx, replica, ReplicaState.DECLINED, decline.reason)
    return ""


def _answer(ctx: Context, row: OfferRow) -> str:
    task = ctx.state.tasks.get(row.task)
    if task is None:
        return "unknown_task"
    if task.state in OVER:
        return "task_over"
    if len(ctx.state.offers.of(task.id)) >= MAX_OFFERS and row.key not in ctx.state.offers:
        return "enough_offers"
    ctx.state.offers.put(row)
    ctx.notify("task.declined" if row.declined else "task.offer", task.id, peer=row.peer, reason=row.declined)
    if task.state is not TaskState.ANNOUNCED or not _candidates(ctx, task):
        return ""  # who declines does not hurry us: asking again at once would only make it decline again
    if _everyone_answered(ctx, task):
        seek(ctx, task)
    elif task.deadline > ctx.now + OFFER_WINDOW:  # the first answer after a long wait
        arm(ctx, task, ctx.now + OFFER_WINDOW)
    return ""


def _candidates(ctx: Context, task: TaskRow) -> list[OfferRow]:
    offers, replicas = ctx.state.offers.of(task.id), ctx.state.replicas.of(task.id)
    return assignment.candidates(offers, replicas, task.attempt, ctx.now)


def _everyone_answered(ctx: Context, task: TaskRow) -> bool:
    return all(f"{task.id}/{peer}" in ctx.state.offers for peer in membership.evaluators(ctx, task.benchmark))


def seek(ctx: Context, task: TaskRow) -> None:
    """Give the free places of an announced task to the best offers, or wait for more."""
    chosen = _assign(ctx, task, task.replicas)
    if chosen:
        arm(ctx, step(ctx, task, Step.ASSIGN), _commit_by(ctx, task))
    elif task.looks and _everyone_answered(ctx, task):
        fail(ctx, task, "no evaluator is left that has not been tried")
    else:
        _wait(ctx, task)


def _wait(ctx: Context, task: TaskRow) -> None:
    """Nobody is left to ask: forget answers that bind nobody, say why, ask again."""
    reasons = {row.reason for row in ctx.state.replicas.of(task.id) if row.state is ReplicaState.DECLINED}
    for offer in ctx.state.offers.of(task.id):
        if offer.declined or offer.expires <= ctx.now:
            reasons.add(offer.declined)
            ctx.state.offers.delete(offer.key)
    ctx.publish(ctx.sealer.open(task.announcement), task.benchmark)
    ctx.notify("task.waiting", task.id, reason=", ".join(sorted(reasons - {""})) or "no offers")
    if replicas_of(ctx, task):  # all silent: in a new attempt they may be asked again
        task = replace(task, attempt=task.attempt + 1)
    pause = max(OFFER_WINDOW, min(ctx.now - task.created, REANNOUNCE_AFTER))  # doubles: the age grows by it
    arm(ctx, task, ctx.now + pause)


def _assign(ctx: Context, task: TaskRow, count: int) -> list[PeerId]:
    offers = _candidates(ctx, task)
    evidence = {row.peer: row.evidence for row in ctx.state.evidence}
    chosen = assignment.choose(
        offers, evidence, count, now=ctx.now, resolved_total=reputation.resolved_total(ctx), rng=ctx.rng
    )
    for peer in chosen:
        _assign_to(ctx, task, peer)
    return chosen


def _commit_by(ctx: Context, task: TaskRow) -> float:
    spec = ctx.state.benchmarks[task.benchmark].spec
    return ctx.now + assignment.commit_window(spec, task.model)


def _assign_to(ctx: Context, task: TaskRow, peer: PeerId) -> None:
    nonce = auditing.nonce_of(ctx, task.id, peer, task.attempt)
    sealed = ctx.seal(
        Assignment(
            network=ctx.network,
            author=ctx.me,
            task=task.id,
            evaluator=peer,
            attempt=task.attempt,
            commit_by_ms=int(_commit_by(ctx, task) * 1000),
            audit_commitment=commitment.audit_commitment(nonce),
        ),
        task.benchmark,
    )
    ctx.state.replicas.put(
        ReplicaRow(
            id=AssignmentId(sealed.id),
            task=task.id,
            peer=peer,
            attempt=task.attempt,
            state=ReplicaState.ASSIGNED,
            assignment=sealed.envelope,
            commitment_id=ObjectId(""),
        )
    )
    ctx.send(peer, sealed, sealed.id, ctx.now + ASSIGN_PATIENCE)
    ctx.notify("task.assigned", task.id, peer=peer, reputation=reputation.of(ctx, peer), attempt=task.attempt)


# ── the commitment window ─────────────────────────────────────────────────────────────────────────


def on_commitment(ctx: Context, sealed: Sealed[Commitment]) -> str:
    said = sealed.payload
    replica = ctx.state.replicas.get(said.assignment)
    if replica is None or replica.peer != sealed.signer or replica.task != said.task:
        return "unknown_assignment"
    task = ctx.state.tasks[replica.task]
    if task.state is not TaskState.ASSIGNED or replica.state is not ReplicaState.ASSIGNED:
        return "window_closed"
    ctx.state.replicas.put(
        replace(
            replica,
            state=ReplicaState.COMMITTED,
            commitment_id=sealed.id,
            commitment_digest=said.digest,
            commitment=sealed.envelope,
        )
    )
    ctx.notify("task.committed", task.id, peer=replica.peer)
    _close_if_complete(ctx, task)
    return ""


def _close_if_complete(ctx: Context, task: TaskRow) -> None:
    if replicas_of(ctx, task, ReplicaState.ASSIGNED):
        return
    committed = replicas_of(ctx, task, ReplicaState.COMMITTED)
    if committed:
        _close(ctx, task, committed)
    else:
        seek(ctx, step(ctx, task, Step.REOPEN))


def _close(ctx: Context, task: TaskRow, committed: list[ReplicaRow]) -> None:
    """Say which commitments count; from here on nobody can join this attempt."""
    sealed = ctx.seal(
        CommitmentSet(
            ctx.network, ctx.me, task.id, task.attempt, tuple(sorted(row.commitment_id for row in committed))
        ),
        task.benchmark,
    )
    for row in committed:
        ctx.state.replicas.put(replace(row, commitment_set=sealed.envelope))
        ctx.send(row.peer, sealed, task.id, ctx.now + DELIVER_PATIENCE)
    ctx.publish(sealed, task.benchmark)
    ctx.notify("task.closed", task.id, committed=len(committed))
    arm(ctx, step(ctx, task, Step.CLOSE), ctx.now + REVEAL_WINDOW)


def _lose(ctx: Context, replica: ReplicaRow, state: ReplicaState, reason: str) -> None:
    """An evaluator will not commit: give its place to another, or go on without.

    Who leaves a task that was cancelled meanwhile owes it nothing.
    """
    task = ctx.state.tasks[replica.task]
    if task.state is not TaskState.ASSIGNED:
        return
    ctx.state.replicas.put(replace(replica, state=state, reason=reason))
    if state is ReplicaState.SILENT:
        reputation.silent(ctx, replica.peer)
    ctx.notify("task.replaced", task.id, peer=replica.peer, reason=reason)
    if _assign(ctx, task, 1):
        arm(ctx, step(ctx, task, Step.REPLACE), max(task.deadline, _commit_by(ctx, task)))
    else:
        _close_if_complete(ctx, task)


def on_assignment_undelivered(ctx: Context, event: SendFailed) -> None:
    """An assignment that could not be handed over: availability, not honesty."""
    replica = ctx.state.replicas.get(event.about)
    if replica is not None and replica.state is ReplicaState.ASSIGNED:
        _lose(ctx, replica, ReplicaState.SILENT, event.refused or "unreachable")


def on_peer_gone(ctx: Context, peer: PeerId) -> None:
    """A peer has been away for the grace time: do not wait for its commitments."""
    for replica in ctx.state.replicas:
        if replica.peer == peer and replica.state is ReplicaState.ASSIGNED:
            _lose(ctx, replica, ReplicaState.SILENT, "disconnected")


# ── reveals ───────────────────────────────────────────────────────────────────────────────────────


def on_reveal(ctx: Context, sealed: Sealed[Reveal]) -> str:
    said = sealed.payload
    replica = ctx.state.replicas.get(said.assignment)
    if replica is None or replica.peer != sealed.signer or replica.task != said.task:
        return "unknown_assignment"
    if replica.commitment_id != said.commitment:
        return "unknown_commitment"
    task = ctx.state.tasks[replica.task]
    if task.state is not TaskState.REVEALING or replica.state is not ReplicaState.COMMITTED:
        return "window_closed"
    spec = ctx.state.benchmarks[task.benchmark].spec
    if said.samples != spec.samples or said.outputs.size != output_bytes(spec):
        return "wrong_size"
    if not commitment.opens(replica.commitment_digest, said, replica.peer):
        return "does_not_open"
    ctx.state.replicas.put(
        replace(
            replica,
            state=ReplicaState.REVEALED,
            reveal=sealed.envelope,
            equivalence_class=said.equivalence_class,
            root=said.root,
            outputs=said.outputs,
        )
    )
    ctx.notify("task.revealed", task.id, peer=replica.peer)
    if not replicas_of(ctx, task, ReplicaState.COMMITTED):
        auditing.begin(ctx, task)
    return ""


def on_audit(ctx: Context, event: BlobReady | BlobFailed | ComparisonFinished | ComparisonFailed) -> None:
    """Outputs came or did not, an audit ended: when all are judged and none agrees, try others."""
    task = auditing.proceed(ctx, event)
    if task is not None:
        _retry(ctx, task)


def _retry(ctx: Context, task: TaskRow) -> None:
    """Nobody of this attempt can be believed: ask others, as often as the benchmark allows looks."""
    spec = ctx.state.benchmarks[task.benchmark].spec
    if task.looks >= spec.verification.max_attempts:
        return fail(ctx, task, f"no evaluator agreed with the audit in {task.looks} attempts")
    task = step(ctx, task, Step.REOPEN)
    seek(ctx, ctx.state.tasks.put(replace(task, attempt=task.attempt + 1)))


# ── deadlines ─────────────────────────────────────────────────────────────────────────────────────


def on_deadline(ctx: Context, task: TaskRow) -> None:
    match task.state:
        case TaskState.ANNOUNCED if ctx.now >= task.expires:
            fail(ctx, task, "no evaluator offered in time")
        case TaskState.ANNOUNCED:
            seek(ctx, task)
        case TaskState.ASSIGNED:
            for replica in replicas_of(ctx, task, ReplicaState.ASSIGNED):
                _lose(ctx, replica, ReplicaState.SILENT, "no commitment in time")
        case TaskState.REVEALING if not ctx.connected:  # it is we who are away, or are just back: blame nobody
            arm(ctx, task, ctx.now + REVEAL_WINDOW)
        case TaskState.REVEALING:
            _reveals_over(ctx, task)
        case _:
            pass


def _reveals_over(ctx: Context, task: TaskRow) -> None:
    for replica in replicas_of(ctx, task, ReplicaState.COMMITTED):
        auditing.withhold(ctx, replica, "commitment never revealed")
    if replicas_of(ctx, task, ReplicaState.REVEALED):
        auditing.begin(ctx, task)
    else:
        _retry(ctx, task)
