"""Tasks whose answer is known: a full check for who cannot compute, and for everybody who would rather not."""

from __future__ import annotations

from consult_world import DELTA_NANO, EPSILON_NANO, ConsultWorld
from small_world import blob

from p2peval.core.events import StartTask
from p2peval.core.rows import ReplicaState, TaskRow, TaskState
from p2peval.core.task import OVER
from p2peval.trust.evidence import Evidence


def probe(world: ConsultWorld, known: TaskRow) -> TaskRow:
    disguised, state = blob("in other clothes"), world.requester.node.state
    world.requester.blobs.add(disguised.cid)
    command = StartTask("probe", world.benchmark, disguised, "model-1", EPSILON_NANO, DELTA_NANO, 1, known=known.id)
    world.requester.handle(command)
    task = list(state.tasks)[-1].id
    judged = (ReplicaState.DIFFERS, ReplicaState.AGREES)
    world.run_until(
        lambda: state.tasks[task].state in OVER or any(row.state in judged for row in state.replicas.of(task))
    )
    world.run(5.0)
    return state.tasks[task]


def evidence(world: ConsultWorld) -> Evidence:
    return world.requester.node.state.evidence[world.evaluator.id].evidence


def test_a_known_answer_checks_every_output_without_a_run_and_counts_as_a_check_of_ones_own() -> None:
    world = ConsultWorld(12)
    known = world.ask()
    asked = world.sampled
    task = probe(world, known)
    assert task.state is TaskState.ACCEPTED, task.reason
    assert (world.replica(task).audited, world.replica(task).why) == (world.samples, "known_answer")
    assert world.own_draws == [0, 0]
    assert world.sampled == asked  # no auditor was asked
    assert (evidence(world).streak, evidence(world).agreed) == (2, 1)
    assert evidence(world).alpha > 0.9


def test_one_false_output_of_two_hundred_is_found_and_ends_the_streak_but_convicts_nobody() -> None:
    """One of two answers is false, and who cannot compute cannot know which."""
    world = ConsultWorld(12, altered=1)
    known = world.ask()
    world.evaluator.lies = True
    task = probe(world, known)
    assert task.state is not TaskState.ACCEPTED
    assert world.replica(task).state is ReplicaState.DIFFERS
    assert len(world.replica(task).differing) == 1
    assert (evidence(world).streak, evidence(world).beta) == (0, 0.0)
    assert not any(len(host.node.state.convictions) for host in world.all)


def test_a_requester_that_can_compute_convicts_by_its_own_rerun_of_what_differs() -> None:
    world = ConsultWorld(12, altered=1)
    known = world.ask()
    world.set_policy(world.requester, computes=True)
    world.evaluator.lies = True
    task = probe(world, known)
    assert world.replica(task).state is ReplicaState.DIFFERS
    assert world.requester.node.state.convictions.of(world.evaluator.id)
    assert all(auditor.node.state.convictions.of(world.evaluator.id) for auditor in world.auditors)


def test_the_announcement_of_a_known_answer_says_nothing_of_it() -> None:
    world = ConsultWorld(12)
    task = probe(world, world.ask())
    announced = world.requester.sealer.open(task.announcement).payload
    first = next(iter(world.requester.node.state.tasks))
    assert announced.slot != world.requester.sealer.open(first.announcement).payload.slot
    assert first.id.encode() not in task.announcement
    assert first.model.cid.encode() not in task.announcement
