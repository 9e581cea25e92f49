"""Testimonies for tests: written out by hand, or drawn by hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array

from p2peval.trust.testimony import Testimony


def witnessed(size, said, me=0, roots=(), prior=0.5):
    """``said``: {(rater, peer): (good, bad)}."""
    both = []
    for which in (0, 1):
        dense = np.zeros((size, size))
        for pair, counts in said.items():
            dense[pair] = counts[which]
        both.append(csr_array(dense))
    return Testimony(me, both[0], both[1], roots, prior)


def permuted(before, order):
    """The same testimony with peer ``order[i]`` called i."""
    new_name = np.argsort(order)
    return Testimony(
        int(new_name[before.me]),
        before.good[order][:, order].tocsr(),
        before.bad[order][:, order].tocsr(),
        tuple(int(new_name[root]) for root in before.roots),
        before.prior,
    )


counts = st.one_of(st.just(0.0), st.floats(0.01, 60.0))


@st.composite
def any_testimony(draw, most=9):
    size = draw(st.integers(2, most))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    said = draw(st.dictionaries(pairs, st.tuples(counts, counts), max_size=size * size))
    roots = draw(st.sets(st.integers(1, size - 1), max_size=2))
    return witnessed(size, said, draw(st.integers(0, size - 1)), tuple(sorted(roots)), draw(st.floats(0, 1)))
