"""Means over seeds, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from p2peval.sim.estimate import estimate


def test_the_interval_is_that_of_students_table():
    """t(0.975, 4) = 2.776; of 1 … 5 the standard error is √(2.5 / 5)."""
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.mean, found.seeds) == (3.0, 5)
    assert found.high - found.mean == pytest.approx(2.7764 * 0.5**0.5, rel=1e-4)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_nineteen_intervals_of_twenty_hold_the_true_mean():
    rng = np.random.Generator(np.random.PCG64(1))
    found = [estimate(list(rng.normal(7.0, 2.0, 10))) for _ in range(2_000)]
    assert 0.93 < sum(each.low <= 7.0 <= each.high for each in found) / 2_000 < 0.97


def test_one_seed_says_nothing_of_how_sure_it_is():
    assert estimate([0.25]).low == estimate([0.25]).high == 0.25


def test_no_seeds_have_no_mean():
    with pytest.raises(ValueError, match="no values"):
        estimate([])
