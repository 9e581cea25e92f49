"""What the rule in force makes of a task's answers: rows in, its next step out (trust.md §4).

Decides nothing itself: ``policy.checking`` names the rule, and this says to it what was asked, what was answered, and
what this node has seen of those who answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from p2peval.core import auditors, membership, reputation
from p2peval.core.benchmark import output_bytes
from p2peval.core.blind import most_rows
from p2peval.core.context import Context
from p2peval.core.conviction import is_convicted
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.types import PeerId
from p2peval.defaults import AUDITORS_MOST, MAX_CONSULTED
from p2peval.trust.checking import Answer, Asked, Do, Finding, Means, Record, Step
from p2peval.trust.checkings import CHECKINGS, settled
from p2peval.trust.consulting import Panel
from p2peval.trust.rule import counts_as, panel_for

FINDINGS = {
    ReplicaState.FETCHED: Finding.UNCHECKED,
    ReplicaState.AGREES: Finding.HELD,
    ReplicaState.DIFFERS: Finding.DIFFERED,
}
"""What counts as an answer: who is silent said nothing, and what is in doubt speaks for and against nobody."""


def answers_of(ctx: Context, task: TaskRow) -> list[ReplicaRow]:
    """Replicas of every attempt that answered, in order of attempt and id."""
    rows = [row for row in ctx.state.replicas.of(task.id) if row.state in FINDINGS]
    return sorted(rows, key=lambda row: (row.attempt, row.id))


def next_step(ctx: Context, task: TaskRow, rows: Sequence[ReplicaRow]) -> Step:
    """What to do now that ``rows`` are all the answers."""
    reach = min((auditors.reach(ctx, task, row) for row in rows if row.state is ReplicaState.FETCHED), default=0)
    answers = [_answer(ctx, row, record_of(ctx, row.peer)) for row in rows]
    return CHECKINGS[ctx.policy.checking](_asked(ctx, task), answers, _means(ctx, task, reach), ctx.rng.random)


def first_step(ctx: Context, task: TaskRow) -> Step:
    """What to do before anybody was asked: whether to ask at all, and how many."""
    known = [record_of(ctx, peer) for peer in membership.evaluators(ctx, task.benchmark)]
    free = (record for record in known if not record.caught)
    best = max(free, key=lambda record: counts_as(record, task.epsilon_nano), default=Record())
    means = replace(_means(ctx, task, 0), best=best)
    return CHECKINGS[ctx.policy.checking](_asked(ctx, task), [], means, ctx.rng.random)


def settle(ctx: Context, task: TaskRow, accepted: ReplicaRow) -> None:
    """What the answers that nobody re-ran do to streaks, where the rule goes by agreement among them.

    To streaks alone: agreement is no evidence (trust.md §2), and our own rule leaves no such answers. Those beside the
    accepted one stay unchecked, and say how they compare with it.
    """
    rows = answers_of(ctx, task)
    answers = [_answer(ctx, row, record_of(ctx, row.peer)) for row in rows]
    taken = answers[rows.index(accepted)].said
    for row, answer, after in zip(rows, answers, settled(answers, rows.index(accepted)), strict=True):
        if answer.finding is Finding.UNCHECKED and row.id != accepted.id:
            reason = "said the same, nothing re-run" if answer.said == taken else "said otherwise, nothing re-run"
            ctx.state.replicas.put(replace(row, reason=reason))
        if answer.finding is Finding.UNCHECKED and after.streak != answer.record.streak:
            reputation.set_streak(ctx, row.peer, task.benchmark, after.streak)


def panel(ctx: Context, task: TaskRow, streak: int, reach: int) -> Panel | None:
    """As the rule would have it for somebody with this streak, where ``reach`` auditors are left to ask."""
    return panel_for(_asked(ctx, task), Record(streak), _means(ctx, task, reach))


def reason(ctx: Context, task: TaskRow, row: ReplicaRow, drawn: int) -> tuple[str, tuple[tuple[str, float], ...]]:
    """Why ``drawn`` samples of ``row`` are audited: a code of the rule's, and what it rests on."""
    step = next_step(ctx, task, [row])
    return step.why, tuple((name, drawn if name == "audited" else value) for name, value in step.numbers)


def size_at(ctx: Context, task: TaskRow, row: ReplicaRow, record: Record) -> int:
    """How many samples of ``row`` the rule audits where its evaluator has this ``record``; 0: it audits nothing."""
    answer = _answer(ctx, row, record)
    step = CHECKINGS[ctx.policy.checking](_asked(ctx, task), [answer], _means(ctx, task, 0), ctx.rng.random)
    return step.samples[0] if step.do is Do.AUDIT else 0


def record_of(ctx: Context, peer: PeerId) -> Record:
    """What this node has seen of ``peer`` with its own eyes."""
    row = ctx.state.evidence.get(peer)
    if row is None:
        return Record()
    seen = row.evidence
    caught, paid = is_convicted(ctx.state, peer, ctx.now), reputation.paid(ctx.state, peer)
    return Record(seen.streak, seen.agreed, seen.resolved, caught, paid)


def is_under_audit(ctx: Context, peer: PeerId) -> bool:
    """Whether outputs of ``peer`` are being re-run for a task of ours right now.

    The rule's bound counts one result after the other: were ten of one identity audited at once, each at the size
    that its record allows, ten lies would stake that record only once.
    """
    return any(
        row.peer == peer and row.state is ReplicaState.FETCHED and row.drawn
        for task in ctx.state.tasks.of(TaskState.AUDITING)
        for row in ctx.state.replicas.of(task.id)
    )


def _means(ctx: Context, task: TaskRow, reach: int) -> Means:
    spec = ctx.state.benchmarks[task.benchmark].spec
    return Means(
        computes=ctx.policy.runs(spec.limits),
        honest_share=ctx.policy.honest_share,
        auditors=min(reach, AUDITORS_MOST),
        each=most_rows(output_bytes(spec) // spec.samples, MAX_CONSULTED),
    )


def _asked(ctx: Context, task: TaskRow) -> Asked:
    samples = ctx.state.benchmarks[task.benchmark].spec.samples
    return Asked(
        samples,
        task.epsilon_nano,
        task.delta_nano,
        certify=task.certify,
        wanted=task.replicas,
        looks=task.looks,
    )


def _answer(ctx: Context, row: ReplicaRow, record: Record) -> Answer:
    said = row.outputs.cid if row.outputs else row.id
    return Answer(
        row.peer,
        said,
        record,
        reputation.of(ctx, row.peer),
        FINDINGS.get(row.state, Finding.UNCHECKED),
    )
