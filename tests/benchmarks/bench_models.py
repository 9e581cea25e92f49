"""Two models of opposite kinds, made by hand with seeded weights: one is all arithmetic, one all overhead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from p2peval.core.messages import Tensor

CLASSES = 10


@dataclass(frozen=True, slots=True)
class Case:
    """A model as ONNX bytes, and how many samples of which shape it is fed."""

    name: str
    model: bytes
    input: Tensor
    output: Tensor
    samples: int


def cnn() -> Case:
    """28 × 28 pictures, two convolutions of 3 × 3 with pooling, one dense layer: about a millisecond a batch."""
    rng = np.random.default_rng(1)
    weights = {
        "k1": rng.normal(0, 0.3, (16, 1, 3, 3)),
        "k2": rng.normal(0, 0.1, (32, 16, 3, 3)),
        "w": rng.normal(0, 0.05, (32 * 7 * 7, CLASSES)),
        "b": np.zeros(CLASSES),
    }
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["x", "k1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], **pool),
        helper.make_node("Conv", ["p1", "k2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p2"], **pool),
        helper.make_node("Flatten", ["p2"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=1),
    ]
    return _case("cnn", nodes, weights, (1, 28, 28), 4096)


def logreg() -> Case:
    """64 features, one product, one softmax: microseconds a batch, so that any overhead of ours shows."""
    rng = np.random.default_rng(2)
    weights = {"w": rng.normal(0, 0.1, (64, CLASSES)), "b": np.zeros(CLASSES)}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=1),
    ]
    return _case("logreg", nodes, weights, (64,), 640_000)


def _case(name: str, nodes: list[object], weights: dict[str, np.ndarray], shape: tuple[int, ...], samples: int) -> Case:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(array.astype(np.float32), key) for key, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return Case(
        name,
        model.SerializeToString(),
        Tensor("x", "float32", shape),
        Tensor("y", "float32", (CLASSES,)),
        samples,
    )
