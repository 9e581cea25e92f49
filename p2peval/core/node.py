"""The node as a state machine: one event in, effects out. The only dispatcher; it decides nothing itself.

``handle`` and ``resume`` never block, never read a clock, never touch the world (architecture, The seam).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from p2peval.core import (
    admission,
    alone,
    auditing,
    auditor,
    blind,
    consult,
    epoch,
    equivocation,
    evaluator,
    fraud,
    held_labels,
    judgement,
    late,
    membership,
    offers,
    pooling,
    records,
    requester,
    retention,
    statements,
    unrecorded,
    watch,
    window,
    withholding,
)
from p2peval.core.checking import (
    AuditAnswer,
    AuditCommitment,
    AuditReport,
    AuditRequest,
    EquivocationProof,
    FraudProof,
    LabelsReveal,
    Scores,
    TrustStatement,
)
from p2peval.core.context import Context
from p2peval.core.effects import Effect, FindMembers, Learn, Pull, Subscribe, SyncWith
from p2peval.core.events import (
    BlobFailed,
    BlobReady,
    CancelTask,
    Command,
    ComparisonFailed,
    ComparisonFinished,
    EvaluationFailed,
    EvaluationFinished,
    Event,
    Excerpted,
    Introduced,
    JobFailed,
    JoinBenchmark,
    JudgePeer,
    LeaveBenchmark,
    MessageReceived,
    NamePeer,
    NoticeReceived,
    PeerDown,
    PeerUp,
    Proven,
    PublishBenchmark,
    Recalled,
    RevealLabels,
    Sampled,
    SendFailed,
    Settled,
    StartTask,
    TimerExpired,
)
from p2peval.core.messages import (
    Assignment,
    BenchmarkAnnouncement,
    BenchmarkSpec,
    Cancel,
    Commitment,
    CommitmentSet,
    Decline,
    Offer,
    Payload,
    PeerProfile,
    ResultRecord,
    Reveal,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.policy import Policy
from p2peval.core.ports import Dice, Sealer, Secrets
from p2peval.core.rows import DutyState
from p2peval.core.state import State
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import BenchmarkId, PeerId, Seconds
from p2peval.defaults import GONE_GRACE, PROFILE_INTERVAL, SYNC_INTERVAL, TIDY_DELAY, TIDY_INTERVAL


def _on_record(ctx: Context, sealed: Sealed[ResultRecord]) -> str:
    reason = records.on_record(ctx, sealed)
    if not reason:
        evaluator.on_record(ctx, sealed)
    return reason


JUDGES: dict[type[Payload], Callable[[Context, Sealed[Any]], str]] = {
    BenchmarkAnnouncement: membership.on_announcement,
    BenchmarkSpec: membership.on_spec,
    PeerProfile: membership.on_profile,
    TaskAnnouncement: evaluator.on_announcement,
    Offer: offers.on_offer,
    Decline: requester.on_decline,
    Cancel: evaluator.on_cancel,
    Assignment: evaluator.on_assignment,
    Commitment: window.on_commitment,
    CommitmentSet: evaluator.on_commitment_set,
    Reveal: unrecorded.on_reveal,
    ResultRecord: _on_record,
    AuditCommitment: blind.on_commitment,
    AuditReport: blind.on_report,
    AuditRequest: auditor.on_request,
    AuditAnswer: consult.on_answer,
    FraudProof: fraud.on_proof,
    EquivocationProof: equivocation.on_proof,
    LabelsReveal: held_labels.on_reveal,
    Scores: held_labels.on_scores,
    TrustStatement: statements.on_statement,
}
"""Which side judges what: each returns the reason for which it does not take the object, or ""."""

COMMANDS: dict[type[Command], Callable[[Context, Any], None]] = {
    PublishBenchmark: membership.publish,
    RevealLabels: held_labels.reveal,
    JoinBenchmark: membership.join,
    LeaveBenchmark: membership.leave,
    StartTask: requester.start,
    CancelTask: requester.cancel,
    JudgePeer: judgement.judge,
    NamePeer: judgement.name,
}
"""What the user may ask; each replies."""

JOBS: dict[str, Callable[[Context, JobFailed], None]] = {
    fraud.BUILDING: fraud.on_proven,
    fraud.PREFIX: fraud.proceed,
    auditor.PREFIX: auditor.proceed,
    consult.PREFIX: lambda ctx, event: requester.on_auditor(ctx, consult.on_excerpt(ctx, event)),
}
"""Who waits for a job, by the prefix of its effect id; background audits for all others."""

FETCHERS: dict[str, Callable[[Context, BlobReady | BlobFailed], None]] = {
    auditing.OUTPUTS: requester.on_audit,
    withholding.PREFIX: late.proceed,
    watch.PREFIX: watch.proceed,
    fraud.PREFIX: fraud.proceed,
    auditor.PREFIX: auditor.proceed,
    evaluator.MODEL: evaluator.on_blob,
    evaluator.INPUTS: evaluator.on_blob,
}
"""Who waits for a blob, by the prefix of its effect id."""


class Node:
    """One peer. ``state`` may be read from outside at any time; only ``handle`` and ``resume`` change it."""

    def __init__(
        self,
        *,
        state: State,
        sealer: Sealer,
        secrets: Secrets,
        rng: Dice,
        network: str,
        policy: Policy | None = None,
    ) -> None:
        self._ctx = Context(state, sealer, secrets, rng, network, policy or Policy())

    @property
    def state(self) -> State:
        return self._ctx.state

    @property
    def policy(self) -> Policy:
        """What its operator set."""
        return self._ctx.policy

    @property
    def connected(self) -> frozenset[PeerId]:
        return frozenset(self._ctx.connected)

    def handle(self, event: Event, now: Seconds) -> list[Effect]:
        """Everything that follows from ``event``, in the order in which it must be done."""
        self._ctx.now = now
        self._dispatch(event)
        return self._drain()

    def resume(self, now: Seconds) -> list[Effect]:
        """After a restart: timers, topics and addresses again. The outbox brings back the rest."""
        ctx = self._ctx
        ctx.now = now
        ctx.do(Subscribe(DIRECTORY))
        for peer in ctx.state.peers:
            if peer.peer != ctx.me:
                ctx.do(Learn(peer.peer, peer.addresses, membership.shares_benchmark(ctx, peer.peer)))
        for benchmark in ctx.state.benchmarks:
            if benchmark.joined:
                ctx.do(Subscribe(benchmark.id))
        for wanted in ctx.state.wanted:
            ctx.do(FindMembers(wanted.id))
            ctx.timer(f"want/{wanted.id}", wanted.deadline, 0)
        requester.resume(ctx)
        for duty in ctx.state.duties:
            if duty.deadline and duty.state not in (DutyState.DONE, DutyState.FAILED):
                ctx.timer(f"duty/{duty.task}", duty.deadline, duty.generation)
        consult.resume(ctx)
        late.resume(ctx)
        watch.arm(ctx)
        epoch.arm(ctx)
        ctx.timer(fraud.PREFIX, now, 0)
        ctx.timer("sync/", now + SYNC_INTERVAL, 0)
        ctx.timer("profile/", now + PROFILE_INTERVAL, 0)
        ctx.timer("tidy/", now + TIDY_DELAY, 0)
        return self._drain()

    def _drain(self) -> list[Effect]:
        effects, self._ctx.effects = self._ctx.effects, []
        return effects

    def _dispatch(self, event: Event) -> None:
        ctx = self._ctx
        match event:
            case MessageReceived():
                self._on_message(event)
            case NoticeReceived():
                self._on_notice(event)
            case TimerExpired():
                self._on_timer(event)
            case PeerUp(peer=peer):
                self._on_peer_up(peer)
            case PeerDown(peer=peer):
                ctx.connected.discard(peer)
                ctx.notify("peer.down", peer)
                ctx.timer(f"gone/{peer}", ctx.now + GONE_GRACE, 0)
            case Introduced():
                membership.refresh_profile(ctx, event)
            case BlobReady() | BlobFailed():
                self._on_blob(event)
            case SendFailed():
                requester.on_assignment_undelivered(ctx, event)
                evaluator.on_undelivered(ctx, event)
                requester.on_auditor(ctx, consult.on_undelivered(ctx, event))
            case EvaluationFinished() if event.effect_id.startswith(alone.PREFIX):
                alone.on_finished(ctx, event)
            case EvaluationFailed() if event.effect_id.startswith(alone.PREFIX):
                alone.on_failed(ctx, event)
            case EvaluationFinished():
                evaluator.on_finished(ctx, event)
            case EvaluationFailed():
                evaluator.on_failed(ctx, event)
            case Proven():
                fraud.on_proven(ctx, event)
            case Recalled() if event.effect_id.startswith(unrecorded.RECALL):
                unrecorded.on_recalled(ctx, event)
            case Recalled():
                equivocation.on_recalled(ctx, event)
            case Settled():
                fraud.proceed(ctx, event)
            case Sampled() if event.effect_id.startswith(auditor.PREFIX):
                auditor.proceed(ctx, event)
            case Sampled():
                watch.proceed(ctx, event)
            case Excerpted():
                requester.on_auditor(ctx, consult.on_excerpt(ctx, event))
            case JobFailed():
                self._on_job_failed(event)
            case ComparisonFinished() | ComparisonFailed() if event.effect_id.startswith(watch.PREFIX):
                watch.proceed(ctx, event)
            case ComparisonFinished() | ComparisonFailed() if event.effect_id.startswith(withholding.PREFIX):
                late.proceed(ctx, event)
            case ComparisonFinished() | ComparisonFailed():
                requester.on_audit(ctx, event)
            case _:
                COMMANDS[type(event)](ctx, event)

    # ── messages ──────────────────────────────────────────────────────────────────────────────────

    def _on_message(self, event: MessageReceived) -> None:
        """Admit, let the side concerned judge, keep. A known object is acknowledged again, not judged."""
        ctx, sealed = self._ctx, event.sealed
        if sealed.id in ctx.state.objects:
            if isinstance(sealed.payload, TaskAnnouncement) and sealed.signer != ctx.me:
                self._on_repeated(sealed.payload, sealed)
            return ctx.reply(event.reply_id, sealed.id)
        reason = admission.refusal(ctx, sealed)
        if not reason:
            benchmark = admission.benchmark_of(ctx, sealed)
            reason = JUDGES[type(sealed.payload)](ctx, sealed)
            if not reason and not isinstance(sealed.payload, (Offer, Decline)):  # the offers' table holds these
                ctx.keep(sealed, benchmark)
        if reason == "slot_taken":
            self._on_slot_taken(sealed)
        if reason:
            if reason not in admission.PASSING:
                ctx.state.refuse(sealed.id)
            ctx.notify("object.refused", sealed.id, reason=reason, type=type(sealed.payload).__name__)
        ctx.reply(event.reply_id, sealed.id, reason)

    def _on_slot_taken(self, sealed: Sealed[Any]) -> None:
        held = self._ctx.state.in_slot(sealed.signer, type(sealed.payload).__name__, "/".join(sealed.payload.slot))
        if held is not None:
            equivocation.suspect(self._ctx, held, sealed)

    def _on_job_failed(self, event: JobFailed) -> None:
        JOBS.get(event.effect_id.split("/", 1)[0] + "/", watch.proceed)(self._ctx, event)

    def _on_repeated(self, task: TaskAnnouncement, sealed: Sealed[Any]) -> None:
        """Announced again, for nobody offered last time; or an old one replayed, to keep us busy."""
        if not admission.timeliness_refusal(self._ctx, task):
            evaluator.on_announcement(self._ctx, sealed)

    def _on_notice(self, event: NoticeReceived) -> None:
        ctx = self._ctx
        row = ctx.state.benchmarks.get(event.benchmark)
        concerned = event.benchmark == DIRECTORY or (row is not None and row.joined)
        if concerned and ctx.state.lacks(event.id):
            ctx.do(Pull(event.via, (event.id,)))

    # ── peers, blobs, time ────────────────────────────────────────────────────────────────────────

    def _on_peer_up(self, peer: PeerId) -> None:
        ctx = self._ctx
        ctx.connected.add(peer)
        ctx.notify("peer.up", peer)
        self._sync_with(peer)

    def _sync_with(self, peer: PeerId) -> None:
        ctx = self._ctx
        if wanted := tuple(row.id for row in ctx.state.wanted):
            ctx.do(Pull(peer, wanted))  # type: ignore[arg-type]
        joined = tuple(row.id for row in ctx.state.benchmarks if row.joined)
        ctx.do(SyncWith(peer, (DIRECTORY, *joined)))

    def _on_blob(self, event: BlobReady | BlobFailed) -> None:
        if whose := FETCHERS.get(event.effect_id.split("/", 1)[0] + "/"):
            return whose(self._ctx, event)
        ready = isinstance(event, BlobReady)
        self._ctx.notify("data.ready" if ready else "data.missing", event.cid, purpose=event.effect_id)

    def _on_timer(self, event: TimerExpired) -> None:
        """A timer whose generation is not the row's is stale: the row has moved on."""
        ctx = self._ctx
        kind, subject = event.key.split("/", 1)
        match kind:
            case "task":
                task = ctx.state.tasks.get(subject)
                if task is not None and task.generation == event.generation:
                    requester.on_deadline(ctx, task)
            case "duty":
                duty = ctx.state.duties.get(subject)
                if duty is not None and duty.generation == event.generation:
                    evaluator.on_deadline(ctx, duty)
            case "consult":
                requester.on_auditor(ctx, consult.on_deadline(ctx, subject))
            case "late":
                late.look(ctx, subject)
            case "want":
                membership.give_up(ctx, BenchmarkId(subject))
            case "gone":
                if subject not in ctx.connected:
                    requester.on_peer_gone(ctx, PeerId(subject))
            case "sync":
                if ctx.connected:
                    self._sync_with(ctx.rng.choice(sorted(ctx.connected)))
                ctx.timer("sync/", ctx.now + SYNC_INTERVAL, 0)
            case "profile":
                membership.refresh_profile(ctx)
                ctx.timer("profile/", ctx.now + PROFILE_INTERVAL, 0)
            case "watch":
                watch.look(ctx)
            case "proof":
                fraud.settle_next(ctx)
            case "epoch":
                epoch.end(ctx, event.generation)
            case "pool":
                pooling.recompute(ctx)
            case "tidy":
                retention.forget(ctx)
                ctx.timer("tidy/", ctx.now + TIDY_INTERVAL, 0)
