"""The life of a task, as one table (protocol.md, A task's life).

``advance`` is the only way a task changes its state; a pair that is not in the table is a bug of ours.
"""

from __future__ import annotations

from enum import Enum

from p2peval.core.state import TaskState
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
    (TaskState.ASSIGNED, Step.CANCEL): TaskState.CANCELLED,
    (TaskState.REVEALING, Step.AUDIT): TaskState.AUDITING,
    (TaskState.REVEALING, Step.REOPEN): TaskState.ANNOUNCED,
    (TaskState.REVEALING, Step.CANCEL): TaskState.CANCELLED,
    (TaskState.AUDITING, Step.ACCEPT): TaskState.ACCEPTED,
    (TaskState.AUDITING, Step.REOPEN): TaskState.ANNOUNCED,
    (TaskState.AUDITING, Step.FAIL): TaskState.FAILED,
    (TaskState.AUDITING, Step.CANCEL): TaskState.CANCELLED,
}

OVER = frozenset({TaskState.ACCEPTED, TaskState.FAILED, TaskState.CANCELLED})


def advance(state: TaskState, step: Step) -> TaskState:
    """The state after ``step``. Raises LocalProtocolError where the table has none."""
    try:
        return TRANSITIONS[(state, step)]
    except KeyError:
        raise LocalProtocolError(f"a task that is {state.value} cannot {step.name.lower()}") from None
