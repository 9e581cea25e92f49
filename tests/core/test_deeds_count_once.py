"""One deed is one piece of evidence, however often it is seen; and what speaks against a result is never lost."""

from __future__ import annotations

from dataclasses import replace

from belief_world import BeliefWorld, watchful
from consult_world import ConsultWorld
from court import Court, kinds
from small_world import Host
from test_background_audits import Conspiracy
from test_blind_audits import Gallery
from test_known_answers import probe

from p2peval.core.belief_rows import WatchState
from p2peval.core.checking import FraudProof
from p2peval.core.conviction import FRAUD, convict, is_convicted, refute, reopen
from p2peval.core.effects import Compare, Effect, Prove, Publish
from p2peval.core.events import JobFailed, MessageReceived
from p2peval.core.leaderboard import CLAIMED, MINE, REFUTED
from p2peval.core.messages import ResultRecord
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.task import OVER
from p2peval.core.types import ObjectId, PeerId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.defaults import WATCH_PAUSE, WATCH_SAMPLES
from p2peval.trust.evidence import Evidence


def evidence(host: Host, peer: Host) -> Evidence:
    return host.node.state.evidence[peer.id].evidence


class Hushed(Court):
    """A court whose evaluator lies once, while no proof of it is told by anybody but the tests."""

    def __init__(self) -> None:
        super().__init__(lies=False)
        self.evaluator.lies = True
        self.task = self.ask("second")

    def _gossip(self, host: Host, effect: Publish) -> None:
        if effect.type != FraudProof.__name__:
            super()._gossip(host, effect)


def test_two_proofs_of_one_lie_at_two_samples_are_one_disagreement_and_one_conviction() -> None:
    world = Hushed()
    member = world.members[0]
    for accuser, index in ((world.accuser, 0), (world.members[1], 2)):
        proof = accuser.sealer.seal(world.proof(index, author=accuser.id))
        member.handle(MessageReceived(proof, world.requester.id))
    assert len(member.node.state.proofs) == 2
    world.run(5.0)
    assert kinds(member, world.evaluator) == ["fraud-proof"]
    assert (evidence(member, world.evaluator).resolved, len(member.node.state.proofs)) == (1, 0)
    assert evidence(member, world.evaluator).beta < 1.01


def test_what_ones_own_audit_found_false_is_not_counted_again_when_a_proof_of_it_comes() -> None:
    class Unproven(Hushed):
        def perform(self, host: Host, effect: Effect) -> None:
            if isinstance(effect, Prove) and host is self.requester:
                return host.handle(JobFailed(effect.id, "the disk is full"))
            super().perform(host, effect)

    world = Unproven()
    assert evidence(world.requester, world.evaluator).resolved == 2
    proof = world.accuser.sealer.seal(world.proof(0))
    world.requester.handle(MessageReceived(proof, world.accuser.id))
    world.run(5.0)
    assert kinds(world.requester, world.evaluator) == ["fraud-proof"]
    assert evidence(world.requester, world.evaluator).resolved == 2


def test_outputs_that_a_proof_shows_false_are_not_accepted_though_the_audit_that_was_under_way_misses_it() -> None:
    class Missing(Hushed):
        """The requester's audit of the lie takes long and sees nothing."""

        def _compare(self, host: Host, effect: Compare) -> None:
            true = self._outputs(effect.evaluator, effect.spec, False)[1]
            pause = 60.0 if self.evaluator.lies else 0.0
            self.later(pause, lambda: super(Hushed, self)._compare(host, replace(effect, outputs=true)))

        def ask(self, model: str) -> TaskId:
            if not self.evaluator.lies:
                return super().ask(model)
            task = self.start(self.requester, self.benchmark, model)
            rows = self.requester.node.state.replicas
            self.run_until(lambda: any(row.state is ReplicaState.FETCHED for row in rows.of(task)))
            return task

    world = Missing()
    (replica,) = world.requester.node.state.replicas.of(world.task)
    assert replica.drawn
    world.requester.handle(MessageReceived(world.accuser.sealer.seal(world.proof(0)), world.accuser.id))
    world.run(120.0)
    assert kinds(world.requester, world.evaluator) == ["fraud-proof"]
    assert world.requester.node.state.tasks[world.task].state is not TaskState.ACCEPTED
    assert world.requester.node.state.replicas[replica.id].state is ReplicaState.DIFFERS
    assert evidence(world.requester, world.evaluator).streak == 0
    assert (evidence(world.requester, world.evaluator).resolved, evidence(world.requester, world.evaluator).agreed) == (
        2,
        1,
    )


def test_a_record_that_is_revised_is_audited_again_and_speaks_for_its_evaluator_once() -> None:
    world = Conspiracy(lies=False)
    member = world.members[0]
    world.run(4 * WATCH_PAUSE)
    assert evidence(member, world.evaluator).agreed == 1
    record = member.node.state.results[world.task].record
    held = world.requester.sealer.open(world.requester.disk.envelopes[record]).payload
    assert isinstance(held, ResultRecord)
    revised = world.requester.sealer.seal(replace(held, revision=2, finished_ms=held.finished_ms + 1))
    member.handle(MessageReceived(revised, world.requester.id))
    assert member.node.state.watches[world.task].state is WatchState.WAITING
    world.run(40 * WATCH_PAUSE)
    assert member.node.state.results[world.task].standing == MINE
    assert member.node.state.watches[world.task].record == revised.id
    assert evidence(member, world.evaluator).agreed == 1


def test_a_proof_that_comes_while_a_record_is_audited_has_it_audited_anew_with_a_larger_draw() -> None:
    world = Conspiracy(lies=False)
    member = world.members[0]
    watches, results = member.node.state.watches, member.node.state.results
    world.run_until(lambda: watches[world.task].state is WatchState.UNDER_WAY)
    ctx = member.node._ctx
    ctx.now = world.now
    convict(ctx, ObjectId("proof"), world.evaluator.id, FRAUD, "elsewhere")
    world.run(60 * WATCH_PAUSE)
    certificate = results[world.task].certificate
    assert certificate is not None
    assert (results[world.task].standing, certificate.audited > WATCH_SAMPLES) == (MINE, True)
    assert watches[world.task].reopened == 1


class Twins(BeliefWorld):
    """Two evaluators say the same, which is false; no audit sees it before ``sees``."""

    def __init__(self) -> None:
        self.sees = False
        super().__init__(4)
        self.requester, self.one, self.other, self.member = self.all
        watchful(self.member)
        self.one.lies = self.other.lies = True
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)
        self.task = self.start(self.requester, self.benchmark, "model", 2)
        state = self.requester.node.state
        self.run_until(lambda: state.tasks[self.task].state is TaskState.ACCEPTED)

    def verdict(self, host: Host, claimed_class: str, differs: bool) -> Verdict:
        return super().verdict(host, claimed_class, differs) if self.sees else Verdict.AGREES

    def standing(self) -> str:
        return self.requester.node.state.results[self.task].standing

    def peer_not_accepted(self) -> PeerId:
        accepted = self.requester.node.state.results[self.task].evaluator
        return next(peer.id for peer in (self.one, self.other) if peer.id != accepted)


def test_a_proof_against_who_said_the_same_has_our_own_accepted_result_audited_anew() -> None:
    world = Twins()
    world.sees = True
    ctx = world.requester.node._ctx
    refute(ctx, world.task, world.peer_not_accepted())
    assert world.standing() == CLAIMED
    world.requester.perform(world.requester.node.resume(world.now))
    world.run(20 * WATCH_PAUSE)
    assert world.standing() == REFUTED


def test_a_proof_against_who_said_otherwise_leaves_our_own_accepted_result_as_it_is() -> None:
    world = BeliefWorld(4)
    requester, honest, liar, _ = world.all
    liar.lies = True
    benchmark = world.publish(requester)
    world.everybody_joins(benchmark, requester)
    task = world.start(requester, benchmark, "model", 2)
    state = requester.node.state
    world.run_until(lambda: state.tasks[task].state in OVER)
    assert (state.tasks[task].state, state.results[task].evaluator) == (TaskState.ACCEPTED, honest.id)
    world.run(10.0)
    assert is_convicted(state, liar.id, world.now)
    assert (state.results[task].standing, task in state.watches) == (MINE, False)


def test_a_trusted_auditors_objection_has_our_own_accepted_result_audited_anew() -> None:
    world = Gallery()
    world.requester.perform(world.requester.node.resume(world.now))
    state = world.requester.node.state
    assert (state.results[world.task].standing, world.task in state.watches) == (MINE, False)
    reopen(world.requester.node._ctx, world.task)  # what core/blind.py does of a report that objects
    assert state.results[world.task].standing == CLAIMED
    world.run(20 * WATCH_PAUSE)
    assert state.results[world.task].standing == MINE


def test_where_a_known_answer_proves_to_be_the_false_one_it_is_audited_anew() -> None:
    world = ConsultWorld(12, lies=True, altered=100)
    world.requester.node._ctx.policy = replace(world.requester.node._ctx.policy, computes=True)
    missed = world.verdict
    world.verdict = lambda *_: Verdict.AGREES  # type: ignore[method-assign]
    known = world.ask()
    assert known.state is TaskState.ACCEPTED
    world.verdict = missed  # type: ignore[method-assign]
    world.evaluator.lies = False
    probe(world, known)
    world.requester.perform(world.requester.node.resume(world.now))
    world.run(20 * WATCH_PAUSE)
    assert world.requester.node.state.results[known.id].standing == REFUTED
