"""Yuma consensus against its source's rule, computed by hand."""

from __future__ import annotations

import pytest

from p2peval.trust.yuma import yuma
from tests.trust.testimonies import witnessed


def test_weights_above_what_half_of_the_raters_give_are_clipped():
    """Three raters, two needed. Means .9, .6 of peers 3, 4, so weights .8, .2, twice; the third gives all to peer 4."""
    honest, liar = {3: (8, 0), 4: (5, 3)}, {3: (0, 8), 4: (8, 0)}
    said = {(rater, peer): counts for rater in (0, 1) for peer, counts in honest.items()}
    said |= {(2, peer): counts for peer, counts in liar.items()}
    # consensus .8 and .2: peer 3 gets .8 + .8 + 0, peer 4 gets .2 + .2 + .2 instead of the liar's 1
    assert yuma(witnessed(5, said)) == pytest.approx([0, 0, 0, 1.6 / 2.2, 0.6 / 2.2])


def test_who_fewer_than_half_of_the_raters_know_has_no_consensus():
    said = {(0, 3): (8, 0), (1, 3): (8, 0), (2, 3): (8, 0), (2, 4): (8, 0)}
    assert yuma(witnessed(5, said)) == pytest.approx([0, 0, 0, 1, 0])


def test_a_majority_of_sybils_decides_the_consensus():
    """Equal stake is what Sybils multiply: the baseline's weakness, which the lab is to show."""
    said = {(0, 8): (8, 0), (0, 9): (0, 8)} | {(rater, 9): (8, 0) for rater in range(1, 8)}
    ranks = yuma(witnessed(10, said))
    assert ranks[9] > ranks[8]


def test_silence_gives_nobody_a_rank():
    assert yuma(witnessed(3, {})).tolist() == [0, 0, 0]
