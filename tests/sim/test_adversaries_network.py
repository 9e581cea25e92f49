"""Attacks on the network, and on everybody's time: each costs what it is meant to cost, and how much that is here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from p2peval.core.rows import DutyState, ReplicaState
from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.scenario import Network, Partition, Scenario
from p2peval.sim.stage import set_up
from tests.sim.attack_world import LUCK, attack, play_attack, run_on

SEED = 1
WORLD: Any = {"honest": 8, "requesters": 4, "tasks": 6, "per_hour": 30.0, "epoch_s": 240.0}
OVERLAY = Network(gossip="mesh", lookups="kademlia", degree=3)
CUT = Network(partitions=(Partition(start_s=200, seconds=300, share=0.4),))


def eclipse(count: int) -> Scenario:
    return replace(attack("eclipse", count=count, **WORLD), network=OVERLAY)


def test_an_eclipse_slows_tasks_down_and_stops_none() -> None:
    """Offers are waited for of members who never hear of the task; no step of a task needs a look-up."""
    free, eclipsed = play_attack(eclipse(0), SEED).measures, play_attack(eclipse(8), SEED).measures
    assert eclipsed["latency_s"] > free["latency_s"] + 1.0
    assert eclipsed["latency_p95_s"] < free["latency_p95_s"] + 4.0
    assert eclipsed["accepted"] == eclipsed["records_delivered"] == 1.0


def test_an_eclipse_fills_the_answers_to_look_ups_and_cannot_fill_them_all() -> None:
    """Its ring takes 19 of 20 places; names are taken in proportion to who says them, so the honest ones get theirs."""
    stage = set_up(replace(attack("eclipse", count=24, **{**WORLD, "tasks": 0}), network=OVERLAY), SEED, ADVERSARIES)
    provider, *askers = stage.honest
    found: list[tuple[int, ...]] = []
    stage.world.directory.provide(provider.number, "a blob")
    run_on(stage, 30.0)
    for asker in askers:
        stage.world.directory.find(asker.number, "a blob", found.append)
    run_on(stage, 60.0)
    assert len(found) == len(askers)
    for providers in found:
        assert provider.number in providers
        assert len(set(providers) & set(stage.rings[0].numbers)) > 0.8 * len(providers)


def test_a_flood_of_announcements_is_kept_by_all_and_holds_up_nobody() -> None:
    """A profile is free, and whoever has one may have any number of objects kept: nothing here stops it."""
    free = play_attack(attack("gossip-flooder", count=0, **WORLD), SEED).measures
    flooded = play_attack(attack("gossip-flooder", count=2, burst=5, **WORLD), SEED)
    announced = flooded.cost("announcements")
    assert announced > 300
    assert free["objects_held"] + 0.9 * announced < flooded.measures["objects_held"]
    assert flooded.measures["messages_per_task"] > 5 * free["messages_per_task"]
    assert flooded.measures["latency_p95_s"] < free["latency_p95_s"] + 0.5
    assert flooded.measures["accepted"] == 1.0


def test_a_slow_roller_is_right_and_in_time_and_costs_half_a_minute_a_task() -> None:
    """No rule of the lab prefers the fast: it is asked as often as any."""
    free = play_attack(attack("slow-roller", count=0, **WORLD), SEED).measures
    slowed = play_attack(attack("slow-roller", count=4, **WORLD), SEED)
    assert slowed.measures["latency_p95_s"] > free["latency_p95_s"] + 25.0
    assert slowed.measures["captured_tasks"] > 0.1
    assert {row.state for row in slowed.replicas()} == {ReplicaState.AGREES}


def test_who_is_later_than_the_window_is_replaced() -> None:
    late = play_attack(attack("slow-roller", count=4, late_s=25.0, **WORLD), SEED)
    ring = {host.id for host in late.dishonest}
    assert {row.state for row in late.replicas() if row.peer in ring} <= {ReplicaState.SILENT, ReplicaState.LATE}
    assert late.measures["accepted"] == 1.0


def test_a_withholding_requester_gets_an_evaluation_for_each_assignment_and_delays_nobody() -> None:
    """Each member works once for each of its tasks; nothing is remembered of who publishes no record."""
    free = play_attack(attack("withholding-requester", count=0, **WORLD), SEED).measures
    played = play_attack(attack("withholding-requester", count=2, every_s=200.0, **WORLD), SEED)
    ring = {host.id for host in played.dishonest}
    duties = [duty for host in played.stage.honest for duty in host.node.state.duties if duty.requester in ring]
    done = [duty for duty in duties if duty.outputs is not None]
    assert 0.8 * played.cost("assignments") < len(done) <= played.cost("assignments")
    assert {duty.state for duty in done} == {DutyState.COMMITTED}
    assert played.measures["wasted"] > 0.5
    assert len(done) <= played.cost("tasks") * len(played.stage.honest)
    assert played.measures["latency_p95_s"] < free["latency_p95_s"] + 0.5
    assert played.measures["accepted"] == 1.0


def test_a_partitioner_lies_while_the_network_is_cut_and_at_no_other_time() -> None:
    whole = play_attack(attack("partitioner", count=4, **WORLD), SEED)
    assert whole.measures["captured_tasks"] > 0.1
    assert whole.cost("lies") == 0
    unchecked = replace(attack("partitioner", count=4, opinion="none", checking="none", **WORLD), network=CUT)
    assert play_attack(unchecked, SEED).measures["wrong_accepts"] > 0.05
    ours = play_attack(replace(attack("partitioner", count=4, **WORLD), network=CUT), SEED)
    assert ours.cost("lies") > 0
    assert ours.measures["wrong_accepts"] <= LUCK
    assert ours.measures["records_delivered"] == 1.0


def test_a_crasher_holds_up_its_tasks_and_comes_back() -> None:
    free = play_attack(attack("crasher", count=0, **WORLD), SEED).measures
    crashed = play_attack(attack("crasher", count=4, **WORLD), SEED)
    ring = {host.id for host in crashed.dishonest}
    theirs = [row.state for row in crashed.replicas() if row.peer in ring]
    assert theirs
    assert set(theirs) <= {ReplicaState.WITHHELD, ReplicaState.LATE, ReplicaState.SILENT}
    assert crashed.measures["latency_p95_s"] > free["latency_p95_s"] + 15.0
    assert crashed.measures["accepted"] == 1.0
    assert all(host.up for host in crashed.dishonest)
