"""Who runs a task: offers come in, the best are assigned, and a task that nobody offers for waits.

How the best are chosen is in ``assignment``; what they then commit to, in ``window``.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import assignment, auditing, believing, commitment, membership, reputation
from p2peval.core.assignment import Candidate
from p2peval.core.context import Context
from p2peval.core.messages import Assignment, Offer, Sealed
from p2peval.core.rows import OfferRow, ReplicaRow, ReplicaState, TaskRow, TaskState
from p2peval.core.task import OVER, Step, arm, fail, replicas_of, step
from p2peval.core.types import AssignmentId, ObjectId, PeerId, Seconds
from p2peval.defaults import (
    ASSIGN_PATIENCE,
    CLOCK_SKEW,
    MAX_OFFERS,
    OFFER_LIFETIME,
    OFFER_WINDOW,
    REANNOUNCE_AFTER,
)
from p2peval.trust.availability import availability


def on_offer(ctx: Context, sealed: Sealed[Offer]) -> str:
    """It binds from its arrival: two clocks may differ by more than an offer lives."""
    offer, expires = sealed.payload, ctx.now + OFFER_LIFETIME
    if offer.expires_ms < ctx.now_ms - CLOCK_SKEW * 1000:
        return "expired"
    return answer(ctx, OfferRow(offer.task, offer.author, offer.equivalence_class, expires, ""))


def answer(ctx: Context, row: OfferRow) -> str:
    task = ctx.state.tasks.get(row.task)
    if task is None:
        return "unknown_task"
    if task.state in OVER:
        return "task_over"
    if row.key not in ctx.state.offers and not _has_room(ctx, task, row):
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


def _has_room(ctx: Context, task: TaskRow, row: OfferRow) -> bool:
    """Names are free and answer at once: who was met takes the place of who was not, if that one waits for nothing."""
    offers = ctx.state.offers.of(task.id)
    if len(offers) < MAX_OFFERS:
        return True
    if row.declined or not _speaks_for_itself(ctx, row.peer):
        return False
    assigned = {replica.peer for replica in ctx.state.replicas.of(task.id)}
    least = [held for held in offers if held.peer not in assigned and not _speaks_for_itself(ctx, held.peer)]
    if least:
        ctx.state.offers.delete(min(least, key=lambda held: not held.declined).key)
    return bool(least)


def _speaks_for_itself(ctx: Context, peer: PeerId) -> bool:
    met = believing.is_met(ctx.state, ctx.policy, peer, ctx.now)
    return met and not believing.is_doubted(ctx.state, ctx.policy, peer, ctx.now)


def _candidates(ctx: Context, task: TaskRow) -> list[OfferRow]:
    offers, replicas = ctx.state.offers.of(task.id), ctx.state.replicas.of(task.id)
    free = assignment.candidates(offers, replicas, task.attempt, ctx.now)
    return [offer for offer in free if not believing.is_out(ctx.state, offer.peer, ctx.now)]


def _everyone_answered(ctx: Context, task: TaskRow) -> bool:
    return all(f"{task.id}/{peer}" in ctx.state.offers for peer in membership.evaluators(ctx, task.benchmark))


def seek(ctx: Context, task: TaskRow) -> None:
    """Give the free places of an announced task to the best offers, or wait for more."""
    chosen = assign(ctx, task, task.replicas)
    if chosen:
        arm(ctx, step(ctx, task, Step.ASSIGN), commit_by(ctx, task))
    elif busy := [
        offer.expires for offer in ctx.state.offers.of(task.id) if offer.declined and offer.expires > ctx.now
    ]:
        _wait_for_room(ctx, task, min(busy))
    elif task.looks and ctx.connected and _everyone_answered(ctx, task):
        fail(ctx, task, "no evaluator is left that has not been tried")
    else:
        _wait(ctx, task)


def _wait_for_room(ctx: Context, task: TaskRow, until: Seconds) -> None:
    """Somebody will be free at a time it named: asking before would only make it decline again."""
    ctx.notify("task.waiting", task.id, reason="everybody is busy", until=until)
    arm(ctx, task, max(until, ctx.now + OFFER_WINDOW))


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


def assign(ctx: Context, task: TaskRow, count: int) -> list[PeerId]:
    """To the best offers; once a replica was left in doubt, of our own class if there are any: it leaves none."""
    offers = _candidates(ctx, task)
    if any(row.state is ReplicaState.DOUBTFUL for row in ctx.state.replicas.of(task.id)):
        offers = assignment.alike(offers, membership.own_class(ctx, task.benchmark))
    held = {offer.peer: offer for offer in ctx.state.offers.of(task.id)}
    chosen = assignment.choose(
        [_as_seen(ctx, task, offer) for offer in offers],
        count,
        newcomer_share=believing.newcomer_share(ctx.state, ctx.policy),
        rng=ctx.rng,
        beside=[_as_seen(ctx, task, held[row.peer]) for row in ctx.state.replicas.of(task.id) if row.peer in held],
    )
    for peer in chosen:
        _assign_to(ctx, task, peer)
    return chosen


def _as_seen(ctx: Context, task: TaskRow, offer: OfferRow) -> Candidate:
    state, peer = ctx.state, offer.peer
    own, heard = reputation.held(ctx, peer), state.pooled.get(peer)
    said = state.statements.get(f"{task.benchmark}/{peer}")
    return Candidate(
        peer=peer,
        opinion=reputation.of(ctx, peer),
        known=believing.is_known(state, ctx.policy, peer, ctx.now),
        met=believing.is_met(state, ctx.policy, peer, ctx.now),
        reach=heard.reach if heard is not None else 0.0,
        doubted=believing.is_doubted(state, ctx.policy, peer, ctx.now),
        available=availability(own.resolved, own.silent, own.withheld),
        open=_open(ctx, peer),
        alike=offer.equivalence_class == membership.own_class(ctx, task.benchmark),
        praises=frozenset(
            entry.peer for entry in (said.entries if said else ()) if entry.agreed_milli > entry.disagreed_milli
        ),
    )


def _open(ctx: Context, peer: PeerId) -> int:
    """Our tasks that this peer has and is not done with."""
    return sum(
        replica.peer == peer and replica.state in (ReplicaState.ASSIGNED, ReplicaState.COMMITTED)
        for state in (TaskState.ASSIGNED, TaskState.REVEALING)
        for task in ctx.state.tasks.of(state)
        for replica in ctx.state.replicas.of(task.id)
    )


def commit_by(ctx: Context, task: TaskRow) -> float:
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
            commit_by_ms=int(commit_by(ctx, task) * 1000),
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
