"""Explanations: parts that add up, and the chains of trust behind them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from p2peval.trust.claims import claims
from p2peval.trust.credibility import credibility
from p2peval.trust.explain import Word, explain, words_about
from p2peval.trust.opinions import opinions
from p2peval.trust.paths import strongest_paths
from tests.trust.testimonies import any_testimony, counts

shares = st.floats(0, 1)
words = st.lists(st.builds(Word, st.integers(), counts, counts, shares), max_size=30, unique_by=lambda one: one.rater)


@given(shares, counts, counts, words)
def test_the_parts_add_up_to_the_figure(prior, good, bad, said):
    told = explain(prior, good, bad, said)
    assert sum(told.parts) == pytest.approx(told.opinion, abs=1e-12)
    assert len(told.voices) == len(said)


@given(any_testimony(), st.data())
def test_the_figure_explained_is_the_figure_asked_by(before, data):
    peer = data.draw(st.integers(0, before.size - 1))
    said = claims(before)
    words = words_about(peer, said, credibility(said, before.prior))
    told = explain(before.prior, float(said.own_good[peer]), float(said.own_bad[peer]), words)
    assert told.opinion == pytest.approx(opinions(before)[peer], abs=1e-12)


@given(shares, counts, counts, words, st.data())
def test_without_a_rater_the_figure_is_what_is_said_of_it(prior, good, bad, said, data):
    if not said:
        return
    voice = data.draw(st.sampled_from(explain(prior, good, bad, said).voices))
    rest = [word for word in said if word.rater != voice.word.rater]
    assert voice.without == pytest.approx(explain(prior, good, bad, rest).opinion, abs=1e-9)


@given(shares, counts, counts, words)
def test_praise_never_pulls_down_and_blame_never_up(prior, good, bad, said):
    told = explain(prior, good, bad, said)
    assert told.own_good >= 0 >= told.own_bad
    assert all(voice.share >= 0 for voice in told.voices if voice.word.bad == 0)
    assert all(voice.share <= 0 for voice in told.voices if voice.word.good == 0)


def test_a_rater_that_is_not_believed_is_named_and_moves_nothing():
    told = explain(0.6, 2.0, 0.0, [Word("loud", 0.0, 50.0, 0.0), Word("friend", 3.0, 0.0, 0.8)])
    friend, loud = told.voices
    assert friend.word.rater == "friend"
    assert friend.good == pytest.approx(1.2)
    assert friend.without == pytest.approx(3.2 / 4)
    assert (loud.share, loud.without) == (0.0, told.opinion)
    assert told.opinion == pytest.approx((1.2 + 2 + 1.2) / (2 + 2 + 1.2))


# ── chains of trust ───────────────────────────────────────────────────────────────────────────────


def test_chains_are_told_from_the_strongest_on():
    links = np.zeros((5, 5))
    links[0, 1], links[1, 4], links[0, 2], links[2, 4], links[0, 4], links[3, 4] = 0.5, 0.8, 0.3, 0.9, 0.1, 1.0
    paths = strongest_paths(csr_array(links), 0, 4)
    assert [path.peers for path in paths] == [(0, 1, 4), (0, 2, 4), (0, 4)]
    assert [path.strength for path in paths] == pytest.approx([0.4, 0.27, 0.1])


def test_where_no_chain_leads_there_is_none():
    assert strongest_paths(csr_array((4, 4)), 0, 3) == ()
    assert strongest_paths(csr_array(np.eye(4)), 2, 2) == ()


@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 2**32))
def test_the_chains_are_those_that_trying_all_of_them_finds(size, hops, seed):
    random = np.random.default_rng(seed)
    links = random.random((size, size)) * (random.random((size, size)) < 0.6)
    everyone = []
    for between in range(hops):
        for middle in itertools.permutations(range(1, size - 1), between):
            chain = (0, *middle, size - 1)
            strength = float(np.prod([links[pair] for pair in itertools.pairwise(chain)]))
            if strength > 0:
                everyone.append(strength)
    found = strongest_paths(csr_array(links), 0, size - 1, most=4, hops=hops)
    assert [path.strength for path in found] == pytest.approx(sorted(everyone, reverse=True)[:4])
