"""Who may spend what of this node's: places for tasks of others, and a share of its time for strangers.

Our own tasks never wait here. Requesters whom our own evidence makes known share MAX_DUTIES places; a profile is free,
so it makes nobody known. Those of whom we only heard share half of them: one rater with a record can praise any number
of names, and they must not shut out those whom we met, or pass for somebody known before whom strangers stand back.
Strangers who are members of the benchmark get up to half of the places while nobody known has
asked for anything lately: a small network serves its newcomers, and who is known finds room at once. Otherwise, and
for strangers who are no members always, each has one task in flight, and together they have STRANGERS_SHARE of one
worker's time (protocol.md, Admission and budgets). What strangers took then is a debt that time pays off, so the share
holds over every long stretch, restarts included: in T seconds they get at most share · T, a burst, and one task.
Work that ends in no record earns us nothing: whoever we have not met gets no more of it than UNFINISHED_MOST tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2peval.core import believing, membership
from p2peval.core.assignment import commit_window
from p2peval.core.consult_rows import InquiryRow
from p2peval.core.context import Context
from p2peval.core.messages import TaskAnnouncement
from p2peval.core.rows import DutyRow, DutyState
from p2peval.core.types import BenchmarkId, PeerId, Seconds
from p2peval.defaults import (
    INQUIRIES,
    INQUIRIES_EACH,
    KNOWN_LATELY,
    MAX_DUTIES,
    OFFER_WINDOW,
    STRANGERS_BURST,
    STRANGERS_PLACES,
    STRANGERS_SHARE,
    UNFINISHED_MOST,
    UNFINISHED_PAUSE,
)

AT_WORK = (DutyState.OFFERED, DutyState.FETCHING, DutyState.RUNNING)
"""States in which a duty may still cost us work."""

UNFINISHED = (DutyState.COMMITTED, DutyState.REVEALED)
"""States in which our work is done, and its requester has not said what came of it."""

_DEBT = "strangers_debt_ms"
_SINCE = "strangers_since_ms"
_PACE = "duty_pace_ms"
_KNOWN = "known_requester_ms"


@dataclass(frozen=True, slots=True)
class Refusal:
    """``until``: unix seconds from which there may be room; 0 where it does not depend on time."""

    reason: str
    until: Seconds = 0.0


def refusal(ctx: Context, announced: TaskAnnouncement) -> Refusal | None:
    """Why this requester gets no place now; None where it gets one."""
    met = is_met(ctx, announced.author)
    if met:
        ctx.state.count(_KNOWN, ctx.now_ms)
    at_work = [duty for state in AT_WORK for duty in ctx.state.duties.of(state)]
    if len(at_work) >= MAX_DUTIES:
        return Refusal("busy", min(_ends(ctx, duty) for duty in at_work))
    return None if met else _others_refusal(ctx, announced, at_work)


def _others_refusal(ctx: Context, announced: TaskAnnouncement, at_work: Sequence[DutyRow]) -> Refusal | None:
    """Of those whom we have not met: who was praised, and strangers; and none who leaves its tasks unfinished."""
    unfinished = [duty for state in UNFINISHED for duty in ctx.state.duties.of(state)]
    if sum(duty.requester == announced.author for duty in unfinished) >= UNFINISHED_MOST:
        return Refusal("busy_for_strangers", ctx.now + UNFINISHED_PAUSE)
    if not is_stranger(ctx, announced.author, announced.benchmark):
        unmet = [duty for duty in at_work if not is_met(ctx, duty.requester)]
        full = len(unmet) >= STRANGERS_PLACES
        return Refusal("busy_for_strangers", min(_ends(ctx, duty) for duty in unmet)) if full else None
    others = [duty for duty in at_work if not is_known(ctx, duty.requester)]
    own = [duty for duty in others if duty.requester == announced.author]
    if own:
        return Refusal("busy_for_strangers", min(_ends(ctx, duty) for duty in own))
    reserved = sum(ctx.state.benchmarks[duty.benchmark].spec.limits.seconds for duty in others)
    over = _debt(ctx) + reserved - STRANGERS_BURST
    return Refusal("busy_for_strangers", ctx.now + over / STRANGERS_SHARE) if over >= 0 else None


def is_known(ctx: Context, peer: PeerId) -> bool:
    """A root, or at least ½ of an opinion that rests on own evidence or on trust that flows from here."""
    heard = ctx.state.pooled.get(peer)
    return is_met(ctx, peer) or (heard is not None and heard.reach > 0.0 and _is_liked(ctx, peer))


def is_met(ctx: Context, peer: PeerId) -> bool:
    """A root, or at least ½ of an opinion that rests on own evidence."""
    if believing.is_root(ctx.state, ctx.policy, peer, ctx.now):
        return True
    own = ctx.state.evidence.get(peer)
    return own is not None and own.evidence.agreed > 0 and _is_liked(ctx, peer)


def _is_liked(ctx: Context, peer: PeerId) -> bool:
    out = believing.is_out(ctx.state, peer, ctx.now)
    return not out and believing.belief(ctx.state, ctx.policy, peer, ctx.now).opinion >= 0.5


def is_stranger(ctx: Context, peer: PeerId, benchmark: BenchmarkId) -> bool:
    """Whether what ``peer`` asks for comes out of the strangers' share: it costs those whom we know something.

    It does not where a member asks and nobody known has asked lately.
    """
    lately = 0.0 <= ctx.now - ctx.state.counter(_KNOWN) / 1000 <= KNOWN_LATELY
    return not is_known(ctx, peer) and (lately or not membership.is_member(ctx, peer, benchmark))


def takes_inquiry(ctx: Context, requester: PeerId, benchmark: BenchmarkId) -> bool:
    """Whether there is room for one more blind audit that ``requester`` asks for; strangers pay from their share."""
    own = sum(row.requester == requester for row in ctx.state.inquiries)
    if own >= INQUIRIES_EACH or len(ctx.state.inquiries) >= INQUIRIES:
        return False
    return not is_stranger(ctx, requester, benchmark) or (not own and _debt(ctx) < STRANGERS_BURST)


def inquiry_window(ctx: Context, announced: TaskAnnouncement) -> Seconds:
    """The longest that a blind audit of this task may keep its place."""
    return commit_window(ctx.state.benchmarks[announced.benchmark].spec, announced.model)


def charge_inquiry(ctx: Context, row: InquiryRow) -> None:
    """A blind audit ends: its time in the worker goes to whoever asked for it."""
    if row.began and is_stranger(ctx, row.requester, row.benchmark):
        _owe(ctx, max(0, int((ctx.now - row.began) * 1000)))


def charge(ctx: Context, duty: DutyRow) -> None:
    """An assigned duty ends, well or not: its time since the assignment goes to whoever asked for it."""
    took_ms = max(0, int((ctx.now - _begun(ctx, duty)) * 1000))
    if is_met(ctx, duty.requester):
        ctx.state.count(_KNOWN, ctx.now_ms)
    elif duty.deadline and is_stranger(ctx, duty.requester, duty.benchmark):
        _owe(ctx, took_ms)


def _owe(ctx: Context, took_ms: int) -> None:
    debt_ms = int(_debt(ctx) * 1000) + took_ms
    ctx.state.count(_DEBT, debt_ms)
    ctx.state.count(_SINCE, ctx.now_ms)


def learn_pace(ctx: Context, duty: DutyRow) -> None:
    """How long a duty takes here from its assignment to its commitment, smoothed over the last few."""
    if not duty.deadline:  # assigned before an update: nobody knows when
        return
    took_ms = max(1, int((ctx.now - _begun(ctx, duty)) * 1000))
    held = ctx.state.counter(_PACE)
    ctx.state.count(_PACE, (3 * held + took_ms) // 4 if held else took_ms)


def _debt(ctx: Context) -> Seconds:
    """Seconds of work that strangers had of us and that time has not paid off yet."""
    paid_ms = max(0, ctx.now_ms - ctx.state.counter(_SINCE)) * STRANGERS_SHARE  # a clock set back adds no debt
    return max(0.0, ctx.state.counter(_DEBT) - paid_ms) / 1000


def _begun(ctx: Context, duty: DutyRow) -> Seconds:
    """When an assigned duty was assigned: its deadline is the end of the window that opened then."""
    return duty.deadline - commit_window(ctx.state.benchmarks[duty.benchmark].spec, duty.model)


def _ends(ctx: Context, duty: DutyRow) -> Seconds:
    """When a duty at work leaves its place: as fast as others did before, at its deadline at the latest.

    What is only offered is taken as assigned now.
    """
    window = commit_window(ctx.state.benchmarks[duty.benchmark].spec, duty.model)
    pace = min(ctx.state.counter(_PACE) / 1000 or window, window)
    begun = ctx.now if duty.state is DutyState.OFFERED else _begun(ctx, duty)
    return max(begun + pace, ctx.now + OFFER_WINDOW)
