"""How much a requester checks of whom, as results of an identity hold one after the other (trust.md §4)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from small_world import Host, World

from p2peval.core import reputation
from p2peval.core.audit import missed_nano
from p2peval.core.conviction import FRAUD, convict
from p2peval.core.effects import Compare, Effect
from p2peval.core.events import CancelTask
from p2peval.core.messages import ResultRecord
from p2peval.core.record_check import Contents, examine, is_certified
from p2peval.core.rows import DutyState, ReplicaRow, ReplicaState, TaskState
from p2peval.core.types import BenchmarkId, ObjectId, PeerId, TaskId
from p2peval.defaults import NETWORK_ID
from p2peval.errors import RemoteProtocolError
from p2peval.trust.rule import samples_for
from p2peval.wire.envelope import open_envelope

N, NANO = 200, 10_000_000
opened = partial(open_envelope, network=NETWORK_ID)


class Lane(World):
    """One requester and some evaluators; everybody else looks on."""

    def __init__(self, size: int = 2) -> None:
        super().__init__(size, samples=N)
        self.requester, *self.evaluators = self.all
        self.benchmark: BenchmarkId = self.publish(self.requester)
        self.everybody_joins(self.benchmark, self.requester)

    def ask(self, name: str, *, replicas: int = 1, certify: bool = False, epsilon: int = 0) -> TaskId:
        task = self.start(self.requester, self.benchmark, name, replicas, certify, epsilon)
        self.run_until(lambda: self.over(task))
        return task

    def over(self, task: TaskId) -> bool:
        return self.requester.node.state.tasks[task].state in (TaskState.ACCEPTED, TaskState.FAILED)

    def replicas(self, task: TaskId) -> list[ReplicaRow]:
        return list(self.requester.node.state.replicas.of(task))

    def streak(self, peer: PeerId) -> int:
        return self.requester.node.state.evidence[peer].evidence.streak

    def contents(self, host: Host, task: TaskId) -> Contents:
        state = host.node.state
        record = opened(host.disk.envelopes[state.results[task].record]).payload
        assert isinstance(record, ResultRecord)
        return examine(state.benchmarks[self.benchmark].spec, record, opened)


def test_each_result_that_held_makes_the_next_audit_of_that_identity_smaller_by_exactly_the_rule() -> None:
    world = Lane()
    drawn = [world.replicas(world.ask(f"model-{number}"))[0].drawn for number in range(12)]
    assert drawn == [samples_for(N, NANO, NANO, streak) for streak in range(12)]
    assert drawn == sorted(drawn, reverse=True)
    assert drawn[-1] < drawn[0]
    assert world.streak(world.evaluators[0].id) == 12


def test_a_replica_says_why_it_was_checked_so_much() -> None:
    world = Lane()
    first, second, certified = world.ask("first"), world.ask("second"), world.ask("third", certify=True)
    told = [world.replicas(task)[0] for task in (first, second, certified)]
    assert [(row.why, row.streak) for row in told] == [("newcomer", 0), ("streak", 1), ("certificate", 2)]
    assert all(dict(row.numbers)["audited"] == row.drawn for row in told)


def test_a_streak_is_an_identitys_and_no_benchmarks_so_that_no_end_of_it_is_missed_anywhere() -> None:
    world = Lane()
    for number in range(3):
        world.ask(f"model-{number}")
    peer = world.evaluators[0].id
    ctx = world.requester.node._ctx
    convict(ctx, ObjectId("proof"), peer, FRAUD, "elsewhere")
    assert world.streak(peer) == 0
    assert [row.evidence.streak for row in ctx.state.local_evidence.of(peer)] == [0]


def test_a_lie_that_is_found_ends_the_streak_and_the_next_audit_is_a_newcomers() -> None:
    world = Lane(3)
    liar = world.evaluators[0]
    for number in range(6):
        world.ask(f"model-{number}", replicas=2)
    assert world.streak(liar.id) == 6
    liar.lies = True
    caught = world.ask("lie", replicas=2)
    assert {row.peer: row.state for row in world.replicas(caught)}[liar.id] is ReplicaState.DIFFERS
    assert world.streak(liar.id) == 0
    assert world.streak(world.evaluators[1].id) == 7


def test_a_commitment_that_is_not_revealed_ends_the_streak() -> None:
    world = Lane(3)
    for number in range(4):
        world.ask(f"model-{number}", replicas=2)
    silent = world.evaluators[0]
    task = world.start(world.requester, world.benchmark, "last", 2)
    world.run_until(lambda: any(row.commitment and row.peer == silent.id for row in world.replicas(task)))
    world.disconnect(silent)
    world.run_until(lambda: world.over(task))
    assert world.streak(silent.id) == 0


@pytest.mark.parametrize("window", [TaskState.ASSIGNED, TaskState.REVEALING])
def test_a_window_that_ran_out_while_this_node_was_down_blames_nobody(window: TaskState) -> None:
    world = Lane(3)
    for number in range(3):
        world.ask(f"model-{number}", replicas=2)
    task = world.start(world.requester, world.benchmark, "last", 2)
    at_work = {TaskState.ASSIGNED: DutyState.RUNNING, TaskState.REVEALING: DutyState.COMMITTED}[window]
    world.run_until(
        lambda: (
            world.requester.node.state.tasks[task].state is window
            and all(peer.node.state.duties[task].state is at_work for peer in world.evaluators)
        )
    )
    world.disconnect(world.requester)
    world.run(300.0)
    world.reconnect(world.requester)
    world.run_until(lambda: world.over(task))
    assert [row.state for row in world.replicas(task)] == [ReplicaState.AGREES] * 2
    assert [world.streak(peer.id) for peer in world.evaluators] == [4, 4]
    assert not any(row.evidence.withheld or row.evidence.silent for row in world.requester.node.state.evidence)


def test_a_line_by_record_states_what_its_own_audit_might_have_missed_and_others_admit_it() -> None:
    world = Lane(3)
    for number in range(12):
        task = world.ask(f"model-{number}")
    row = next(row for row in world.replicas(task) if row.state is ReplicaState.AGREES)
    result = world.requester.node.state.results[task]
    assert result.certificate is not None
    assert not result.certified
    assert result.certificate.epsilon_nano == missed_nano(N, NANO * N // 10**9 + 1, row.drawn) > NANO
    world.run(1.0)
    assert not is_certified(world.contents(world.evaluators[0], task))
    assert world.evaluators[0].node.state.results[task].certificate == result.certificate


def test_who_asks_for_a_certificate_gets_one_from_an_old_acquaintance_too() -> None:
    world = Lane()
    for number in range(12):
        world.ask(f"model-{number}")
    task = world.ask("last", certify=True)
    result = world.requester.node.state.results[task]
    assert result.certified
    assert result.certificate is not None
    assert result.certificate.epsilon_nano == NANO
    assert is_certified(world.contents(world.requester, task))


def test_a_record_that_promises_more_than_its_audit_gives_is_refused() -> None:
    world = Lane()
    for number in range(12):
        task = world.ask(f"model-{number}")
    contents = world.contents(world.requester, task)
    assert contents.record.certificate is not None
    for epsilon in (NANO, contents.record.certificate.epsilon_nano - 1):
        better = replace(contents.record.certificate, epsilon_nano=epsilon)
        with pytest.raises(RemoteProtocolError, match="certificate_is_wrong"):
            examine(contents.spec, replace(contents.record, certificate=better), opened)


def test_results_accepted_at_a_small_epsilon_buy_no_lie_at_a_large_one() -> None:
    world = Lane()
    strict, lax = NANO // 1000, 10 * NANO
    for number in range(20):
        world.ask(f"model-{number}", epsilon=strict)
    (first,) = world.replicas(world.ask("lax", epsilon=lax))
    assert first.drawn == samples_for(N, NANO, lax, 0)
    (next_,) = world.replicas(world.ask("strict", epsilon=strict))
    assert next_.drawn == samples_for(N, NANO, strict, 21)
    assert next_.streak == 21


def test_a_streak_that_agreement_made_counts_for_nothing_once_results_are_audited() -> None:
    world = Lane()
    world.ask("first")
    ctx, peer = world.requester.node._ctx, world.evaluators[0].id
    reputation.restart(ctx, peer, world.benchmark)
    for streak in range(1, 100):
        reputation.set_streak(ctx, peer, world.benchmark, streak)
    assert world.replicas(world.ask("second"))[0].drawn == samples_for(N, NANO, NANO, 0)


def test_no_two_results_of_one_identity_are_audited_at_once_so_none_is_staked_twice() -> None:
    """Ten lies at once, each audited as its record allows, would pass ten times as often as the bound counts on."""
    world = Lane()
    under_way, most, sizes = set(), 0, []
    perform = world.perform

    def watch(host: Host, effect: Effect) -> None:
        nonlocal most
        if isinstance(effect, Compare):
            under_way.add(effect.assignment)
            sizes.append(effect.drawn)
            most = max(most, sum(not _judged(world, id_) for id_ in under_way))
        perform(host, effect)

    world.perform = watch  # type: ignore[method-assign]
    tasks = [world.start(world.requester, world.benchmark, f"model-{number}") for number in range(5)]
    world.run_until(lambda: all(world.over(task) for task in tasks))
    assert most == 1
    assert sizes == [samples_for(N, NANO, NANO, streak) for streak in range(5)]


def _judged(world: Lane, assignment: str) -> bool:
    return world.requester.node.state.replicas[assignment].state is not ReplicaState.FETCHED


def test_a_task_that_is_cancelled_under_audit_lets_the_next_one_of_its_evaluator_begin() -> None:
    world = Lane()
    first, second = (world.start(world.requester, world.benchmark, name) for name in ("first", "second"))
    world.run_until(lambda: any(row.drawn for task in (first, second) for row in world.replicas(task)))
    audited = first if world.replicas(first)[0].drawn else second
    world.requester.handle(CancelTask("cancel", audited))
    other = second if audited is first else first
    world.run_until(lambda: world.over(other))
    assert world.requester.node.state.tasks[other].state is TaskState.ACCEPTED


def test_evidence_is_kept_for_each_benchmark_beside_what_it_adds_up_to() -> None:
    world = Lane()
    world.ask("first")
    other = world.publish(world.requester, name="letters")
    world.everybody_joins(other, world.requester)
    task = world.start(world.requester, other, "second")
    world.run_until(lambda: world.over(task))
    peer = world.evaluators[0].id
    rows = world.requester.node.state.local_evidence.of(peer)
    assert {row.benchmark: row.evidence.agreed for row in rows} == {world.benchmark: 1, other: 1}
    assert world.requester.node.state.evidence[peer].evidence.agreed == 2
