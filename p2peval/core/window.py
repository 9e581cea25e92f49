"""The commitment window of a task: who commits in time, and what the committed then reveal.

Nobody's reveal is asked for before the CommitmentSet says, to everybody, whose commitments count.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import auditing, commitment, late, offers, reputation
from p2peval.core.benchmark import output_bytes
from p2peval.core.context import Context
from p2peval.core.messages import Commitment, CommitmentSet, Reveal, Sealed
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.task import Step, arm, replicas_of, step
from p2peval.defaults import DELIVER_PATIENCE, REVEAL_WINDOW


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
        offers.seek(ctx, step(ctx, task, Step.REOPEN))


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


def lose(ctx: Context, replica: ReplicaRow, state: ReplicaState, reason: str) -> None:
    """An evaluator will not commit: give its place to another, or go on without.

    Who leaves a task that was cancelled meanwhile owes it nothing.
    """
    task = ctx.state.tasks[replica.task]
    if task.state is not TaskState.ASSIGNED:
        return
    ctx.state.replicas.put(replace(replica, state=state, reason=reason))
    if state is ReplicaState.SILENT:
        reputation.silent(ctx, replica.peer, task.benchmark)
    ctx.notify("task.replaced", task.id, peer=replica.peer, reason=reason)
    if offers.assign(ctx, task, 1):
        arm(ctx, step(ctx, task, Step.REPLACE), max(task.deadline, offers.commit_by(ctx, task)))
    else:
        _close_if_complete(ctx, task)


def on_reveal(ctx: Context, sealed: Sealed[Reveal]) -> str:
    said = sealed.payload
    replica = ctx.state.replicas.get(said.assignment)
    if replica is None or replica.peer != sealed.signer or replica.task != said.task:
        return "unknown_assignment"
    if replica.commitment_id != said.commitment:
        return "unknown_commitment"
    task = ctx.state.tasks[replica.task]
    in_time = task.state is TaskState.REVEALING and replica.state is ReplicaState.COMMITTED
    if not in_time and not late.is_awaited(ctx, replica):
        return "window_closed"
    spec = ctx.state.benchmarks[task.benchmark].spec
    if said.samples != spec.samples or said.outputs.size != output_bytes(spec):
        return "wrong_size"
    if not commitment.opens(replica.commitment_digest, said, replica.peer):
        return "does_not_open"
    if not in_time:
        late.begin(ctx, replica, sealed)
        return ""
    ctx.state.replicas.put(
        replace(
            replica,
            state=ReplicaState.REVEALED,
            reveal=sealed.envelope,
            equivalence_class=said.equivalence_class,
            root=said.root,
            outputs=said.outputs,
            efficiency=said.efficiency,
        )
    )
    ctx.notify("task.revealed", task.id, peer=replica.peer)
    if not replicas_of(ctx, task, ReplicaState.COMMITTED):
        auditing.begin(ctx, task)
    return ""
