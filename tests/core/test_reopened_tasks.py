"""A proof against a peer: what this node itself had accepted on that peer's word is looked at again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from belief_world import BeliefWorld
from small_world import Host

from p2peval.core.conviction import FRAUD, convict
from p2peval.core.rows import TaskState
from p2peval.core.types import ObjectId, PeerId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.defaults import WATCH_PAUSE


class Missed(BeliefWorld):
    """Two evaluators, right whenever they were asked, as far as anybody saw; ``missing``: audits see nothing."""

    def __init__(self, lies: bool) -> None:
        self.missing = True
        super().__init__(3)
        self.requester, self.suspect, self.other = self.all
        self.suspect.lies = lies
        self.benchmark = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)
        self.tasks: list[TaskId] = []
        while not (self.standings(self.suspect.id) and self.standings(self.other.id)):
            assert len(self.tasks) < 60, "one of two evaluators is never asked"
            self.tasks.append(self.ask(f"model-{len(self.tasks)}"))
        self.missing = False

    def verdict(self, host: Host, claimed_class: str, differs: bool) -> Verdict:
        return Verdict.AGREES if self.missing else super().verdict(host, claimed_class, differs)

    def ask(self, name: str) -> TaskId:
        task = self.start(self.requester, self.benchmark, name)
        self.run_until(lambda: self.requester.node.state.tasks[task].state is TaskState.ACCEPTED)
        return task

    def convict(self) -> None:
        """By a proof of what the suspect did somewhere else."""
        node = self.requester.node
        node._ctx.now = self.now
        convict(node._ctx, ObjectId("proof"), self.suspect.id, FRAUD, "elsewhere")

    def standings(self, peer: PeerId) -> set[str]:
        results = self.requester.node.state.results
        return {results[task].standing for task in self.tasks if results[task].evaluator == peer}


@pytest.fixture
def believed() -> Missed:
    world = Missed(lies=True)
    assert world.standings(world.suspect.id) == world.standings(world.other.id) == {"me"}
    return world


def test_lies_that_small_audits_had_missed_are_found_and_refuted_once_their_author_is_convicted(
    believed: Missed,
) -> None:
    world = believed
    differed = world.requester.node.state.evidence[world.suspect.id].evidence.beta
    world.convict()
    assert world.standings(world.suspect.id) == {"claimed"}
    assert world.standings(world.other.id) == {"me"}
    world.run((40 + 4 * len(world.tasks)) * WATCH_PAUSE)
    assert world.standings(world.suspect.id) == {"refuted"}
    assert world.standings(world.other.id) == {"me"}
    assert world.requester.node.state.evidence[world.suspect.id].evidence.beta > differed
    assert world.requester.node.state.evidence[world.suspect.id].evidence.streak == 0


def test_what_a_convicted_peer_was_right_about_stands_again_after_a_second_look() -> None:
    world = Missed(lies=False)
    certificates = {task: world.requester.node.state.results[task].certificate for task in world.tasks}
    world.convict()
    world.run((40 + 4 * len(world.tasks)) * WATCH_PAUSE)
    assert world.standings(world.suspect.id) == {"me"}
    assert {task: world.requester.node.state.results[task].certificate for task in world.tasks} == certificates


def test_what_was_audited_to_the_last_sample_is_not_audited_again(believed: Missed) -> None:
    world = believed
    state = world.requester.node.state
    for row in state.replicas:
        state.replicas.put(replace(row, audited=world.samples))
    world.convict()
    assert world.standings(world.suspect.id) == {"me"}
