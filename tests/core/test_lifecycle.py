"""Whole tasks between nodes that do no I/O at all."""

from __future__ import annotations

from dataclasses import replace

from small_world import Host, World, blob

from p2peval.core.audit import sample_size
from p2peval.core.effects import Effect, RunEvaluation, Stop
from p2peval.core.events import CancelTask, MessageReceived, PublishBenchmark, StartTask
from p2peval.core.messages import Commitment, CommitmentSet, Reveal
from p2peval.core.rows import DutyState, ReplicaState, TaskState
from p2peval.core.types import TaskId


def finished(host: Host, task: TaskId) -> bool:
    return host.node.state.tasks[task].state in (TaskState.ACCEPTED, TaskState.FAILED, TaskState.CANCELLED)


def world_of(size: int, **options: int) -> tuple[World, list[Host], str]:
    world = World(size, **options)
    benchmark = world.publish(world.all[0])
    world.everybody_joins(benchmark, world.all[0])
    return world, world.all, benchmark


def test_two_nodes_take_a_task_from_announcement_to_acceptance() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    task = world.start(requester, benchmark)
    world.run_until(lambda: finished(requester, task))
    row = requester.node.state.tasks[task]
    assert row.state is TaskState.ACCEPTED
    result = requester.node.state.results[task]
    assert (result.standing, result.evaluator) == ("me", evaluator.id)
    world.run(1.0)
    assert evaluator.node.state.results[task].standing == "claimed"
    assert evaluator.node.state.duties[task].state is DutyState.DONE


def test_an_evaluation_says_for_whom_it_is_done() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    told = []
    perform = world.perform

    def watch(host: Host, effect: Effect) -> None:
        if isinstance(effect, RunEvaluation):
            told.append((host.id, effect.requester))
        perform(host, effect)

    world.perform = watch
    task = world.start(requester, benchmark)
    world.run_until(lambda: finished(requester, task))
    assert told == [(evaluator.id, requester.id)]


def test_who_is_still_running_when_the_task_is_over_stops() -> None:
    world, (requester, *evaluators), benchmark = world_of(3)
    given_up = []
    perform = world.perform

    def watch(host: Host, effect: Effect) -> None:
        if isinstance(effect, RunEvaluation):
            host.mute = all(not other.mute for other in evaluators)  # the first one never ends
        if isinstance(effect, Stop):
            given_up.append((host.mute, [id_.split("/")[0] for id_ in effect.effects]))
        perform(host, effect)

    world.perform = watch
    task = world.start(requester, benchmark)
    world.run_until(lambda: finished(requester, task))
    world.run(1.0)
    assert requester.node.state.tasks[task].state is TaskState.ACCEPTED
    assert given_up == [(True, ["inputs", "model", "run"])]


def test_the_certificate_of_a_first_look_is_the_exact_finite_one() -> None:
    world, (requester, _), benchmark = world_of(2, samples=1797)
    task = world.start(requester, benchmark)
    world.run_until(lambda: finished(requester, task))
    certificate = requester.node.state.results[task].certificate
    assert certificate is not None
    assert (certificate.audited, certificate.samples, certificate.epsilon_nano) == (405, 1797, 10_000_000)
    assert requester.node.state.results[task].certified


def test_five_nodes_audit_every_replica_and_catch_the_liar() -> None:
    world, hosts, benchmark = world_of(5)
    requester, liar = hosts[0], hosts[3]
    liar.lies = True
    task = world.start(requester, benchmark, replicas=4)
    world.run_until(lambda: finished(requester, task))
    states = {row.peer: row.state for row in requester.node.state.replicas if row.task == task}
    assert states[liar.id] is ReplicaState.DIFFERS
    assert sorted(state.value for state in states.values()) == ["agrees", "agrees", "agrees", "differs"]
    result = requester.node.state.results[task]
    assert result.evaluator != liar.id
    assert liar.id not in result.evaluators
    world.run(1.0)
    assert set(hosts[1].node.state.results[task].evaluators) == set(result.evaluators)
    liars_row = requester.node.state.evidence[liar.id].evidence
    honest_row = requester.node.state.evidence[hosts[1].id].evidence
    assert liars_row.mean < 0.5 < honest_row.mean


def test_replicas_of_one_look_share_the_epsilon_of_a_certificate() -> None:
    world, hosts, benchmark = world_of(5, samples=1797)
    task = world.start(hosts[0], benchmark, replicas=4, certify=True)
    world.run_until(lambda: finished(hosts[0], task))
    certificate = hosts[0].node.state.results[task].certificate
    assert certificate is not None
    assert (certificate.audited, certificate.epsilon_nano) == (sample_size(1797, 2_500_000, 10_000_000), 10_000_000)
    world.run(1.0)
    assert task in hosts[1].node.state.results


def test_a_lone_liar_is_replaced_and_the_second_look_spends_more() -> None:
    world, hosts, benchmark = world_of(3)
    requester, liar, honest = hosts
    liar.lies = True
    tasks = [world.start(requester, benchmark, f"model-{number}", certify=True) for number in range(6)]
    world.run_until(lambda: all(finished(requester, task) for task in tasks))
    rows = [requester.node.state.results[task] for task in tasks]
    assert {row.evaluator for row in rows} == {honest.id}
    twice = [row.certificate for row in rows if row.certificate and row.certificate.attempts == 2]
    assert twice, "the liar was never asked"
    assert all(certificate.epsilon_nano > 10_000_000 for certificate in twice)


def test_a_known_liar_is_not_asked_again_while_honest_peers_offer() -> None:
    world, hosts, benchmark = world_of(4)
    requester, liar = hosts[0], hosts[1]
    liar.lies = True
    first = world.start(requester, benchmark, "first", replicas=3)
    world.run_until(lambda: finished(requester, first))
    for number in range(5):
        task = world.start(requester, benchmark, f"later-{number}")
        world.run_until(lambda task=task: finished(requester, task))  # type: ignore[misc]
        assert all(row.peer != liar.id for row in requester.node.state.replicas if row.task == task)


def test_an_evaluator_that_vanishes_is_replaced_and_not_called_dishonest() -> None:
    world, hosts, benchmark = world_of(3)
    requester = hosts[0]
    for host in hosts[1:]:
        host.mute = True
    task = world.start(requester, benchmark)
    world.run_until(lambda: any(row.task == task for row in requester.node.state.replicas))
    world.run(0.5)
    (replica,) = [row for row in requester.node.state.replicas if row.task == task]
    gone = world.hosts[replica.peer]
    (other,) = [host for host in hosts[1:] if host is not gone]
    other.mute = False
    world.disconnect(gone)
    world.run_until(lambda: finished(requester, task))
    assert requester.node.state.results[task].evaluator == other.id
    evidence = requester.node.state.evidence[gone.id].evidence
    assert (evidence.silent, evidence.beta, evidence.mean) == (1, 0.0, 0.5)


def test_a_commitment_that_is_never_revealed_costs_a_quarter_and_the_task_goes_on() -> None:
    world, hosts, benchmark = world_of(3)
    requester = hosts[0]
    task = world.start(requester, benchmark)
    world.run_until(lambda: any(row.state is ReplicaState.COMMITTED for row in requester.node.state.replicas))
    (replica,) = [row for row in requester.node.state.replicas if row.task == task]
    world.disconnect(world.hosts[replica.peer])
    world.run_until(lambda: finished(requester, task))
    assert requester.node.state.tasks[task].state is TaskState.ACCEPTED
    assert requester.node.state.evidence[replica.peer].evidence.beta == 0.25


def test_without_an_evaluator_a_task_waits_and_takes_the_first_that_comes() -> None:
    world, (requester, evaluator), benchmark = world_of(2)
    world.disconnect(evaluator)
    task = world.start(requester, benchmark)
    world.run(60.0)
    assert requester.node.state.tasks[task].state is TaskState.ANNOUNCED
    assert "task.waiting" in requester.kinds()
    world.reconnect(evaluator)
    world.run_until(lambda: finished(requester, task))
    assert requester.node.state.tasks[task].state is TaskState.ACCEPTED


def test_a_cancelled_task_takes_no_more_offers() -> None:
    world, (requester, _), benchmark = world_of(2)
    task = world.start(requester, benchmark)
    requester.handle(CancelTask("cancel", task))
    world.run(30.0)
    assert requester.node.state.tasks[task].state is TaskState.CANCELLED
    assert not list(requester.node.state.replicas)


def test_a_late_joiner_pulls_the_records_it_missed_and_shows_the_same_board() -> None:
    world, hosts, benchmark = world_of(3)
    requester, _, late = hosts
    world.disconnect(late)
    task = world.start(requester, benchmark)
    world.run_until(lambda: finished(requester, task))
    world.reconnect(late)
    world.run(2.0)
    assert late.node.state.results[task].metrics == requester.node.state.results[task].metrics
    assert late.node.state.results[task].standing == "claimed"


def test_two_versions_in_one_slot_are_refused() -> None:
    world = World(1)
    (author,) = world.all
    world.publish(author)
    other = replace(world.spec(author), title="Another")
    author.handle(PublishBenchmark("again", other))
    assert "version" in author.replies["again"].detail


def test_a_task_on_a_benchmark_never_joined_is_refused() -> None:
    world = World(1)
    (host,) = world.all
    host.handle(StartTask("start", world.publish(host), blob("m"), "m", 0, 0, 99))
    assert host.replies["start"].error == "usage"


def test_a_commitment_after_the_window_counts_nothing() -> None:
    world, hosts, benchmark = world_of(2)
    requester, evaluator = hosts
    evaluator.mute = True
    task = world.start(requester, benchmark)
    world.run_until(lambda: evaluator.node.state.duties.get(task) is not None)
    world.run(2.0)
    duty = evaluator.node.state.duties[task]
    world.run(60.0)
    late = evaluator.sealer.seal(Commitment("p2peval-1", evaluator.id, task, duty.assignment, b"\1" * 32))
    requester.handle(MessageReceived(late, evaluator.id, "late"))
    assert requester.replies["late"].error == "window_closed"


def test_a_reveal_that_does_not_open_its_commitment_is_rejected() -> None:
    world, hosts, benchmark = world_of(2)
    requester, evaluator = hosts
    task = world.start(requester, benchmark)
    world.run_until(lambda: any(row.state is ReplicaState.COMMITTED for row in requester.node.state.replicas))
    (replica,) = list(requester.node.state.replicas)
    duty = evaluator.node.state.duties[task]
    assert duty.outputs is not None
    assert duty.efficiency is not None
    forged = evaluator.sealer.seal(
        Reveal(
            "p2peval-1",
            evaluator.id,
            task,
            replica.id,
            replica.commitment_id,
            "class",
            200,
            b"\7" * 32,
            b"\7" * 32,
            duty.outputs,
            duty.efficiency,
        )
    )
    requester.handle(MessageReceived(forged, evaluator.id, "forged"))
    assert requester.replies["forged"].error == "does_not_open"


def test_an_evaluator_reveals_only_after_its_commitment_is_in_the_set() -> None:
    world, hosts, benchmark = world_of(2)
    requester, evaluator = hosts
    task = world.start(requester, benchmark)
    world.run_until(
        lambda: task in evaluator.node.state.duties and evaluator.node.state.duties[task].state is DutyState.COMMITTED
    )
    empty = requester.sealer.seal(CommitmentSet("p2peval-1", requester.id, task, 9, ()))
    evaluator.handle(MessageReceived(empty, requester.id))
    assert evaluator.node.state.duties[task].state is DutyState.COMMITTED
