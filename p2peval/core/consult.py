"""The requester who cannot compute: blind auditors, drawn by it, run samples that it drew (trust.md §4).

Auditors are asked for their own outputs at their own samples and never see the claimed ones, so agreeing takes the
work or a conspiracy. A result is accepted when every place of its panel (core/panel.py) is filled by an auditor that
agrees. Only availability is held against who is slow: its place goes to the next.

**One objection stops it.** What keeps one lying auditor from framing an honest evaluator, and one honest objector from
being outvoted by a ring? The disputed sample is asked of further auditors, one answer each, until one side leads by
``panel.lead`` answers. An auditor sides with a lie with probability 1−h at most, so a false claim ever gains that lead
with probability ((1−h)/h)^lead ≤ x/(1+x), however many liars there are beyond the share that h leaves them; a majority
would not do. Together with what the panel lets escape, a lie passes with 2x/(1+x) at most; where no lead is reached
because nobody is left to ask, nothing is accepted, and nobody is blamed. An overruled objector is not drawn again for a
while: a liar can hold up one task, once. Where the *claim* is found false, the evaluator's streak ends and the network
gets a fraud proof, which every reader settles by a re-run of its own: this node convicts nobody on others' word, and
what it accepts lengthens a streak but is no evidence (trust.md §2).

The guarantee stands on h, the honest share of those who *answer*: honest auditors that are silent more often than liars
lower it. Beside that, it costs what it costs: answers are compared here, outputs are never shown, models never opened.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import audit, auditors, checks, fraud, panel, reputation
from p2peval.core.assignment import commit_window
from p2peval.core.benchmark import output_bytes
from p2peval.core.checking import AuditAnswer, AuditRequest
from p2peval.core.consult_rows import ConsultRow, ConsultState, PanelRow
from p2peval.core.context import Context
from p2peval.core.effects import Excerpt
from p2peval.core.events import ComparisonFinished, Excerpted, JobFailed, SendFailed
from p2peval.core.messages import Decline, Sealed
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.task import fail
from p2peval.core.types import ObjectId, PeerId
from p2peval.defaults import REVEAL_WINDOW
from p2peval.trust.checking import Step
from p2peval.trust.rule import allowed

PREFIX = "consult/"
"""Of timers and effect ids: consult/REQUEST."""

OPEN = frozenset({ConsultState.ASKED, ConsultState.ANSWERED})
GONE = frozenset({ConsultState.ABSTAINS, ConsultState.OVERRULED, ConsultState.SILENT, ConsultState.DECLINED})

OWN_DRAW = -1
"""``disputed`` of requests whose samples were drawn for their auditor."""


def convene(ctx: Context, task: TaskRow, replica: ReplicaRow, step: Step, each: int) -> ReplicaRow:
    """The rule wants a panel: ``step.count`` auditors with ``each`` samples. Nobody is asked before ``begin``."""
    known = sum(candidate.known for candidate in auditors.candidates(ctx, task, replica))
    told = dict(step.numbers)
    share, of = allowed(task.epsilon_nano, int(told["streak"]))
    ctx.state.panels.put(PanelRow(replica.id, task.id, step.count, each, share / of, told["miss"], known))
    drawn, streak = step.count * each, int(told["streak"])
    return replace(replica, drawn=drawn, streak=streak, why=step.why, numbers=step.numbers)


def begin(ctx: Context, task: TaskRow, replica: ReplicaRow, seen: ComparisonFinished) -> TaskRow | None:
    """The outputs are those committed to, and scored: ask the panel.

    Returns the task once its replica is judged, as all do that follow.
    """
    ctx.state.replicas.put(replace(replica, metrics=seen.metrics))
    row, samples = ctx.state.panels[replica.id], ctx.state.benchmarks[task.benchmark].spec.samples
    ctx.notify("task.consulting", task.id, peer=replica.peer, auditors=row.auditors, each=row.each, samples=samples)
    return _advance(ctx, row)


def too_few(ctx: Context, task: TaskRow, available: float) -> None:
    way_out = "ask again when more members are there, or let this node compute"
    fail(ctx, task, f"cannot compute, and {available:.0f} auditors are too few to check it; {way_out}")


# ── what auditors say ─────────────────────────────────────────────────────────────────────────────


def on_answer(ctx: Context, sealed: Sealed[AuditAnswer]) -> str:
    """Keep the rows and read those that are claimed at the same places."""
    said = sealed.payload
    row = ctx.state.consults.get(said.request)
    if row is None or row.auditor != sealed.signer or row.task != said.task:
        return "unasked"
    task, replica = ctx.state.tasks[row.task], ctx.state.replicas[row.assignment]
    if row.state is not ConsultState.ASKED or not _is_open(ctx, row) or replica.outputs is None:
        return "too_late"
    spec = ctx.state.benchmarks[task.benchmark].spec
    row_bytes = output_bytes(spec) // spec.samples
    if len(said.rows) != len(row.indices) or any(len(one) != row_bytes for one in said.rows):
        return "wrong_size"
    answered = replace(row, state=ConsultState.ANSWERED, equivalence_class=said.equivalence_class, rows=said.rows)
    ctx.state.consults.put(answered)
    ctx.do(Excerpt(f"{PREFIX}{row.request}", replica.outputs, row_bytes, row.indices))
    return ""


def on_excerpt(ctx: Context, event: Excerpted | JobFailed) -> TaskRow | None:
    row = ctx.state.consults.get(event.effect_id.removeprefix(PREFIX))
    if row is None or row.state is not ConsultState.ANSWERED or not _is_open(ctx, row):
        return None
    task, replica = ctx.state.tasks[row.task], ctx.state.replicas[row.assignment]
    if isinstance(event, JobFailed):
        fail(ctx, task, f"this node could not compare: {event.reason}")
        return None
    spec = ctx.state.benchmarks[task.benchmark].spec
    said, places = panel.word(spec, event.rows, replica.equivalence_class, row.rows, row.equivalence_class)
    false = tuple(row.indices[at] for at in places)
    ctx.state.consults.put(replace(row, state=ConsultState(said.value), rows=(), differing=false))
    ctx.notify("task.consulted", task.id, peer=row.auditor, says=said.value, samples=len(row.indices))
    return _advance(ctx, ctx.state.panels[row.assignment])


def on_decline(ctx: Context, sealed: Sealed[Decline]) -> TaskRow | None:
    row = ctx.state.consults.get(sealed.payload.assignment)
    if row is None or row.auditor != sealed.signer:
        return None
    return _lose(ctx, row, ConsultState.DECLINED)


def on_undelivered(ctx: Context, event: SendFailed) -> TaskRow | None:
    row = ctx.state.consults.get(event.about)
    return _lose(ctx, row, ConsultState.DECLINED if event.refused else ConsultState.SILENT) if row else None


def on_deadline(ctx: Context, request: str) -> TaskRow | None:
    row = ctx.state.consults.get(request)
    if row is None or row.deadline > ctx.now:
        return None
    if not ctx.connected:  # it is we who are away: blame nobody
        _arm(ctx, replace(row, deadline=_deadline(ctx, ctx.state.tasks[row.task])))
        return None
    return _lose(ctx, row, ConsultState.SILENT)


def _lose(ctx: Context, row: ConsultRow, state: ConsultState) -> TaskRow | None:
    """Its place goes to another; a timeout says something of its availability, nothing of its honesty."""
    if row.state is not ConsultState.ASKED or not _is_open(ctx, row):
        return None
    ctx.state.consults.put(replace(row, state=state))
    if state is ConsultState.SILENT:
        reputation.silent(ctx, row.auditor, ctx.state.tasks[row.task].benchmark)
    return _advance(ctx, ctx.state.panels[row.assignment])


def resume(ctx: Context) -> None:
    """Timers again, after a restart."""
    for task in ctx.state.tasks:
        if task.state is TaskState.AUDITING:
            for held in ctx.state.panels.of(task.id):
                for row in ctx.state.consults.of(held.assignment):
                    if row.state is ConsultState.ASKED:  # its answer may have found nobody at home
                        _arm(ctx, replace(row, deadline=max(row.deadline, ctx.now + REVEAL_WINDOW)))


def _is_open(ctx: Context, row: ConsultRow) -> bool:
    replica = ctx.state.replicas[row.assignment]
    return ctx.state.tasks[row.task].state is TaskState.AUDITING and replica.state is ReplicaState.FETCHED


# ── what follows ──────────────────────────────────────────────────────────────────────────────────


def _advance(ctx: Context, held: PanelRow) -> TaskRow | None:
    """Settle what is disputed; else fill the panel; else accept."""
    rows = ctx.state.consults.of(held.assignment)
    objection = next((row for row in rows if row.state is ConsultState.OBJECTS), None)
    if objection is not None:
        return _settle(ctx, held, objection.differing[0])
    agreed, partly, waiting = _places(held, rows)
    for peer in sorted(partly):
        _ask(ctx, held, peer, OWN_DRAW)
    waiting |= partly
    short = held.auditors - len(agreed | waiting)
    tried = {row.auditor for row in rows}
    fresh = [peer for peer in _ranked(ctx, held) if peer not in tried][: max(0, short)] if short > 0 else []
    for peer in fresh:
        _ask(ctx, held, peer, OWN_DRAW)
    if len(fresh) < short:
        return _shrink(ctx, held, len(agreed | waiting) + len(fresh))
    return None if waiting or fresh else _accept(ctx, held, agreed)


def _places(held: PanelRow, rows: tuple[ConsultRow, ...]) -> tuple[set[PeerId], set[PeerId], set[PeerId]]:
    """Auditors that agree at as many samples as the panel asks of each, at fewer, and those that have yet to answer."""
    drawn = [row for row in rows if row.disputed == OWN_DRAW]
    gone = {row.auditor for row in rows if row.state in GONE and (row.disputed == OWN_DRAW or row.differing)}
    waiting = {row.auditor for row in drawn if row.state in OPEN} - gone
    told = {row.auditor: 0 for row in drawn if row.auditor not in gone | waiting}
    for row in drawn:
        if row.auditor in told:
            told[row.auditor] += len(row.indices)
    agreed = {peer for peer, samples in told.items() if samples >= held.each}
    return agreed, set(told) - agreed, waiting


def _shrink(ctx: Context, held: PanelRow, left: int) -> TaskRow | None:
    """Nobody else can be asked: fewer auditors run more samples each, or nothing is accepted."""
    task, replica = ctx.state.tasks[held.task], ctx.state.replicas[held.assignment]
    plan = checks.panel(ctx, task, replica.streak, left)
    if plan is None:
        too_few(ctx, task, left)
        return None
    each = max(plan.samples, held.each)
    more = ctx.state.panels.put(replace(held, auditors=plan.auditors, each=each, undetected=plan.miss))
    ctx.state.replicas.put(replace(replica, drawn=plan.auditors * each))
    return _advance(ctx, more)


def _settle(ctx: Context, held: PanelRow, sample: int) -> TaskRow | None:
    """Ask on about a disputed sample until one side leads by enough, or nobody is left."""
    rows = [row for row in ctx.state.consults.of(held.assignment) if sample in row.indices]
    against = {row.auditor for row in rows if sample in row.differing}
    backing = {row.auditor for row in rows if row.state is ConsultState.AGREES} - against
    waiting = {row.auditor for row in rows if row.state in OPEN}
    lead, needed = len(backing) - len(against), panel.lead(held.bound, ctx.policy.honest_share)
    if needed and lead >= needed:
        return _overrule(ctx, held, sample)
    if needed and -lead >= needed:
        return _refute(ctx, held, sample)
    want = needed - abs(lead) - len(waiting)
    if want <= 0 and waiting:
        return None
    tried = {row.auditor for row in rows}
    gone = {row.auditor for row in ctx.state.consults.of(held.assignment) if row.state in GONE}
    fresh = [peer for peer in _ranked(ctx, held) if peer not in tried | gone][: max(0, want)]
    for peer in fresh:
        _ask(ctx, held, peer, sample)
    if fresh or waiting:
        return None
    return _judged(ctx, held, ReplicaState.DOUBTFUL, f"auditors disagree about sample {sample}: too few to settle it")


def _overrule(ctx: Context, held: PanelRow, sample: int) -> TaskRow | None:
    for row in ctx.state.consults.of(held.assignment):
        if sample in row.differing and row.state is ConsultState.OBJECTS:
            ctx.state.consults.put(replace(row, state=ConsultState.OVERRULED))
            auditors.overruled(ctx, row.auditor)
            ctx.notify("task.overruled", held.task, peer=row.auditor, sample=sample)
    return _advance(ctx, held)


def _refute(ctx: Context, held: PanelRow, sample: int) -> TaskRow | None:
    """Others found it false: no acceptance, no streak, and a proof for those who can settle it themselves."""
    task, replica = ctx.state.tasks[held.task], ctx.state.replicas[held.assignment]
    reputation.restart(ctx, replica.peer, task.benchmark)
    for row in ctx.state.consults.of(held.assignment):
        if row.state is ConsultState.AGREES and sample in row.indices:  # it said of a lie that it saw the same
            auditors.overruled(ctx, row.auditor)
    if replica.outputs is not None:
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
                differing=(sample,),
                announcement=task.announcement,
                reveal=replica.reveal,
            ),
        )
    return _judged(ctx, held, ReplicaState.DIFFERS, f"auditors found sample {sample} false")


def _accept(ctx: Context, held: PanelRow, agreed: set[PeerId]) -> TaskRow | None:
    ctx.state.panels.put(replace(held, accepted=True))
    looked = {index for row in ctx.state.consults.of(held.assignment) if row.auditor in agreed for index in row.indices}
    ctx.state.replicas.put(replace(ctx.state.replicas[held.assignment], audited=len(looked)))
    task = ctx.state.tasks[held.task]
    reputation.accepted(ctx, ctx.state.replicas[held.assignment].peer, task.benchmark, task.epsilon_nano)
    return _judged(ctx, held, ReplicaState.AGREES, "")


def _judged(ctx: Context, held: PanelRow, state: ReplicaState, reason: str) -> TaskRow:
    replica = ctx.state.replicas.put(replace(ctx.state.replicas[held.assignment], state=state, reason=reason))
    ctx.notify(
        "task.audited",
        held.task,
        peer=replica.peer,
        audited=replica.audited,
        samples=ctx.state.benchmarks[ctx.state.tasks[held.task].benchmark].spec.samples,
        agrees=state is ReplicaState.AGREES,
        verdict=reason or "agrees",
    )
    return ctx.state.tasks[held.task]


# ── asking ────────────────────────────────────────────────────────────────────────────────────────


def _ranked(ctx: Context, held: PanelRow) -> list[PeerId]:
    task, replica = ctx.state.tasks[held.task], ctx.state.replicas[held.assignment]
    nonce = ctx.secrets.nonce("panel", task.id, replica.peer, replica.attempt)
    candidates = auditors.candidates(ctx, task, replica)
    return panel.order(candidates, nonce, held.auditors, ctx.policy.honest_share)


def _ask(ctx: Context, held: PanelRow, peer: PeerId, disputed: int) -> None:
    """Its own samples, those that it has run already left out, or the one that is disputed."""
    task, replica = ctx.state.tasks[held.task], ctx.state.replicas[held.assignment]
    before = [row for row in ctx.state.consults.of(held.assignment) if row.auditor == peer]
    if disputed == OWN_DRAW:
        nonce = ctx.secrets.nonce("consult", task.id, replica.peer, replica.attempt, peer)
        samples = ctx.state.benchmarks[task.benchmark].spec.samples
        ran = {index for row in before if row.disputed == OWN_DRAW for index in row.indices}
        indices = tuple(i for i in audit.draw(nonce, task.id, replica.root, samples, held.each) if i not in ran)
    else:
        indices = (disputed,)
    if not indices:
        return
    number = 1 + ctx.state.counter(f"asked/{task.id}/{peer}")
    ctx.state.count(f"asked/{task.id}/{peer}", number)
    deadline = _deadline(ctx, task)
    request = AuditRequest(
        network=ctx.network,
        author=ctx.me,
        benchmark=task.benchmark,
        task=task.id,
        announcement=task.announcement,
        auditor=peer,
        round=number,
        indices=indices,
        deadline_ms=int(deadline * 1000),
    )
    sealed = ctx.seal(request, task.benchmark)
    asked = ConsultState.ASKED
    _arm(
        ctx, ConsultRow(ObjectId(sealed.id), held.assignment, task.id, peer, number, disputed, asked, indices, deadline)
    )
    ctx.send(peer, sealed, sealed.id, deadline)


def _deadline(ctx: Context, task: TaskRow) -> float:
    return ctx.now + commit_window(ctx.state.benchmarks[task.benchmark].spec, task.model)


def _arm(ctx: Context, row: ConsultRow) -> None:
    ctx.state.consults.put(row)
    ctx.timer(f"{PREFIX}{row.request}", row.deadline, 0)
