"""What the best liar gets out of each rule; deterministic, and for ours proven in integers as well."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import pytest

from p2peval.trust.best_response import Check, against, best_response
from p2peval.trust.checking import Asked, Means, Record
from p2peval.trust.checkings import CHECKINGS
from p2peval.trust.hypergeometric import NANO, miss_probability, miss_ratio
from p2peval.trust.rule import counts_as, samples_for, wrong_from

EPSILON = 5_000_000
E = Fraction(EPSILON, NANO)
SIZES = [(200, 20_000_000), (1797, 20_000_000), (10_000, 10_000_000)]
LONGEST = 2_000


def ours(n, delta_nano):
    return against(CHECKINGS["audit"], Asked(n, EPSILON, delta_nano))


def missed(n, delta_nano, streak):
    d = wrong_from(n, delta_nano)
    return Fraction(*miss_ratio(n, d, samples_for(n, delta_nano, EPSILON, streak)))


# ── our rule ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("n", "delta_nano"), SIZES)
def test_the_best_liar_gets_epsilon_out_of_our_rule(n, delta_nano):
    best = best_response(ours(n, delta_nano), LONGEST)
    assert f"{best.rate:.4f}" == "0.0050"
    assert 0.004998 < best.rate <= 0.005


@pytest.mark.parametrize(("n", "delta_nano"), SIZES)
def test_no_streak_makes_a_lie_worth_more_than_it_cost_in_exact_numbers(n, delta_nano):
    """Up to the streak from which one sample is audited: from there on the allowance only grows."""
    k = 0
    while samples_for(n, delta_nano, EPSILON, k) > 1:
        assert missed(n, delta_nano, k) * (1 + E * (k + 1)) <= E * k + E
        k += 1
    assert missed(n, delta_nano, k) * (1 + E * (k + 1)) <= E * k + E
    assert k > 4_000


def test_no_mixture_of_epsilons_makes_a_lie_worth_more_than_was_paid_in_exact_numbers():
    """V = Σ ε of the streak: miss·(1 + V + ε) ≤ V + ε, whatever was asked before and is asked now."""
    n, delta_nano = SIZES[1]
    asked = [100_000, EPSILON, 100_000_000]
    for first, then, now in product(asked, asked, asked):
        for j, k in ((100, 0), (30, 1), (3, 300)):
            record = Record(j + k, paid_nano=j * first + k * then)
            value = Fraction(record.paid_nano + now, NANO)
            s = samples_for(n, delta_nano, now, counts_as(record, now))
            assert Fraction(*miss_ratio(n, wrong_from(n, delta_nano), s)) * (1 + value) <= value


def test_a_streak_counts_whole_at_the_epsilon_at_which_it_was_accepted_and_for_less_at_a_larger_one():
    record = Record(100, paid_nano=100 * EPSILON)
    assert [counts_as(record, epsilon) for epsilon in (EPSILON // 5, EPSILON, 5 * EPSILON)] == [100, 100, 20]
    assert counts_as(Record(100), 5 * EPSILON) == 100


@pytest.mark.parametrize(("n", "delta_nano"), SIZES)
def test_blind_auditors_give_the_best_liar_no_more(n, delta_nano):
    asked = Asked(n, EPSILON, delta_nano)
    best = best_response(against(CHECKINGS["audit"], asked, Means(computes=False)), LONGEST)
    assert 0.0049 < best.rate <= 0.005


@pytest.mark.parametrize(("n", "delta_nano"), SIZES[:2])
def test_a_refusal_that_kept_the_streak_would_give_everything_away(n, delta_nano):
    kept = best_response(ours(n, delta_nano), 10_000, refusing_keeps=True)
    assert kept.rate == pytest.approx(1 - wrong_from(n, delta_nano) / n)  # one sample is all that is ever audited


@pytest.mark.parametrize("m", [2, 3, 8])
def test_audits_that_overlapped_and_divided_the_streak_would_keep_the_bound(m):
    """trust.rule: every mixture of lies and honest results, for the two ways to divide that differ most."""
    n, delta_nano = 1797, 20_000_000
    for k in (0, 1, 7, 30, 100, 999):
        for parts in ([k] + [0] * (m - 1), [k // m] * m):
            escape = [missed(n, delta_nano, part) for part in parts]
            for lies in range(1, 2**m):
                lying = [p for i, p in enumerate(escape) if lies >> i & 1]
                assert sum(lying) + prod(lying) * E * (k + m) <= E * (k + m)


def test_audits_that_overlapped_and_all_rested_on_the_whole_streak_would_not():
    n, delta_nano, k, m = 1797, 20_000_000, 100, 100
    assert m * missed(n, delta_nano, k) / (k + m) > 30 * E


def test_a_late_reveal_gives_back_no_more_than_was_there():
    """V(k, p) = ε(k + p) with p the streak that waits for a reveal is never raised by withholding or revealing."""
    for k in range(50):
        for waiting in range(50):
            assert E * (0 + k + waiting) - E <= E * (k + waiting)  # honest, and withheld: k waits, k ← 0
            assert E * max(k, waiting) <= E * (k + waiting)  # revealed: the larger of both


# ── others' rules ─────────────────────────────────────────────────────────────────────────────────


def test_boinc_with_a_perfect_checker_gives_nine_lies_for_ten_honest_results():
    """By its source CV stands still while answers are accepted unseen: at CV = 10, (1 − 1/10) / (1/10) = 9 of 20."""
    best = best_response(against(CHECKINGS["boinc"], Asked(1797, EPSILON, 20_000_000)), 100)
    assert (best.rate, best.lies_from) == (pytest.approx(9 / 20), 10)


@pytest.mark.parametrize(("longest", "rate"), [(1_000, 0.822), (7_000, 0.863), (20_000, 0.878)])
def test_boinc_that_counted_what_it_accepted_unseen_would_give_nearly_all(longest, rate):
    """trust.md §5 has .86: this reading, with CV up to some thousands; it tends to 1 with the longest streak."""
    best = best_response(lambda k: Check(0.0 if k < 10 else 1 - 1 / k), longest)
    assert best.rate == pytest.approx(rate, abs=5e-4)


def test_a_rule_that_trusts_for_good_and_re_checks_two_percent_gives_a_tenth():
    """trust.md §4 has .105: trusted after 100, then 2 % of the samples of n = 200."""
    best = best_response(lambda k: Check(0.0 if k < 100 else miss_probability(200, 4, 4)), 300)
    assert (best.rate, best.lies_from) == (pytest.approx(0.1045, abs=5e-5), 100)


def test_sarmenta_with_a_perfect_checker():
    """Credible alone after 40 spot-checks, one answer in ten each; then nine lies until one is spot-checked."""
    asked = Asked(1797, EPSILON, 20_000_000)
    best = best_response(against(CHECKINGS["sarmenta"], asked, votes_count=False), 200)
    assert (best.rate, best.lies_from) == (pytest.approx(9 / 410), 40)


def test_no_checking_gives_everything():
    assert best_response(against(CHECKINGS["none"], Asked(1797, EPSILON, 20_000_000)), 10).rate == pytest.approx(1.0)


# ── the programme itself ──────────────────────────────────────────────────────────────────────────


def test_it_agrees_with_a_cycle_worked_out_by_hand():
    """Nothing escapes before k = 3, then half: 3 honest steps, one accept, one caught on average: 1 of 5."""
    assert best_response(lambda k: Check(0.0 if k < 3 else 0.5, 1.0, 0.0), 9).rate == pytest.approx(0.2)


def test_a_perfect_check_gives_nothing():
    assert best_response(lambda k: Check(0.0), 50).rate == pytest.approx(0.0)
