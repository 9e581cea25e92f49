"""Panels of blind auditors: the bound exactly, and the cheapest that satisfies it."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2peval.defaults import AUDITOR_OVERHEAD, AUDITOR_SAMPLES
from p2peval.trust.consulting import auditors_least, least_panel
from p2peval.trust.hypergeometric import NANO
from p2peval.trust.rule import allowed

EPSILON = 5_000_000


def escapes(n, d, honest_nano, m, r):
    h, missed = Fraction(honest_nano, NANO), Fraction(comb(n - d, r), comb(n, r))
    return (1 - h + h * missed) ** m


@given(st.integers(30, 400), st.integers(1, 20), st.integers(0, 300), st.integers(NANO // 2, NANO), st.integers(5, 40))
def test_panel_keeps_the_bound_and_nothing_cheaper_does(n, d, streak, honest_nano, most):
    newcomer, may = allowed(EPSILON, 0), allowed(EPSILON, streak)
    floor = min(auditors_least(newcomer, may), most)
    panel = least_panel(n, d, newcomer, may, honest_nano, most)
    sound = [
        (m * (r + AUDITOR_OVERHEAD), m, r)
        for r in range(1, min(AUDITOR_SAMPLES, n) + 1)
        for m in range(floor, most + 1)
        if float(escapes(n, d, honest_nano, m, r)) <= may[0] / may[1] * (1 + 1e-12)
    ]
    if panel is None:
        assert not sound
        return
    assert escapes(n, d, honest_nano, panel.auditors, panel.samples) <= Fraction(*may)
    assert (panel.auditors * (panel.samples + AUDITOR_OVERHEAD), panel.auditors, panel.samples) == min(sound)


@pytest.mark.parametrize(("streak", "least"), [(0, 10), (30, 4), (100, 3), (999, 1)])
def test_a_longer_streak_needs_fewer_auditors(streak, least):
    assert auditors_least(allowed(EPSILON, 0), allowed(EPSILON, streak)) == least


def test_one_auditor_who_is_surely_honest_is_enough_however_much_it_may_look_at():
    one = allowed(EPSILON, 0)
    panel = least_panel(30, 20, one, one, NANO, 1)  # 11 samples cannot miss 20 of 30
    assert panel.auditors == 1
    assert panel.miss <= one[0] / one[1]


def test_dishonest_auditors_beyond_what_was_counted_on_are_why_there_are_ten():
    one = allowed(EPSILON, 0)
    assert least_panel(1797, 36, one, one, NANO * 65 // 100, 5) is None  # .35^5 > .005, whatever they look at
    ten = least_panel(1797, 36, one, one, NANO * 65 // 100, 10)
    assert (ten.auditors, ten.samples) == (10, 49)
