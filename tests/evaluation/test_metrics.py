"""Definitions of metrics, against scikit-learn, and the report they travel in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2peval.core.parts import Defined, Interval, MetricReport, Range, Tolerance
from p2peval.core.types import NANO, to_nano
from p2peval.errors import EvaluationError
from p2peval.evaluation.metrics import accuracy, brier, macro_f1, mae, predictions, rmse
from p2peval.evaluation.report import Claimed, report

oracle = pytest.importorskip("sklearn.metrics")

TOLERANCE = Tolerance(10_000, 10_000)
UNIT = Range(0, NANO)


def classified(seed, n, classes, rare=False):
    """Probabilities of a middling classifier, and labels; ``rare``: the last class is a hundred times rarer."""
    rng = np.random.default_rng(seed)
    share = np.ones(classes)
    share[-1] = 0.01 if rare else 1.0
    labels = rng.choice(classes, n, p=share / share.sum())
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), labels] += 1.5
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), labels.astype(np.int64)


def told(metrics, outputs, labels, *, task="classification", classes=None, altered=None, limits=None, claimed=True):
    """Reports; ``altered``: rows that may be lies, one in a hundred if not said."""
    lies = Claimed(len(labels) // 100 if altered is None else altered, TOLERANCE)
    return tuple(
        report(
            name,
            outputs,
            labels,
            task=task,
            classes=outputs.shape[-1] if classes is None else classes,
            range=limits,
            claimed=lies if claimed else None,
        )
        for name in metrics
    )


# ── against scikit-learn ──────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(2, 6), st.booleans())
def test_classification_metrics_equal_those_of_scikit_learn(seed, n, classes, rare):
    outputs, labels = classified(seed, n, classes, rare)
    predicted = outputs.argmax(axis=1)
    present = np.unique(labels)
    assert accuracy(outputs, labels) == pytest.approx(oracle.accuracy_score(labels, predicted))
    assert macro_f1(outputs, labels) == pytest.approx(
        oracle.f1_score(labels, predicted, labels=present, average="macro", zero_division=0)
    )


def test_brier_of_two_classes_is_twice_that_of_scikit_learn():
    outputs, labels = classified(1, 200, 2)
    assert brier(outputs, labels) == pytest.approx(2 * oracle.brier_score_loss(labels, outputs[:, 1]))


def test_brier_of_many_classes_is_that_of_scikit_learn():
    outputs, labels = classified(2, 200, 5)
    expected = oracle.brier_score_loss(labels, outputs, labels=range(5), scale_by_half=False)
    assert brier(outputs, labels) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(500,), (500, 1)])
def test_regression_metrics_equal_those_of_scikit_learn(shape):
    rng = np.random.default_rng(3)
    labels, outputs = rng.normal(size=500), rng.normal(size=500)
    assert mae(outputs.reshape(shape), labels) == pytest.approx(oracle.mean_absolute_error(labels, outputs))
    assert rmse(outputs.reshape(shape), labels) == pytest.approx(oracle.root_mean_squared_error(labels, outputs))


# ── edges of the definitions ──────────────────────────────────────────────────────────────────────


def test_a_tie_goes_to_the_lowest_index():
    assert predictions(np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0], [-0.0, 0.0, -1.0]])).tolist() == [1, 0, 0]


def test_a_row_with_a_nan_is_wrong_whatever_its_label():
    outputs = np.array([[np.nan, 1.0], [0.0, np.nan], [0.0, np.inf]])
    assert predictions(outputs).tolist() == [-1, -1, 1]
    assert accuracy(outputs, np.array([0, 1, 1])) == pytest.approx(1 / 3)
    assert macro_f1(outputs, np.array([0, 1, 1])) == pytest.approx((0 + 2 / 3) / 2)


def test_a_class_that_no_label_has_does_not_lower_macro_f1():
    outputs = np.eye(4)[[0, 1, 1, 0]]
    assert macro_f1(outputs, np.array([0, 1, 1, 0])) == 1.0


def test_a_class_that_is_never_predicted_counts_zero():
    outputs = np.eye(2)[[0, 0, 0, 0]]
    assert macro_f1(outputs, np.array([0, 0, 0, 1])) == pytest.approx((6 / 7) / 2)


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.1, 1.1], [3.0, -2.0], [np.nan, 1.0], [np.inf, 0.0]], ids=str)
def test_brier_of_what_is_no_distribution_is_undefined(row):
    outputs = np.array([[0.25, 0.75], row])
    assert brier(outputs, np.array([0, 1])) is None
    assert told(["brier"], outputs, np.array([0, 1])) == (MetricReport("brier", Defined.UNDEFINED, 0, None, None),)


def test_brier_forgives_what_rounding_leaves_of_a_sum():
    assert brier(np.array([[0.3334, 0.6667]]), np.array([1])) == pytest.approx(0.3334**2 + 0.3333**2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_error_that_is_not_finite_is_undefined_even_where_clipping_would_hide_it(bad):
    outputs, labels = np.array([0.5, bad]), np.array([0.5, 0.5])
    assert mae(outputs, labels, UNIT) is None
    assert rmse(outputs, labels, UNIT) is None


def test_outputs_are_clipped_to_the_declared_range():
    outputs, labels = np.array([-7.0, 9.0, 0.5]), np.array([0.5, 0.0, 0.5])
    assert mae(outputs, labels, UNIT) == pytest.approx((0.5 + 1.0 + 0.0) / 3)
    assert rmse(outputs, labels, UNIT) == pytest.approx(((0.25 + 1.0) / 3) ** 0.5)


# ── the report ────────────────────────────────────────────────────────────────────────────────────


def test_a_report_keeps_the_order_of_its_metrics_and_its_intervals_hold_the_value():
    outputs, labels = classified(4, 300, 3)
    names = ("brier", "accuracy", "macro_f1")
    reports = told(names, outputs, labels)
    assert tuple(each.name for each in reports) == names
    for each in reports:
        assert each.defined is Defined.VALUE
        assert each.audit.low_nano < each.value_nano < each.audit.high_nano
        assert each.sampling.low_nano < each.value_nano < each.sampling.high_nano


def test_a_result_that_was_not_audited_has_no_audit_interval():
    outputs, labels = classified(5, 50, 3)
    (each,) = told(["accuracy"], outputs, labels, claimed=False)
    assert each.audit is None
    assert each.sampling is not None


def test_a_regression_without_declared_range_has_no_audit_interval():
    labels = np.arange(10.0)
    for each in told(["mae", "rmse"], labels[:, None] + 0.5, labels, task="regression", classes=0):
        assert (each.value_nano, each.audit) == (NANO // 2, None)


@pytest.mark.parametrize(("output", "defined"), [(1e10, Defined.OUT_OF_RANGE), (9e9, Defined.VALUE)])
def test_a_value_whose_nanos_do_not_fit_the_wire_is_out_of_range(output, defined):
    reports = told(["mae", "rmse"], np.array([output]), np.array([0.0]), task="regression", classes=0)
    assert {each.defined for each in reports} == {defined}


def test_an_error_beyond_float64_is_out_of_range_and_no_crash():
    outputs, labels = np.array([1.7e308]), np.array([-1.7e308])
    reports = told(["mae", "rmse"], outputs, labels, task="regression", classes=0)
    assert {each.defined for each in reports} == {Defined.OUT_OF_RANGE}


def test_no_sample_is_undefined():
    reports = told(["accuracy", "macro_f1", "brier"], np.zeros((0, 3)), np.zeros(0, np.int64))
    assert {each.defined for each in reports} == {Defined.UNDEFINED}


@pytest.mark.parametrize(
    ("outputs", "labels", "task"),
    [
        (np.zeros((3, 2)), np.array([0, 1]), "classification"),
        (np.zeros((2, 3)), np.array([0, 1]), "classification"),
        (np.zeros((2, 2)), np.array([0, 2]), "classification"),
        (np.zeros((2, 2)), np.array([0, -1]), "classification"),
        (np.zeros((2, 2)), np.array([0.0, 1.0]), "regression"),
        (np.zeros(2), np.array([0.0, np.nan]), "regression"),
    ],
)
def test_shapes_or_labels_that_do_not_fit_are_refused(outputs, labels, task):
    name = "accuracy" if task == "classification" else "mae"
    with pytest.raises(EvaluationError) as caught:
        told([name], outputs, labels, task=task, classes=2)
    assert caught.value.reason == "data_mismatch"


@pytest.mark.parametrize("name", ["mae", "accuracy_of_cats"])
def test_a_metric_of_another_task_or_of_none_is_refused(name):
    with pytest.raises(EvaluationError) as caught:
        told([name], np.eye(2), np.array([0, 1]))
    assert caught.value.reason == "unknown_metric"


def test_float32_outputs_give_the_same_report_as_their_float64_copy():
    outputs, labels = classified(6, 200, 4)
    narrow = outputs.astype(np.float32)
    names = ["accuracy", "macro_f1", "brier"]
    assert told(names, narrow, labels) == told(names, narrow.astype(np.float64), labels)


def test_accuracy_moves_by_exactly_the_altered_share():
    labels = np.arange(200) % 2
    outputs = np.eye(2)[np.where(np.arange(200) < 20, 1 - labels, labels)]
    (each,) = told(["accuracy"], outputs, labels)
    assert each.audit == Interval(to_nano(0.89), to_nano(0.91))
