"""Sabotage: the exact curves against what others computed and what is played, and the batch's own rules."""

from __future__ import annotations

from collections import deque
from statistics import fmean

import pytest

from p2peval.sim.papers.batch import Batch, Pool, simulate
from p2peval.sim.papers.sarmenta import ERRORS_BY_SHARE, by_share, wrong_unspotted, wrong_votes
from p2peval.trust.checking import Record


def test_so_many_equal_results_are_needed_as_watanabe_and_fukushi_computed() -> None:
    for limit, needed in ((0.05, 15), (0.01, 29)):
        assert wrong_votes(0.35, needed) <= limit < wrong_votes(0.35, needed - 1)
    assert wrong_votes(0.35, 50) > 0.001


def test_a_quorum_that_is_played_errs_as_often_as_the_formula_has_it() -> None:
    played = fmean(by_share("quorum-2", 0.35, seed)[ERRORS_BY_SHARE] for seed in range(2))
    assert played == pytest.approx(wrong_votes(0.35, 2), abs=0.03)


def test_spot_checks_leave_all_lies_at_first_and_few_after_much_work() -> None:
    assert wrong_unspotted(0.2, 0.5, 0.1, 0) == pytest.approx(0.1)
    assert wrong_unspotted(0.2, 0.5, 0.1, 500) < 1e-9


def test_no_zeal_makes_a_survivor_less_credible_than_it_is_held() -> None:
    pool = Pool(Batch(faulty=0.2), [], deque(), [])
    for survived in (0, 1, 3, 10, 100):
        doubt = 1.0 - pool.credibility(Record(agreed=survived))
        for zeal in (0.01, 0.1, 0.3, 0.5, 1.0):
            stays = 0.2 * (1.0 - zeal) ** survived
            assert zeal * stays / (0.8 + stays) <= doubt + 1e-12


@pytest.mark.parametrize("zeal", [0.1, 1.0])
def test_a_batch_errs_no_more_than_its_threshold_allows(zeal: float) -> None:
    batch = Batch(sabotage=zeal, threshold=0.99, workers=40, tasks=1_000)
    assert fmean(simulate(batch, seed).wrong for seed in range(3)) <= 0.01


def test_a_higher_threshold_costs_more() -> None:
    low, high = (simulate(Batch(threshold=t, workers=40, tasks=1_000), 0).executions for t in (0.9, 0.9999))
    assert 1.0 < low < high


def test_without_checks_or_saboteurs_one_answer_a_task_is_enough() -> None:
    outcome = simulate(Batch(faulty=0.0, checked=0.0, workers=10, tasks=100), 0)
    assert (outcome.wrong, outcome.executions) == (0.0, 1.0)


def test_who_is_caught_is_heard_no_more_and_its_tasks_wait_again() -> None:
    pool = Pool(Batch(tasks=2), [[(3, True)], [(4, False)]], deque(), [0] * 5)
    pool.catch(3)
    assert pool.answers == [[], [(4, False)]]
    assert list(pool.waiting) == [0]
    assert pool.caught == {3}


def test_a_batch_of_saboteurs_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="never ends"):
        simulate(Batch(faulty=1.0), 0)
