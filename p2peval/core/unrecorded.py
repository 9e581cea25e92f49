"""Reveals of tasks whose requester publishes no record: evaluators show what they said (protocol.md, A task's life).

An evaluator cannot make a requester publish, but nobody can make its work vanish: the reveal itself is told, stands
on every member's board as a claim without figures, and is audited like any other. A record that comes later replaces
it. Who did not publish is named in the feed; it is no proof of anything, for a task may have failed.
"""

from __future__ import annotations

from p2peval.core import watch, window
from p2peval.core.benchmark import output_bytes
from p2peval.core.context import Context
from p2peval.core.effects import Recall
from p2peval.core.events import Recalled
from p2peval.core.leaderboard import CLAIMED
from p2peval.core.messages import Reveal, Sealed, TaskAnnouncement
from p2peval.core.rows import ResultRow
from p2peval.core.state import State
from p2peval.core.types import TaskId
from p2peval.defaults import DELIVER_PATIENCE

REVISION = 0
"""Of such a result: every record's revision is higher."""

RECALL = "unrecorded/"
"""Of the effect ids under which the announcement of such a task is read: unrecorded/REVEAL."""


def is_recorded(state: State, task: TaskId) -> bool:
    """Whether its requester says that it is over; a reveal that stands in a record's place does not say so."""
    result = state.results.get(task)
    return result is not None and result.revision != REVISION


def on_reveal(ctx: Context, sealed: Sealed[Reveal]) -> str:
    """The requester's own window judges what answers its assignment; from anybody else it was told to all."""
    if sealed.payload.assignment in ctx.state.replicas:
        return window.on_reveal(ctx, sealed)
    said = sealed.payload
    task = ctx.state.objects.get(said.task)
    if task is None or task.type != TaskAnnouncement.__name__:
        return "unknown_task"
    benchmark = ctx.state.benchmarks.get(task.benchmark)
    if benchmark is None or not benchmark.joined:
        return "not_a_member"
    if task.signer == ctx.me:
        return "unknown_assignment"
    if said.task in ctx.state.results:
        return "record_is_known"
    if ctx.now < task.received + DELIVER_PATIENCE:  # no requester withholds yet: who says so wants the record's place
        return "too_early"
    if said.samples != benchmark.spec.samples or said.outputs.size != output_bytes(benchmark.spec):
        return "wrong_size"
    ctx.do(Recall(f"{RECALL}{sealed.id}", task.id, sealed.envelope))
    return ""


def on_recalled(ctx: Context, event: Recalled) -> None:
    """The announcement says which model it is about: show the claim, and have it audited."""
    if not event.envelope:
        return
    announced, reveal = ctx.open(event.envelope, TaskAnnouncement), ctx.open(event.beside, Reveal)
    task = TaskId(announced.id)
    if task in ctx.state.results:  # the record came meanwhile
        return
    ctx.state.results.put(
        ResultRow(
            task=task,
            record=reveal.id,
            revision=REVISION,
            benchmark=announced.payload.benchmark,
            model=announced.payload.model.cid,
            model_name=announced.payload.model_name,
            requester=announced.signer,
            evaluator=reveal.signer,
            evaluators=(),
            accepted=True,
            metrics=(),
            certificate=None,
            standing=CLAIMED,
            finished=ctx.now,
        )
    )
    watch.note(ctx, reveal.id, announced, reveal)
    ctx.notify("record.withheld", task, requester=announced.signer, peer=reveal.signer)
