"""Drawing by influence: the bound in exact numbers for every lie, the draw itself, and how many it takes."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2peval.core.audit import miss_probability
from p2peval.trust.rule import allowed, samples_for
from p2peval.trust.weighted_draw import (
    SCALE,
    Stratum,
    balanced_accuracy_strata,
    draw_weighted,
    draws_for,
    draws_knowing_sum,
    escapes_at_most,
    gap_strata,
    macro_f1_strata,
    strata_of,
    total,
)

EPSILON, DELTA = 5_000_000, 20_000_000
NEWCOMER = allowed(EPSILON, 0)


def escapes(weights, lie, m, taken=frozenset()):
    """Chance that m successive draws ∝ weight all miss ``lie``, by its definition."""
    if m == 0:
        return Fraction(1)
    left = [i for i in range(len(weights)) if i not in taken]
    whole = sum(weights[i] for i in left)
    free = [i for i in left if i not in lie]
    return sum((Fraction(weights[i], whole) * escapes(weights, lie, m - 1, taken | {i}) for i in free), Fraction(0))


# ── the bound ─────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_no_set_of_samples_escapes_more_often_than_the_bound_says(weights):
    lightest = np.cumsum([0, *sorted(weights)])
    for size in range(1, len(weights)):
        for lie in combinations(range(len(weights)), size):
            bound, heavy = Fraction(1), sum(weights[i] for i in lie)
            for m in range(1, len(weights) + 1):
                left = sum(weights) - int(lightest[m - 1])
                bound *= Fraction(max(0, left - heavy), left)
                if m <= len(weights) - size:
                    assert escapes(weights, set(lie), m) <= bound


def test_equal_weights_lose_nothing_against_the_uniform_draw():
    strata = strata_of([(Fraction(1, 1800), 1800)])  # d = 36 exactly
    assert float(escapes_at_most(strata, DELTA, 244)) == pytest.approx(miss_probability(1800, 36, 244))
    assert draws_for(strata, DELTA, *NEWCOMER) == samples_for(1800, DELTA, EPSILON, 0)


@pytest.mark.parametrize(("positives", "negatives"), [(90, 1707), (300, 1497), (898, 899)])
def test_every_worst_lie_about_an_auroc_is_caught_as_often_as_one_about_an_accuracy(positives, negatives):
    """Every smallest lie of a positives and b negatives, by an exact programme over how many of each were drawn."""
    m = draws_for(gap_strata((positives, negatives)), DELTA, *NEWCOMER)
    for a in range(positives + 1):
        b = max(0, int(np.ceil((0.02 - a / positives) * negatives)))
        assert missed(positives, negatives, a, b, m) <= NEWCOMER[0] / NEWCOMER[1]
        if b == 0:
            break


def missed(positives, negatives, a, b, m):
    """P(m successive draws, 1/n₊ or 1/n₋ each, hit none of a positives and b negatives)."""
    drawn = np.zeros(m + 1)  # of the positives that were not altered
    drawn[0] = 1.0
    for j in range(m):
        u = np.arange(m + 1)
        up = np.clip(positives - a - u, 0, None) / positives
        down = np.clip(negatives - b - (j - u), 0, None) / negatives
        whole = up + down + a / positives + b / negatives
        drawn = drawn * down / whole + np.concatenate(([0.0], (drawn * up / whole)[:-1]))
    return drawn.sum()


def test_sum_of_influence_times_s_misses_a_little_too_often_where_there_are_very_many_samples():
    """Refutes "multiply s by Σ b_i" as an exact rule; the size that is used here is the least that is enough."""
    strata, s = gap_strata((500_000, 500_000)), samples_for(10**6, DELTA, EPSILON, 0)
    m = draws_for(strata, DELTA, *NEWCOMER)
    assert (s, m) == (263, 528)
    assert miss_probability(10**6, 10_000, 2 * s) > NEWCOMER[0] / NEWCOMER[1] >= miss_probability(10**6, 10_000, m)


@pytest.mark.parametrize(
    ("strata", "sum_of_influence", "draws"),
    [
        (gap_strata((898, 899)), 2.0, 458),
        (gap_strata((90, 1707)), 2.0, 489),
        (balanced_accuracy_strata([10] + [200] * 9), 1.0, 246),
        (macro_f1_strata([180] * 10), 2.49, 551),
        (macro_f1_strata([10] + [200] * 9), 10.55, 1433),
    ],
)
def test_how_many_samples_each_metric_takes(strata, sum_of_influence, draws):
    assert total(strata) / SCALE == pytest.approx(sum_of_influence, abs=0.01)
    assert draws_for(strata, DELTA, *NEWCOMER) == draws
    assert draws <= draws_knowing_sum(sum_of_influence, DELTA, *NEWCOMER)


@given(st.lists(st.integers(1, 400), min_size=2, max_size=6), st.integers(0, 500))
def test_size_is_the_least_that_keeps_the_bound(groups, streak):
    strata, may = gap_strata(groups), allowed(EPSILON, streak)
    m = draws_for(strata, DELTA, *may)
    assert 1 <= m <= sum(groups)
    assert m == sum(groups) or escapes_at_most(strata, DELTA, m) <= Fraction(*may)
    assert m == 1 or escapes_at_most(strata, DELTA, m - 1) > Fraction(*may)


def test_systematic_sampling_in_a_known_order_is_refuted():
    """A step of 1797/244 = 7.4 samples: one altered sample in each of 36 steps, in phase, mostly escapes."""
    step = 1797 / 244
    lie = {int(j * step + 0.5) for j in range(1, 37)}
    phases = np.arange(0.0, step, 0.001)
    hits = [bool(lie & {int(phase + j * step) for j in range(244)}) for phase in phases[::20]]
    assert 1 - np.mean(hits) > 0.7


# ── the draw ──────────────────────────────────────────────────────────────────────────────────────


def test_everybody_draws_the_same_places():
    strata = (Stratum(3, 40), Stratum(1, 100))
    assert draw_weighted(b"nonce", "task", b"root", strata, 8) == draw_weighted(b"nonce", "task", b"root", strata, 8)
    assert draw_weighted(b"nonce", "task", b"root", strata, 8) != draw_weighted(b"other", "task", b"root", strata, 8)


@given(st.binary(max_size=8), st.lists(st.tuples(st.integers(1, 2**50), st.integers(1, 9)), max_size=5), st.integers(0))
def test_places_are_distinct_and_as_many_as_asked_for(nonce, shape, m):
    strata = tuple(Stratum(weight, samples) for weight, samples in shape)
    drawn = draw_weighted(nonce, "task", b"root", strata, m)
    assert sum(map(len, drawn)) == min(m, sum(samples for _, samples in shape))
    for places, stratum in zip(drawn, strata, strict=True):
        assert places == sorted(set(places))
        assert all(0 <= place < stratum.samples for place in places)


def test_samples_are_drawn_in_proportion_to_their_weight():
    strata, weights, trials = (Stratum(5, 2), Stratum(1, 3)), [5, 5, 1, 1, 1], 6_000
    seen: Counter[int] = Counter()
    for i in range(trials):
        heavy, light = draw_weighted(i.to_bytes(4, "big"), "task", b"root", strata, 2)
        seen.update(heavy + [2 + place for place in light])
    for i in range(5):
        expected = float(1 - escapes(weights, {i}, 2))
        assert seen[i] / trials == pytest.approx(expected, abs=4 * (expected * (1 - expected) / trials) ** 0.5)


def test_influence_of_a_wrong_scale_is_refused():
    with pytest.raises(ValueError, match="scale"):
        strata_of([(Fraction(1), 1 << 23)])
