"""Jobs on single samples, through the worker's own entrance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from framing_models import batch_mixing, chaotic
from onnx_models import DIGITS_IN, DIGITS_OUT, IN, LIMITS, OUT, classifier, digits

from p2peval.core import merkle
from p2peval.core.commitment import output_leaf, output_root
from p2peval.core.parts import Tolerance
from p2peval.core.verdict import Verdict
from p2peval.defaults import FRAUD_MARGIN
from p2peval.errors import EvaluationError
from p2peval.evaluation.answers import Compared, Proven
from p2peval.evaluation.jobs import Evaluate, Prove, Run, Sample, Settle
from p2peval.evaluation.recipe import Recipe, equivalence_class, open_model
from p2peval.evaluation.runner import perform

KEY = b"k" * 32
TOLERANCE = Tolerance(10_000, 10_000)
HERE = equivalence_class(Recipe())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    inputs, _ = digits()
    np.save(tmp_path / "inputs.npy", inputs)
    (tmp_path / "model.onnx").write_bytes(classifier("logistic"))
    return Run(str(tmp_path / "model.onnx"), str(tmp_path / "inputs.npy"), len(inputs), DIGITS_IN, DIGITS_OUT, LIMITS)


def outputs(run: Run, tmp_path: Path) -> np.ndarray:
    perform(Evaluate(run, KEY, str(tmp_path / "outputs")))
    return np.fromfile(tmp_path / "outputs", np.float32).reshape(run.samples, -1)


def proven(run: Run, tmp_path: Path, rows: np.ndarray, indices: tuple[int, ...], claimed: str = HERE) -> Proven:
    rows.tofile(tmp_path / "claim")
    answer = perform(Prove(run, claimed, TOLERANCE, FRAUD_MARGIN, str(tmp_path / "claim"), KEY, indices))
    assert isinstance(answer, Proven)
    return answer


def settled(run: Run, index: int, row: np.ndarray, claimed: str = HERE) -> Verdict:
    answer = perform(Settle(run, claimed, TOLERANCE, FRAUD_MARGIN, index, row.tobytes()))
    assert isinstance(answer, Compared)
    return answer.verdict


def test_a_proof_opens_the_root_at_the_sample_that_is_furthest_off_and_convicts_when_settled(
    run: Run, tmp_path: Path
) -> None:
    rows = outputs(run, tmp_path)
    rows[40] += 0.01
    rows[700] = 0.0
    rows[700, 3] = 1.0
    root = output_root(rows, KEY)
    proof = proven(run, tmp_path, rows, (40, 41, 700))
    assert proof.index == 700
    assert proof.row == rows[700].tobytes()
    assert merkle.opens(root, output_leaf(KEY, 700, proof.row), 700, run.samples, proof.path)
    assert settled(run, 700, rows[700]) is Verdict.DIFFERS


def test_what_is_within_the_tolerance_makes_no_proof(run: Run, tmp_path: Path) -> None:
    rows = outputs(run, tmp_path)
    rows[40] += 1e-7
    with pytest.raises(EvaluationError, match="no single sample"):
        proven(run, tmp_path, rows, (40, 41))


def test_rows_of_another_class_make_a_proof_beyond_the_fraud_margin_only(run: Run, tmp_path: Path) -> None:
    rows = outputs(run, tmp_path)
    rows[40] += 1e-4
    with pytest.raises(EvaluationError, match="no single sample"):
        proven(run, tmp_path, rows, (40,), "another class")
    rows[700] = rows[700][::-1]
    assert proven(run, tmp_path, rows, (40, 700), "another class").index == 700


def test_an_honest_row_settles_as_honest_and_a_row_of_another_width_is_no_row(run: Run, tmp_path: Path) -> None:
    rows = outputs(run, tmp_path)
    assert settled(run, 1796, rows[1796]) is Verdict.AGREES
    assert settled(run, 1796, rows[1795]) is Verdict.DIFFERS
    with pytest.raises(EvaluationError, match="bytes"):
        settled(run, 3, rows[3][:9])


def test_sampled_rows_are_those_of_the_whole_run(run: Run, tmp_path: Path) -> None:
    rows = outputs(run, tmp_path)
    answer = perform(Sample(run, (5, 1000, 1796)))
    assert answer.rows == tuple(rows[index].tobytes() for index in (5, 1000, 1796))
    assert answer.equivalence_class == HERE


@pytest.mark.parametrize(
    ("data", "verdict"), [(batch_mixing(), Verdict.BATCH_DEPENDENT), (chaotic(), Verdict.ILL_CONDITIONED)]
)
def test_a_model_that_nobody_can_be_held_to_makes_no_proof_and_settles_none(
    data: bytes, verdict: Verdict, tmp_path: Path
) -> None:
    """An honest peer ran it sample by sample, on inputs a hair off: its rows differ from ours by far."""
    inputs = np.random.default_rng(7).normal(scale=3, size=(64, 4)).astype(np.float32)
    np.save(tmp_path / "inputs.npy", inputs)
    (tmp_path / "model.onnx").write_bytes(data)
    run = Run(str(tmp_path / "model.onnx"), str(tmp_path / "inputs.npy"), len(inputs), IN, OUT, LIMITS)
    opened = open_model(data, IN, OUT)
    honest = np.concatenate([opened.run_all(np.nextafter(row[None], np.float32(9))) for row in inputs])
    rows = honest.reshape(len(inputs), -1).astype("<f4")
    for claimed in (HERE, "another class"):
        with pytest.raises(EvaluationError, match="no single sample"):
            proven(run, tmp_path, rows, (3, 40, 63), claimed)
        assert settled(run, 40, rows[40], claimed) is verdict
