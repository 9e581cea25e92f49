"""A node forgets the to and fro of old tasks, and nothing that a board or a reputation rests on."""

from __future__ import annotations

from small_world import Host, World

from p2peval.core.rows import TaskState
from p2peval.core.types import TaskId
from p2peval.defaults import OBJECT_RETENTION

LATER = OBJECT_RETENTION + 2 * 86_400.0


def types(host: Host) -> set[str]:
    return {row.type for row in host.node.state.objects}


def evaluated() -> tuple[World, Host, Host, TaskId]:
    world = World(2)
    requester, evaluator = world.all
    benchmark = world.publish(requester)
    world.everybody_joins(benchmark, requester)
    task = world.start(requester, benchmark)
    world.run_until(lambda: requester.node.state.tasks[task].state is TaskState.ACCEPTED)
    world.run(1.0)
    return world, requester, evaluator, task


def test_after_a_month_only_what_others_may_still_ask_for_is_left() -> None:
    world, requester, evaluator, task = evaluated()
    assert {"Assignment", "Commitment", "Reveal", "TaskAnnouncement"} <= types(requester)
    world.run(LATER)
    lasting = {"BenchmarkAnnouncement", "BenchmarkSpec", "PeerProfile", "ResultRecord", "TrustStatement"}
    for host in (requester, evaluator):
        assert types(host) == lasting
        assert task in host.node.state.results
    assert not list(evaluator.node.state.duties)
    assert not list(requester.node.state.offers)
    assert requester.node.state.evidence[evaluator.id].evidence.agreed == 1


def test_within_the_month_nothing_of_a_task_is_forgotten() -> None:
    world, requester, evaluator, task = evaluated()
    before = types(requester)
    world.run(OBJECT_RETENTION / 2)
    assert types(requester) == before | {"TrustStatement"}
    assert task in evaluator.node.state.duties
