"""What raters that cost nothing can do to an opinion: nothing by copying each other, a bounded little by any means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from scipy.sparse import csr_array

from p2peval.defaults import POOL_CAP
from p2peval.trust import testimony
from p2peval.trust.claims import claims
from p2peval.trust.opinions import opinion, opinions, pool
from tests.trust.testimonies import any_testimony

HONEST, KNOWN = 12, 20
NEWCOMER, CHEAT = 40, 41  # peers that Sybils praise: one that I never met, one that lied to me four times
FIRST_SYBIL = 42


def attacked(sybils):
    """My own evidence and that of honest raters 1 … 12 about peers 20 … 39, half of them bad; then the Sybils' word.

    ``sybils``: rows of (good, bad) for every peer.
    """
    random = np.random.default_rng(11)
    size = FIRST_SYBIL + len(sybils)
    good, bad = np.zeros((size, size)), np.zeros((size, size))
    for rater in range(HONEST + 1):
        for peer in range(20, 20 + KNOWN):
            right = random.binomial(8, 0.95 if peer % 2 else 0.1)
            good[rater, peer], bad[rater, peer] = right, 8 - right
    bad[0, CHEAT] = 4.0
    for row, (said_good, said_bad) in enumerate(sybils, FIRST_SYBIL):
        good[row, :FIRST_SYBIL], bad[row, :FIRST_SYBIL] = said_good, said_bad
    return testimony.Testimony(0, csr_array(good), csr_array(bad), (), 0.6)


def copies(count, of):
    """``count`` Sybils that repeat the row ``of`` = (good, bad) and praise the newcomer and the cheat."""
    good, bad = of[0].copy(), of[1].copy()
    good[[NEWCOMER, CHEAT]], bad[[NEWCOMER, CHEAT]] = 100.0, 0.0
    return [(good, bad)] * count


def row(before, rater):
    return before.good.toarray()[rater, :FIRST_SYBIL], before.bad.toarray()[rater, :FIRST_SYBIL]


def public(before):
    """What the honest raters say on average."""
    rows = [row(before, rater) for rater in range(1, HONEST + 1)]
    return np.mean([good for good, _ in rows], axis=0), np.mean([bad for _, bad in rows], axis=0)


def opposite(of):
    return of[1], of[0]


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_copying_public_opinion_earns_no_credibility_and_moves_nothing(count):
    quiet = attacked([])
    loud = attacked(copies(count, public(quiet)))
    assert pool(loud).credibility[FIRST_SYBIL:].max() == 0.0
    assert opinions(loud)[NEWCOMER] == opinions(quiet)[NEWCOMER] == pytest.approx(0.6)


@pytest.mark.parametrize("count", [2, 10, 1000])
def test_copying_each_other_s_lies_earns_no_credibility(count):
    quiet = attacked([])
    loud = attacked(copies(count, opposite(row(quiet, 0))))
    assert pool(loud).credibility[FIRST_SYBIL:].max() == 0.0
    assert opinions(loud)[[NEWCOMER, CHEAT]] == pytest.approx(opinions(quiet)[[NEWCOMER, CHEAT]])


@pytest.mark.parametrize("count", [10, 100, 2000])
def test_half_that_repeat_me_and_half_that_contradict_are_believed_and_still_bounded(count):
    """The strongest that we found: my statement is public, and the other half makes saying it stand apart."""
    mine = row(attacked([]), 0)
    loud = attacked(copies(count // 2, mine) + copies(count // 2, opposite(mine)))
    assert pool(loud).credibility[FIRST_SYBIL] > 0.7, "this attack does earn credibility: the ceiling is what holds"
    seen = opinions(loud)
    for peer, own_bad in ((NEWCOMER, 0.0), (CHEAT, 4.0)):
        assert seen[peer] <= opinion(0.6, 0.0, own_bad, POOL_CAP, 0.0) + 1e-12
    assert seen[CHEAT] < 0.75


@given(any_testimony())
def test_whatever_anybody_says_an_opinion_stays_within_the_ceiling_of_own_counts(before):
    said, seen = claims(before), opinions(before)
    assert (seen <= opinion(before.prior, said.own_good, said.own_bad, np.float64(POOL_CAP), 0.0) + 1e-12).all()
    assert (seen >= opinion(before.prior, said.own_good, said.own_bad, 0.0, np.float64(POOL_CAP)) - 1e-12).all()


def test_a_cheat_that_any_number_of_sybils_praises_is_below_a_stranger_after_few_lies():
    """The ceiling in tasks: with P = 10 and p₀ = .6, so many lies outweigh all the praise that there can be."""
    lies = next(count for count in range(100) if opinion(0.6, 0.0, float(count), POOL_CAP, 0.0) < 0.6)
    assert lies == 7
