"""A task that its requester runs itself, where checking anybody's answer would take every sample (trust.md §4).

The same objects are signed in the same order as between two peers, so that the record hangs together for whoever reads
it: requester and evaluator are one, which makes it a claim to everybody else, to be audited like any other. Nobody is
asked, nothing is announced before the record is out, and no evidence comes of it.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import auditing, commitment
from p2peval.core.assignment import commit_window
from p2peval.core.context import Context
from p2peval.core.effects import RunEvaluation
from p2peval.core.events import EvaluationFailed, EvaluationFinished
from p2peval.core.messages import Assignment, Commitment, CommitmentSet, Reveal
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.task import Step, fail, step
from p2peval.core.types import AssignmentId, ObjectId
from p2peval.trust import checking

PREFIX = "alone/"
"""Of the effect id under which a task of our own is run here: alone/ASSIGNMENT."""


def begin(ctx: Context, task: TaskRow, reason: checking.Step) -> None:
    """Give the task to ourselves. The model and the data are at hand: nobody starts a task without them."""
    spec = ctx.state.benchmarks[task.benchmark].spec
    nonce = auditing.nonce_of(ctx, task.id, ctx.me, task.attempt)
    until = ctx.now + commit_window(spec, task.model)
    sealed = ctx.seal(
        Assignment(
            network=ctx.network,
            author=ctx.me,
            task=task.id,
            evaluator=ctx.me,
            attempt=task.attempt,
            commit_by_ms=int(until * 1000),
            audit_commitment=commitment.audit_commitment(nonce),
        ),
        task.benchmark,
    )
    replica = ReplicaRow(
        id=AssignmentId(sealed.id),
        task=task.id,
        peer=ctx.me,
        attempt=task.attempt,
        state=ReplicaState.ASSIGNED,
        assignment=sealed.envelope,
        commitment_id=ObjectId(""),
        drawn=spec.samples,
        why=reason.why,
        numbers=reason.numbers,
    )
    ctx.state.replicas.put(replica)
    step(ctx, task, Step.ASSIGN)
    ctx.notify("task.alone", task.id, samples=spec.samples)
    ctx.do(RunEvaluation(f"{PREFIX}{replica.id}", task.id, replica.id, spec, task.model, ctx.me))


def on_finished(ctx: Context, event: EvaluationFinished) -> None:
    """Commit, close the window over that one commitment, reveal; then have the metrics computed."""
    replica = _running(ctx, event.assignment)
    if replica is None:
        return
    task = ctx.state.tasks[replica.task]
    samples = ctx.state.benchmarks[task.benchmark].spec.samples
    nonce = ctx.secrets.nonce("commitment", task.id, replica.id, replica.attempt)
    digest = commitment.commitment_digest(
        task.id, replica.id, ctx.me, event.equivalence_class, samples, event.root, nonce
    )
    committed = ctx.seal(Commitment(ctx.network, ctx.me, task.id, replica.id, digest), task.benchmark)
    window = ctx.seal(CommitmentSet(ctx.network, ctx.me, task.id, replica.attempt, (committed.id,)), task.benchmark)
    reveal = ctx.seal(
        Reveal(
            network=ctx.network,
            author=ctx.me,
            task=task.id,
            assignment=replica.id,
            commitment=committed.id,
            equivalence_class=event.equivalence_class,
            samples=samples,
            root=event.root,
            nonce=nonce,
            outputs=event.outputs,
            efficiency=event.efficiency,
        ),
        task.benchmark,
    )
    replica = replace(
        replica,
        state=ReplicaState.FETCHED,
        commitment_id=committed.id,
        commitment_digest=digest,
        commitment=committed.envelope,
        commitment_set=window.envelope,
        reveal=reveal.envelope,
        equivalence_class=event.equivalence_class,
        root=event.root,
        outputs=event.outputs,
        efficiency=event.efficiency,
    )
    task = step(ctx, step(ctx, task, Step.CLOSE), Step.AUDIT)
    task = ctx.state.tasks.put(replace(task, looks=task.looks + 1))
    auditing.compare(ctx, task, replica, (), f"compare/{replica.id}", 0)  # all was run here: nothing is left to re-run


def on_failed(ctx: Context, event: EvaluationFailed) -> None:
    replica = _running(ctx, event.assignment)
    if replica is not None:
        fail(ctx, ctx.state.tasks[replica.task], f"this node could not run it: {event.reason}")


def _running(ctx: Context, assignment: AssignmentId) -> ReplicaRow | None:
    """Its replica, unless the task was cancelled meanwhile, or this was heard before."""
    replica = ctx.state.replicas.get(assignment)
    if replica is None or replica.state is not ReplicaState.ASSIGNED:
        return None
    return replica if ctx.state.tasks[replica.task].state is TaskState.ASSIGNED else None
