"""b_i against the metrics themselves: no lie moves one by more than the sum over its samples; and what is refuted."""

from __future__ import annotations

import numpy as np
import pytest

from p2peval.evaluation.metrics import balanced_accuracy, macro_f1, rmse
from p2peval.evaluation.ranking import auroc
from p2peval.trust.weighted_draw import SCALE, balanced_accuracy_strata, gap_strata, macro_f1_strata


def one_hot(classes, width):
    return np.eye(width, dtype=np.float32)[classes]


def moved(metric, labels, width, strata, rng, trials):
    """How far lies move the metric, and what their samples' influence adds up to."""
    influence = np.array([stratum.weight for stratum in strata])[labels] / SCALE
    for _ in range(trials):
        guesses = np.where(rng.random(len(labels)) < rng.random(), labels, rng.integers(0, width, len(labels)))
        lie = rng.choice(len(labels), rng.integers(1, 9), replace=False)
        altered = guesses.copy()
        altered[lie] = rng.integers(0, width) if rng.random() < 0.5 else labels[lie]
        before, after = metric(one_hot(guesses, width), labels), metric(one_hot(altered, width), labels)
        yield abs(after - before), influence[lie].sum()


@pytest.mark.parametrize(
    ("metric", "strata"), [(balanced_accuracy, balanced_accuracy_strata), (macro_f1, macro_f1_strata)]
)
@pytest.mark.parametrize("classes", [(3, 40), (1, 2, 30), (8, 8, 8, 8)])
def test_no_lie_moves_a_class_metric_by_more_than_its_samples_can(metric, strata, classes):
    rng = np.random.default_rng(7)
    labels = np.repeat(np.arange(len(classes)), classes)
    found = list(moved(metric, labels, len(classes), strata(classes), rng, 600))
    assert all(by <= most + 1e-9 for by, most in found)
    assert max(by / most for by, most in found) > 0.4  # and the bound is no wild one


def test_no_lie_moves_an_auroc_by_more_than_its_share_of_pairs():
    rng = np.random.default_rng(8)
    labels = np.repeat([0, 1], [40, 6])
    influence = np.array([s.weight for s in gap_strata((40, 6))])[labels] / SCALE
    largest = 0.0
    for _ in range(600):
        scores = rng.random(46).astype(np.float32)
        lie = rng.choice(46, rng.integers(1, 6), replace=False)
        altered = scores.copy()
        altered[lie] = np.where(labels[lie] == rng.integers(0, 2), 1.0, 0.0)
        both = [auroc(np.column_stack([1 - s, s]), labels) for s in (scores, altered)]
        assert abs(both[1] - both[0]) <= influence[lie].sum() + 1e-6
        largest = max(largest, abs(both[1] - both[0]) / influence[lie].sum())
    assert largest > 0.8


def test_macro_f1_by_the_share_of_a_samples_own_class_is_refuted():
    """Ten samples of large classes, called by a rare one's name, move it by more than .02; b = 1/(K·n_c) says .005."""
    sizes = [10] + [200] * 9
    labels = np.repeat(np.arange(10), sizes)
    altered = labels.copy()
    altered[np.arange(210, 220)] = 0
    by = macro_f1(one_hot(labels, 10), labels) - macro_f1(one_hot(altered, 10), labels)
    lie = labels[210:220]
    assert by > 0.02
    assert sum(1 / (10 * sizes[c]) for c in lie) == pytest.approx(0.005)
    assert sum(macro_f1_strata(sizes)[c].weight / SCALE for c in lie) >= by


def test_rmse_by_its_share_of_samples_is_refuted():
    """From zero, one sample of 1797 moves the RMSE by 1/√1797 = .024 of the range; .02 is asked for."""
    labels = np.zeros(1797, dtype=np.float32)
    outputs = np.zeros((1797, 1), dtype=np.float32)
    outputs[0] = 1.0
    assert rmse(outputs, labels) == pytest.approx(1797**-0.5)
    assert rmse(outputs, labels) > 0.02
