"""An adversary alters B outputs and shifts all others inside the tolerance: no metric ever leaves its audit interval.

The other rows start from corners of what the tolerance lets pass: towards the label, away from it, as confident as can
be. From there the search alters one row after another, greedily, and exchanges them while that helps. Outputs have
few distinct values, so that rows tie, nearly tie, and stand on the edges of bins.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from claims import audit, measure
from numpy.typing import NDArray

from p2peval.core.benchmark import METRICS
from p2peval.core.messages import Range, Tolerance
from p2peval.core.outputs import differing, slack
from p2peval.core.types import NANO

EXACT = Tolerance(0, 0)
WIDE = Tolerance(900_000, 900_000)
LIMITS = Range(-50 * NANO, 50 * NANO)
ROUNDING = 1e-9


@dataclass(frozen=True)
class Claim:
    outputs: NDArray[np.float64]
    labels: NDArray[np.float64] | NDArray[np.int64]
    limits: Range | None
    tolerance: Tolerance

    def bounds(self, name, most):
        return audit(name, self.outputs, self.labels, self.limits, self.tolerance, most)

    def passes(self, truth):
        return not differing(self.outputs, truth, self.tolerance).any()


def claimed(seed, n, classes, rare):
    """Probabilities with few distinct values, so that rows tie or nearly do; ``rare`` samples of the last class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes - 1, n) if rare else rng.integers(0, classes, n)
    labels[:rare] = classes - 1
    odds = rng.integers(1, 8, (n, classes)) + 4.0 * (rng.random((n, 1)) < 0.7) * np.eye(classes)[labels]
    return odds / odds.sum(axis=1, keepdims=True), labels


def rows_to_say(classes):
    """Certain of each class, hardly more sure of it than of any other, and one in between."""
    certain, level = np.eye(classes), np.full((classes, classes), 1 / classes)
    return [row for blend in (0.0, 0.45, 0.999) for row in (1 - blend) * certain + blend * level]


def value(name, outputs, labels, limits, sign):
    """``sign`` × the metric; an undefined one is no gain."""
    measured = measure(name, outputs, labels, limits)
    return -np.inf if measured is None else sign * measured


def climbed(name, start, claim, most, candidates, sign):
    """The furthest that a greedy search and its swaps reach, from ``start``; ``candidates``: rows for each sample."""
    truth, altered = start.copy(), []
    best = value(name, truth, claim.labels, claim.limits, sign)
    for turn in range(2 * most):
        free = altered[turn % most] if len(altered) == most else None
        base = truth.copy()
        if free is not None:
            base[free] = start[free]
        found = None
        for row in range(len(truth)):
            if row in altered and row != free:
                continue
            kept = base[row].copy()
            for said in candidates[row]:
                base[row] = said
                reached = value(name, base, claim.labels, claim.limits, sign)
                if reached > best + 1e-12:
                    best, found = reached, (row, said)
            base[row] = kept
        if found is None:
            if free is None:
                break
            continue
        truth = base
        truth[found[0]] = found[1]
        altered = [row for row in altered if row != free] + [found[0]]
    return sign * best, truth


def shifted(claim, rng):
    """The claim itself, and corners of what tolerance lets pass: towards the label, away from it, at random."""
    outputs, near = claim.outputs, 0.99 * slack(claim.outputs, claim.tolerance)
    toward = np.where(np.arange(outputs.shape[1]) == claim.labels[:, None], 1.0, -1.0)
    confident = np.where(outputs == outputs.max(axis=1, keepdims=True), 1.0, 0.0)
    right = (outputs.argmax(axis=1) == claim.labels)[:, None]
    ways = [toward, -toward, np.where(right, confident, -confident), np.where(right, -confident, confident)]
    ways += [rng.choice([-1.0, 0.0, 1.0], outputs.shape) for _ in range(2)]
    shifts = [way * near for way in ways]
    level = [0.5 * (shift - shift.mean(axis=1, keepdims=True)) for shift in shifts]  # still probabilities
    starts = [outputs, *(np.clip(outputs + shift, 0.0, 1.0) for shift in shifts + level)]
    return [start for start in starts if claim.passes(start)]


def assert_never_leaves(name, claim, most, candidates, starts):
    low, high = claim.bounds(name, most)
    for start in starts:
        for sign in (1, -1):
            reached, truth = climbed(name, start, claim, most, candidates, sign)
            assert differing(claim.outputs, truth, claim.tolerance).sum() <= most
            assert low - ROUNDING <= reached <= high + ROUNDING or not np.isfinite(reached)


@pytest.mark.parametrize("name", METRICS["classification"])
@pytest.mark.parametrize("rare", [0, 2, 3])
@pytest.mark.parametrize("tolerance", [EXACT, WIDE], ids=["exact", "wide"])
def test_no_searched_lie_about_classes_leaves_the_interval(name, rare, tolerance):
    for seed, most in product(range(2), (1, 3)):
        outputs, labels = claimed(seed, 16, 3, rare)
        claim = Claim(outputs, labels, None, tolerance)
        starts = [outputs] if tolerance == EXACT else shifted(claim, np.random.default_rng(seed))
        assert_never_leaves(name, claim, most, [rows_to_say(3)] * len(labels), starts)


@pytest.mark.parametrize("name", METRICS["regression"])
@pytest.mark.parametrize("tolerance", [EXACT, WIDE], ids=["exact", "wide"])
def test_no_searched_lie_about_heavy_tailed_numbers_leaves_the_interval(name, tolerance):
    for seed, most in product(range(3), (1, 3)):
        rng = np.random.default_rng(seed)
        labels = rng.standard_t(1.2, 24) * 5  # some beyond the declared range
        outputs = (labels + rng.standard_t(1.5, 24))[:, None]
        claim = Claim(outputs, labels, LIMITS, tolerance)
        near = 0.99 * slack(outputs, tolerance)
        away = np.sign(outputs - labels[:, None])
        candidates = [[np.array([x]) for x in (-50.0, 50.0, label, 0.0)] for label in labels]
        starts = [outputs + way * near for way in (0.0, away, -away)]
        assert all(map(claim.passes, starts))
        assert_never_leaves(name, claim, most, candidates, starts)


@pytest.mark.parametrize("name", METRICS["classification"])
def test_rows_of_equal_confidence_leave_nothing_open(name):
    """A forest's or a saturated model's confidences tie by the hundred; that is no near-tie, and nobody's claim."""
    outputs, labels = claimed(5, 60, 3, 3)
    assert len(np.unique(outputs.max(axis=1))) < 40
    value = measure(name, outputs, labels)
    assert audit(name, outputs, labels, None, EXACT, 0) == pytest.approx((value, value))


@pytest.mark.parametrize("name", METRICS["classification"])
def test_bounds_of_many_classes_need_little_memory_beside_the_outputs(name):
    """Outputs may fill half of a worker's memory: whatever is worked on as float64 comes in blocks, or by class."""
    rng = np.random.default_rng(0)
    outputs = rng.random((20_000, 300), dtype=np.float32)
    outputs /= outputs.sum(axis=1, keepdims=True)
    labels = rng.integers(0, 300, len(outputs))
    tracemalloc.start()
    audit(name, outputs, labels, None, WIDE, 200)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * outputs.nbytes
