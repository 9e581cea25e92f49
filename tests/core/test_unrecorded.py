"""A requester that takes a reveal and publishes nothing: its evaluator shows everybody what it said."""

from __future__ import annotations

from dataclasses import replace

from belief_world import BeliefWorld, watchful
from small_world import Host

from p2peval.core.effects import Compare, Publish
from p2peval.core.events import MessageReceived
from p2peval.core.leaderboard import CLAIMED, MINE, REFUTED
from p2peval.core.messages import ResultRecord, Reveal
from p2peval.core.parts import Efficiency
from p2peval.core.policy import Policy
from p2peval.core.rows import DutyState, TaskState
from p2peval.core.types import AssignmentId, ObjectId, PeerId
from p2peval.core.unrecorded import REVISION
from p2peval.defaults import DELIVER_PATIENCE, NETWORK_ID, REANNOUNCE_AFTER, WATCH_PAUSE
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import cid_of


class Silence(BeliefWorld):
    """Host 0 asks, host 1 evaluates; host 0's record reaches nobody. Host 2 is a member that looks on."""

    def __init__(self, *, lies: bool = False) -> None:
        super().__init__(3)
        self.requester, self.evaluator, self.member = self.all
        self.evaluator.lies = lies
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)
        watchful(self.member)
        self.task = self.start(self.requester, self.benchmark)
        self.run_until(lambda: self.requester.node.state.tasks[self.task].state is TaskState.ACCEPTED)
        self.disconnect(self.requester)

    def _gossip(self, host: Host, effect: Publish) -> None:
        if effect.type != ResultRecord.__name__:
            super()._gossip(host, effect)

    def _compare(self, host: Host, effect: Compare) -> None:
        if host is self.requester:  # it accepts whatever its friend says
            effect = replace(effect, outputs=self._outputs(effect.evaluator, effect.spec, False)[1])
        super()._compare(host, effect)

    def until_told(self) -> None:
        self.run_until(lambda: self.task in self.member.node.state.results, patience=3 * DELIVER_PATIENCE)

    def standing(self) -> str:
        return self.member.node.state.results[self.task].standing


def told(host: Host, envelope: bytes, via: Host) -> str:
    sealed = host.sealer.open(envelope)
    host.handle(MessageReceived(sealed, via.id, "told"))
    return host.replies["told"].error


def test_an_evaluator_shows_what_it_revealed_when_no_record_comes_and_members_audit_it() -> None:
    world = Silence()
    world.until_told()
    result = world.member.node.state.results[world.task]
    assert (result.standing, result.revision, result.metrics) == (CLAIMED, REVISION, ())
    assert (result.requester, result.evaluator) == (world.requester.id, world.evaluator.id)
    assert "record.withheld" in world.member.kinds()
    assert world.evaluator.node.state.duties[world.task].state is DutyState.FAILED
    world.requester.up = True  # somebody must serve the model
    world.run(4 * WATCH_PAUSE)
    result = world.member.node.state.results[world.task]
    assert (result.standing, result.metrics[0].name) == (MINE, "accuracy")


def test_what_a_liar_shows_is_refuted_by_each_members_own_audit() -> None:
    world = Silence(lies=True)
    world.until_told()
    world.requester.up = True
    world.run(4 * WATCH_PAUSE)
    assert world.standing() == REFUTED
    assert world.member.node.state.convictions.of(world.evaluator.id)


def test_a_record_that_comes_later_takes_the_reveals_place() -> None:
    world = Silence()
    world.until_told()
    record = world.requester.node.state.tasks[world.task].record
    assert told(world.member, world.requester.disk.envelopes[record], world.requester) == ""
    result = world.member.node.state.results[world.task]
    assert (result.record, result.revision) == (record, 1)


def a_reveal(world: Silence) -> Reveal:
    (replica,) = world.requester.node.state.replicas.of(world.task)
    reveal = world.requester.sealer.open(replica.reveal).payload
    assert isinstance(reveal, Reveal)
    return reveal


def test_nobody_takes_a_records_place_before_its_time() -> None:
    world = Silence()
    envelope = world.evaluator.sealer.seal(a_reveal(world)).envelope
    assert told(world.member, envelope, world.evaluator) == "too_early"
    world.run(DELIVER_PATIENCE)
    assert told(world.member, envelope, world.evaluator) == ""


def test_a_reveal_of_what_is_recorded_or_unknown_or_of_another_size_is_refused() -> None:
    world = Silence()
    world.run(DELIVER_PATIENCE)
    reveal, sealer = a_reveal(world), world.evaluator.sealer
    stray = replace(reveal, task=ObjectId(cid_of(b"stray")))
    assert told(world.member, sealer.seal(stray).envelope, world.evaluator) == "unknown_task"
    assert told(world.member, sealer.seal(replace(reveal, samples=7)).envelope, world.evaluator) == "wrong_size"
    record = world.requester.disk.envelopes[world.requester.node.state.tasks[world.task].record]
    assert told(world.member, record, world.requester) == ""
    assert told(world.member, sealer.seal(reveal).envelope, world.evaluator) == "record_is_known"


def test_a_strangers_reveal_takes_no_task_away_from_those_who_would_evaluate_it() -> None:
    world = BeliefWorld(2)
    requester, evaluator = world.all
    benchmark = world.publish(requester)
    world.everybody_joins(benchmark, requester)
    evaluator.node._ctx.policy = Policy(accept_from=(PeerId("nobody"),))
    task = world.start(requester, benchmark)
    world.run(DELIVER_PATIENCE + 1.0)
    stranger, spec = EnvelopeSealer(bytes(32)), evaluator.node.state.benchmarks[benchmark].spec
    root, outputs = world._outputs(stranger.peer_id, spec, True)
    somewhere = ObjectId(cid_of(b"no assignment"))
    squat = Reveal(
        NETWORK_ID, stranger.peer_id, task, AssignmentId(somewhere), somewhere, "class", spec.samples, root, bytes(32),
        outputs, Efficiency(1, 1),
    )  # fmt: skip
    assert told(evaluator, stranger.seal(squat).envelope, requester) == ""
    world.run(1.0)
    assert evaluator.node.state.results[task].evaluator == stranger.peer_id
    evaluator.node._ctx.policy = Policy()
    world.run_until(
        lambda: requester.node.state.tasks[task].state is TaskState.ACCEPTED, patience=2 * REANNOUNCE_AFTER + 60.0
    )
    world.run(1.0)
    assert evaluator.node.state.results[task].evaluator == evaluator.id
