"""Our rule: sizes against their definition, and each next step with its reason."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2peval.core.audit import look_epsilon, sample_size
from p2peval.trust.checking import Answer, Asked, Do, Finding, Means, Record, Step
from p2peval.trust.checkings import CHECKINGS
from p2peval.trust.hypergeometric import NANO
from p2peval.trust.rule import audit_size, panel_for, samples_for, wrong_from

EPSILON, DELTA = 5_000_000, 20_000_000
TASK = Asked(1797, EPSILON, DELTA)
ALONE = Means(computes=False)


def draws():
    raise AssertionError("our rule draws nothing")


def decide(answers, task=TASK, means=Means()):  # noqa: B008 - frozen
    return CHECKINGS["audit"](task, answers, means, draws)


def answer(streak=0, finding=Finding.UNCHECKED, peer="p"):
    return Answer(peer, "said", Record(streak), 0.5, finding)


# ── how many samples ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("n", "delta_nano", "sizes"),
    [
        (200, 20_000_000, [146, 79, 48, 9]),
        (1797, 20_000_000, [244, 97, 54, 9]),
        (10_000, 10_000_000, [514, 198, 109, 19]),
    ],
)
def test_a_streak_of_0_30_100_and_999_takes_the_published_number_of_samples_and_at_most_one_more(n, delta_nano, sizes):
    """trust.md §4 says "about"; its figures for k > 0 are those of k + 1, one lower where they differ."""
    assert [samples_for(n, delta_nano, EPSILON, k) for k in (0, 30, 100, 999)] == sizes


@given(st.integers(1, 300), st.integers(1, NANO - 1), st.integers(1, NANO // 2), st.integers(0, 3000))
def test_size_is_the_least_whose_chance_to_miss_is_allowed(n, delta_nano, epsilon_nano, streak):
    s, d = samples_for(n, delta_nano, epsilon_nano, streak), wrong_from(n, delta_nano)
    x = Fraction(epsilon_nano, NANO) * (streak + 1)

    def missed(looked_at):
        return Fraction(comb(n - d, looked_at), comb(n, looked_at))

    assert d >= Fraction(delta_nano, NANO) * n > d - 1 or d == 1
    assert missed(s) <= x / (1 + x)
    assert s == 1 or missed(s - 1) > x / (1 + x)


@given(st.integers(1, 10**8), st.integers(0, 10**6), st.integers(1, 1000))
def test_a_longer_streak_never_takes_more_samples(n, streak, more):
    assert samples_for(n, DELTA, EPSILON, streak + more) <= samples_for(n, DELTA, EPSILON, streak)


def test_a_metric_that_is_no_mean_takes_what_is_enough_for_any_weights_of_that_sum():
    assert samples_for(1797, DELTA, EPSILON, 0, 2.0) == 528  # (1 − .02/2)^528 ≤ .005/1.005 < (1 − .02/2)^527
    assert 0.99**528 <= 0.005 / 1.005 < 0.99**527
    assert samples_for(200, DELTA, EPSILON, 0, 2.0) == 200


def test_blind_auditors_of_such_a_metric_keep_the_bound_for_samples_drawn_by_weight():
    panel = panel_for(Asked(10**6, EPSILON, DELTA, certify=True, spread=2.0), Record(9), ALONE)
    assert (0.35 + 0.65 * 0.99**panel.samples) ** panel.auditors <= 0.005 / 1.005
    assert panel.miss == pytest.approx((0.35 + 0.65 * 0.99**panel.samples) ** panel.auditors)


# ── the next step ─────────────────────────────────────────────────────────────────────────────────


def test_first_question_asks_as_many_as_are_wanted():
    assert decide([], Asked(1797, EPSILON, DELTA, wanted=3)) == Step(Do.ASK, 3, why="first")


def test_a_newcomer_is_audited_at_k_0_and_told_so_with_the_numbers():
    step = decide([answer()])
    assert (step.do, step.samples, step.why) == (Do.AUDIT, (244,), "newcomer")
    told = dict(step.numbers)
    assert (told["streak"], told["samples"], told["epsilon"], told["delta"], told["audited"]) == (
        0,
        1797,
        0.005,
        0.02,
        244,
    )
    assert 0.0048 < told["miss"] <= 0.005 / 1.005


def test_each_answer_is_audited_by_its_own_streak():
    step = decide([answer(30), answer(0, Finding.DIFFERED), answer(100)])
    assert (step.samples, step.why, dict(step.numbers)["streak"]) == ((97, 0, 54), "streak", 30)


def test_what_held_is_accepted_whatever_else_was_said():
    step = decide([answer(0, Finding.DIFFERED), answer(7, Finding.HELD), answer()])
    assert (step.do, step.count, step.why, dict(step.numbers)["streak"]) == (Do.ACCEPT, 1, "held", 7)


def test_another_is_asked_after_a_lie_until_the_requester_rather_computes_or_gives_up():
    lies = [answer(0, Finding.DIFFERED)] * 8
    assert decide(lies[:3]) == Step(Do.ASK, 1, why="again", numbers=(("answers", 3),))
    assert decide(lies) == Step(Do.COMPUTE, why="nobody_held", numbers=(("answers", 8),))
    assert decide(lies, means=ALONE).do is Do.GIVE_UP


def test_where_checking_takes_every_sample_the_requester_computes_unless_it_knows_somebody_better_or_cannot():
    tiny = Asked(30, EPSILON, DELTA)
    assert samples_for(30, DELTA, EPSILON, 0) == 30
    assert (decide([], tiny).do, decide([], tiny).why) == (Do.COMPUTE, "cheaper_alone")
    assert decide([], tiny, Means(best=Record(40))).do is Do.ASK
    assert decide([], tiny, ALONE).do is Do.ASK
    assert (decide([answer()], tiny).samples, decide([answer()], tiny).why) == ((30,), "in_full")


# ── certificates ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("looks", "sharing"), [(0, 1), (1, 1), (0, 2), (2, 3)])
def test_a_certificate_takes_its_own_size_whoever_answers_shared_among_answers_and_looks(looks, sharing):
    task = Asked(1797, EPSILON, DELTA, certify=True, looks=looks)
    step = decide([answer(999)] * sharing, task)
    size = sample_size(1797, look_epsilon(EPSILON, looks + 1) // sharing, DELTA)
    assert (step.samples, step.why) == ((size,) * sharing, "certificate")


def test_a_certificate_never_audits_less_than_the_newcomer_needs():
    task = Asked(200, EPSILON, DELTA, certify=True)
    assert sample_size(200, EPSILON, DELTA) < samples_for(200, DELTA, EPSILON, 0) == 146
    assert audit_size(task, Record(0))[:2] == (146, "newcomer")


def test_large_benchmarks_are_always_certified():
    asked = Asked(50_000, EPSILON, DELTA)
    assert audit_size(asked, Record(999))[:2] == (sample_size(50_000, EPSILON, DELTA), "certificate")


# ── a requester that cannot compute ───────────────────────────────────────────────────────────────


def test_blind_auditors_check_the_answer_with_the_longest_streak_first():
    step = decide([answer(0), answer(30), answer(30)], means=ALONE)
    panel = panel_for(TASK, Record(30), ALONE)
    assert (step.do, step.why, step.count, step.samples) == (
        Do.CONSULT,
        "blind_auditors",
        panel.auditors,
        (0, panel.samples, 0),
    )


def test_too_few_auditors_is_said():
    step = decide([answer()], means=Means(computes=False, auditors=5))
    assert (step.do, step.why, dict(step.numbers)["auditors"]) == (Do.GIVE_UP, "too_few_auditors", 5)


def test_fewer_auditors_than_usual_look_at_more_samples_each():
    few, many = (panel_for(TASK, Record(), Means(computes=False, auditors=n)) for n in (10, 32))
    assert (few.auditors, few.samples) == (10, 49)
    assert many.auditors > few.auditors
    assert many.samples < few.samples
