"""Metrics beside accuracy, against scikit-learn and against plain loops over their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from claims import measure, sampling
from hypothesis import given, settings
from hypothesis import strategies as st

from p2peval.core import benchmark
from p2peval.core.parts import Range
from p2peval.core.types import NANO
from p2peval.evaluation.metric_table import METRICS

oracle = pytest.importorskip("sklearn.metrics")

seeds = st.integers(0, 2**32)


def classified(seed, n, classes, decimals=None):
    """Probabilities of a middling classifier and labels in which every class occurs; coarse ones tie."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, n)])
    logits = rng.normal(size=(len(labels), classes)) * 2
    logits[np.arange(len(labels)), labels] += 1.0
    odds = np.exp(logits)
    outputs = odds / odds.sum(axis=1, keepdims=True)
    if decimals is not None:
        outputs = np.round(outputs, decimals)
        outputs[:, -1] = 1.0 - outputs[:, :-1].sum(axis=1)
    return outputs, labels


def test_the_table_holds_what_a_benchmark_may_ask_for():
    assert {*METRICS} == {name for names in benchmark.METRICS.values() for name in names}


@settings(max_examples=40)
@given(seeds, st.integers(1, 60), st.integers(2, 5))
def test_metrics_equal_those_of_scikit_learn(seed, n, classes):
    outputs, labels = classified(seed, n, classes)
    predicted = outputs.argmax(axis=1)
    assert measure("balanced_accuracy", outputs, labels) == pytest.approx(
        oracle.recall_score(labels, predicted, average="macro", zero_division=0)
    )
    assert measure("micro_f1", outputs, labels) == pytest.approx(oracle.f1_score(labels, predicted, average="micro"))
    assert measure("log_loss", outputs, labels) == pytest.approx(
        oracle.log_loss(labels, outputs, labels=range(classes))
    )


@settings(max_examples=40)
@given(seeds, st.integers(1, 60), st.integers(2, 5), st.booleans())
def test_auroc_equals_that_of_scikit_learn_ties_included(seed, n, classes, coarse):
    outputs, labels = classified(seed, n, classes, decimals=1 if coarse else None)
    if classes == 2:
        expected = np.mean([oracle.roc_auc_score(labels == each, outputs[:, each]) for each in (0, 1)])
    else:
        expected = np.mean([oracle.roc_auc_score(labels == each, outputs[:, each]) for each in range(classes)])
        if not coarse:
            assert expected == pytest.approx(oracle.roc_auc_score(labels, outputs, multi_class="ovr"))
    assert measure("auroc", outputs, labels) == pytest.approx(expected)


@given(seeds, st.integers(5, 60))
def test_selective_auroc_is_the_auroc_of_confidence_against_being_right(seed, n):
    outputs, labels = classified(seed, n, 3, decimals=2)
    right = outputs.argmax(axis=1) == labels
    value = measure("selective_auroc", outputs, labels)
    if right.all() or not right.any():
        assert value is None
    else:
        assert value == pytest.approx(oracle.roc_auc_score(right, outputs.max(axis=1)))


@given(seeds, st.integers(0, 40))
def test_ece_is_the_loop_over_right_closed_bins(seed, n):
    outputs, labels = classified(seed, n, 3)
    outputs[0] = (0.2, 0.2, 0.6)  # 0.6 is the upper edge of the ninth bin
    confidence, right = outputs.max(axis=1), outputs.argmax(axis=1) == labels
    total = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        within = (confidence > low) & (confidence <= high)
        if within.any():
            total += abs(right[within].mean() - confidence[within].mean()) * within.mean()
    assert measure("ece", outputs, labels) == pytest.approx(total)


@given(seeds, st.integers(1, 40))
def test_aurc_is_the_mean_risk_over_coverages(seed, n):
    outputs, labels = classified(seed, n, 3)
    order = np.argsort(-outputs.max(axis=1))
    wrong = (outputs.argmax(axis=1) != labels)[order]
    risks = [wrong[: k + 1].mean() for k in range(len(wrong))]
    assert measure("aurc", outputs, labels) == pytest.approx(np.mean(risks))


def test_aurc_of_equal_confidences_does_not_depend_on_the_order_of_the_samples():
    outputs, labels = np.full((6, 2), 0.5), np.array([0, 1, 0, 1, 1, 0])
    assert measure("aurc", outputs, labels) == measure("aurc", outputs, labels[::-1]) == pytest.approx(0.5)


@pytest.mark.parametrize("limits", [None, Range(-NANO, NANO)])
def test_r2_equals_that_of_scikit_learn_on_clipped_outputs(limits):
    rng = np.random.default_rng(3)
    labels, outputs = rng.uniform(-1, 1, 200), rng.normal(size=200)
    expected = oracle.r2_score(labels, np.clip(outputs, -1, 1) if limits else outputs)
    assert measure("r2", outputs, labels, limits) == pytest.approx(expected)


def test_log_loss_of_a_model_too_sure_is_bounded_by_the_clip():
    assert measure("log_loss", np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(1e-7))


@pytest.mark.parametrize(
    ("name", "outputs", "labels"),
    [
        ("log_loss", np.array([[3.0, -2.0]]), np.array([0])),
        ("ece", np.array([[3.0, -2.0]]), np.array([0])),
        ("auroc", np.eye(2), np.array([1, 1])),
        ("auroc", np.array([[np.nan, 1.0], [1.0, 0.0]]), np.array([0, 1])),
        ("selective_auroc", np.eye(2), np.array([0, 1])),
        ("selective_auroc", np.eye(2), np.array([1, 0])),
        ("aurc", np.array([[np.nan, 1.0]]), np.array([0])),
        ("r2", np.array([1.0, 2.0]), np.array([3.0, 3.0])),
        ("r2", np.array([np.inf, 2.0]), np.array([3.0, 4.0])),
        *((name, np.zeros((0, 3)), np.zeros(0, np.int64)) for name in benchmark.METRICS["classification"]),
        *((name, np.zeros(0), np.zeros(0)) for name in benchmark.METRICS["regression"]),
    ],
)
def test_what_has_no_value_is_undefined(name, outputs, labels):
    assert measure(name, outputs, labels) is None


# ── sampling ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["balanced_accuracy", "log_loss", "auroc", "selective_auroc", "aurc"])
def test_sampling_intervals_cover_the_population_about_nineteen_times_in_twenty(name):
    outputs, labels = classified(5, 20_000, 3)
    truth, rng, covered = measure(name, outputs, labels), np.random.default_rng(6), 0
    for _ in range(60):
        drawn = rng.integers(0, len(labels), 300)
        low, high = sampling(name, outputs[drawn], labels[drawn])
        covered += low <= truth <= high
    assert 51 <= covered <= 60


@pytest.mark.parametrize("name", sorted({name for names in benchmark.METRICS.values() for name in names}))
def test_a_sampling_interval_is_there_and_holds_the_value(name):
    outputs, labels = classified(7, 300, 3)
    if name in benchmark.METRICS["regression"]:
        outputs, labels = outputs[:, 0], outputs[:, 1]
    low, high = sampling(name, outputs, labels)
    assert low < high
    if name != "ece":  # whose bootstrap leans upwards
        assert low < measure(name, outputs, labels) < high


def test_data_too_large_for_a_bootstrap_go_without(monkeypatch):
    from p2peval.evaluation import sampling as module

    outputs, labels = classified(8, 200, 3)
    monkeypatch.setattr(module, "BOOTSTRAP_DRAWS", 40 * len(labels))
    assert sampling("ece", outputs, labels) is None
    assert sampling("log_loss", outputs, labels) is not None
