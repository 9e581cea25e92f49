"""Plain EigenTrust against the rule of its paper, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from p2peval.trust.plain_eigentrust import plain_eigentrust
from tests.trust.testimonies import witnessed


def test_two_peers_that_trust_each_other_share_what_the_root_does_not_keep():
    """t₀ = .2 + .8·t₁, t₁ = .8·t₀ (root 0): t₀ = .2/(1 − .64)."""
    trust = plain_eigentrust(witnessed(2, {(0, 1): (4, 1), (1, 0): (2, 0)}, roots=(0,)))
    assert trust == pytest.approx([0.2 / 0.36, 0.16 / 0.36], abs=1e-7)


def test_rows_are_normalised_and_more_bad_than_good_counts_as_nothing():
    """Root 0 has 3 − 0 and 2 − 1 of peers 1 and 2, 1 − 5 of 3; peers 1, 2, 3 know nobody and so trust the root."""
    trust = plain_eigentrust(witnessed(4, {(0, 1): (3, 0), (0, 2): (2, 1), (0, 3): (1, 5)}, roots=(0,)))
    root = 1 / 1.8  # t₀ = .2 + .8·(1 − t₀)
    assert trust == pytest.approx([root, 0.6 * root, 0.2 * root, 0.0], abs=1e-7)


def test_it_is_the_dominant_eigenvector():
    random = np.random.default_rng(7)
    said = {(i, j): tuple(random.integers(0, 6, 2)) for i in range(12) for j in range(12) if i != j}
    before = witnessed(12, said, roots=(1, 4))
    raw = np.maximum(before.good.toarray() - before.bad.toarray(), 0)
    pre = np.isin(np.arange(12), (1, 4)) / 2
    rows = np.where(raw.sum(1, keepdims=True) > 0, raw / np.maximum(raw.sum(1, keepdims=True), 1), pre)
    values, vectors = np.linalg.eig((0.8 * rows + 0.2 * pre).T)
    dominant = np.real(vectors[:, np.argmax(np.real(values))])
    assert plain_eigentrust(before) == pytest.approx(dominant / dominant.sum(), abs=1e-7)


def test_nobody_rates_itself():
    said = {(0, 1): (1, 0), (1, 1): (100, 0)}
    assert plain_eigentrust(witnessed(2, said, roots=(0,))) == pytest.approx(
        plain_eigentrust(witnessed(2, {(0, 1): (1, 0)}, roots=(0,)))
    )
