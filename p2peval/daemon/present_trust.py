"""What this node makes of its peers, as views: figures, what they rest on, and how they came to be.

Reads, never changes. The figures are core's and trust's own; here they get names, times and words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from p2peval.core import believing, pooling, reputation
from p2peval.core.conviction import EQUIVOCATION, FRAUD
from p2peval.core.policy import Policy
from p2peval.core.rows import ReplicaState
from p2peval.core.state import State
from p2peval.core.trust_rows import LocalEvidenceRow
from p2peval.core.types import BenchmarkId, PeerId, Seconds
from p2peval.daemon import reputation_views as views
from p2peval.daemon.reputation_reasons import Reasons, standing_against
from p2peval.daemon.views import PeerName
from p2peval.trust.checking import Asked, Record
from p2peval.trust.evidence import Evidence
from p2peval.trust.opinions import opinion
from p2peval.trust.rule import audit_size

SEEN = {
    ReplicaState.AGREES: "agrees",
    ReplicaState.DIFFERS: "differs",
    ReplicaState.DOUBTFUL: "doubtful",
    ReplicaState.SILENT: "silent",
    ReplicaState.WITHHELD: "withheld",
}
"""States of a replica from which something follows for its evaluator."""


@dataclass(frozen=True, slots=True)
class TrustPresenter:
    """``state`` as it is now, seen by peer ``me`` under ``policy``, at time ``now``."""

    state: State
    me: PeerId
    now: Seconds
    policy: Policy

    def name(self, peer: PeerId) -> PeerName:
        pet, row = self.state.pet_names.get(peer), self.state.peers.get(peer)
        return PeerName(peer=peer, name=pet.name if pet else row.name if row else "", me=peer == self.me)

    # ── figures ───────────────────────────────────────────────────────────────────────────────────

    def table(self, benchmark: BenchmarkId | None) -> tuple[views.ReputationView, ...]:
        """Everybody of whom something is known, best first; of one benchmark, by the evidence from it alone."""
        if benchmark is None:
            rows = [self._overall(peer) for peer in self._known()]
        else:
            rows = [self._local(row) for row in self.state.local_evidence if row.benchmark == benchmark]
        return tuple(sorted(rows, key=lambda view: (-view.reputation, view.peer)))

    def detail(self, peer: PeerId) -> views.ReputationDetail:
        """One peer, in full."""
        pooled, judged = self.state.pooled.get(peer), self.state.judgements.get(peer)
        in_force = judged if judged is not None and judged.until > self.now else None
        return views.ReputationDetail(
            **_fields(self._overall(peer)),
            mass=pooled.mass if pooled else None,
            reach=pooled.reach if pooled else None,
            credibility=pooled.credibility if pooled else None,
            judgement=views.JudgementView(trusted=in_force.trusted, until=in_force.until, note=in_force.note)
            if in_force
            else None,
            benchmarks=tuple(self._from(row) for row in self.state.local_evidence.of(peer)),
            history=tuple(
                views.PastView(
                    at=(row.epoch + 1) * self.policy.epoch_s,
                    reputation=row.reputation,
                    low=row.low,
                    high=row.high,
                    resolved=row.resolved,
                )
                for row in self.state.history.of(peer)
            ),
        )

    def export(self) -> views.ReputationExport:
        return views.ReputationExport(
            peer=self.me,
            at=self.now,
            epoch_s=self.policy.epoch_s,
            roots=believing.roots(self.state, self.policy, self.now),
            peers=tuple(self.detail(peer) for peer in sorted(self._known())),
            statements=tuple(
                views.StatementView(
                    rater=row.rater,
                    benchmark=row.benchmark,
                    epoch_end=(row.epoch + 1) * self.policy.epoch_s,
                    entries=tuple(
                        views.EntryView(
                            peer=entry.peer, agreed=entry.agreed_milli / 1000, disagreed=entry.disagreed_milli / 1000
                        )
                        for entry in row.entries
                    ),
                )
                for row in self.state.statements
            ),
        )

    def _known(self) -> set[PeerId]:
        heard = {row.peer for row in self.state.pooled if row.good + row.bad > 0.0}
        tables = (self.state.evidence, self.state.judgements)
        return ({row.peer for table in tables for row in table} | heard) - {self.me}

    def _overall(self, peer: PeerId) -> views.ReputationView:
        figure = believing.reputation(self.state, self.policy, peer, self.now)
        return self._view(peer, believing.evidence(self.state, peer, self.now), figure)

    def _local(self, row: LocalEvidenceRow) -> views.ReputationView:
        seen = row.evidence.decayed(self.now, self.state.counter(believing.RESOLVED))
        out = believing.is_out(self.state, row.peer, self.now)
        prior = believing.prior_of(self.state, self.policy, row.peer, self.now)
        return self._view(row.peer, seen, 0.0 if out else opinion(prior, seen.alpha, seen.beta, 0.0, 0.0))

    def _view(self, peer: PeerId, seen: Evidence, figure: float) -> views.ReputationView:
        """``seen``: the evidence to tell, of all benchmarks or of one."""
        row, pet = self.state.peers.get(peer), self.state.pet_names.get(peer)
        pooled, kept = self.state.pooled.get(peer), self.state.evidence.get(peer)
        low, high = (0.0, 0.0) if believing.is_out(self.state, peer, self.now) else seen.interval()
        return views.ReputationView(
            peer=peer,
            name=row.name if row else "",
            pet_name=pet.name if pet else "",
            reputation=figure,
            low=low,
            high=high,
            resolved=seen.resolved,
            agreed=seen.agreed / seen.resolved if seen.resolved else None,
            streak=kept.evidence.streak if kept else 0,
            heard=pooled.good + pooled.bad if pooled else 0.0,
            silent=seen.silent,
            withheld=seen.withheld,
            last_seen=kept.evidence.updated if kept else None,
            flags=self._flags(peer, seen),
        )

    def _flags(self, peer: PeerId, seen: Evidence) -> tuple[str, ...]:
        """What to know of a peer at a glance: the operator's word, proofs against it, then how often it differed."""
        kinds = Counter(conviction.kind for conviction in self.state.convictions.of(peer))
        flags = [f"{kind}({kinds[kind]})" for kind in (FRAUD, EQUIVOCATION) if kinds[kind]]
        if believing.judged(self.state, peer, self.now) is False:
            flags.insert(0, "distrusted")
        if believing.is_root(self.state, self.policy, peer, self.now):
            flags.insert(0, "root")
        differed = seen.resolved - seen.agreed
        return (*flags, f"differed({differed})") if differed else tuple(flags)

    def _from(self, row: LocalEvidenceRow) -> views.LocalView:
        spec, kept = self.state.benchmarks[row.benchmark].spec, self.state.evidence.get(row.peer)
        seen = row.evidence.decayed(self.now, self.state.counter(believing.RESOLVED))
        asked = Asked(spec.samples, spec.verification.epsilon_nano, spec.verification.delta_nano)
        paid = reputation.paid(self.state, row.peer)
        size, _, _ = audit_size(asked, Record(kept.evidence.streak if kept else 0, paid_nano=paid))
        return views.LocalView(
            benchmark=row.benchmark,
            name=spec.name,
            mean=seen.mean,
            resolved=seen.resolved,
            agreed=seen.agreed / seen.resolved if seen.resolved else None,
            next_audit=size,
            samples=spec.samples,
        )

    # ── reasons ───────────────────────────────────────────────────────────────────────────────────

    def explain(self, peer: PeerId) -> views.ExplainView:
        """Parts that add up to the opinion in force, and what they rest on."""
        reasons = self._reasons()
        prior = believing.prior_of(self.state, self.policy, peer, self.now)
        told = reasons.told(peer, prior, believing.evidence(self.state, peer, self.now))
        shown = believing.reputation(self.state, self.policy, peer, self.now)
        in_force = believing.belief(self.state, self.policy, peer, self.now).opinion
        return views.ExplainView(
            peer=self.name(peer),
            reputation=shown,
            opinion=in_force,
            because=standing_against(self.state, self.policy, peer, self.now),
            prior=told.prior,
            own=told.own_good + told.own_bad,
            own_agreed=believing.evidence(self.state, peer, self.now).alpha,
            own_disagreed=believing.evidence(self.state, peer, self.now).beta,
            pending=in_force - told.opinion,
            raters=tuple(
                views.RaterView(
                    rater=self.name(reasons.peers[int(str(voice.word.rater))]),
                    credibility=voice.word.credibility,
                    agreed=voice.good,
                    disagreed=voice.bad,
                    share=voice.share,
                    moves=told.opinion - voice.without,
                )
                for voice in told.voices
            ),
            paths=tuple(
                views.PathView(peers=tuple(self.name(each) for each in peers), weight=strength)
                for peers, strength in reasons.paths(peer)
            ),
            outcomes=tuple(self._outcomes(peer)),
            proofs=tuple(
                views.ProofView(id=row.proof, kind=row.kind, where=row.where, at=row.at, until=row.until)
                for row in self.state.convictions.of(peer)
            ),
            bound=self._bound(reasons, (peer,)),
        )

    def bound(self, peers: tuple[PeerId, ...]) -> views.BoundView:
        """Of ``peers`` together; of everybody without own evidence and without a root's standing, if none is named."""
        return self._bound(self._reasons(), peers or self._unvouched())

    def _unvouched(self) -> tuple[PeerId, ...]:
        told = {row.peer for row in self.state.pooled} - {self.me}
        seen = {row.peer for row in self.state.evidence if row.evidence.resolved}
        return tuple(sorted(told - seen - set(believing.roots(self.state, self.policy, self.now))))

    def _reasons(self) -> Reasons:
        return Reasons.of(pooling.testimony(self.state, self.policy, self.me, self.now))

    def _bound(self, reasons: Reasons, peers: Sequence[PeerId]) -> views.BoundView:
        held = reasons.bound(peers)
        return views.BoundView(
            peers=tuple(self.name(peer) for peer in peers),
            mass=held.mass,
            bound=held.bound,
            inflow=held.flow,
            slack=held.slack,
            pre_trust=held.seeds,
        )

    def _outcomes(self, peer: PeerId) -> Iterable[views.OutcomeView]:
        """Own tasks, newest first, then background audits."""
        state = self.state
        own = [row for row in state.replicas if row.peer == peer and row.state in SEEN]
        for replica in sorted(own, key=lambda row: -state.tasks[row.task].created):
            task = state.tasks[replica.task]
            yield views.OutcomeView(
                task=task.id,
                benchmark=task.benchmark,
                model_name=task.model_name,
                outcome=SEEN[replica.state],
                by="audit",
            )
        for result in state.results:
            if result.evaluator == peer and result.task not in state.tasks and result.standing in ("me", "refuted"):
                yield views.OutcomeView(
                    task=result.task,
                    benchmark=result.benchmark,
                    model_name=result.model_name,
                    outcome="agrees" if result.standing == "me" else "differs",
                    by="background audit",
                )


def _fields(view: views.ReputationView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}
