"""Claims: what a line means, what it is held against, and what is said of a line that means nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2peval.sim.claims import OPERATORS, STATS, Claim, ClaimError, judge, parse, quantile
from p2peval.sim.estimate import estimate

FOUND = {"bad_picks": [0.1, 0.2, 0.3, 0.4], "caught": [1.0, None, 0.5, float("nan")], "wasted": [None, None]}


def test_a_line_becomes_a_claim_and_the_same_line_again() -> None:
    claim = parse("bad_picks.p95 <= 0.10")
    assert claim == Claim("bad_picks", "p95", "<=", 0.1)
    assert str(claim) == "bad_picks.p95 <= 0.1"
    assert parse("  bad_picks.p95<=1e-1 ") == claim


@given(
    st.sampled_from(["bad_picks", "x", "time_to_catch_s"]),
    st.sampled_from(sorted(STATS)),
    st.sampled_from(sorted(OPERATORS)),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_every_claim_survives_being_written_down(metric: str, stat: str, sign: str, limit: float) -> None:
    claim = Claim(metric, stat, sign, limit)
    assert parse(str(claim)) == claim


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bad_picks <= 0.1", "is no claim"),
        ("bad_picks.p95 <= ", "is no claim"),
        ("bad_picks.p96 <= 0.1", "no statistic 'p96'; did you mean 'p95'?"),
        ("bad_picks.p95 =< 0.1", "no comparison '=<'"),
        ("bad_picks.p95 <= 0,1", "'0,1' is no number"),
        ("bad_picks.p95 <= nan", "'nan' is no number"),
        ("bad_picks.p95 <= inf", "'inf' is no number"),
    ],
)
def test_a_line_that_is_no_claim_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(ClaimError) as caught:
        parse(text)
    assert said in caught.value.message


def test_a_claim_on_what_nobody_measures_names_the_nearest_measure() -> None:
    with pytest.raises(ClaimError) as caught:
        parse("bad_piks.mean <= 0.1", FOUND)
    assert "nothing measures 'bad_piks'" in caught.value.message
    assert caught.value.hint == "did you mean 'bad_picks'?"


@pytest.mark.parametrize(
    ("claim", "value", "held"),
    [
        ("bad_picks.mean <= 0.25", 0.25, True),
        ("bad_picks.mean < 0.25", 0.25, False),
        ("bad_picks.median >= 0.25", 0.25, True),
        ("bad_picks.min == 0.1", 0.1, True),
        ("bad_picks.max > 0.4", 0.4, False),
        ("bad_picks.p05 >= 0.11", 0.115, True),
        ("bad_picks.p95 <= 0.38", 0.385, False),
    ],
)
def test_a_claim_is_held_against_its_statistic_over_seeds(claim: str, value: float, held: bool) -> None:
    (verdict,) = judge([parse(claim)], FOUND)
    assert verdict.value == pytest.approx(value)
    assert (verdict.held, verdict.seeds) == (held, 4)


def test_low_and_high_are_the_ends_of_the_means_interval() -> None:
    low, high = judge([parse("bad_picks.low > 0"), parse("bad_picks.high < 1")], FOUND)
    reckoned = estimate(FOUND["bad_picks"])  # type: ignore[arg-type]
    assert (low.value, high.value) == (reckoned.low, reckoned.high)


def test_seeds_without_a_value_do_not_count() -> None:
    (verdict,) = judge([parse("caught.mean >= 0.7")], FOUND)
    assert (verdict.value, verdict.seeds, verdict.held) == (0.75, 2, True)


def test_a_claim_on_a_measure_that_no_seed_has_does_not_hold() -> None:
    below, above = judge([parse("wasted.mean <= 1"), parse("wasted.mean >= 0")], FOUND)
    assert (below.value, below.held, above.held) == (None, False, False)


def test_a_claim_on_what_was_not_found_is_an_error() -> None:
    with pytest.raises(ClaimError):
        judge([parse("bad_pick.mean <= 1")], FOUND)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0.0, 1.0))
def test_quantiles_are_numpys(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-9)
