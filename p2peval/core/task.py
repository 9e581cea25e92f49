"""The life of a task, as one table (protocol.md, A task's life).

``advance`` is the only way a task changes its state; a pair that is not in the table is a bug of ours.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from p2peval.core.consult_rows import ConsultState
from p2peval.core.context import Context
from p2peval.core.messages import Cancel
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.types import Seconds
from p2peval.defaults import DELIVER_PATIENCE
from p2peval.errors import LocalProtocolError


class Step(Enum):
    """What moves a task on."""

    ASSIGN = "evaluators chosen from the offers"
    REPLACE = "a silent evaluator's place was given to another"
    CLOSE = "every live assignment is committed"
    REOPEN = "nobody is left in this attempt: look for other evaluators"
    AUDIT = "every commitment is revealed or withheld, and one at least revealed"
    ACCEPT = "an audited replica agrees"
    FAIL = "no evaluator, no attempt or no time is left"
    CANCEL = "the user gave up"


TRANSITIONS: dict[tuple[TaskState, Step], TaskState] = {
    (TaskState.ANNOUNCED, Step.ASSIGN): TaskState.ASSIGNED,
    (TaskState.ANNOUNCED, Step.FAIL): TaskState.FAILED,
    (TaskState.ANNOUNCED, Step.CANCEL): TaskState.CANCELLED,
    (TaskState.ASSIGNED, Step.REPLACE): TaskState.ASSIGNED,
    (TaskState.ASSIGNED, Step.CLOSE): TaskState.REVEALING,
    (TaskState.ASSIGNED, Step.REOPEN): TaskState.ANNOUNCED,
    (TaskState.ASSIGNED, Step.FAIL): TaskState.FAILED,
    (TaskState.ASSIGNED, Step.CANCEL): TaskState.CANCELLED,
    (TaskState.REVEALING, Step.AUDIT): TaskState.AUDITING,
    (TaskState.REVEALING, Step.REOPEN): TaskState.ANNOUNCED,
    (TaskState.REVEALING, Step.FAIL): TaskState.FAILED,
    (TaskState.REVEALING, Step.CANCEL): TaskState.CANCELLED,
    (TaskState.AUDITING, Step.ACCEPT): TaskState.ACCEPTED,
    (TaskState.AUDITING, Step.REOPEN): TaskState.ANNOUNCED,
    (TaskState.AUDITING, Step.FAIL): TaskState.FAILED,
    (TaskState.AUDITING, Step.CANCEL): TaskState.CANCELLED,
}

OVER = frozenset({TaskState.ACCEPTED, TaskState.FAILED, TaskState.CANCELLED})

UNFINISHED = frozenset(
    {ReplicaState.ASSIGNED, ReplicaState.COMMITTED, ReplicaState.REVEALED, ReplicaState.FETCHED, ReplicaState.SILENT}
)
"""Replicas whose evaluator may still spend time or wait for us; who fell silent may be at work all the same."""


def advance(state: TaskState, step: Step) -> TaskState:
    """The state after ``step``. Raises LocalProtocolError where the table has none."""
    try:
        return TRANSITIONS[(state, step)]
    except KeyError:
        raise LocalProtocolError(f"a task that is {state.value} cannot {step.name.lower()}") from None


def arm(ctx: Context, task: TaskRow, at: Seconds) -> TaskRow:
    """Set the one deadline of a task; an older timer becomes stale."""
    task = ctx.state.tasks.put(replace(task, deadline=at, generation=task.generation + 1))
    ctx.timer(f"task/{task.id}", at, task.generation)
    return task


def step(ctx: Context, task: TaskRow, what: Step, *, reason: str = "") -> TaskRow:
    """Move a task along its table; timers of the state it leaves become stale."""
    return ctx.state.tasks.put(
        replace(
            task,
            state=advance(task.state, what),
            deadline=0.0,
            generation=task.generation + 1,
            reason=reason or task.reason,
        )
    )


def fail(ctx: Context, task: TaskRow, reason: str) -> None:
    step(ctx, task, Step.FAIL, reason=reason)
    release(ctx, task)
    ctx.notify("task.failed", task.id, reason=reason)


def release(ctx: Context, task: TaskRow) -> None:
    """A task ends without a record: tell those who hold a place for it, or still work on it."""
    bound = {offer.peer for offer in ctx.state.offers.of(task.id) if not offer.declined and offer.expires > ctx.now}
    at_work = {row.peer for row in ctx.state.replicas.of(task.id) if row.state in UNFINISHED}
    at_work |= {
        row.auditor
        for panel in ctx.state.panels.of(task.id)
        for row in ctx.state.consults.of(panel.assignment)
        if row.state is ConsultState.ASKED
    }
    at_work.discard(ctx.me)
    if bound or at_work:
        sealed = ctx.seal(Cancel(ctx.network, ctx.me, task.id), task.benchmark)
        for peer in sorted(bound | at_work):
            ctx.send(peer, sealed, task.id, ctx.now + DELIVER_PATIENCE)


def replicas_of(ctx: Context, task: TaskRow, *states: ReplicaState) -> list[ReplicaRow]:
    """The replicas of the running attempt, in order of their ids; all states if none is named."""
    found = [
        row
        for row in ctx.state.replicas.of(task.id)
        if row.attempt == task.attempt and (not states or row.state in states)
    ]
    return sorted(found, key=lambda row: row.id)
