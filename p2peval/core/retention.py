"""What a node forgets: a daemon lives for years, and a task's to and fro is of use for weeks.

Specs, names, profiles, records with what was said or proven about them, and the node's own tasks stay; so does
evidence, which fades by itself.
"""

from __future__ import annotations

from p2peval.core.belief_rows import WatchState
from p2peval.core.checking import (
    AuditCommitment,
    AuditReport,
    EquivocationProof,
    FraudProof,
    LabelsReveal,
    Scores,
    TrustStatement,
)
from p2peval.core.context import Context
from p2peval.core.messages import BenchmarkAnnouncement, BenchmarkSpec, PeerProfile, ResultRecord
from p2peval.core.rows import DutyState
from p2peval.core.task import OVER
from p2peval.defaults import OBJECT_RETENTION

KEPT = frozenset(
    kind.__name__
    for kind in (
        BenchmarkAnnouncement,
        BenchmarkSpec,
        PeerProfile,
        ResultRecord,
        AuditCommitment,
        AuditReport,
        FraudProof,
        EquivocationProof,
        LabelsReveal,
        Scores,
        TrustStatement,  # core/statements.py forgets these
    )
)


def forget(ctx: Context) -> None:
    """Drop what is older than OBJECT_RETENTION and nobody needs any more.

    No task lives that long (admission refuses longer ones), so no slot of a forgotten object can be asked of
    us again.
    """
    before = ctx.now - OBJECT_RETENTION
    for row in ctx.state.objects:
        if row.type not in KEPT and row.received < before:
            ctx.state.forget(row.id)
    for watch in ctx.state.watches.of(WatchState.DONE):
        if watch.not_before < before:
            ctx.state.watches.delete(watch.key)
    for consult in ctx.state.consults:
        if consult.deadline < before:
            ctx.state.consults.delete(consult.key)
    for task in ctx.state.tasks:
        if task.state in OVER:
            for offer in ctx.state.offers.of(task.id):
                ctx.state.offers.delete(offer.key)
    for state in (DutyState.DONE, DutyState.FAILED):
        for duty in ctx.state.duties.of(state):
            if duty.task not in ctx.state.objects:
                ctx.state.duties.delete(duty.key)
