"""Models for the tests: real ones from scikit-learn, and hand-made ones that misbehave."""

from __future__ import annotations

import functools

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier

from p2peval.core.parts import Limits, Tensor

DIGITS_IN = Tensor("X", "float32", (64,))
DIGITS_OUT = Tensor("probabilities", "float32", (10,))
LIMITS = Limits(seconds=60, memory_mb=1024, model_mb=64)


@functools.cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    return data.data.astype(np.float32), data.target.astype(np.int64)


@functools.cache
def classifier(kind: str, zipmap: bool = False) -> bytes:
    """A model trained on the first half of the digits."""
    inputs, labels = digits()
    estimator = {
        "logistic": LogisticRegression(max_iter=200),
        "forest": RandomForestClassifier(20, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=10, random_state=0),
        "mlp": MLPClassifier((32,), max_iter=300, random_state=0),
    }[kind]
    fitted = estimator.fit(inputs[:900], labels[:900])
    return to_onnx(fitted, inputs[:1], options={"zipmap": zipmap}).SerializeToString()


@functools.cache
def regressor() -> tuple[bytes, np.ndarray, np.ndarray]:
    inputs, labels = load_diabetes(return_X_y=True)
    inputs = inputs.astype(np.float32)
    return to_onnx(LinearRegression().fit(inputs, labels), inputs[:1]).SerializeToString(), inputs, labels


def constant(name: str, values: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values), name)


def model(nodes, *, inputs=None, outputs=None, initialisers=(), opset=17, functions=(), domains=()) -> bytes:
    """``nodes`` between a float input x (N×4) and a float output y (N×3), unless told otherwise."""
    graph = helper.make_graph(
        nodes,
        "test",
        inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        outputs or [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        initialisers,
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=9).SerializeToString()


IN = Tensor("x", "float32", (4,))
OUT = Tensor("y", "float32", (3,))
WEIGHTS = constant("w", np.arange(12, dtype=np.float32).reshape(4, 3) / 10)


def matmul() -> bytes:
    return model([helper.make_node("MatMul", ["x", "w"], ["y"])], initialisers=[WEIGHTS])


def value(name: str, shape, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def endless_loop() -> bytes:
    """Loops 2⁶³ times over a tanh."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Tanh", ["state"], ["state_out"]),
        ],
        "body",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("state", None)],
        [value("go_on", [], TensorProto.BOOL), value("state_out", None)],
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Loop", ["often", "", "h"], ["y"], name="forever", body=body),
    ]
    return model(nodes, initialisers=[WEIGHTS, constant("often", np.int64(2**62))])


def memory_bomb() -> bytes:
    """Expands one number to 2³⁴ and sums them up."""
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Expand", ["sum", "huge"], ["bomb"], name="bomb"),
        helper.make_node("ReduceSum", ["bomb"], ["all"], keepdims=0),
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Add", ["h", "all"], ["y"]),
    ]
    return model(nodes, initialisers=[WEIGHTS, constant("huge", np.array([2**34], np.int64))])


def doubling_concat() -> bytes:
    """Doubles a tensor in a loop until memory is out."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Concat", ["state", "state"], ["state_out"], axis=0),
        ],
        "body",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("state", None)],
        [value("go_on", [], TensorProto.BOOL), value("state_out", None)],
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Loop", ["often", "", "h"], ["y"], name="doubling", body=body),
    ]
    return model(nodes, initialisers=[WEIGHTS, constant("often", np.int64(60))])
