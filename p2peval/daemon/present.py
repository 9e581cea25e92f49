"""The node's rows as views: the one place where nano units become numbers and ids get names beside them.

Reads, never changes. Knows no HTTP; ``service`` decides who asked for what.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from p2peval.core import audit, believing
from p2peval.core.benchmark import lower_is_better
from p2peval.core.consult_rows import ANSWERS
from p2peval.core.leaderboard import HEARSAY, MINE, TRUSTED, board
from p2peval.core.parts import Blob, Condition, Defined, Efficiency, Interval, MetricReport, Tensor
from p2peval.core.policy import Policy
from p2peval.core.rows import BenchmarkRow, NameRow, PeerRow, ReplicaRow, ReplicaState, ResultRow, TaskRow
from p2peval.core.standing import Word, word_on
from p2peval.core.state import State
from p2peval.core.types import BenchmarkId, PeerId, Seconds, from_nano
from p2peval.daemon import views
from p2peval.daemon.reasons import BY_RECORD, CERTIFIED, SAMPLED, because
from p2peval.daemon.story import with_story
from p2peval.evaluation.answers import Previewed

AUDITED = frozenset({ReplicaState.AGREES, ReplicaState.DIFFERS})
"""Replicas whose draw says how much was checked, also after a proof has undone what it showed."""


class Presenter:
    """``state`` as it is now, seen by peer ``me`` under ``policy``, at time ``now``."""

    def __init__(self, state: State, me: PeerId, now: Seconds, reports: Path, policy: Policy) -> None:
        self._state = state
        self._me = me
        self._now = now
        self._reports = reports
        self._policy = policy
        self._roots = believing.roots(state, policy, now)

    # ── peers ─────────────────────────────────────────────────────────────────────────────────────

    def name(self, peer: PeerId) -> views.PeerName:
        pet, row = self._state.pet_names.get(peer), self._state.peers.get(peer)
        name = pet.name if pet else row.name if row else ""
        return views.PeerName(peer=peer, name=name, me=peer == self._me)

    def reputation_of(self, peer: PeerId) -> float | None:
        """None for a newcomer; 0 while a proof or the operator's word stands against it."""
        if believing.is_out(self._state, peer, self._now):
            return 0.0
        if not believing.is_known(self._state, self._policy, peer, self._now):
            return None
        return believing.reputation(self._state, self._policy, peer, self._now)

    def peer(
        self, peer: PeerId, addresses: tuple[str, ...], connected: bool, inbound: bool, rtt_ms: float | None
    ) -> views.PeerView:
        row = self._state.peers.get(peer)
        return views.PeerView(
            peer=peer,
            name=row.name if row else "",
            pet_name=pet.name if (pet := self._state.pet_names.get(peer)) else "",
            connected=connected,
            inbound=inbound,
            rtt_ms=rtt_ms,
            addresses=addresses or (row.addresses if row else ()),
            benchmarks=self._names_of(row),
            classes=row.classes if row else (),
            reputation=self.reputation_of(peer),
            last_seen=row.seen if row else None,
        )

    def _names_of(self, row: PeerRow | None) -> tuple[str, ...]:
        named = {name.benchmark: name.name for name in self._state.names}
        memberships = row.memberships if row else ()
        return tuple(named.get(m.benchmark, m.benchmark) for m in memberships)

    # ── benchmarks ────────────────────────────────────────────────────────────────────────────────

    def members(self, benchmark: BenchmarkId) -> list[PeerId]:
        """Everybody, this node included, whose profile says so."""
        return [row.peer for row in self._state.peers if any(m.benchmark == benchmark for m in row.memberships)]

    def claim(self, row: NameRow) -> views.NameClaimView:
        held = self._state.benchmarks.get(row.benchmark)
        return views.NameClaimView(
            name=row.name,
            title=row.title,
            benchmark=row.benchmark,
            author=self.name(row.author),
            author_reputation=self.reputation_of(row.author),
            held=held is not None,
            joined=bool(held and held.joined),
            evaluates=bool(held and held.evaluates),
            requests=bool(held and held.requests),
            members=len(self.members(row.benchmark)),
        )

    def benchmark(self, row: BenchmarkRow) -> views.BenchmarkView:
        spec = row.spec
        verification = spec.verification
        return views.BenchmarkView(
            id=row.id,
            name=spec.name,
            title=spec.title,
            description=spec.description,
            license=spec.license,
            version=spec.version,
            parent=spec.parent,
            author=self.name(spec.author),
            task=spec.task,
            samples=spec.samples,
            metrics=spec.metrics,
            inputs=_blob(spec.inputs),
            labels=_blob(spec.labels) if spec.labels else None,
            model_input=_tensor(spec.model_input),
            model_output=_tensor(spec.model_output),
            atol=from_nano(spec.tolerance.atol_nano),
            rtol=from_nano(spec.tolerance.rtol_nano),
            seconds=spec.limits.seconds,
            memory_mb=spec.limits.memory_mb,
            model_mb=spec.limits.model_mb,
            epsilon=from_nano(verification.epsilon_nano),
            delta=from_nano(verification.delta_nano),
            audited=audit.sample_size(spec.samples, verification.epsilon_nano, verification.delta_nano),
            replicas=verification.replicas,
            profile=spec.profile,
            joined=row.joined,
            evaluates=row.evaluates,
            requests=row.requests,
            members=tuple(self.name(peer) for peer in self.members(row.id)),
            groups=_blob(spec.groups) if spec.groups else None,
            group_names=spec.group_names,
            conditions=condition_views(spec.conditions),
        )

    def board(self, row: BenchmarkRow, more_roots: Collection[PeerId] = ()) -> views.BoardView:
        roots = (*self._roots, *more_roots)
        words = {
            result.record: word
            for result in self._state.results
            if result.benchmark == row.id
            if (word := word_on(self._state, result, self._me, roots, self._now)) is not None
        }
        lines: list[views.BoardLine] = []
        for result in board(self._state, row.id, words):
            word = words.get(result.record) if result.standing == TRUSTED else None
            lines.append(
                self._line(result, len(lines) + 1 if result.standing == MINE and result.metrics else None, word)
            )
        spec = row.spec
        return views.BoardView(
            benchmark=row.id, name=spec.name, title=spec.title, primary=spec.metrics[0], lines=tuple(lines)
        )

    def _line(self, result: ResultRow, rank: int | None, word: Word | None) -> views.BoardLine:
        return views.BoardLine(
            rank=rank,
            model=result.model,
            model_name=result.model_name,
            standing=result.standing,
            auditors=tuple(self.name(peer) for peer in word.auditors) if word else (),
            undetected=word.undetected if word else None,
            metrics=metric_views(result.metrics),
            certificate=self._certificate(result),
            requester=self.name(result.requester),
            evaluators=tuple(self.name(peer) for peer in result.evaluators),
            task=result.task,
            record=result.record,
            finished=result.finished,
        )

    # ── tasks ─────────────────────────────────────────────────────────────────────────────────────

    def task(self, row: TaskRow) -> views.TaskView:
        """A task of ours."""
        state = self._state
        replicas = sorted((r for r in state.replicas if r.task == row.id), key=lambda r: (r.attempt, r.id))
        offers = [offer for offer in state.offers if offer.task == row.id]
        result = state.results.get(row.id)
        spec = state.benchmarks[row.benchmark].spec
        return with_story(
            views.TaskView(
                id=row.id,
                benchmark=row.benchmark,
                benchmark_name=spec.name,
                model=row.model.cid,
                model_name=row.model_name,
                requester=self.name(self._me),
                state=row.state.value,
                attempt=row.attempt,
                wanted=row.replicas,
                epsilon=from_nano(row.epsilon_nano),
                delta=from_nano(row.delta_nano),
                samples=spec.samples,
                created=row.created,
                expires=row.expires,
                finished=result.finished if result else None,
                announced_to=sum(peer != self._me for peer in self.members(row.benchmark)),
                offers=sum(not offer.declined for offer in offers),
                declined=sum(bool(offer.declined) for offer in offers),
                replicas=tuple(self._replica(replica) for replica in replicas),
                metrics=metric_views(result.metrics) if result else (),
                certificate=self._certificate(result) if result else None,
                standing=self._standing(result) if result else "",
                reason=row.reason,
                record=row.record,
                report=str(self._reports / f"{row.record}.json") if row.record else "",
                busy_until=min((o.expires for o in offers if o.declined and o.expires > self._now), default=None),
                certify=row.certify,
            )
        )

    def claimed(self, result: ResultRow) -> views.TaskView:
        """Somebody else's task, as its record tells it."""
        spec = self._state.benchmarks[result.benchmark].spec
        return with_story(
            views.TaskView(
                id=result.task,
                benchmark=result.benchmark,
                benchmark_name=spec.name,
                model=result.model,
                model_name=result.model_name,
                requester=self.name(result.requester),
                state="accepted" if result.accepted else "failed",
                attempt=result.certificate.attempts if result.certificate else 0,
                wanted=len(result.evaluators),
                epsilon=from_nano(result.certificate.epsilon_nano) if result.certificate else 0.0,
                delta=from_nano(result.certificate.delta_nano) if result.certificate else 0.0,
                samples=spec.samples,
                created=result.finished,
                expires=result.finished,
                finished=result.finished,
                announced_to=0,
                offers=0,
                declined=0,
                replicas=(),
                metrics=metric_views(result.metrics),
                certificate=self._certificate(result),
                standing=result.standing,
                reason="",
                record=result.record,
                report="",
            )
        )

    def _standing(self, result: ResultRow) -> str:
        """As on the board."""
        word = word_on(self._state, result, self._me, self._roots, self._now)
        return TRUSTED if word and result.standing in HEARSAY else result.standing

    def _replica(self, row: ReplicaRow) -> views.ReplicaView:
        panel, asked = self._state.panels.get(row.id), self._state.consults.of(row.id)
        said = {told.auditor: told for told in asked if told.state in ANSWERS}
        return views.ReplicaView(
            id=row.id,
            evaluator=self.name(row.peer),
            reputation=self.reputation_of(row.peer),
            state=row.state.value,
            attempt=row.attempt,
            equivalence_class=row.equivalence_class,
            drawn=row.drawn,
            audited=row.audited,
            differing=row.differing,
            reason=row.reason,
            efficiency=_efficiency(row.efficiency) if row.efficiency else None,
            why=row.why,
            numbers=dict(row.numbers),
            because=because(row.why, dict(row.numbers)),
            auditors=tuple(self.name(peer) for peer in sorted(said)),
            objectors=tuple(self.name(peer) for peer in sorted(said) if said[peer].differing),
            undetected=panel.undetected if panel else None,
        )

    def _certificate(self, result: ResultRow) -> views.CertificateView | None:
        certificate = result.certificate
        if certificate is None:
            return None
        streak = None
        if result.certified:
            basis = CERTIFIED
        elif result.requester == self._me:
            replicas = self._state.replicas.of(result.task)
            taken = (row.streak for row in replicas if row.peer == result.evaluator and row.state in AUDITED)
            basis, streak = BY_RECORD, next(taken, None)
        else:
            basis = SAMPLED if result.standing == MINE else BY_RECORD
        return views.CertificateView(
            epsilon=from_nano(certificate.epsilon_nano),
            delta=from_nano(certificate.delta_nano),
            samples=certificate.samples,
            audited=certificate.audited,
            attempts=certificate.attempts,
            basis=basis,
            streak=streak,
        )


def efficiency_view(answer: Previewed) -> views.EfficiencyView:
    """Of one's own run, whose layers nobody asks for."""
    return _efficiency(
        Efficiency(
            answer.wall_ms,
            answer.peak_memory_mb,
            (),
            answer.pace.throughput_milli,
            answer.pace.latency_p50_us,
            answer.pace.latency_p99_us,
        )
    )


def _efficiency(said: Efficiency) -> views.EfficiencyView:
    return views.EfficiencyView(
        wall_ms=said.wall_ms,
        peak_memory_mb=said.peak_memory_mb,
        samples_per_s=said.throughput_milli / 1e3 or None,
        latency_p50_ms=said.latency_p50_us / 1e3 or None,
        latency_p99_ms=said.latency_p99_us / 1e3 or None,
        layers=said.layers,
    )


def metric_views(reports: tuple[MetricReport, ...]) -> tuple[views.MetricView, ...]:
    return tuple(
        views.MetricView(
            name=report.name,
            status=report.defined.name.lower(),
            value=from_nano(report.value_nano) if report.defined is Defined.VALUE else None,
            lower_is_better=lower_is_better(report.name),
            audit=_interval(report.audit),
            sampling=_interval(report.sampling),
            group=report.group,
            ambiguity=_interval(report.ambiguity),
        )
        for report in reports
    )


def _interval(interval: Interval | None) -> views.IntervalView | None:
    if interval is None:
        return None
    return views.IntervalView(low=from_nano(interval.low_nano), high=from_nano(interval.high_nano))


def _blob(blob: Blob) -> views.BlobView:
    return views.BlobView(cid=blob.cid, size=blob.size)


def condition_views(conditions: tuple[Condition, ...]) -> tuple[views.ConditionView, ...]:
    return tuple(
        views.ConditionView(name=each.name, kind=each.kind, level=from_nano(each.level_nano), seed=each.seed)
        for each in conditions
    )


def _tensor(tensor: Tensor) -> views.TensorView:
    return views.TensorView(name=tensor.name, dtype=tensor.dtype, shape=tensor.shape)
