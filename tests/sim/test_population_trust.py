"""Reputation in the population model: the graph that statements make, and what Sybils capture of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import PCG64, Generator
from scipy.sparse import coo_array

from p2peval.defaults import ALPHA_CAP
from p2peval.sim.population import trust_graph
from p2peval.sim.population.crowd import Crowd
from p2peval.sim.population.epochs import Play, run
from p2peval.sim.population.groups import Behaviour, Group, Population
from p2peval.sim.population.heat import heat
from p2peval.sim.population.trust_graph import captured, local_trust_of, praise
from p2peval.trust.local_trust import local_trust

SLEEPERS = Group("sleepers", 40, Behaviour(honest=6, refusing=True), praises=5)


def test_the_graph_is_what_local_trust_makes_of_the_same_statements(monkeypatch):
    sleepers = Group("sleepers", 40, Behaviour(honest=3, refusing=True), praises=5)
    game = Play(Population(120, (sleepers, Group("late", 10, joins=99)), askers=100), 1)
    for _ in range(9):
        game.epoch()
    crowd, size = game.crowd, 170
    lengths, peers, good, bad = crowd.known.told(slice(0, 100))
    assert (bad > 0).any()
    raters = np.repeat(np.arange(100), lengths)
    members, ring = praise(crowd, 0)
    rows = np.concatenate([raters, np.repeat(members, 5)])
    columns = np.concatenate([peers, ring.ravel()])
    agreed = np.concatenate([good, np.full(ring.size, ALPHA_CAP)])
    differed = np.concatenate([bad, np.zeros(ring.size)])
    stated = [coo_array((counts, (rows, columns)), shape=(size, size)).tocsr() for counts in (agreed, differed)]
    ours = local_trust_of(crowd)
    assert np.abs(ours - local_trust(*stated)).max() < 1e-12
    assert ours.sum() > 20.0
    monkeypatch.setattr(trust_graph, "AT_ONCE", 7)
    assert (local_trust_of(crowd) != ours).nnz == 0


def test_a_ring_praises_its_own_who_are_there_and_nobody_itself():
    crowd = Crowd(Population(5, (Group("ring", 6, praises=3), Group("pair", 2), Group("one", 1))), rng())
    crowd.out[7] = True
    crowd.begin(0)
    members, ring = praise(crowd, 0)
    assert members.tolist() == [5, 6, 8, 9, 10]
    assert ring[0].tolist() == [6, 8, 9]
    assert ring[4].tolist() == [5, 6, 8]
    assert [praise(crowd, number)[1].tolist() for number in (1, 2)] == [[[12], [11]], [[]]]


def test_groups_hold_no_more_than_the_bound_and_nothing_without_trust():
    play = [Play(Population(200, (SLEEPERS,), epochs=1), seed) for seed in range(3)]
    for game in play:
        epochs = [game.epoch() for _ in range(8)]
        assert all(epoch.captured <= epoch.bound + 1e-6 for epoch in epochs)
        assert epochs[0].captured == 0.0  # one result makes no trust
        assert epochs[5].captured > 0.02  # six do, as they do for 40 of 240 peers
        assert epochs[7].captured < epochs[5].captured  # they have begun to refuse


def test_captured_reputation_grows_with_attack_edges_and_not_with_identities():
    found = heat([0, 10, 100, 400], [10, 100, 2_000], 1, honest=1_000)
    assert found.captured.shape == found.bound.shape == found.reached.shape == (4, 3)
    assert (found.captured[0] == 0.0).all()
    assert (np.diff(found.captured, axis=0) > 0).all()
    assert (found.captured <= found.bound + 1e-6).all()
    assert found.captured[:, 2] == pytest.approx(found.captured[:, 0], rel=0.15)
    assert found.reached[3, 2] > 4 * found.reached[1, 2] > 0.0


def test_a_lone_sybil_makes_less_of_its_trust_than_a_ring():
    """What it cannot hand on to its own flows back to the observers."""
    found = heat([100], [1, 2, 4, 8], 1, honest=500)
    assert found.captured[0, 0] < 0.5 * found.captured[0, 3]
    assert (found.captured <= found.bound + 1e-6).all()


def test_observers_count_alike_and_each_sees_its_own():
    crowd = Crowd(Population(300, (Group("sybils", 20, edges=30),), met=8), rng())
    local, members = local_trust_of(crowd), crowd.members(0)
    alone = [captured(local, np.array([observer], np.int32), members) for observer in range(12)]
    assert len({round(told.captured, 6) for told in alone}) > 6
    together = captured(local, np.arange(12, dtype=np.int32), members)
    assert together.captured == pytest.approx(np.mean([told.captured for told in alone]), rel=0.1)
    assert together.reached is None
    assert captured(local, np.arange(12, dtype=np.int32), members, visits=True).reached > 0.0


def test_measures_of_reputation_are_told_where_there_is_anything_to_tell():
    assert "captured_mass" not in run(Population(20, epochs=1), 1)
    assert "captured_mass" not in run(Population(20, (SLEEPERS,), epochs=1, observers=0), 1)
    told = run(Population(60, (Group("sybils", 40, Behaviour(honest=9), edges=20),), epochs=1), 1)
    assert 0.0 < told["captured_mass"] <= told["captured_bound"] + 1e-6


def rng() -> Generator:
    return Generator(PCG64(1))
