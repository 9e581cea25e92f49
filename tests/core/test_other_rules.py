"""A node set to another rule for how much to check: the same machine, other steps (trust.md §5)."""

from __future__ import annotations

import pytest
from small_world import World

from p2peval.core.messages import ResultRecord
from p2peval.core.policy import Policy
from p2peval.core.record_check import examine, is_certified
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.types import TaskId
from p2peval.defaults import NETWORK_ID
from p2peval.wire.envelope import open_envelope


class Ruled(World):
    """A requester that goes by ``checking``, and evaluators of whom the first ``liars`` lie."""

    def __init__(self, checking: str, *, evaluators: int = 5, liars: int = 0) -> None:
        super().__init__(evaluators + 1, seed=1)
        self.requester, *self.evaluators = self.all
        self.requester.node._ctx.policy = Policy(checking=checking)
        for host in self.evaluators[:liars]:
            host.lies = True
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)

    def ask(self, name: str = "model") -> TaskId:
        task = self.start(self.requester, self.benchmark, name)
        self.run_until(lambda: self.state(task) in (TaskState.ACCEPTED, TaskState.FAILED))
        return task

    def state(self, task: TaskId) -> TaskState:
        return self.requester.node.state.tasks[task].state

    def answered(self, task: TaskId) -> int:
        return sum(bool(row.reveal) for row in self.requester.node.state.replicas.of(task))

    def streaks(self) -> set[int]:
        return {row.evidence.streak for row in self.requester.node.state.evidence}


def test_no_checking_takes_the_first_answer_and_the_record_says_that_nobody_looked() -> None:
    world = Ruled("none", liars=5)
    task = world.ask()
    world.run(2.0)
    assert world.state(task) is TaskState.ACCEPTED
    result = world.requester.node.state.results[task]
    assert (result.certificate, result.certified, result.standing) == (None, False, "claimed")
    assert result.metrics
    assert world.evaluators[0].node.state.results[task].certificate is None
    record = open_envelope(world.requester.disk.envelopes[result.record], NETWORK_ID).payload
    assert isinstance(record, ResultRecord)
    spec = world.requester.node.state.benchmarks[world.benchmark].spec
    contents = examine(spec, record, lambda data: open_envelope(data, NETWORK_ID))
    assert not is_certified(contents)
    assert [check.drawn for check in record.checks] == [0]
    assert not list(world.requester.node.state.evidence), "nothing was seen, so nothing is known"


@pytest.mark.parametrize("wanted", [2, 3])
def test_quorum_asks_as_many_as_must_agree_and_none_of_it_is_evidence(wanted: int) -> None:
    world = Ruled(f"quorum-{wanted}")
    task = world.ask()
    assert (world.state(task), world.answered(task)) == (TaskState.ACCEPTED, wanted)
    assert all(row.evidence.alpha == row.evidence.beta == 0.0 for row in world.requester.node.state.evidence)


def test_an_answer_that_only_agreed_is_shown_as_unchecked_beside_the_one_that_was_taken() -> None:
    world = Ruled("quorum-2", liars=1, evaluators=3)
    tasks = [world.ask(f"model-{number}") for number in range(6)]
    told = set()
    for task in tasks:
        rows = world.requester.node.state.replicas.of(task)
        (taken,) = [row for row in rows if row.state is ReplicaState.AGREES]
        assert dict(taken.numbers)["agreeing"] == 2
        others = {row for row in rows if row is not taken}
        assert {row.state for row in others} == {ReplicaState.FETCHED}
        told |= {(row.peer == world.evaluators[0].id, row.reason) for row in others}
    assert told == {(False, "said the same, nothing re-run"), (True, "said otherwise, nothing re-run")}


def test_quorum_asks_on_where_two_disagree_until_two_agree() -> None:
    for seed in range(8):
        world = Ruled("quorum-2", evaluators=4, liars=1)
        world.requester.node._ctx.rng.seed(seed)
        task = world.ask()
        result = world.requester.node.state.results[task]
        assert result.evaluator != world.evaluators[0].id
        if world.answered(task) == 3:
            return
    raise AssertionError("the liar was never among the first two")


def test_boinc_replicates_newcomers_and_takes_the_long_confirmed_mostly_at_their_word() -> None:
    world = Ruled("boinc", evaluators=2)
    assert [world.answered(world.ask(f"early-{number}")) for number in range(10)] == [2] * 10
    assert world.streaks() == {10}
    later = [world.answered(world.ask(f"later-{number}")) for number in range(20)]
    assert later.count(1) > later.count(2)


def test_sarmenta_asks_until_the_answer_is_credible_and_learns_from_spot_checks_alone() -> None:
    world = Ruled("sarmenta", evaluators=8)
    tasks = [world.ask(f"model-{number}") for number in range(12)]
    assert {world.state(task) for task in tasks} == {TaskState.ACCEPTED}
    assert all(world.answered(task) >= 2 or self_checked(world, task) for task in tasks)
    assert any(self_checked(world, task) for task in tasks)


def self_checked(world: Ruled, task: TaskId) -> bool:
    rows = world.requester.node.state.replicas.of(task)
    return any(row.state is ReplicaState.AGREES and row.audited == world.samples for row in rows)


def test_a_requester_that_is_killed_while_it_takes_an_answer_as_it_is_takes_it_once() -> None:
    for kill_at in range(1, 40, 3):
        world = Ruled("quorum-2", evaluators=2)
        world.kill_at, world.victim = world.performed + kill_at, world.requester.id
        task = world.start(world.requester, world.benchmark)
        world.run_until(lambda: world.state(task) in (TaskState.ACCEPTED, TaskState.FAILED))  # noqa: B023
        assert world.state(task) is TaskState.ACCEPTED
