"""Evidence: what outcomes do to it, how it fades, and what follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta as beta_oracle

from p2peval.trust.evidence import DAY, Evidence

OUTCOMES = ("agreed_at", "disagreed_at", "withheld_at", "silent_at")
times = st.floats(0, 4e9)
outcomes = st.lists(st.tuples(st.sampled_from(OUTCOMES), st.floats(0, 90 * DAY), st.integers(0, 60)), max_size=80)


def lived(history):
    """A peer's evidence after outcomes, each some seconds and resolved tasks after the last."""
    now, resolved = 1.7e9, 0
    evidence = Evidence.none(now, resolved)
    for outcome, seconds, tasks in history:
        now, resolved = now + seconds, resolved + tasks
        evidence = getattr(evidence, outcome)(now, resolved)
    return evidence


def close(one, other):
    return (one.alpha, one.beta) == pytest.approx((other.alpha, other.beta)) and (
        (one.resolved, one.agreed, one.silent, one.withheld, one.updated, one.updated_resolved)
        == (other.resolved, other.agreed, other.silent, other.withheld, other.updated, other.updated_resolved)
    )


# ── bounds and oracle ─────────────────────────────────────────────────────────────────────────────


def test_a_newcomer_is_even_odds_and_carries_no_weight():
    newcomer = Evidence.none(0.0, 0)
    assert newcomer.mean == 0.5
    assert newcomer.weight == 0.0
    assert newcomer.interval() == pytest.approx((0.025, 0.975))


@given(outcomes)
def test_everything_that_follows_stays_within_its_bounds(history):
    evidence = lived(history)
    assert 0.0 <= evidence.alpha <= 50.0
    assert 0.0 <= evidence.beta <= len(history)
    assert 0.0 < evidence.mean < 1.0
    assert 0.0 <= evidence.weight < 0.5
    low, high = evidence.interval()
    assert 0.0 <= low < high <= 1.0
    assert 0 <= evidence.agreed <= evidence.resolved <= len(history)


@given(outcomes)
def test_the_posterior_is_that_of_scipy(history):
    evidence = lived(history)
    oracle = beta_oracle(1 + evidence.alpha, 1 + evidence.beta)
    assert evidence.mean == pytest.approx(oracle.mean())
    assert evidence.interval() == pytest.approx(oracle.interval(0.95))
    assert evidence.weight == pytest.approx(max(oracle.ppf(0.10) - 0.5, 0.0), abs=1e-12)


# ── what outcomes do ──────────────────────────────────────────────────────────────────────────────


@given(outcomes)
def test_agreement_never_lowers_and_disagreement_always_does(history):
    before = lived(history)
    agreed, differed = (getattr(before, say)(before.updated, before.updated_resolved) for say in OUTCOMES[:2])
    assert agreed.mean >= before.mean > differed.mean
    assert agreed.weight >= before.weight >= differed.weight
    assert (agreed.resolved, agreed.agreed) == (before.resolved + 1, before.agreed + 1)
    assert (differed.resolved, differed.agreed) == (before.resolved + 1, before.agreed)


@given(outcomes)
def test_silence_counts_but_is_no_dishonesty(history):
    before = lived(history)
    after = before.silent_at(before.updated, before.updated_resolved)
    assert (after.alpha, after.beta, after.resolved) == (before.alpha, before.beta, before.resolved)
    assert after.silent == before.silent + 1


@given(outcomes)
def test_withholding_costs_less_than_a_lie(history):
    before = lived(history)
    held, lied = (
        getattr(before, say)(before.updated, before.updated_resolved) for say in ("withheld_at", "disagreed_at")
    )
    assert lied.mean < held.mean < before.mean
    assert (held.withheld, held.resolved) == (before.withheld + 1, before.resolved)


@given(st.lists(st.sampled_from(OUTCOMES), max_size=12), st.randoms(use_true_random=False))
def test_outcomes_of_one_moment_may_come_in_any_order(said, shuffler):
    shuffled = said.copy()
    shuffler.shuffle(shuffled)
    assert close(lived([(outcome, 0.0, 0) for outcome in said]), lived([(outcome, 0.0, 0) for outcome in shuffled]))


def test_agreements_beyond_the_cap_are_forgotten_in_reputation_but_counted():
    evidence = lived([("agreed_at", 0.0, 0)] * 70)
    assert (evidence.alpha, evidence.agreed) == (50.0, 70)


# ── how it fades ──────────────────────────────────────────────────────────────────────────────────

HALF = Evidence(*(8.0,) * 4, resolved=20, agreed=10, silent=1, withheld=2, streak=3, updated=0.0, updated_resolved=0)


def test_a_half_life_halves_agreement_and_disagreement_fades_four_times_slower():
    later = HALF.decayed(30 * DAY, 50)
    assert later.alpha == pytest.approx(4.0)
    assert later.beta == pytest.approx(8.0 * 2**-0.25)
    assert HALF.decayed(120 * DAY, 200).beta == pytest.approx(4.0)
    assert (later.resolved, later.agreed, later.silent, later.withheld) == (20, 10, 1, 2)


@pytest.mark.parametrize(("now", "resolved"), [(365 * DAY, 0), (0.0, 10_000)])
def test_neither_time_nor_tasks_alone_make_anyone_forget(now, resolved):
    later = HALF.decayed(now, resolved)
    assert (later.alpha, later.beta) == (8.0, 8.0)


@given(times, times, st.integers(0, 5000), st.integers(0, 5000))
def test_fading_only_ever_lowers_and_more_so_with_time(early, late, few, many):
    (early, late), (few, many) = sorted((early, late)), sorted((few, many))
    sooner, later = HALF.decayed(early, few), HALF.decayed(late, many)
    assert HALF.alpha >= sooner.alpha >= later.alpha >= 0.0
    assert HALF.beta >= sooner.beta >= later.beta >= 0.0
    assert later.alpha / HALF.alpha <= later.beta / HALF.beta


@given(st.lists(st.tuples(st.floats(0, 90 * DAY), st.integers(0, 60)), max_size=20))
def test_it_does_not_matter_how_often_somebody_looked(looks):
    stepped, now, resolved = HALF, 0.0, 0
    for seconds, tasks in looks:
        now, resolved = now + seconds, resolved + tasks
        stepped = stepped.decayed(now, resolved)
    assert close(stepped, HALF.decayed(now, resolved))


def test_a_streak_never_fades_and_ends_with_a_mismatch_or_a_withheld_result():
    assert HALF.decayed(1e9, 10_000).accepted().streak == 4
    assert HALF.agreed_at(0.0, 0).silent_at(0.0, 0).streak == 3
    assert HALF.disagreed_at(0.0, 0).streak == HALF.withheld_at(0.0, 0).streak == 0


@given(outcomes, st.floats(0, 1e9), st.integers(0, 1000))
def test_a_clock_that_falls_changes_nothing(history, back, fewer):
    evidence = lived(history)
    assert evidence.decayed(evidence.updated - back, evidence.updated_resolved - fewer) == evidence
