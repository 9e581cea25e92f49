"""Audit intervals hold against every lie tried, and are nearly reached; sampling intervals cover."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from claims import audit, sampling
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from p2peval.core.outputs import differing
from p2peval.core.parts import Range, Tolerance
from p2peval.core.types import NANO
from p2peval.evaluation.audit_bounds import possible
from p2peval.evaluation.metric_table import METRICS
from p2peval.evaluation.metrics import macro_f1, predictions
from p2peval.evaluation.sampling import clopper_pearson

EXACT = Tolerance(0, 0)
WIDE = Tolerance(50_000_000, 20_000_000)
UNIT = Range(0, NANO)
ROUNDING = 1e-9

seeds = st.integers(0, 2**32)


def onehot(predicted, classes):
    """Outputs that predict so; −1 is a row of NaN."""
    outputs = np.eye(classes)[np.maximum(predicted, 0)]
    outputs[np.asarray(predicted) < 0] = np.nan
    return outputs


def holds(bounds, value):
    return bounds[0] - ROUNDING <= value <= bounds[1] + ROUNDING


# ── accuracy and macro-F1: every lie on small sets ────────────────────────────────────────────────


def every_alteration(predicted, classes, most):
    """All predictions that differ from ``predicted`` in at most ``most`` places."""
    for places in combinations(range(len(predicted)), most):
        for said in product(range(-1, classes), repeat=most):
            altered = predicted.copy()
            altered[list(places)] = said
            yield altered


@settings(max_examples=60)
@given(seeds, st.integers(1, 6), st.integers(1, 4), st.integers(0, 2))
def test_no_small_lie_escapes_and_accuracy_is_reached(seed, n, classes, most):
    rng, most = np.random.default_rng(seed), min(most, n)
    labels, predicted = rng.integers(0, classes, n), rng.integers(-1, classes, n)
    claimed = onehot(predicted, classes)
    bounds = {name: audit(name, claimed, labels, None, EXACT, most) for name in ("accuracy", "macro_f1")}
    truths = [onehot(altered, classes) for altered in every_alteration(predicted, classes, most)]
    for name, (low, high) in bounds.items():
        values = [METRICS[name].measure(truth, labels, None) for truth in truths]
        assert low <= min(values) + ROUNDING
        assert high >= max(values) - ROUNDING
        if name == "accuracy" and classes > 1:
            assert (low, high) == pytest.approx((min(values), max(values)))


@settings(max_examples=60)
@given(seeds, st.integers(1, 5), st.integers(2, 3))
def test_no_near_tie_escapes(seed, n, classes):
    """Outputs on a coarse grid, so that many rows tie within tolerance; the truth anywhere in its reach."""
    rng = np.random.default_rng(seed)
    labels, claimed = rng.integers(0, classes, n), rng.integers(0, 12, (n, classes)) / 20
    bounds = {name: audit(name, claimed, labels, None, WIDE, 0) for name in ("accuracy", "macro_f1")}
    for _ in range(200):
        truth = claimed + rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], claimed.shape) * (0.05 + 0.02 * claimed)
        if not differing(claimed, truth, WIDE).any():
            for name, ends in bounds.items():
                assert holds(ends, METRICS[name].measure(truth, labels, None))


@given(seeds, st.integers(1, 4))
def test_possible_classes_are_those_that_some_truth_predicts(seed, classes):
    rng = np.random.default_rng(seed)
    row = rng.integers(0, 6, (1, classes)) * 0.03  # no two exactly twice the slack apart
    corners = [row + 0.999 * np.array(signs) * 0.05 for signs in product((-1, 0, 1), repeat=classes)]
    reached = {int(predictions(corner)[0]) for corner in corners}
    assert set(np.flatnonzero(possible(row, Tolerance(50_000_000, 0))[0]).tolist()) == reached


def test_without_tolerance_a_tie_is_settled_by_index_and_not_ambiguous():
    outputs = np.array([[1.0, 1.0, 0.0], [0.0, np.inf, np.inf], [np.nan, 1.0, 0.0], [-np.inf, -np.inf, -np.inf]])
    assert possible(outputs, EXACT).tolist() == [[True, False, False], [False, True, False], [False] * 3,
                                                 [True, False, False]]  # fmt: skip


def test_a_model_that_ties_everywhere_may_have_any_accuracy():
    labels = np.arange(40) % 4
    outputs = np.full((40, 4), 0.25)
    for name in ("accuracy", "macro_f1"):
        assert audit(name, outputs, labels, None, Tolerance(10_000, 10_000), 0) == (0.0, 1.0)


def test_a_clear_model_without_lies_has_a_point_for_an_interval():
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 4, 500)
    outputs = onehot(np.where(rng.random(500) < 0.8, labels, rng.integers(0, 4, 500)), 4)
    for name in ("accuracy", "macro_f1", "brier"):
        value = METRICS[name].measure(outputs, labels, None)
        assert audit(name, outputs, labels, None, EXACT, 0) == pytest.approx((value, value))


# ── macro-F1: a search for the worst lie on larger sets ───────────────────────────────────────────


def searched(labels, predicted, classes, most, sign):
    """Greedy, one row after another: the macro-F1 that ``most`` alterations reach, upwards or downwards."""
    predicted = predicted.copy()
    for _ in range(most):
        best = (sign * macro_f1(onehot(predicted, classes), labels), 0, predicted[0])
        cells = {(label, said): row for row, (label, said) in enumerate(zip(labels, predicted, strict=True))}
        for row in cells.values():
            before = predicted[row]
            for said in range(classes):
                predicted[row] = said
                best = max(best, (sign * macro_f1(onehot(predicted, classes), labels), row, said))
            predicted[row] = before
        predicted[best[1]] = best[2]
    return macro_f1(onehot(predicted, classes), labels)


TWO_RARE = (0.96, 0.02, 0.02)
"""The bound forgets that one lie belongs to one row, which matters where lies suffice to rewrite two classes."""


@pytest.mark.parametrize("shares", [(0.5, 0.5), TWO_RARE, (0.6, 0.39, 0.01), (0.25,) * 4], ids=str)
@pytest.mark.parametrize("skill", [0.3, 0.7, 0.97])
@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
def test_a_searched_lie_about_rare_classes_stays_within_and_comes_near(shares, skill, sign):
    rng, classes, n, most = np.random.default_rng(11), len(shares), 400, 8
    labels = rng.choice(classes, n, p=shares)
    predicted = np.where(rng.random(n) < skill, labels, rng.choice(classes, n, p=shares))
    low, high = audit("macro_f1", onehot(predicted, classes), labels, None, EXACT, most)
    reached = searched(labels, predicted, classes, most, sign)
    assert holds((low, high), reached)
    gap = high - reached if sign > 0 else reached - low
    assert gap <= (0.1 if shares == TWO_RARE else 0.003)


def test_one_percent_of_lies_can_lift_macro_f1_far_beyond_one_percent():
    """trust.md §1: a naive ±δ would be false."""
    labels = np.r_[np.zeros(990, np.int64), np.ones(10, np.int64)]
    claimed = onehot(np.zeros(1000, np.int64), 2)
    low, high = audit("macro_f1", claimed, labels, None, EXACT, 10)
    assert macro_f1(claimed, labels) < 0.5
    assert (low < 0.5, high) == (True, pytest.approx(1.0))


# ── Brier, MAE, RMSE ──────────────────────────────────────────────────────────────────────────────


def distributions(rng, n, classes):
    odds = rng.exponential(size=(n, classes)) ** 3
    return odds / odds.sum(axis=1, keepdims=True)


@given(seeds, st.integers(1, 40), st.integers(0, 5))
def test_no_lie_about_probabilities_escapes_and_the_worst_is_reached(seed, n, most):
    rng, most = np.random.default_rng(seed), min(most, n)
    labels, claimed = rng.integers(0, 3, n), distributions(rng, n, 3)
    low, high = audit("brier", claimed, labels, None, EXACT, most)
    measure = METRICS["brier"].measure
    assert low >= measure(claimed, labels, None) - 2 * most / n - ROUNDING
    assert high <= measure(claimed, labels, None) + 2 * most / n + 1e-5
    for _ in range(20):
        truth = claimed.copy()
        truth[rng.permutation(n)[:most]] = distributions(rng, most, 3)
        assert holds((low, high), measure(truth, labels, None))
    order = np.argsort(np.square(claimed - np.eye(3)[labels]).sum(axis=1))
    best, worst = claimed.copy(), claimed.copy()
    best[order[n - most :]] = np.eye(3)[labels[order[n - most :]]]
    worst[order[:most]] = np.eye(3)[(labels[order[:most]] + 1) % 3]
    assert measure(best, labels, None) == pytest.approx(low)
    assert measure(worst, labels, None) == pytest.approx(high, abs=2e-6)


@pytest.mark.parametrize("name", ["mae", "rmse"])
@given(seed=seeds, n=st.integers(1, 30), most=st.integers(0, 5))
def test_no_lie_about_numbers_escapes_even_with_labels_outside_the_range(name, seed, n, most):
    rng, most = np.random.default_rng(seed), min(most, n)
    labels, claimed = rng.uniform(-0.5, 1.5, n), rng.uniform(-0.2, 1.2, n)
    measure, (low, high) = METRICS[name].measure, audit(name, claimed, labels, UNIT, EXACT, most)
    errors = np.abs(np.clip(claimed, 0, 1) - labels)
    best, worst = np.clip(labels, 0, 1), np.where(labels < 0.5, 1.0, 0.0)
    for power in (1, 2):
        for aim in (best, worst, rng.uniform(0, 1, n)):
            truth, gain = claimed.copy(), np.abs(np.abs(aim - labels) ** power - errors**power)
            places = np.argsort(gain)[n - most :]
            truth[places] = aim[places]
            value = measure(truth, labels, UNIT)
            assert holds((low, high), value)
            if power == (2 if name == "rmse" else 1) and aim is not best and aim is worst:
                assert value == pytest.approx(high)
            if power == (2 if name == "rmse" else 1) and aim is best:
                assert value == pytest.approx(low, abs=1e-7)


@pytest.mark.parametrize("name", ["brier", "mae", "rmse"])
@given(seed=seeds)
def test_what_tolerance_lets_pass_is_within_the_interval(name, seed):
    rng, n = np.random.default_rng(seed), 20
    small = Tolerance(400_000, 400_000)
    if name == "brier":
        labels, claimed = rng.integers(0, 3, n), distributions(rng, n, 3)
    else:
        labels, claimed = rng.uniform(0, 1, n), rng.uniform(-0.1, 1.1, (n, 1))
    ends = audit(name, claimed, labels, UNIT, small, 0)
    truth = claimed + rng.choice([-1.0, 1.0], claimed.shape) * (0.000399 + 0.000399 * np.abs(claimed))
    truth = np.clip(truth, 0, 1) if name == "brier" else truth
    value = METRICS[name].measure(truth, labels, UNIT)
    assert not differing(claimed, truth, small).any()
    assert value is None or holds(ends, value)


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_an_unbounded_error_has_no_certificate(name):
    assert audit(name, np.zeros(5), np.zeros(5), None, EXACT, 1) is None


@given(seeds, st.sampled_from(["accuracy", "macro_f1", "brier"]), st.integers(0, 20))
def test_more_lies_never_narrow_the_interval(seed, name, most):
    rng = np.random.default_rng(seed)
    labels, claimed = rng.integers(0, 3, 60), distributions(rng, 60, 3)
    narrow, wide = (audit(name, claimed, labels, None, EXACT, count) for count in (most, most + 1))
    assert wide[0] <= narrow[0] + 1e-6
    assert wide[1] >= narrow[1] - 1e-6


def test_everything_altered_allows_everything():
    labels = np.arange(30) % 3
    outputs = onehot(labels, 3)
    assert audit("accuracy", outputs, labels, None, EXACT, 30) == (0.0, 1.0)
    assert audit("macro_f1", outputs, labels, None, EXACT, 30) == pytest.approx((0.0, 1.0))


# ── sampling ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (3, 10), (9_824, 10_000)])
def test_clopper_pearson_is_that_of_scipy(hits, n):
    assert clopper_pearson(hits, n) == pytest.approx(tuple(binomtest(hits, n).proportion_ci()))


def test_the_interval_of_accuracy_counts_hits():
    assert sampling("accuracy", onehot([0, 0, 1, -1], 2), np.array([0, 1, 1, 1]), None) == clopper_pearson(2, 4)


@pytest.mark.parametrize("n", [3_000, 60_000])
def test_the_interval_of_a_mean_is_as_wide_as_theory_says(n):
    rng = np.random.default_rng(5)
    labels = rng.uniform(0, 1, n)
    errors = rng.uniform(0, 0.2, n)
    low, high = sampling("mae", labels + errors, labels, None)
    assert low < errors.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * errors.std() / n**0.5, rel=0.12)
    low, high = sampling("rmse", labels + errors, labels, None)
    assert low < np.sqrt(np.mean(errors**2)) < high


@pytest.mark.parametrize("name", ["macro_f1", "brier"])
def test_the_interval_covers_the_population_about_nineteen_times_in_twenty(name):
    rng = np.random.default_rng(8)
    population = 20_000
    labels, outputs = rng.integers(0, 3, population), distributions(rng, population, 3)
    swap = rng.random(population) < 0.6  # some skill: the largest probability goes to the label
    top = outputs[swap].argmax(axis=1)
    rows = np.flatnonzero(swap)
    outputs[rows, top], outputs[rows, labels[swap]] = outputs[rows, labels[swap]], outputs[rows, top]
    truth = METRICS[name].measure(outputs, labels, None)
    covered = 0
    for _ in range(100):
        drawn = rng.integers(0, population, 400)
        low, high = sampling(name, outputs[drawn], labels[drawn], None)
        covered += low <= truth <= high
    assert 88 <= covered <= 100


def test_everybody_computes_the_same_bootstrap_and_each_metric_its_own():
    rng = np.random.default_rng(9)
    labels, outputs = rng.integers(0, 3, 200), distributions(rng, 200, 3)
    assert sampling("brier", outputs, labels, None) == sampling("brier", outputs.copy(), labels, None)
    numbers = np.concatenate([np.zeros(100), np.ones(100)])  # |e| = e²: only the seed can tell MAE from MSE
    low, _ = sampling("mae", numbers, np.zeros(200), None)
    assert low != pytest.approx(sampling("rmse", numbers, np.zeros(200), None)[0] ** 2)
