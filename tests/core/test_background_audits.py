"""What a stranger may believe: others' records, audited by every member on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from belief_world import BeliefWorld, watchful
from small_world import Host

from p2peval.core.belief_rows import WatchState
from p2peval.core.effects import Compare
from p2peval.core.leaderboard import CLAIMED, MINE, REFUTED, UNAUDITABLE, board
from p2peval.defaults import BACKGROUND_SHARE, OUTPUTS_PATIENCE, WATCH_AGAIN, WATCH_PAUSE, WATCH_SAMPLES


class Conspiracy(BeliefWorld):
    """Host 0 asks, host 1 evaluates, and they are one person: host 0's audit finds whatever 1 says true."""

    def __init__(self, *, lies: bool) -> None:
        super().__init__(4)
        self.requester, self.evaluator, *self.members = self.all
        self.evaluator.lies = lies
        for member in self.members:
            watchful(member)
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)
        self.task = self.start(self.requester, self.benchmark)
        self.run_until(lambda: all(self.task in member.node.state.results for member in self.members))

    def _compare(self, host: Host, effect: Compare) -> None:
        if host is self.requester:
            effect = replace(effect, outputs=self._outputs(effect.evaluator, effect.spec, False)[1])
        super()._compare(host, effect)

    def standings(self) -> list[str]:
        return [member.node.state.results[self.task].standing for member in self.members]

    def believed(self, member: Host) -> float:
        return member.node.state.evidence[self.evaluator.id].evidence.mean


def test_a_fake_record_is_a_claim_first_and_refuted_by_every_members_own_audit() -> None:
    world = Conspiracy(lies=True)
    assert world.standings() == [CLAIMED, CLAIMED]
    world.run(4 * WATCH_PAUSE)
    assert world.standings() == [REFUTED, REFUTED]
    for member in world.members:
        assert world.believed(member) < 0.5
        assert [row.standing for row in board(member.node.state, world.benchmark)] == [REFUTED]
        assert [row.state for row in member.node.state.watches] == [WatchState.DONE]


def test_a_true_record_is_ranked_with_the_certificate_of_ones_own_samples() -> None:
    world = Conspiracy(lies=False)
    world.run(4 * WATCH_PAUSE)
    assert world.standings() == [MINE, MINE]
    for member in world.members:
        certificate = member.node.state.results[world.task].certificate
        assert certificate is not None
        assert certificate.audited == WATCH_SAMPLES
        assert 0.6 < certificate.epsilon_nano / 1e9 < 0.8  # C(197, 30) / C(200, 30) = .613
        assert world.believed(member) > 0.5


def test_outputs_that_nobody_serves_leave_the_record_unranked_without_blame() -> None:
    world = Conspiracy(lies=True)
    world.disconnect(world.requester)
    world.disconnect(world.evaluator)
    world.run(4 * WATCH_PAUSE + 2 * OUTPUTS_PATIENCE)
    assert world.standings() == [UNAUDITABLE, UNAUDITABLE]
    assert all(world.evaluator.id not in member.node.state.evidence for member in world.members)


def test_outputs_that_are_served_later_are_audited_then() -> None:
    world = Conspiracy(lies=True)
    world.disconnect(world.evaluator)
    world.disconnect(world.requester)
    world.run(4 * WATCH_PAUSE + 2 * OUTPUTS_PATIENCE)
    assert world.standings() == [UNAUDITABLE, UNAUDITABLE]
    world.reconnect(world.evaluator)
    world.reconnect(world.requester)
    world.run(WATCH_AGAIN + 4 * WATCH_PAUSE)
    assert world.standings() == [REFUTED, REFUTED]


def test_two_members_draw_different_samples_of_the_same_record() -> None:
    world = Conspiracy(lies=False)
    drawn = {member.secrets.nonce("watch", member.node.state.results[world.task].record) for member in world.members}
    assert len(drawn) == len(world.members)


def test_audits_take_no_more_than_their_share_of_the_time() -> None:
    world = Conspiracy(lies=False)
    world.job_s = 30.0
    second = world.start(world.requester, world.benchmark, "second")
    member = world.members[0]
    watches = member.node.state.watches

    def done(count: int) -> Callable[[], bool]:
        return lambda: len(watches.of(WatchState.DONE)) == count

    world.run_until(done(1), patience=1000.0)
    first = world.now
    assert second in watches
    world.run_until(done(2), patience=4000.0)
    assert world.now - first >= 30.0 / BACKGROUND_SHARE
    assert world.now - first <= 2 * 30.0 / BACKGROUND_SHARE + 60.0 + 2 * WATCH_PAUSE


def test_a_killed_member_goes_on_with_its_audit() -> None:
    world = Conspiracy(lies=True)
    member = world.members[0]
    world.run_until(lambda: len(member.disk.outbox) > 0)
    member.restart()
    watchful(member)
    world.run(6 * WATCH_PAUSE)
    assert world.standings()[0] == REFUTED
