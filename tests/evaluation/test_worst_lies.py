"""The worst move that B altered outputs can make stays inside the audit interval of every metric.

Not random cheats but a search: exhaustive where the data are tiny, greedy and then by local exchange elsewhere,
over what a lie about a row can say. Rare classes and heavy tails included; tolerance moves the other rows as well.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from claims import audit, measure
from hypothesis import given, settings
from hypothesis import strategies as st

from p2peval.core import benchmark
from p2peval.core.outputs import differing
from p2peval.core.parts import Range, Tolerance
from p2peval.core.types import NANO

EXACT = Tolerance(0, 0)
UNIT = Range(0, NANO)
ROUNDING = 1e-9
seeds = st.integers(0, 2**32)
CLASS_METRICS = benchmark.METRICS["classification"]
NUMBER_METRICS = benchmark.METRICS["regression"]


def sharpened(rng, labels, classes, skill):
    odds = rng.exponential(size=(len(labels), classes)) ** 2 + 1e-6
    lifted = rng.random(len(labels)) < skill
    odds[lifted, labels[lifted]] += odds[lifted].sum(axis=1) * rng.uniform(0.5, 8.0, lifted.sum())
    return odds / odds.sum(axis=1, keepdims=True)


def sayings(classes):
    """What a lie about one row may say: sure of a class, nearly undecided, and in between."""
    rows = [np.eye(classes)[each] for each in range(classes)]
    for each in range(classes):
        for share in (0.34 if classes > 2 else 0.51, 0.6, 0.9):
            rows.append(np.where(np.eye(classes)[each] > 0, share, (1.0 - share) / (classes - 1)))
    return rows


def searched(name, claimed, labels, most, sign, choices, limits=None):
    """Greedy, row after row, then exchanges: the furthest value that ``most`` replaced rows reach."""
    truth, replaced = claimed.copy(), []

    def value(outputs):
        found = measure(name, outputs, labels, limits)
        return -np.inf if found is None else sign * found

    def best_move(rows):
        best = (value(truth), None, None)
        for row in rows:
            before = truth[row].copy()
            for said in choices:
                truth[row] = said
                best = max(best, (value(truth), row, np.asarray(said)), key=lambda each: each[0])
            truth[row] = before
        return best

    for _ in range(most):
        _, row, said = best_move([row for row in range(len(labels)) if row not in replaced])
        if row is None:
            break
        truth[row] = said
        replaced.append(row)
    for row in list(replaced):
        truth[row] = claimed[row]
        _, other, said = best_move([each for each in range(len(labels)) if each not in replaced or each == row])
        replaced.remove(row)
        if other is not None:
            truth[other] = said
            replaced.append(other)
    return measure(name, truth, labels, limits)


@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
@pytest.mark.parametrize("rare", [2, 3, 12])
@pytest.mark.parametrize("name", CLASS_METRICS)
def test_a_searched_lie_about_classes_stays_inside(name, rare, sign):
    rng = np.random.default_rng(rare)
    labels = np.r_[np.zeros(30 - rare, np.int64), np.ones(8, np.int64), np.full(rare, 2)]
    for skill in (0.3, 0.9):
        claimed = sharpened(rng, labels, 3, skill)
        for most in (1, 3):
            bounds = audit(name, claimed, labels, None, EXACT, most)
            reached = searched(name, claimed, labels, most, sign, sayings(3))
            assert bounds[0] - ROUNDING <= measure(name, claimed, labels) <= bounds[1] + ROUNDING
            assert bounds[0] - ROUNDING <= reached <= bounds[1] + ROUNDING


@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
@pytest.mark.parametrize("name", NUMBER_METRICS)
def test_a_searched_lie_about_heavy_tailed_numbers_stays_inside(name, sign):
    rng = np.random.default_rng(4)
    limits = Range(-100 * NANO, 100 * NANO)
    labels = np.clip(rng.standard_t(1.1, 40), -100, 100)
    claimed = np.clip(labels + rng.standard_t(1.1, 40), -150, 150)
    for most in (1, 4):
        low, high = audit(name, claimed, labels, limits, EXACT, most)
        reached = searched(name, claimed, labels, most, sign, [-100.0, 100.0, *labels], limits)
        assert low - ROUNDING <= reached <= high + ROUNDING
        assert abs(reached - (high if sign > 0 else low)) < 1e-6  # and the bound is reached: no wider than it must be


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(2, 5), st.integers(1, 2), st.sampled_from(CLASS_METRICS))
def test_no_lie_of_all_there_are_escapes_on_tiny_data(seed, n, most, name):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    claimed = sharpened(rng, labels, 2, 0.5)
    if measure(name, claimed, labels) is None:
        return
    low, high = audit(name, claimed, labels, None, EXACT, most)
    for rows in combinations(range(n), min(most, n)):
        for said in product(sayings(2), repeat=len(rows)):
            truth = claimed.copy()
            truth[list(rows)] = said
            value = measure(name, truth, labels)
            assert value is None or low - ROUNDING <= value <= high + ROUNDING


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from(CLASS_METRICS), st.integers(0, 2))
def test_lies_and_tolerance_together_stay_inside(seed, name, most):
    """Coarse outputs, so that many rows are near-ties and near the edges of bins; every row moves within tolerance."""
    rng = np.random.default_rng(seed)
    wide = Tolerance(30_000_000, 0)
    labels = rng.integers(0, 3, 12)
    claimed = rng.multinomial(15, (0.4, 0.3, 0.3), 12) / 15.0
    if measure(name, claimed, labels) is None:
        return
    low, high = audit(name, claimed, labels, None, wide, most)
    for _ in range(30):
        shift = rng.choice([-0.0299, 0.0, 0.0299], (12, 3))
        shift -= shift.mean(axis=1, keepdims=True)  # still a distribution
        truth = np.clip(claimed + shift, 0.0, 1.0)
        truth /= truth.sum(axis=1, keepdims=True)
        if differing(claimed, truth, wide).any():
            continue
        for row in rng.permutation(12)[:most]:
            truth[row] = sayings(3)[rng.integers(0, len(sayings(3)))]
        value = measure(name, truth, labels)
        assert value is None or low - ROUNDING <= value <= high + ROUNDING


@pytest.mark.parametrize("name", CLASS_METRICS)
def test_more_lies_never_narrow_an_interval_and_none_with_no_tolerance_is_a_point(name):
    rng = np.random.default_rng(9)
    labels = rng.integers(0, 3, 60)
    claimed = sharpened(rng, labels, 3, 0.7)
    value = measure(name, claimed, labels)
    held = audit(name, claimed, labels, None, EXACT, 0)
    assert held == pytest.approx((value, value))
    for most in range(1, 62):
        wider = audit(name, claimed, labels, None, EXACT, most)
        assert wider[0] <= held[0] + 1e-6
        assert wider[1] >= held[1] - 1e-6
        held = wider


def test_one_percent_of_lies_can_lift_the_auroc_of_a_rare_class_to_one():
    """trust.md §1: a naive ±δ would be false."""
    rng = np.random.default_rng(2)
    labels = np.r_[np.zeros(990, np.int64), np.ones(10, np.int64)]
    scores = rng.random(1000)
    low, high = audit("auroc", np.stack([1 - scores, scores], axis=1), labels, None, EXACT, 10)
    assert (low, high) == (pytest.approx(0.0, abs=0.02), 1.0)
