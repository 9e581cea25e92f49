"""A small convolutional network with seeded weights: 1 × 8 × 8 pictures, ten classes."""

from __future__ import annotations

import functools

import numpy as np
from onnx import helper
from onnx_models import constant, digits, model, value

from p2peval.core.parts import Tensor

CNN_IN = Tensor("x", "float32", (1, 8, 8))
CNN_OUT = Tensor("y", "float32", (10,))


@functools.cache
def cnn() -> bytes:
    rng = np.random.default_rng(1)
    weights = {
        "k1": rng.normal(0, 0.3, (8, 1, 3, 3)),
        "k2": rng.normal(0, 0.1, (16, 8, 3, 3)),
        "w": rng.normal(0, 0.05, (16 * 4 * 4, 10)),
        "b": rng.normal(0, 0.1, 10),
    }
    nodes = [
        helper.make_node("Conv", ["x", "k1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "k2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=1),
    ]
    arrays = [constant(name, array.astype(np.float32)) for name, array in weights.items()]
    return model(nodes, inputs=[value("x", ["N", 1, 8, 8])], outputs=[value("y", ["N", 10])], initialisers=arrays)


def pictures(count: int = 100) -> np.ndarray:
    """Handwritten digits, from 0 to 1: (count, 1, 8, 8)."""
    return digits()[0][:count].reshape(-1, 1, 8, 8) / np.float32(16)
