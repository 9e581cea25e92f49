from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx_models import (
    DIGITS_IN,
    DIGITS_OUT,
    IN,
    OUT,
    WEIGHTS,
    classifier,
    constant,
    digits,
    matmul,
    model,
    regressor,
    value,
)

from p2peval.core.benchmark import PROFILES
from p2peval.core.parts import Tensor
from p2peval.defaults import BATCH
from p2peval.errors import EvaluationError
from p2peval.evaluation.processor import isa_tier
from p2peval.evaluation.recipe import Recipe, equivalence_class, open_model


def rows(count: int, width: int = 4) -> np.ndarray:
    return np.linspace(-3, 3, count * width, dtype=np.float32).reshape(count, width)


def reason(data: bytes, input: Tensor = IN, output: Tensor = OUT, count: int = 40) -> EvaluationError:
    with pytest.raises(EvaluationError) as caught:
        open_model(data, input, output).run_all(rows(count))
    return caught.value


@pytest.mark.parametrize("kind", ["logistic", "forest", "mlp"])
def test_real_models_predict_what_plain_onnxruntime_predicts_to_the_last_sample(kind: str) -> None:
    inputs, labels = digits()
    plain = onnxruntime.InferenceSession(classifier(kind)).run(["probabilities"], {"X": inputs})[0]
    ours = open_model(classifier(kind), DIGITS_IN, DIGITS_OUT).run_all(inputs)
    assert ours.shape == (1797, 10)
    assert np.array_equal(ours.argmax(1), plain.argmax(1))
    np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-6)
    assert (ours.argmax(1) == labels).mean() > 0.9


def test_regression_predicts_what_plain_onnxruntime_predicts() -> None:
    data, inputs, _ = regressor()
    plain = onnxruntime.InferenceSession(data).run(None, {"X": inputs})[0]
    ours = open_model(data, Tensor("X", "float32", (10,)), Tensor("variable", "float32", (1,))).run_all(inputs)
    np.testing.assert_allclose(ours, plain, rtol=1e-6)


@pytest.mark.parametrize("kind", ["logistic", "forest", "mlp"])
def test_rerunning_single_samples_gives_the_same_bytes(kind: str) -> None:
    inputs, _ = digits()
    first = open_model(classifier(kind), DIGITS_IN, DIGITS_OUT).run_all(inputs)
    indices = [0, 31, 32, 700, 1791, 1792, 1796]
    again = open_model(classifier(kind), DIGITS_IN, DIGITS_OUT).run_at(inputs, indices)
    assert again.tobytes() == first[indices].tobytes()


def test_samples_may_be_asked_for_in_any_order_and_twice() -> None:
    opened = open_model(matmul(), IN, OUT)
    inputs = rows(100)
    assert np.array_equal(opened.run_at(inputs, [99, 3, 3, 40]), opened.run_all(inputs)[[99, 3, 3, 40]])


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_the_tail_is_padded_and_cut_off_again(count: int) -> None:
    outputs = open_model(matmul(), IN, OUT).run_all(rows(count))
    assert outputs.shape == (count, 3)
    np.testing.assert_allclose(outputs, rows(count) @ (np.arange(12).reshape(4, 3) / 10), rtol=1e-5, atol=1e-6)


def test_the_session_sees_only_whole_batches() -> None:
    """A model whose output is its batch size: even the one-row tail says 32."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["size"], axis=0),
        helper.make_node("Cast", ["size"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Mul", ["h", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "float"], ["y"]),
    ]
    data = model(nodes, initialisers=[WEIGHTS, constant("first", np.int64(0)), constant("zero", np.float32(0))])
    assert set(open_model(data, IN, OUT).run_all(rows(65)).ravel()) == {32.0}


def test_a_wrong_input_name_says_what_the_model_has_and_what_is_wanted() -> None:
    error = reason(matmul(), Tensor("pixels", "float32", (4,)))
    assert error.reason == "input_name"
    assert "'x' (float32, N×4)" in error.message
    assert "'pixels' (float32, N×4)" in error.message


def test_a_model_with_a_second_input_is_refused() -> None:
    data = model([helper.make_node("MatMul", ["x", "w"], ["y"])], inputs=[value("x", ["N", 4]), value("w", [4, 3])])
    assert reason(data).reason == "input_name"


def test_a_wrong_input_shape_is_named() -> None:
    error = reason(matmul(), Tensor("x", "float32", (8, 8)))
    assert error.reason == "input_shape"
    assert "N×8×8" in error.message


def test_a_wrong_input_dtype_is_named() -> None:
    assert reason(matmul(), Tensor("x", "float64", (4,))).reason == "input_dtype"


def test_a_missing_output_is_named_with_those_there_are() -> None:
    error = reason(matmul(), output=Tensor("logits", "float32", (3,)))
    assert error.reason == "output_name"
    assert "'y' (float32, N×3)" in error.message


def test_a_wrong_output_shape_is_named() -> None:
    assert reason(matmul(), output=Tensor("y", "float32", (10,))).reason == "output_shape"


def test_a_zipmap_output_is_refused_with_the_remedy() -> None:
    output = Tensor("output_probability", "float32", (10,))
    with pytest.raises(EvaluationError) as caught:
        open_model(classifier("logistic", zipmap=True), DIGITS_IN, output)
    assert caught.value.reason == "output_dtype"
    assert "zipmap" in caught.value.hint


def test_a_fixed_batch_other_than_ours_is_refused() -> None:
    data = model([helper.make_node("MatMul", ["x", "w"], ["y"])], inputs=[value("x", [1, 4])], initialisers=[WEIGHTS])
    assert reason(data).reason == "fixed_batch"


def test_an_output_that_lies_about_its_shape_is_caught_when_it_is_run() -> None:
    """Declared with a symbolic width, 3 wide in truth; one row for the whole batch would broadcast unnoticed."""
    wide = model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], outputs=[value("y", ["N", "C"])], initialisers=[WEIGHTS]
    )
    assert reason(wide, output=Tensor("y", "float32", (5,))).reason == "output_shape"
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("ReduceMean", ["h"], ["y"], axes=[0], keepdims=1),
    ]
    error = reason(model(nodes, outputs=[value("y", ["N", 3])], initialisers=[WEIGHTS]))
    assert (error.reason, error.message) == (
        "output_shape",
        "output 'y' is float32[1, 3] for a batch, not float32[32, 3]",
    )


def test_a_model_that_fails_while_running_is_an_evaluation_error() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["far"], to=TensorProto.INT64),
        helper.make_node("Gather", ["w", "far"], ["rows"], axis=0),
        helper.make_node("ReduceSum", ["rows", "axis"], ["y"], keepdims=0),
    ]
    data = model(nodes, initialisers=[constant("w", np.ones((2, 3), np.float32)), constant("axis", np.array([1]))])
    error = reason(data)
    assert error.reason == "model_run"
    assert "Gather" in error.message


def test_a_file_that_is_no_model_is_an_evaluation_error() -> None:
    assert reason(b"not a model").reason == "model_load"


def test_onnxruntimes_own_format_is_not_read() -> None:
    assert reason(b"\x00\x00\x00\x00ORTM" + bytes(100)).reason == "model_load"


def test_telemetry_is_off_before_onnxruntime_is_imported() -> None:
    script = """
import os, sys
os.environ.pop("ORT_DISABLE_TELEMETRY", None)
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
from p2peval.evaluation import recipe
assert "onnxruntime" not in sys.modules
recipe._onnxruntime()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_the_class_names_the_installed_onnxruntime_and_all_that_decides_bytes() -> None:
    parts = equivalence_class().split("/")
    assert parts[0] == f"ort-{onnxruntime.__version__}"
    assert len(parts) == 7
    assert parts[-2:] == ["b32", "zeropad"]


def test_each_profile_is_a_class_of_its_own_and_an_unknown_one_is_refused() -> None:
    parts = [equivalence_class(Recipe(profile)).split("/") for profile in PROFILES]
    assert [part[1] for part in parts] == ["opt-all", "opt-none"]
    assert [part[:1] + part[2:] for part in parts] == [parts[0][:1] + parts[0][2:]] * 2
    with pytest.raises(EvaluationError, match="known here: all, canonical") as caught:
        Recipe("fastest")
    assert caught.value.reason == "profile"


@pytest.mark.parametrize(
    ("machine", "flags", "tier"),
    [
        ("x86_64", "sse2", "sse2"),
        ("x86_64", "sse2 avx avx2 fma", "avx2"),
        ("x86_64", "avx avx2 fma avx512f avx512bw avx512dq avx512vl", "avx512"),
        ("x86_64", "avx avx2 fma avx512f avx512bw avx512dq avx512vl avx512_vnni", "avx512vnni"),
        ("aarch64", "asimd asimddp", "dotprod"),
        ("arm64", "", "base"),
    ],
)
def test_processors_with_other_kernels_are_of_another_class(machine: str, flags: str, tier: str) -> None:
    assert isa_tier(machine, frozenset(flags.split())) == tier
