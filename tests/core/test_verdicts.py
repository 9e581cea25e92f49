"""What a task's audit makes of each verdict: whom it costs, and what happens next."""

from __future__ import annotations

import pytest
from small_world import Host, World

from p2peval.core.effects import Compare
from p2peval.core.events import ComparisonFinished, Introduced
from p2peval.core.parts import Defined, MetricReport
from p2peval.core.rows import ReplicaState, TaskState
from p2peval.core.types import PeerId, TaskId
from p2peval.core.verdict import REASONS, Verdict


class Court(World):
    """Audits end as ``verdicts`` says of their evaluator; of others, everybody agrees."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.verdicts: dict[PeerId, Verdict] = {}
        self.requester = self.all[0]
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)

    def _compare(self, host: Host, effect: Compare) -> None:
        verdict = self.verdicts.get(effect.evaluator, Verdict.AGREES)
        differing = () if verdict is Verdict.AGREES else (3, 5)
        reports = tuple(MetricReport(name, Defined.VALUE, 900_000_000, None, None) for name in effect.spec.metrics)
        host.handle(
            ComparisonFinished(effect.id, effect.task, effect.assignment, verdict, effect.drawn, differing, reports)
        )

    def ask(self, replicas: int = 1) -> TaskId:
        task = self.start(self.requester, self.benchmark, replicas=replicas)
        over = (TaskState.ACCEPTED, TaskState.FAILED)
        self.run_until(lambda: self.requester.node.state.tasks[task].state in over)
        return task

    def blamed(self) -> set[PeerId]:
        return {
            row.peer
            for row in self.requester.node.state.evidence
            if row.evidence.agreed < row.evidence.resolved or row.evidence.mean < 0.5
        }

    def replicas(self) -> dict[PeerId, ReplicaState]:
        return {row.peer: row.state for row in self.requester.node.state.replicas}


@pytest.mark.parametrize("verdict", [Verdict.BATCH_DEPENDENT, Verdict.ILL_CONDITIONED])
def test_an_invalid_model_fails_its_task_at_once_and_nobodys_evidence_changes(verdict: Verdict) -> None:
    world = Court(3)
    world.verdicts = {host.id: verdict for host in world.all}
    row = world.requester.node.state.tasks[world.ask()]
    assert (row.state, row.reason, row.looks) == (TaskState.FAILED, REASONS[verdict], 1)
    assert row.reason.startswith(f"invalid: {verdict.value.replace('_', '-')}")
    assert not len(world.requester.node.state.evidence)


def test_an_invalid_model_found_by_one_replica_fails_the_task_of_all() -> None:
    world = Court(4)
    world.verdicts = {world.all[2].id: Verdict.BATCH_DEPENDENT}
    task = world.ask(replicas=3)
    assert world.requester.node.state.tasks[task].state is TaskState.FAILED
    assert not world.blamed()


def test_a_doubtful_replica_is_neither_accepted_nor_blamed_and_another_evaluator_is_asked() -> None:
    world = Court(3)
    first, second = world.all[1], world.all[2]
    world.verdicts = {first.id: Verdict.DOUBTFUL, second.id: Verdict.DOUBTFUL}
    task = world.ask()
    row = world.requester.node.state.tasks[task]
    assert (row.state, row.looks) == (TaskState.FAILED, 2)
    assert world.replicas() == {first.id: ReplicaState.DOUBTFUL, second.id: ReplicaState.DOUBTFUL}
    assert not len(world.requester.node.state.evidence)
    assert task not in world.requester.node.state.results


def test_beside_a_doubtful_replica_one_that_agrees_is_accepted_and_the_record_holds_for_others() -> None:
    world = Court(4)
    doubtful = world.all[1]
    world.verdicts = {doubtful.id: Verdict.DOUBTFUL}
    task = world.ask(replicas=3)
    result = world.requester.node.state.results[task]
    assert doubtful.id not in (result.evaluator, *result.evaluators)
    assert len(result.evaluators) == 2
    assert doubtful.id not in {row.peer for row in world.requester.node.state.evidence}
    world.run(1.0)
    assert world.all[2].node.state.results[task].evaluators == result.evaluators


@pytest.mark.parametrize("verdict", [Verdict.DIFFERS, Verdict.NOT_AUTHENTIC])
def test_what_is_beyond_doubt_costs_its_evaluator_and_nobody_else(verdict: Verdict) -> None:
    world = Court(4)
    liar = world.all[1]
    world.verdicts = {liar.id: verdict}
    world.ask(replicas=3)
    assert world.blamed() == {liar.id}


def test_after_a_doubt_peers_of_our_own_class_are_asked_before_better_known_ones() -> None:
    """Inside one class there is no doubt: outputs are the same bytes, or they are not."""
    world = Court(4)
    requester, known, alike, other = world.all
    for host in (known, other):
        host.handle(Introduced("abroad", ("/ip4/127.0.0.1/tcp/1",), ("another class",), 1, 1000))
    world.verdicts = {alike.id: Verdict.DIFFERS}
    while not {known.id, alike.id} <= world.replicas().keys():  # one earns a reputation, the other loses its own
        world.ask()
    world.verdicts = {known.id: Verdict.DOUBTFUL, other.id: Verdict.DOUBTFUL}
    task = world.ask()
    asked = [row.peer for row in requester.node.state.replicas if row.task == task]
    assert asked[-1] == alike.id
    assert len(asked) == 2
    assert requester.node.state.results[task].evaluator == alike.id


def test_an_evaluator_offers_the_class_of_the_benchmarks_own_recipe() -> None:
    world = World(2)
    requester, evaluator = world.all
    benchmark = world.publish(requester, profile="canonical")
    world.everybody_joins(benchmark, requester)
    world.start(requester, benchmark)
    world.run(0.5)
    assert [row.equivalence_class for row in requester.node.state.offers if row.peer == evaluator.id] == ["canonical"]
