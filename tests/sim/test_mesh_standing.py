"""What a peer's standing is made of, part by part, and what it decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gossip_world import TOPIC, GossipWorld

from p2peval.sim.gossip.params import HARDENED, Params, Weights, at_rate
from p2peval.sim.gossip.router import Ruling
from p2peval.sim.gossip.standing import Standings

NONE = Weights(topic=1.0, time=0.0, first=0.0, rate=0.0, failure=0.0, invalid=0.0)
PEER = 5


def standings(weights: Weights) -> Standings:
    return Standings(weights, {}, lambda peer: -2.0)


def test_a_stranger_stands_at_nought() -> None:
    assert standings(Weights()).of(PEER, 100.0) == 0.0


def test_time_in_the_mesh_counts_up_to_its_cap() -> None:
    found = standings(replace(NONE, time=2.0, time_quantum=10.0, time_cap=3.0))
    found.grafted(PEER, TOPIC, 0.0)
    assert [found.of(PEER, at) for at in (10.0, 20.0, 100.0)] == [2.0, 4.0, 6.0]
    found.pruned(PEER, TOPIC, 100.0)
    assert found.of(PEER, 100.0) == 0.0


def test_first_deliveries_count_up_to_their_cap_and_fade() -> None:
    found = standings(replace(NONE, first=1.0, first_decay=0.5, first_cap=3.0))
    for _ in range(5):
        found.brought(PEER, TOPIC, 0.0)
    assert [found.of(PEER, at) for at in (0.5, 1.0, 2.0)] == [3.0, 1.5, 0.75]
    assert found.of(PEER, 60.0) == 0.0  # too little to keep


def test_a_mesh_peer_that_brings_too_few_falls_once_its_time_of_grace_is_over() -> None:
    found = standings(replace(NONE, rate=-1.0, rate_decay=1.0, rate_threshold=4.0, rate_activation=60.0))
    found.grafted(PEER, TOPIC, 0.0)
    found.brought_too(PEER, TOPIC, 1.0)
    assert found.of(PEER, 60.0) == 0.0
    assert found.of(PEER, 61.0) == -9.0
    for _ in range(3):
        found.brought(PEER, TOPIC, 61.0)
    assert found.of(PEER, 62.0) == 0.0


def test_what_a_pruned_peer_owed_sticks_to_it() -> None:
    found = standings(replace(NONE, rate=-1.0, failure=-0.5, failure_decay=0.5, rate_threshold=4.0))
    found.grafted(PEER, TOPIC, 0.0)
    found.pruned(PEER, TOPIC, 100.0)
    assert found.of(PEER, 100.0) == -8.0
    assert found.of(PEER, 101.0) == -4.0


def test_rubbish_counts_squared() -> None:
    found = standings(replace(NONE, invalid=-1.0, invalid_decay=1.0))
    for _ in range(3):
        found.brought_rubbish(PEER, TOPIC, 0.0)
    assert found.of(PEER, 1.0) == -9.0


def test_what_the_application_says_and_whom_one_shares_an_address_with_count() -> None:
    found = Standings(replace(NONE, app=3.0, address=-1.0, address_threshold=1), {1: 9, 2: 9, 3: 9}, lambda peer: -2.0)
    for peer in (1, 2, 3, 4):
        found.met(peer, 0.0)
    assert [found.of(peer, 0.0) for peer in (1, 4)] == [-6.0 - 4.0, -6.0]


def test_misdeeds_count_squared_above_the_threshold_and_fade() -> None:
    found = standings(replace(NONE, behaviour=-1.0, behaviour_decay=0.5, behaviour_threshold=1.0))
    found.misbehaved(PEER, 3, 0.0)
    assert found.of(PEER, 0.0) == -4.0
    assert found.of(PEER, 1.0) == -0.25


def test_a_bad_standing_outlives_the_connection_and_a_good_one_does_not() -> None:
    found = standings(replace(NONE, first=1.0, invalid=-1.0, invalid_decay=1.0, first_decay=1.0, retain=30.0))
    for peer, does in ((1, found.brought), (2, found.brought_rubbish), (3, found.brought_rubbish)):
        found.met(peer, 0.0)
        does(peer, TOPIC, 0.0)
        found.parted(peer, 1.0)
    for peer, at in ((1, 10.0), (2, 10.0), (3, 40.0)):
        found.met(peer, at)
    assert [found.of(peer, 40.0) for peer in (1, 2, 3)] == [0.0, -1.0, 0.0]


def test_at_another_rate_the_same_share_of_messages_gives_the_same_standing() -> None:
    values = []
    for rate in (120, 12):
        found = standings(at_rate(replace(Weights(), first_decay=1.0, rate_decay=1.0, time=0.0), rate))
        found.grafted(PEER, TOPIC, 0.0)
        for _ in range(5 * rate // 12):
            found.brought(PEER, TOPIC, 1.0)
        early = found.of(PEER, 60.0)
        found.pruned(PEER, TOPIC, 2.0)
        values.append(early)
    assert values[0] == pytest.approx(values[1])
    silent = []
    for rate in (120, 12):
        found = standings(at_rate(replace(Weights(), time=0.0), rate))
        found.grafted(PEER, TOPIC, 0.0)
        silent.append(found.of(PEER, 100.0))
    assert silent[0] == pytest.approx(silent[1])
    assert silent[0] < 0.0


def test_who_forwards_rubbish_is_pruned_then_no_longer_listened_to() -> None:
    world = GossipWorld(HARDENED).hosts(8).random_links(8, 8).after(5.0)
    world.rule = lambda host, message: Ruling.REJECT if host == 0 and message < 0 else Ruling.ACCEPT
    assert 1 in world.mesh.mesh_of(0, TOPIC)
    world.publish(1, -1).after(2.0)
    assert world.mesh.standing(0, 1) < 0.0
    assert 1 not in world.mesh.mesh_of(0, TOPIC)
    for message in range(-40, -1):
        world.publish(1, message)
    world.after(2.0)
    assert world.mesh.standing(0, 1) < Weights().graylist_threshold
    before = len(world.received)
    world.publish(1, 1).after(0.06)  # one link's delay: only from host 1 itself could host 0 have it by now
    assert {host for _, host, _, _ in world.received[before:]} == set(range(2, 8))


def test_of_two_who_bring_little_the_better_is_grafted_when_the_mesh_stands_poorly() -> None:
    patient = replace(Weights(), rate=0.0, failure=0.0)
    narrow = replace(HARDENED, degree=2, low=1, high=2, outbound=0, kept=1, opportunistic_ticks=1, backoff=2.0)
    world = GossipWorld(replace(narrow, weights=patient)).hosts(9)
    world.linked((0, 1), (0, 2), (0, 3), (4, 3)).after(5.0)
    mesh = world.mesh.mesh_of(0, TOPIC)
    (outside,) = {1, 2, 3} - set(mesh)
    found = world.mesh.router(0).standings
    assert found is not None
    for _ in range(5):
        found.brought(outside, TOPIC, world.heap.now)
    world.after(12.0)
    assert outside in world.mesh.mesh_of(0, TOPIC)


def test_a_graft_before_the_backoff_is_over_is_a_misdeed_and_is_refused() -> None:
    params: Params = replace(HARDENED, weights=replace(Weights(), behaviour=-10.0))
    world = GossipWorld(params).hosts(2).linked((0, 1)).after(5.0)
    world.mesh.send_prune(0, 1, TOPIC)
    world.after(1.0)
    world.mesh.send_graft(1, 0, TOPIC)
    world.after(1.0)
    assert world.mesh.mesh_of(0, TOPIC) == world.mesh.mesh_of(1, TOPIC) == ()
    assert world.mesh.standing(0, 1) == pytest.approx(-10.0 * (2 * params.weights.behaviour_decay) ** 2, rel=0.05)
