"""Noise in place of rounding: there, small, other in every run, and harmless to all that does not round."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import DIGITS_IN, DIGITS_OUT, IN, OUT, WEIGHTS, classifier, constant, digits, model

from p2peval.core.parts import Tensor
from p2peval.evaluation.recipe import open_model
from p2peval.evaluation.shaken import EXACT, shaken

INPUTS = np.random.default_rng(3).normal(size=(64, 4)).astype(np.float32)


def matmul(opset: int = 17) -> bytes:
    return model([helper.make_node("MatMul", ["x", "w"], ["y"])], initialisers=[WEIGHTS], opset=opset)


def movement(data: bytes, input: Tensor = IN, output: Tensor = OUT, inputs: np.ndarray = INPUTS) -> np.ndarray:
    """|shaken − plain| of two runs of one shaken session: (2, N, …)."""
    plain = open_model(data, input, output).run_all(inputs)
    opened = open_model(shaken(data), input, output)
    return np.abs(np.stack([opened.run_all(inputs), opened.run_all(inputs)]) - plain)


@pytest.mark.parametrize("opset", [9, 11, 12, 17, 22, 23, 26])
def test_every_opset_is_shaken_by_about_an_ulp_and_otherwise_in_each_run(opset: int) -> None:
    moved = movement(matmul(opset))
    assert 0 < moved.max() < 3e-6  # of four terms, and of their sum
    assert (moved[0] != moved[1]).any()


def test_elements_move_each_for_itself_so_that_differences_of_equals_show() -> None:
    """The same factor for all of a tensor would leave a difference of two of its elements at zero."""
    nodes = [
        helper.make_node("MatMul", ["x", "same"], ["twice"]),
        helper.make_node("ReduceSum", ["twice", "axis"], ["difference"], keepdims=1),
        helper.make_node("Mul", ["difference", "huge"], ["y"]),
    ]
    column = np.arange(1, 5, dtype=np.float32)[:, None]
    same = constant("same", np.concatenate([column, -column], axis=1))
    data = model(nodes, initialisers=[same, constant("axis", np.array([1])), constant("huge", np.full(3, 1e6, "f4"))])
    assert np.median(movement(data)) > 0.01


def test_double_precision_is_shaken_by_its_own_ulp() -> None:
    tensor_in, tensor_out = Tensor("x", "float64", (4,)), Tensor("y", "float64", (4,))
    data = model(
        [helper.make_node("Exp", ["x"], ["y"])],
        inputs=[helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", 4])],
        outputs=[helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["N", 4])],
    )
    moved = movement(data, tensor_in, tensor_out, INPUTS.astype(np.float64))
    assert 0 < moved.max() < 1e-13


@pytest.mark.parametrize("kind", ["logistic", "forest", "boosting", "mlp"])
def test_classical_models_without_standard_operators_are_shaken_too(kind: str) -> None:
    moved = movement(classifier(kind), DIGITS_IN, DIGITS_OUT, digits()[0][:64])
    assert 0 < moved.max() < 1e-5


def test_what_only_moves_numbers_is_left_alone() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("Slice", ["positive", "start", "end", "axis"], ["y"]),
    ]
    ends = {"start": [1], "end": [4], "axis": [1]}
    data = model(nodes, initialisers=[constant(name, np.array(at)) for name, at in ends.items()])
    assert movement(data).max() == 0
    assert {"Relu", "Slice"} <= EXACT


def test_infinities_and_nan_stay_where_they_are() -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Log", ["h"], ["l"])]
    nodes.append(helper.make_node("Div", ["l", "zero"], ["y"]))
    data = model(nodes, initialisers=[WEIGHTS, constant("zero", np.float32(0))])
    plain = open_model(data, IN, OUT).run_all(INPUTS)
    assert np.isnan(plain).any()
    assert np.isinf(plain).any()
    np.testing.assert_array_equal(open_model(shaken(data), IN, OUT).run_all(INPUTS), plain)


def test_half_precision_is_shaken_by_its_own_ulp_though_the_runtime_computes_in_single() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["w"], ["half_w"], to=TensorProto.FLOAT16),
        helper.make_node("MatMul", ["half", "half_w"], ["product"]),
        helper.make_node("Cast", ["product"], ["y"], to=TensorProto.FLOAT),
    ]
    assert 1e-4 < movement(model(nodes, initialisers=[WEIGHTS])).max() < 0.05
