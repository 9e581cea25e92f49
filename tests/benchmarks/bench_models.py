"""Three models of opposite kinds: arithmetic of convolutions, nothing but overhead, and a real transformer.

The first two are made by hand with seeded weights; the transformer's are those of all-MiniLM-L6-v2.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from p2peval.core.parts import Limits, Tensor

CLASSES = 10
USUAL = Limits(seconds=60, memory_mb=1024, model_mb=64)


@dataclass(frozen=True, slots=True)
class Case:
    """A model as ONNX bytes, and all that it is fed."""

    name: str
    model: bytes
    inputs: np.ndarray
    input: Tensor
    output: Tensor
    limits: Limits = USUAL


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


def transformer() -> Case:
    """Six layers over 32 tokens: a fifth of a second a batch."""
    sys.path.append(str(Path(__file__).parents[1] / "evaluation"))
    from minilm import MINILM_IN, MINILM_LIMITS, MINILM_OUT, minilm, random_tokens

    return Case("transformer", minilm(), random_tokens(256), MINILM_IN, MINILM_OUT, MINILM_LIMITS)


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
        np.random.default_rng(3).random((samples, *shape), np.float32),
        Tensor("x", "float32", shape),
        Tensor("y", "float32", (CLASSES,)),
    )
