"""Groups and conditions: what is reported of parts of the samples, and how a lie in one part is bounded."""

from __future__ import annotations

import numpy as np
import pytest

from p2peval.core.benchmark import reports
from p2peval.core.parts import Defined, Interval, MetricReport, Tolerance
from p2peval.core.types import NANO, to_nano
from p2peval.defaults import MAX_REPORTS
from p2peval.errors import EvaluationError
from p2peval.evaluation.jobs import Scoring
from p2peval.evaluation.report import gap
from p2peval.evaluation.score import score

EXACT = Tolerance(0, 0)
ROWS = 20


@pytest.fixture
def scoring(tmp_path):
    """Twenty samples of two classes; the first eight are of the group "left"."""
    np.save(tmp_path / "labels.npy", np.arange(ROWS) % 2)
    np.save(tmp_path / "groups.npy", (np.arange(ROWS) >= 8).astype(np.int64))
    return Scoring(
        labels=str(tmp_path / "labels.npy"),
        task="classification",
        metrics=("accuracy", "brier"),
        range=None,
        delta_nano=to_nano(0.05),
        groups=str(tmp_path / "groups.npy"),
        group_names=("left", "right"),
    )


def outputs(*wrong, blocks=1):
    """Sure of the right class everywhere but at the rows ``wrong``."""
    predicted = np.tile(np.arange(ROWS) % 2, blocks)
    predicted[list(wrong)] ^= 1
    return np.eye(2, dtype=np.float32)[predicted]


def by_part(told):
    return {(each.name, each.group): each for each in told}


def test_each_group_has_its_own_value_and_the_gap_is_between_them(scoring):
    told = by_part(score(scoring, outputs(0, 1, 8), EXACT))
    assert told[("accuracy", "")].value_nano == to_nano(17 / 20)
    assert told[("accuracy", "left")].value_nano == to_nano(6 / 8)
    assert told[("accuracy", "right")].value_nano == to_nano(11 / 12)
    assert told[("accuracy_gap", "")].value_nano == to_nano(11 / 12) - to_nano(6 / 8)
    assert told[("brier", "left")].value_nano == to_nano(4 / 8)


def test_all_lies_may_lie_in_one_group(scoring):
    """One row of twenty may be altered: in the group of eight that is an eighth, not a twentieth."""
    told = by_part(score(scoring, outputs(0, 1), EXACT))
    assert told[("accuracy", "left")].audit == Interval(to_nano(5 / 8), to_nano(7 / 8))
    assert told[("accuracy", "")].audit == Interval(to_nano(17 / 20), to_nano(19 / 20))


def test_the_audit_interval_of_a_gap_holds_every_lie(scoring):
    claimed = outputs(0, 1)
    bounds = by_part(score(scoring, claimed, EXACT))[("accuracy_gap", "")].audit
    for row in range(ROWS):
        truth = claimed.copy()
        truth[row] = truth[row, ::-1]
        value = by_part(score(scoring, truth, EXACT))[("accuracy_gap", "")].value_nano
        assert bounds.low_nano <= value <= bounds.high_nano


def test_conditions_are_blocks_of_their_own_that_share_the_labels_and_the_lies(scoring):
    perturbed = Scoring(
        labels=scoring.labels,
        task="classification",
        metrics=("accuracy",),
        range=None,
        delta_nano=to_nano(0.05),
        conditions=("noise-0.1", "noise-0.5"),
    )
    told = by_part(score(perturbed, outputs(0, 20, 21, 40, 41, 42, blocks=3), EXACT))
    assert [told[("accuracy", part)].value_nano for part in ("", "noise-0.1", "noise-0.5")] == [
        to_nano(19 / 20),
        to_nano(18 / 20),
        to_nano(17 / 20),
    ]
    # 5 % of sixty outputs, and all three lies may be about the clean block
    assert told[("accuracy", "")].audit == Interval(to_nano(16 / 20), NANO)


def test_groups_that_name_others_than_there_are_do_not_pass(scoring, tmp_path):
    np.save(tmp_path / "groups.npy", np.full(ROWS, 2))
    with pytest.raises(EvaluationError, match="groups") as caught:
        score(scoring, outputs(), EXACT)
    assert caught.value.reason == "data_mismatch"


def test_a_gap_needs_two_groups_with_a_value():
    value = MetricReport("auroc", Defined.VALUE, 5, None, None, "a")
    undefined = MetricReport("auroc", Defined.UNDEFINED, 0, None, None, "b")
    assert gap("auroc", [value, undefined]) == MetricReport("auroc_gap", Defined.UNDEFINED, 0, None, None)


def test_near_ties_are_said_and_only_where_there_are_some(scoring):
    claimed = outputs(0)
    claimed[3] = (0.500001, 0.499999)
    told = by_part(score(scoring, claimed, Tolerance(10_000, 10_000)))
    assert told[("accuracy", "")].ambiguity == Interval(to_nano(18 / 20), to_nano(19 / 20))
    assert told[("accuracy", "left")].ambiguity is not None
    assert told[("accuracy", "right")].ambiguity is None
    assert all(each.ambiguity is None for each in score(scoring, claimed, EXACT))


def test_a_model_of_near_ties_cannot_claim_more_than_their_worst(scoring):
    """Its evaluator said 1.00; across classes every row could as well be wrong."""
    claimed = np.where(outputs() > 0, 0.500001, 0.499999).astype(np.float32)
    told = by_part(score(scoring, claimed, Tolerance(10_000, 10_000)))[("accuracy", "")]
    assert told.value_nano == NANO
    assert told.ambiguity == Interval(0, NANO)


def test_reports_keep_within_a_record_and_the_primary_is_never_left_out():
    metrics = ("accuracy", "brier", "ece", "auroc")
    groups, conditions = tuple(f"g{n}" for n in range(64)), tuple(f"c{n}" for n in range(32))
    told = reports(metrics, groups, conditions)
    assert len(told) <= MAX_REPORTS
    assert len(set(told)) == len(told)
    assert {("accuracy", part) for part in ("", *groups, *conditions)} <= set(told)
    few = reports(metrics, ("a", "b"), ("c",))
    assert set(few) == {(m, part) for m in metrics for part in ("", "a", "b", "c")} | {("accuracy_gap", "")}
