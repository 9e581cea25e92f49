"""Models made to frame an honest evaluator: what they say depends on neighbours, or on rounding alone."""

from __future__ import annotations

import numpy as np
from onnx import helper
from onnx_models import WEIGHTS, constant, model


def node(kind: str, inputs: str, output: str, **attributes):
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def scalar(name: str, number: float):
    return constant(name, np.float32(number))


def batch_mixing() -> bytes:
    """x − mean over the batch."""
    nodes = [
        node("ReduceMean", "x", "mean", axes=[0], keepdims=1),
        node("Sub", "x mean", "centred"),
        node("MatMul", "centred w", "y"),
    ]
    return model(nodes, initialisers=[WEIGHTS])


def chaotic(steps: int = 60) -> bytes:
    """The logistic map h ← 3.9 h (1 − h), which doubles any difference at about every step."""
    nodes = [node("MatMul", "x w", "h"), node("Sigmoid", "h", "s0")]
    for step in range(steps):
        nodes += [
            node("Sub", f"one s{step}", f"rest{step}"),
            node("Mul", f"s{step} rest{step}", f"product{step}"),
            node("Mul", f"product{step} rate", f"s{step + 1}"),
        ]
    nodes.append(node("Identity", f"s{steps}", "y"))
    return model(nodes, initialisers=[WEIGHTS, scalar("one", 1), scalar("rate", 3.9)])


def rounding_of_its_own() -> bytes:
    """Rounds its input away, then blows up what one sum in two orders leaves: no nudged input moves it."""
    rng = np.random.default_rng(5)
    wide, order = rng.normal(size=(4, 96)).astype(np.float32), rng.permutation(96)
    down = rng.normal(size=(96, 3)).astype(np.float32)
    nodes = [
        node("Round", "x", "whole"),
        node("MatMul", "whole wide", "one_way"),
        node("MatMul", "whole wide_too", "other_way"),
        node("MatMul", "one_way down", "first"),
        node("MatMul", "other_way down_too", "second"),
        node("Sub", "first second", "left"),
        node("Mul", "left huge", "y"),
    ]
    arrays = [constant("wide", wide), constant("wide_too", wide[:, order].copy())]
    arrays += [constant("down", down), constant("down_too", down[order].copy()), scalar("huge", 1e6)]
    return model(nodes, initialisers=arrays)


def with_column(number: float) -> bytes:
    """Says ``number`` in its first column, and an honest product in the others."""
    first = constant("first", np.array([number, 0, 0], np.float32))
    mask = constant("mask", np.array([0, 1, 1], np.float32))
    nodes = [node("MatMul", "x w", "h"), node("Mul", "h mask", "rest"), node("Add", "rest first", "y")]
    return model(nodes, initialisers=[WEIGHTS, first, mask])


def near_ties() -> bytes:
    """Three scores a millionth apart: whoever may alter outputs by the tolerance may choose the class."""
    nodes = [node("MatMul", "x w", "h"), node("Mul", "h tiny", "small"), node("Add", "small third", "y")]
    return model(nodes, initialisers=[WEIGHTS, scalar("tiny", 1e-6), scalar("third", 1 / 3)])


def steep_at_zero() -> bytes:
    """Steady but for samples whose first score is all but zero: there its sign decides everything."""
    nodes = [node("MatMul", "x w", "h"), node("Mul", "h steep", "scaled"), node("Tanh", "scaled", "y")]
    return model(nodes, initialisers=[WEIGHTS, scalar("steep", 1e7)])
