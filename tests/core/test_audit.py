"""How many samples, which ones, and what they certify: exact against brute force."""

from __future__ import annotations

from fractions import Fraction
from math import comb, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2peval.core.audit import draw, look_epsilon, miss_ratio, sample_size, spent_epsilon
from p2peval.core.types import NANO

PERCENT = NANO // 100
shares = st.integers(1, NANO - 1)


def missed(n, altered, s):
    """Chance that s of n samples hit none of the altered, by its definition."""
    return Fraction(comb(n - altered, s), comb(n, s))


# ── how many ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("n", "samples"), [(150, 135), (1797, 404), (10_000, 444), (100_000_000, 459)])
def test_one_percent_each_way_takes_the_published_number_of_samples(n, samples):
    assert sample_size(n, PERCENT, PERCENT) == samples


@given(st.integers(1, 60), st.data())
def test_miss_ratio_is_the_exact_probability(n, data):
    altered, s = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    assert Fraction(*miss_ratio(n, altered, s)) == missed(n, altered, s)


@given(st.integers(1, 300), shares, shares)
def test_sample_size_is_enough_and_one_less_is_not(n, epsilon, delta):
    altered = delta * n // NANO + 1
    s = sample_size(n, epsilon, delta)
    assert 1 <= s <= n
    assert missed(n, altered, s) <= Fraction(epsilon, NANO)
    assert s == 1 or missed(n, altered, s - 1) > Fraction(epsilon, NANO)


@pytest.mark.parametrize("epsilon", [1, NANO // 2, NANO - 1])
@pytest.mark.parametrize("delta", [1, NANO // 3, NANO - 1])
@pytest.mark.parametrize("n", [1, 2, 3, 1797])
def test_sample_size_is_minimal_at_the_edges(n, epsilon, delta):
    altered, s = delta * n // NANO + 1, sample_size(n, epsilon, delta)
    assert missed(n, altered, s) * NANO <= epsilon
    assert s == 1 or missed(n, altered, s - 1) * NANO > epsilon


@given(st.integers(1, 2000), shares, shares, shares)
def test_asking_for_more_certainty_never_takes_fewer_samples(n, one, other, delta):
    strict, mild = sorted((one, other))
    assert sample_size(n, strict, delta) >= sample_size(n, mild, delta)
    assert sample_size(n, delta, strict) >= sample_size(n, delta, mild)


def test_a_share_that_is_a_whole_number_of_outputs_is_not_yet_a_lie():
    assert sample_size(100, NANO // 10, PERCENT) == 69  # D = 2; D = 1 would take 90
    assert missed(100, 2, 69) <= Fraction(1, 10) < missed(100, 2, 68)


# ── several looks ─────────────────────────────────────────────────────────────────────────────────


def test_the_first_look_has_all_of_epsilon_and_later_ones_shrink():
    assert look_epsilon(PERCENT, 1) == PERCENT
    for look in range(2, 10):
        assert look_epsilon(PERCENT, look) == int(PERCENT * 6 / (pi * look) ** 2)


def test_no_look_is_asked_for_the_impossible():
    assert look_epsilon(1, 1000) == 1


def test_all_looks_together_never_spend_twice_what_was_asked():
    assert spent_epsilon(PERCENT, 0) == 0
    assert spent_epsilon(PERCENT, 2) == PERCENT + look_epsilon(PERCENT, 2)
    assert spent_epsilon(PERCENT, 1000) < 2 * PERCENT


# ── which ones ────────────────────────────────────────────────────────────────────────────────────


@given(st.binary(min_size=32, max_size=32), st.text(max_size=8), st.integers(1, 500), st.data())
def test_a_draw_is_distinct_sorted_within_and_of_the_asked_size(nonce, task, n, data):
    s = data.draw(st.integers(0, n + 3))
    indices = draw(nonce, task, b"\0" * 32, n, s)
    assert indices == sorted(set(indices))
    assert len(indices) == min(s, n)
    assert all(0 <= index < n for index in indices)


def test_a_draw_of_everything_is_everything():
    assert draw(b"n", "t", b"r", 17, 17) == list(range(17))


def test_nonce_task_and_root_each_change_the_draw():
    seeds = [(b"n", "t", b"r"), (b"m", "t", b"r"), (b"n", "u", b"r"), (b"n", "t", b"s"), (b"nt", "", b"r")]
    draws = {tuple(draw(*seed, 1000, 20)) for seed in seeds}
    assert len(draws) == 5


def test_a_draw_is_the_same_on_every_machine():
    assert draw(bytes(range(32)), "bafkreitask", b"\xff" * 32, 1797, 12) == FIXED


FIXED = [118, 275, 429, 757, 886, 1000, 1050, 1274, 1283, 1486, 1628, 1722]


def test_every_index_and_every_pair_is_drawn_equally_often():
    n, s, rounds = 12, 3, 3000
    single, pair = [0] * n, [0] * (n * n)
    for number in range(rounds):
        chosen = draw(number.to_bytes(32, "big"), "task", b"root", n, s)
        for index in chosen:
            single[index] += 1
        for first in chosen:
            for second in chosen:
                pair[first * n + second] += first < second
    pairs = [pair[i * n + j] for i in range(n) for j in range(i + 1, n)]
    assert chi_square(single) < 31.3  # the 99.9 % quantile at 11 degrees of freedom; without replacement it is less
    assert chi_square(pairs) < 104.7  # the same at 65


def chi_square(counts):
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 for count in counts) / expected
