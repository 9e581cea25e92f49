"""Opinions: own counts and others' word, weighed by who says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from p2peval import defaults
from p2peval.defaults import APART, CREDIBILITY_PRIOR, POOL_CAP, PRIOR_COUNTS, RATER_CAP, RATER_SHARE
from p2peval.trust.availability import availability
from p2peval.trust.claims import claims
from p2peval.trust.opinions import opinion, opinions, pool
from p2peval.trust.policies import OPINIONS
from tests.trust.testimonies import any_testimony, counts, permuted, witnessed

shares = st.floats(0, 1)


def slowly(before):
    """(opinions, credibilities) by the formulas of trust.md §3, one rater and peer at a time."""
    good, bad, everyone = before.good.toarray(), before.bad.toarray(), range(before.size)
    mean = (1 + good) / (2 + good + bad)
    speaks = {(k, j) for k in everyone for j in everyone if k not in (before.me, j) and good[k, j] + bad[k, j] > 0}
    known = [j for j in everyone if good[before.me, j] + bad[before.me, j] > 0]

    def credible(k, but):
        missed = []
        for j in set(known) - {but}:
            others = [mean[i, j] for i in everyone if i != k and (i, j) in speaks]
            agreed = sum(others) / len(others) if others else before.prior
            if (k, j) in speaks and abs(mean[k, j] - agreed) > APART:
                missed.append(abs(mean[k, j] - mean[before.me, j]))
        right = 1 - 2 * sum(missed) / len(missed) if missed else 0
        return max(right, 0) * len(missed) / (len(missed) + CREDIBILITY_PRIOR)

    result = []
    for j in everyone:
        up, down = 0.0, 0.0
        for k in everyone:
            if (k, j) in speaks:
                weight = RATER_SHARE * credible(k, but=j) * min(1, RATER_CAP / (good[k, j] + bad[k, j]))
                up, down = up + weight * good[k, j], down + weight * bad[k, j]
        scale = min(1, POOL_CAP / (up + down)) if up + down else 1
        up = PRIOR_COUNTS * before.prior + good[before.me, j] + scale * up
        down = bad[before.me, j] + scale * down
        result.append(up / (PRIOR_COUNTS * (1 - before.prior) + up + down))
    return result, [credible(k, but=None) for k in everyone]


# ── bounds and oracle ─────────────────────────────────────────────────────────────────────────────


@given(any_testimony())
def test_opinions_are_what_the_formula_says_one_peer_at_a_time(before):
    expected, credible = slowly(before)
    assert opinions(before) == pytest.approx(expected)
    assert pool(before).credibility == pytest.approx(credible)


@given(any_testimony(), st.sampled_from(sorted(OPINIONS)))
def test_every_rule_gives_each_peer_a_number_from_0_to_1(before, rule):
    result = OPINIONS[rule](before)
    assert result.shape == (before.size,)
    assert ((result >= 0) & (result <= 1 + 1e-12)).all()


@given(any_testimony(), st.sampled_from(sorted(set(OPINIONS) - {"meritrank"})), st.randoms())  # whose walks are random
def test_the_order_in_which_peers_are_listed_does_not_matter(before, rule, random):
    order = list(range(before.size))
    random.shuffle(order)
    assert OPINIONS[rule](permuted(before, order)) == pytest.approx(OPINIONS[rule](before)[order], abs=1e-7)


def test_every_name_that_the_settings_allow_is_a_rule():
    assert set(OPINIONS) == set(defaults.OPINIONS)


@given(shares, counts, counts, counts, counts, st.floats(0.01, 10))
def test_one_more_good_outcome_never_lowers_and_a_bad_one_never_raises(prior, good, bad, said_good, said_bad, more):
    before = opinion(prior, good, bad, said_good, said_bad)
    assert opinion(prior, good + more, bad, said_good, said_bad) >= before - 1e-15
    assert opinion(prior, good, bad, said_good + more, said_bad) >= before - 1e-15
    assert opinion(prior, good, bad + more, said_good, said_bad) <= before + 1e-15
    assert opinion(prior, good, bad, said_good, said_bad + more) <= before + 1e-15


@given(any_testimony(), st.integers(0, 80), st.integers(0, 80), st.floats(0.01, 9))
def test_what_anybody_adds_in_a_peer_s_favour_never_lowers_it_and_blame_never_raises_it(before, rater, peer, more):
    """Own outcomes and others' claims alike, with all that follows for the raters' credibility."""
    rater, peer = rater % before.size, peer % before.size
    added = np.zeros((before.size, before.size))
    added[rater, peer] = more
    praised = replace(before, good=csr_array(before.good + added))
    blamed = replace(before, bad=csr_array(before.bad + added))
    assert opinions(praised)[peer] >= opinions(before)[peer] - 1e-12
    assert opinions(blamed)[peer] <= opinions(before)[peer] + 1e-12


def test_a_peer_nobody_knows_is_as_good_as_strangers_are():
    assert opinions(witnessed(3, {}, prior=0.7)) == pytest.approx([0.7] * 3)


# ── who is believed ───────────────────────────────────────────────────────────────────────────────


def seen_by_all(liars):
    """Peers 1–4 are good and 5–8 bad, as rater 9 tells it too; ``liars`` (10, 11 …) say the opposite."""
    said = {(0, peer): (10.0, 0.0) if peer < 5 else (0.0, 10.0) for peer in range(1, 9)}
    said |= {(9, peer): counts for (_, peer), counts in said.items()}
    for liar in range(10, 10 + liars):
        said |= {(liar, peer): (bad, good) for (rater, peer), (good, bad) in said.items() if rater == 9}
    return said


def test_a_rater_that_stands_alone_and_is_right_is_believed_and_liars_are_not():
    credible = pool(witnessed(14, seen_by_all(liars=4))).credibility
    assert credible[9] == pytest.approx(8 / 13)
    assert credible[10:].tolist() == [0.0] * 4


def test_who_copies_public_opinion_earns_no_credibility():
    said = seen_by_all(liars=0) | {(copy, peer): (10.0, 0.0) for copy in range(10, 14) for peer in range(1, 5)}
    said = {pair: counts for pair, counts in said.items() if pair[0] != 9}
    assert pool(witnessed(14, said)).credibility.tolist() == [0.0] * 14


def test_a_root_is_believed_no_more_than_its_word_is_worth():
    said = seen_by_all(liars=1)
    assert pool(witnessed(14, said, roots=(10,))).credibility[10] == 0.0


def test_nobody_is_heard_about_itself():
    said = seen_by_all(liars=1)
    before = witnessed(14, said)
    boasting = witnessed(14, said | {(9, 9): (50.0, 0.0)})
    assert opinions(boasting) == pytest.approx(opinions(before))


def test_counts_that_stand_on_different_entries_are_put_together():
    said = claims(witnessed(4, {(1, 2): (3.0, 0.0), (1, 3): (0.0, 2.0), (2, 3): (1.0, 4.0), (0, 1): (1.0, 0.0)}))
    told = sorted(zip(said.rater.tolist(), said.peer.tolist(), said.good.tolist(), said.bad.tolist(), strict=True))
    assert told == [(1, 2, 3.0, 0.0), (1, 3, 0.0, 2.0), (2, 3, 1.0, 4.0)]
    assert said.own_good.tolist() == [0.0, 1.0, 0.0, 0.0]


# ── availability ──────────────────────────────────────────────────────────────────────────────────


def test_silence_makes_a_peer_unlikely_to_answer_and_answers_make_it_likely():
    assert availability(0, 0) == 0.5
    assert availability(8, 0) == 0.9
    assert availability(0, 8) == pytest.approx(0.1)
    assert availability(4, 2, withheld=2) == pytest.approx(0.5)
