"""MeritRank's Sybils, in a small community: what they gain, and what stops them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from p2peval.sim.papers.community import ATTACKER, Community, gain, weeks
from p2peval.sim.papers.meritrank import all_visits, first_reach, first_visits, mass, shares

SMALL = Community(members=30, weeks=3, attack=1, given=80)


def last(kind: str, sybils: int):
    *_, week = weeks(SMALL, kind, sybils, 0)
    return week.testimony


def test_a_region_has_the_edges_of_its_kind() -> None:
    alone = last("both", 0).good.toarray()
    for kind, edges in (("path", 5), ("cycle", 10), ("both", 14)):  # a cycle's first edge is the path's
        counts = last(kind, 5).good.toarray()
        assert np.array_equal(counts[:30, :30], alone)
        assert (counts > 0).sum() - (alone > 0).sum() == edges
    assert list(np.flatnonzero(last("path", 5).good.toarray()[ATTACKER, 30:])) == [0]


def test_honest_feedback_is_the_same_whatever_the_attack() -> None:
    for ours, theirs in zip(weeks(SMALL, "path", 3, 7), weeks(SMALL, "cycle", 3, 7), strict=True):
        assert np.array_equal(ours.testimony.good.toarray()[:30, :30], theirs.testimony.good.toarray()[:30, :30])
        assert ours.attacked == theirs.attacked


@pytest.mark.parametrize("rule", [first_visits, all_visits])
def test_sybils_gain_less_the_more_a_step_costs(rule) -> None:
    gains = [gain(SMALL, "both", 10, partial(rule, alpha), 0) for alpha in (0.05, 0.4, 0.9)]
    assert gains[0] > gains[1] > gains[2] > 0.0


def test_a_path_gains_no_more_than_its_decay_sums_to() -> None:
    for alpha in (0.2, 0.5):
        assert gain(SMALL, "path", 20, partial(all_visits, alpha), 0) <= (1.0 - alpha) / alpha


def test_a_bridge_that_is_cut_whole_leaves_sybils_nothing() -> None:
    assert gain(SMALL, "both", 5, partial(first_visits, 0.4, beta=1.0), 0) == 0.0
    assert gain(SMALL, "both", 5, partial(first_visits, 0.4, beta=0.5), 0) > 0.0


def test_sybils_lift_their_owners_mass_but_not_its_reach() -> None:
    alone, attacked = last("both", 0), last("both", 20)
    assert first_reach(attacked, 0)[ATTACKER] == pytest.approx(first_reach(alone, 0)[ATTACKER])
    assert mass(attacked, 0)[ATTACKER] > 1.05 * mass(alone, 0)[ATTACKER]


def test_shares_are_those_of_the_best_of_eight_and_ties_go_by_lot() -> None:
    assert shares(np.arange(20.0), 8).sum() == pytest.approx(1.0)
    assert shares(np.array([5.0, 1.0, 1.0]), 2) == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert shares(np.zeros(10), 8) == pytest.approx(np.full(10, 0.1))


def test_walks_differ_from_week_to_week_and_from_seed_to_seed() -> None:
    draws = [week.draw for seed in range(3) for week in weeks(SMALL, "path", 1, seed)]
    assert len(set(draws)) == 3 * SMALL.weeks
