"""Gossip under Sybils: small versions of the paper's two attacks, and floods of control messages."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from random import Random

import pytest
from gossip_world import TOPIC, GossipWorld

from p2peval.sim.gossip import trial as trials
from p2peval.sim.gossip.conduct import Announcer, GraftFlooder, Silent
from p2peval.sim.gossip.params import HARDENED, OURS, PLAIN, Params, Weights, at_rate
from p2peval.sim.gossip.trial import Trial
from p2peval.sim.papers import gossipsub

play = lru_cache(trials.play)
SCALED = replace(HARDENED, weights=at_rate(Weights(), 4.0))
SMALL = Trial(SCALED, honest=60, publishers=20, sybils=240, dials=10, sybil_dials=20, rate=4.0, warm=10.0, judged=10.0,
              end=30.0)  # fmt: skip
FLASH = replace(SMALL, quiet=25.0, judged=25.0, end=40.0, head_start=5.0)


@pytest.mark.parametrize("trial", [SMALL, FLASH], ids=["cold boot", "covert flash"])
def test_the_hardened_router_delivers_all_under_four_sybils_to_one(trial: Trial) -> None:
    outcome = play(trial, 1)
    assert outcome.due > 2000
    assert outcome.later_than(6.0) <= 0.001
    assert outcome.percentile(0.99) < 3.0


@pytest.mark.parametrize("trial", [SMALL, FLASH], ids=["cold boot", "covert flash"])
def test_sybils_slow_what_they_cannot_stop(trial: Trial) -> None:
    alone = play(replace(trial, sybils=0), 1)
    assert alone.lost == 0.0
    assert alone.percentile(0.99) < 0.2
    assert play(trial, 1).percentile(0.99) > 2 * alone.percentile(0.99)


def test_the_old_protocol_loses_messages_where_the_hardened_loses_none() -> None:
    worst = replace(SMALL, sybil_dials=40, head_start=10.0)
    assert play(replace(worst, params=PLAIN), 1).lost > 0.01 > play(worst, 1).lost


def test_a_trial_plays_the_same_twice_and_otherwise_with_another_seed() -> None:
    first, again, other = (trials.play(replace(SMALL, end=12.0), seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def flooded(params: Params, hosts: int = 30) -> GossipWorld:
    world = GossipWorld(params).hosts(hosts)
    world.mesh.up(hosts)
    world.mesh.act(hosts, GraftFlooder(Random("flood")))
    world.mesh.subscribe(hosts, TOPIC)
    return world.random_links(hosts, 8).linked(*((hosts, host) for host in range(hosts))).after(90.0)


def test_who_floods_grafts_is_taken_into_every_mesh_by_our_routers_and_stays_there() -> None:
    world = flooded(OURS)
    assert sum(30 in world.mesh.mesh_of(host, TOPIC) for host in range(30)) > 10


def test_who_floods_grafts_is_not_listened_to_where_misdeeds_weigh() -> None:
    world = flooded(replace(HARDENED, weights=replace(Weights(), behaviour=-10.0)))
    pruned = [host for host in range(30) if 30 not in world.mesh.mesh_of(host, TOPIC)]
    assert len(pruned) >= 15
    assert all(world.mesh.standing(host, 30) < 0.0 for host in pruned)


def announced(weights: Weights, announcements: int) -> GossipWorld:
    world = GossipWorld(replace(HARDENED, weights=weights)).hosts(10)
    world.mesh.up(10)
    world.mesh.act(10, Announcer(Random("lies"), 5, announcements))
    world.mesh.subscribe(10, TOPIC)
    return world.random_links(10, 6).linked(*((10, host) for host in range(10))).after(20.0)


def test_who_announces_what_it_does_not_have_loses_its_standing() -> None:
    world = announced(replace(Weights(), behaviour=-10.0), 1)
    assert all(world.mesh.standing(host, 10) < -100.0 for host in range(10))
    world.publish(0, 1).after(3.0)
    assert world.heard(1) == list(range(1, 10))


def test_of_a_flood_of_announcements_only_the_first_few_are_heard() -> None:
    few, many = announced(Weights(), 5), announced(Weights(), 40)
    assert many.mesh.counts.ihaves > 7 * few.mesh.counts.ihaves
    assert many.mesh.counts.iwants < 2.5 * few.mesh.counts.iwants


def test_a_silent_host_forwards_until_it_ceases_to() -> None:
    world = GossipWorld(replace(OURS, opportunistic_ticks=0)).hosts(1)
    world.mesh.up(1)
    world.mesh.up(2)
    world.mesh.act(1, Silent(Random("silent"), quiet=20.0))
    for host in (1, 2):
        world.mesh.subscribe(host, TOPIC)
    world.linked((1, 0), (1, 2)).after(5.0)
    world.publish(0, 1).after(5.0)
    assert world.heard(1) == [1, 2]
    world.after(20.0).publish(0, 2).publish(0, 3).after(10.0)
    assert world.heard(2) == world.heard(3) == []


@pytest.mark.slow
@pytest.mark.parametrize("attack", gossipsub.ATTACKS)
@pytest.mark.parametrize("router", [gossipsub.V11, gossipsub.OWN])
def test_at_four_thousand_sybils_to_a_thousand_hosts_at_most_one_delivery_in_a_thousand_fails(
    attack: str, router: str
) -> None:
    outcome = play(replace(gossipsub.ATTACKS[attack], params=gossipsub.ROUTERS[router]), 0)
    assert outcome.lost <= 0.001
    assert outcome.later_than(gossipsub.DEADLINE) <= 0.001
