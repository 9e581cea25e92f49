"""MeritRank against its paper's rule, computed by hand."""

from __future__ import annotations

import pytest

from p2peval.defaults import MERITRANK_BETA
from p2peval.trust.meritrank import meritrank
from tests.trust.testimonies import witnessed

WALKS = 40_000
NEAR = 0.01  # four standard errors of a share of that many walks


def test_a_chain_decays_by_alpha_a_step_and_by_beta_behind_a_bridge():
    """0 → 1 → 2: half of the walks end before each step; every walk to 2 came through 1."""
    said = {(0, 1): (5, 0), (1, 2): (5, 0)}
    rank = meritrank(witnessed(3, said), walks=WALKS, alpha=0.5)
    assert rank == pytest.approx([0, 0.5, 0.25 * (1 - MERITRANK_BETA)], abs=NEAR)


def test_a_peer_with_two_ways_to_it_has_no_bridge():
    said = {(0, 1): (5, 0), (0, 2): (5, 0), (1, 3): (1, 0), (2, 3): (9, 0)}
    rank = meritrank(witnessed(4, said), walks=WALKS, alpha=0.2)
    assert rank == pytest.approx([0, 0.4, 0.4, 0.64], abs=NEAR)


def test_walks_go_by_how_much_better_than_bad_a_peer_was():
    """3 − 0 and 2 − 1 of peers 1 and 2, and 1 − 5 of 3: three walks in four go to 1, none to 3."""
    said = {(0, 1): (3, 0), (0, 2): (2, 1), (0, 3): (1, 5)}
    assert meritrank(witnessed(4, said), walks=WALKS, alpha=0.2) == pytest.approx([0, 0.6, 0.2, 0], abs=NEAR)


def test_any_number_of_sybils_behind_one_edge_share_less_than_the_edge():
    """Walks to Sybils come through the one that is trusted; a ring among them brings none back."""
    crowd = 60
    said = {(0, 1): (5, 0), (0, 2): (5, 0)} | {(2, sybil): (5, 0) for sybil in range(3, 3 + crowd)}
    said |= {(sybil, 2): (50, 0) for sybil in range(3, 3 + crowd)}
    rank = meritrank(witnessed(3 + crowd, said), walks=WALKS, alpha=0.15)
    assert rank[3:].max() < 0.1 * rank[1]


def test_the_same_seed_walks_the_same_way_and_another_one_does_not():
    said = {(0, peer): (peer, 0) for peer in range(1, 9)}
    first, again, other = (meritrank(witnessed(9, said), seed=seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_who_knows_nobody_trusts_nobody():
    assert meritrank(witnessed(3, {(1, 2): (5, 0)})).tolist() == [0, 0, 0]
