from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pytest
from onnx import helper
from onnx_models import (
    DIGITS_IN,
    DIGITS_OUT,
    IN,
    LIMITS,
    OUT,
    WEIGHTS,
    classifier,
    constant,
    digits,
    matmul,
    model,
    regressor,
)

from p2peval.core import merkle
from p2peval.core.commitment import output_root
from p2peval.core.parts import Limits, MetricReport, Range, Tensor, Tolerance
from p2peval.core.types import from_nano, to_nano
from p2peval.core.verdict import Verdict
from p2peval.defaults import FRAUD_MARGIN
from p2peval.errors import EvaluationError
from p2peval.evaluation.answers import Compared, Evaluated, Rescored
from p2peval.evaluation.frames import decode_order, missing
from p2peval.evaluation.jobs import Compare, Evaluate, Preview, Rescore, Run, Scoring, row_bytes
from p2peval.evaluation.recipe import equivalence_class, open_model
from p2peval.evaluation.runner import perform
from p2peval.evaluation.sandbox import Sandbox

KEY, NONCE = b"k" * 32, b"n" * 32
TOLERANCE = Tolerance(to_nano(1e-5), to_nano(1e-5))
CLASSIFY = ("accuracy", "macro_f1", "brier")


@dataclass(frozen=True)
class Case:
    """A model on a dataset, in a folder of its own."""

    folder: Path
    run: Run
    scoring: Scoring

    def evaluate(self, name: str = "outputs", key: bytes = KEY) -> Evaluated:
        return perform(Evaluate(self.run, key, str(self.folder / name)))

    def outputs(self, name: str = "outputs") -> np.ndarray:
        return np.fromfile(self.folder / name, np.float32).reshape(self.run.samples, -1)

    def claim(self, rows: np.ndarray, name: str = "claim") -> bytes:
        """Write ``rows`` as somebody's outputs; their root."""
        rows.astype(np.float32).tofile(self.folder / name)
        return output_root(rows.astype("<f4"), KEY)

    def compare(self, name: str, root: bytes, drawn: int = 404, **changes) -> Compared:
        job = Compare(
            run=self.run,
            outputs=str(self.folder / name),
            others=(),
            root=root,
            public_key=KEY,
            nonce=NONCE,
            task="bafytask",
            drawn=drawn,
            equivalence_class=equivalence_class(),
            tolerance=TOLERANCE,
            fraud_margin=FRAUD_MARGIN,
            scoring=self.scoring,
        )
        return perform(msgspec.structs.replace(job, **changes))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    inputs, labels = digits()
    np.save(tmp_path / "inputs.npy", inputs)
    np.save(tmp_path / "labels.npy", labels)
    (tmp_path / "model.onnx").write_bytes(classifier("logistic"))
    run = Run(str(tmp_path / "model.onnx"), str(tmp_path / "inputs.npy"), len(inputs), DIGITS_IN, DIGITS_OUT, LIMITS)
    scoring = Scoring(str(tmp_path / "labels.npy"), "classification", CLASSIFY, None, to_nano(0.01))
    return Case(tmp_path, run, scoring)


def small(folder: Path, data: bytes, count: int = 40) -> Case:
    np.save(folder / "inputs.npy", np.linspace(-1, 1, count * 4, dtype=np.float32).reshape(count, 4))
    (folder / "model.onnx").write_bytes(data)
    run = Run(str(folder / "model.onnx"), str(folder / "inputs.npy"), count, IN, OUT, LIMITS)
    return Case(folder, run, Scoring("", "", (), None, 0))


def by_name(reports: tuple[MetricReport, ...]) -> dict[str, MetricReport]:
    return {report.name: report for report in reports}


# ── evaluate ──────────────────────────────────────────────────────────────────────────────────────


def test_outputs_are_raw_rows_and_the_root_is_theirs(case: Case) -> None:
    answer = case.evaluate()
    rows = open_model(classifier("logistic"), DIGITS_IN, DIGITS_OUT).run_all(digits()[0])
    assert (case.folder / "outputs").read_bytes() == rows.astype("<f4").tobytes()
    assert answer.size == 1797 * 40 == 1797 * row_bytes(DIGITS_OUT)
    assert answer.root == output_root(rows.astype("<f4"), KEY)
    assert answer.equivalence_class == equivalence_class()
    assert answer.run_s > 0
    assert answer.peak_memory_mb > 10


@pytest.mark.parametrize("kind", ["logistic", "forest", "mlp"])
async def test_two_workers_write_the_same_bytes_and_plain_onnxruntime_agrees(case: Case, kind: str) -> None:
    (case.folder / "model.onnx").write_bytes(classifier(kind))
    sandbox, answers = Sandbox(1), []
    for name in ("first", "second"):
        answers.append(await sandbox.run(Evaluate(case.run, KEY, str(case.folder / name)), deadline=30))
    assert (case.folder / "first").read_bytes() == (case.folder / "second").read_bytes()
    assert answers[0].root == answers[1].root
    plain = onnxruntime.InferenceSession(classifier(kind)).run(["probabilities"], {"X": digits()[0]})[0]
    assert np.array_equal(case.outputs("first").argmax(1), plain.argmax(1))


def test_another_evaluator_has_another_root_for_the_same_outputs(case: Case) -> None:
    mine, theirs = case.evaluate("mine"), case.evaluate("theirs", b"t" * 32)
    assert (case.folder / "mine").read_bytes() == (case.folder / "theirs").read_bytes()
    assert mine.root != theirs.root


def test_nan_and_infinity_are_outputs_like_others(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Log", ["h"], ["l"]),
        helper.make_node("Div", ["l", "zero"], ["y"]),
    ]
    case = small(tmp_path, model(nodes, initialisers=[WEIGHTS, constant("zero", np.float32(0))]))
    answer = case.evaluate()
    assert np.isnan(case.outputs()).any()
    assert np.isinf(case.outputs()).any()
    compared = case.compare("outputs", answer.root, 40, scoring=None)
    assert (compared.mismatch, compared.audited, compared.differing) == ("", 40, ())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"samples": 1796}, "data_mismatch"),
        ({"input": Tensor("X", "float64", (64,))}, "data_mismatch"),
        ({"input": Tensor("pixels", "float32", (64,))}, "input_name"),
        ({"output": Tensor("probabilities", "float32", (11,))}, "output_shape"),
        ({"model": "/nowhere/model.onnx"}, "model_missing"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(case: Case, changes: dict, reason: str) -> None:
    job = Evaluate(msgspec.structs.replace(case.run, **changes), KEY, str(case.folder / "outputs"))
    with pytest.raises(EvaluationError) as caught:
        perform(job)
    assert caught.value.reason == reason
    assert not (case.folder / "outputs").exists()


def test_a_model_is_scanned_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2peval.evaluation.judge.open_model", lambda *_: pytest.fail("it was opened"))
    case = small(tmp_path, model([helper.make_node("Bernoulli", ["x"], ["y"], name="coin")]))
    with pytest.raises(EvaluationError, match="coin"):
        case.evaluate()


def test_a_model_over_the_benchmarks_size_is_refused(case: Case) -> None:
    (case.folder / "model.onnx").write_bytes(bytes(3 * 2**20))
    run = msgspec.structs.replace(case.run, limits=Limits(60, 1024, 2))
    with pytest.raises(EvaluationError, match="allows 2"):
        perform(Evaluate(run, KEY, str(case.folder / "outputs")))


# ── compare ───────────────────────────────────────────────────────────────────────────────────────


def test_honest_outputs_pass_the_audit(case: Case) -> None:
    compared = case.compare("outputs", case.evaluate().root)
    assert (compared.mismatch, compared.drawn, compared.audited, compared.differing) == ("", 404, 404, ())
    assert tuple(by_name(compared.metrics)) == CLASSIFY


def test_an_altered_row_is_found_when_every_row_is_drawn(case: Case) -> None:
    case.evaluate()
    rows = case.outputs()
    rows[[5, 1796]] = np.roll(rows[[5, 1796]], 1, axis=1)
    assert case.compare("claim", case.claim(rows), 1797).differing == (5, 1796)


def test_an_audit_of_404_finds_a_lie_on_a_twentieth(case: Case) -> None:
    case.evaluate()
    rows = case.outputs()
    rows[::20] = np.roll(rows[::20], 1, axis=1)
    found = case.compare("claim", case.claim(rows)).differing
    assert 5 < len(found) <= 64
    assert all(index % 20 == 0 for index in found)


def test_a_difference_within_tolerance_is_none_in_another_class_and_one_in_ours(case: Case) -> None:
    case.evaluate()
    near = case.claim(case.outputs() + 5e-6)
    abroad = case.compare("claim", near, 1797, equivalence_class="another")
    assert (abroad.verdict, abroad.differing) == (Verdict.AGREES, ())
    at_home = case.compare("claim", near, 1797)
    assert (at_home.verdict, at_home.differing) == (Verdict.DOUBTFUL, tuple(range(64)))


def test_a_nan_in_the_place_of_a_number_differs(case: Case) -> None:
    case.evaluate()
    rows = case.outputs()
    rows[7, 3] = np.nan
    assert case.compare("claim", case.claim(rows), 1797).differing == (7,)


def test_outputs_that_were_not_committed_to_are_a_mismatch_and_not_run(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = case.evaluate().root
    monkeypatch.setattr("p2peval.evaluation.judge.open_model", lambda *_: pytest.fail("it was run"))
    rows = case.outputs()
    rows[0, 0] += 1
    case.claim(rows)
    assert case.compare("claim", root) == Compared(Verdict.NOT_AUTHENTIC, "root")
    assert case.compare("outputs", root, public_key=b"x" * 32) == Compared(Verdict.NOT_AUTHENTIC, "root")
    for size in (0, 1797 * 40 - 1, 1797 * 40 + 4):
        (case.folder / "claim").write_bytes(bytes(size))
        assert case.compare("claim", root) == Compared(Verdict.NOT_AUTHENTIC, "outputs_size")


def test_rows_where_replicas_differ_are_rerun_beside_the_draw(case: Case) -> None:
    honest = case.evaluate().root
    rows = case.outputs()
    rows[1234] = np.roll(rows[1234], 1)
    lie = case.claim(rows)
    alone = case.compare("claim", lie, 1)
    assert (alone.audited, alone.differing) == (1, ())
    beside = case.compare("claim", lie, 1, others=(str(case.folder / "outputs"),))
    assert (beside.drawn, beside.audited, beside.differing) == (1, 2, (1234,))
    accused = case.compare("outputs", honest, 1, others=(str(case.folder / "claim"),))
    assert (accused.audited, accused.differing) == (2, ())


def test_at_most_eight_contested_rows_are_rerun_and_the_secret_decides_which(case: Case) -> None:
    honest = case.evaluate().root
    case.claim(case.outputs() + 1)
    other = {"others": (str(case.folder / "claim"),)}
    assert case.compare("outputs", honest, 1, **other).audited in (8, 9)
    case.evaluate("mine")
    (case.folder / "claim").write_bytes(b"not outputs at all")
    assert case.compare("outputs", honest, 1, **other).audited == 1


def test_only_the_batches_that_are_asked_for_are_run(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    root, batches = case.evaluate().root, []
    from p2peval.evaluation.recipe import Model

    plain = Model.run
    monkeypatch.setattr(Model, "run", lambda self, x, asked: batches.append(len(asked)) or plain(self, x, asked))
    case.compare("outputs", root, 3)
    assert batches[0] <= 3


def test_without_labels_there_are_no_metrics(case: Case) -> None:
    assert case.compare("outputs", case.evaluate().root, scoring=None).metrics == ()


# ── metrics ───────────────────────────────────────────────────────────────────────────────────────


def test_accuracy_is_that_of_plain_onnxruntime_to_the_last_sample(case: Case) -> None:
    inputs, labels = digits()
    plain = onnxruntime.InferenceSession(classifier("logistic")).run(["probabilities"], {"X": inputs})[0]
    expected = round(float((plain.argmax(1) == labels).mean()) * 1e9)
    compared = by_name(case.compare("outputs", case.evaluate().root).metrics)["accuracy"]
    previewed = by_name(perform(Preview(case.run, case.scoring)).metrics)["accuracy"]
    assert compared.value_nano == previewed.value_nano == expected
    assert compared.sampling == previewed.sampling
    assert compared.sampling.low_nano < expected < compared.sampling.high_nano
    assert (compared.audit.low_nano, compared.audit.high_nano) == (
        pytest.approx(expected - 1e7, abs=1e6),
        pytest.approx(expected + 1e7, abs=1e6),
    )


def rescore(case: Case, name: str) -> Rescored:
    file = str(case.folder / name)
    ours = (equivalence_class(), "all")
    return perform(Rescore(file, case.run.samples, case.run.output, *ours, TOLERANCE, case.scoring, 1024))


def test_saved_outputs_are_rescored_to_what_the_audit_said(case: Case) -> None:
    audited = case.compare("outputs", case.evaluate().root)
    assert rescore(case, "outputs").metrics == audited.metrics


def test_outputs_of_another_size_are_not_rescored(case: Case) -> None:
    case.evaluate()
    case.claim(case.outputs()[:-1], "short")
    with pytest.raises(EvaluationError) as caught:
        rescore(case, "short")
    assert caught.value.reason == "outputs_size"


def test_a_regression_is_scored_within_its_range(tmp_path: Path) -> None:
    data, inputs, labels = regressor()
    np.save(tmp_path / "inputs.npy", inputs)
    np.save(tmp_path / "labels.npy", labels)
    (tmp_path / "model.onnx").write_bytes(data)
    run = Run(
        str(tmp_path / "model.onnx"),
        str(tmp_path / "inputs.npy"),
        len(labels),
        Tensor("X", "float32", (10,)),
        Tensor("variable", "float32", (1,)),
        LIMITS,
    )
    scoring = Scoring(
        str(tmp_path / "labels.npy"), "regression", ("mae", "rmse"), Range(0, to_nano(400)), to_nano(0.01)
    )
    plain = onnxruntime.InferenceSession(data).run(None, {"X": inputs})[0][:, 0].clip(0, 400)
    found = by_name(perform(Preview(run, scoring)).metrics)
    assert from_nano(found["mae"].value_nano) == pytest.approx(np.abs(plain - labels).mean(), rel=1e-6)
    assert from_nano(found["rmse"].value_nano) == pytest.approx(np.sqrt(((plain - labels) ** 2).mean()), rel=1e-6)


@pytest.mark.parametrize("label", [-1, 10, 2**62])
def test_labels_that_are_no_class_are_refused(case: Case, label: int) -> None:
    labels = digits()[1].copy()
    labels[17] = label
    np.save(case.folder / "labels.npy", labels)
    with pytest.raises(EvaluationError) as caught:
        perform(Preview(case.run, case.scoring))
    assert caught.value.reason == "data_mismatch"


def test_labels_of_another_length_are_refused(case: Case) -> None:
    np.save(case.folder / "labels.npy", digits()[1][:-1])
    with pytest.raises(EvaluationError) as caught:
        perform(Preview(case.run, case.scoring))
    assert caught.value.reason == "data_mismatch"


# ── the process ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", [b"", b"\x00", b"\x00\x00\x00\x05abcde", b"\xff\xff\xff\xff"])
def test_a_worker_without_a_proper_order_ends_with_no_answer(order: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "p2peval.evaluation.runner"], input=order, capture_output=True, start_new_session=True
    )
    assert done.stdout == b""


def test_a_starting_worker_imports_no_library_that_a_job_may_not_need() -> None:
    script = """
import sys, p2peval.evaluation.runner
print(sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "onnx", "onnxruntime", "trio", "scipy"}))
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


def test_frames_say_how_much_is_missing() -> None:
    assert [missing(b""), missing(b"\0\0"), missing(b"\0\0\0\5ab"), missing(b"\0\0\0\5abcde")] == [4, 2, 3, 0]
    assert missing(b"\xff\xff\xff\xff") == 0
    with pytest.raises(EvaluationError) as caught:
        decode_order(b"\xff\xff\xff\xff")
    assert caught.value.reason == "garbage"


def test_leaves_bind_the_place_of_a_row(tmp_path: Path) -> None:
    case = small(tmp_path, matmul(), count=2)
    root = case.evaluate().root
    assert root != output_root(case.outputs()[::-1].copy(), KEY)
    assert root != merkle.EMPTY
    assert replace(case).evaluate().root == root
