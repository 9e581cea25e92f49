"""A model in other clothes: says the same, and shares neither bytes nor names with what it was made from.

For a task whose answer its requester knows (protocol.md, Known-answer tasks). Nodes, tensors and the graph get fresh
names, nodes another order that computes the same, units of hidden layers another order, weights move by an ulp, and
whatever only describes is gone. Names of the model's input and outputs stay, for the benchmark fixes them.

It hides the model from whoever looks at its file. It cannot hide it from whoever runs it: the same function gives the
same outputs within the tolerance, and who has kept those of before may find them again. But then that peer has run the
samples that it compares, which is what a lie was to save. Works on a scanned model, in the worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from p2peval.errors import EvaluationError
from p2peval.evaluation.operators import names
from p2peval.evaluation.shaken import hides_rounding

UNARY = names(
    "Celu Clip Dropout Elu Erf Gelu HardSigmoid HardSwish Identity LeakyRelu Mish Relu Selu Sigmoid Softplus Softsign "
    "Tanh ThresholdedRelu"
)
"""Operators that treat each unit by itself."""

POOLS = names("AveragePool GlobalAveragePool GlobalMaxPool MaxPool")
"""Operators that treat each channel by itself."""

WEIGHED = names("Conv ConvTranspose Gemm MatMul")
"""Operators whose weights may move by an ulp."""

NORM = "BatchNormalization"


def disguise(data: bytes, seed: bytes) -> bytes:
    """The model ``data`` disguised as ``seed``, a secret, says: the same bytes for the same seed.

    Raises EvaluationError: not_disguisable, for one with loops, branches or sparse weights.
    """
    from onnx import ModelProto

    model = ModelProto.FromString(data)
    if hides_rounding(data) or model.graph.sparse_initializer:
        raise EvaluationError("not_disguisable", "a model with loops, branches or sparse weights cannot be disguised")
    rng = np.random.default_rng(list(sha256(seed).digest()))
    weights = _Weights(model.graph)
    for chain in _chains(model.graph, weights):
        order = rng.permutation(chain.units)
        for name, axis in chain.weights:
            weights.arrays[name] = np.take(weights.arrays[name], order, axis)
    _nudge(model.graph, weights, rng)
    weights.put_back(model.graph)
    _strip(model)
    _rename(model.graph, rng)
    _shuffle(model.graph, rng)
    return bytes(model.SerializeToString(deterministic=True))


# ── weights ───────────────────────────────────────────────────────────────────────────────────────


class _Weights:
    """``arrays``: the initialisers by name. ``uses``: how often each value of the graph is read, as an output too."""

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self.arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.uses = Counter(name for node in graph.node for name in node.input)
        self.uses.update(value.name for value in graph.output)

    def own(self, name: str, dimensions: int) -> np.ndarray[Any, Any] | None:
        """The initialiser of that name, where nothing else reads it and it has so many dimensions."""
        array = self.arrays.get(name)
        return array if array is not None and self.uses[name] == 1 and array.ndim == dimensions else None

    def put_back(self, graph: Any) -> None:
        from onnx import numpy_helper

        for tensor in graph.initializer:
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(self.arrays[tensor.name]), tensor.name))


@dataclass(frozen=True, slots=True)
class _Chain:
    """A hidden layer: so many ``units``, and (weights, axis) that list them, from the layer before to the one after."""

    units: int
    weights: list[tuple[str, int]]


def _chains(graph: Any, weights: _Weights) -> Iterator[_Chain]:
    readers = {name: node for node in graph.node for name in node.input}
    for node in graph.node:
        begun = _begins(node, weights)
        if begun is not None:
            listed = _follow(node.output[0], begun, readers, weights, channels=node.op_type == "Conv")
            if listed is not None:
                yield _Chain(begun.units, listed)


def _begins(node: Any, weights: _Weights) -> _Chain | None:
    """A layer whose units may be reordered as far as this node goes."""
    axis = {"Conv": 0, "MatMul": 1, "Gemm": 1 - _flag(node, "transB")}.get(node.op_type)
    dimensions = 2 if node.op_type in ("Gemm", "MatMul") else 4
    array = weights.own(node.input[1], dimensions) if axis is not None and len(node.input) > 1 else None
    if axis is None or array is None or (node.op_type == "Conv" and _flag(node, "group", 1) != 1):
        return None
    units, listed = array.shape[axis], [(node.input[1], axis)]
    if len(node.input) > 2 and node.input[2]:
        bias = weights.own(node.input[2], 1)
        if bias is None or bias.shape != (units,):
            return None
        listed.append((node.input[2], 0))
    return _Chain(units, listed)


def _follow(
    name: str, begun: _Chain, readers: dict[str, Any], weights: _Weights, *, channels: bool
) -> list[tuple[str, int]] | None:
    """From a layer's output to the layer that takes it in; None where something on the way minds the order."""
    listed = list(begun.weights)
    while weights.uses[name] == 1 and name in readers:
        node = readers[name]
        if node.op_type in UNARY or (channels and node.op_type in POOLS):
            if node.input[0] != name:
                return None
        elif node.op_type == NORM and node.input[0] == name:
            if any(weights.own(other, 1) is None for other in node.input[1:]):
                return None
            listed += [(other, 0) for other in node.input[1:]]
        elif node.op_type == "Add" and not channels:
            other = node.input[1 if node.input[0] == name else 0]
            bias = weights.own(other, 1) if weights.own(other, 1) is not None else weights.own(other, 2)
            if bias is None or (bias.shape[-1], bias.size) != (begun.units, begun.units):
                return None
            listed.append((other, bias.ndim - 1))
        else:
            return _ends(node, name, begun.units, weights, listed, channels=channels)
        name = node.output[0]
    return None


def _ends(
    node: Any, name: str, units: int, weights: _Weights, listed: list[tuple[str, int]], *, channels: bool
) -> list[tuple[str, int]] | None:
    """The layer that takes the units in, if it lists each once."""
    dense = {"MatMul": 0, "Gemm": _flag(node, "transB")}
    axis = 1 if channels and node.op_type == "Conv" else None if channels else dense.get(node.op_type)
    if axis is None or node.input[0] != name or _flag(node, "transA") or _flag(node, "group", 1) != 1:
        return None
    array = weights.own(node.input[1], 4 if channels else 2)
    if array is None or array.shape[axis] != units:
        return None
    return [*listed, (node.input[1], axis)]


def _flag(node: Any, name: str, default: int = 0) -> int:
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == name), default)


def _nudge(graph: Any, weights: _Weights, rng: np.random.Generator) -> None:
    """Weights of layers, up or down by one ulp: no more than rounding does to them, and no byte string stays."""
    for name in sorted({name for node in graph.node if node.op_type in WEIGHED for name in node.input[1:]}):
        array = weights.arrays.get(name)
        if array is None or array.dtype.kind != "f" or array.dtype.itemsize < 4:
            continue
        toward = np.where(rng.integers(0, 2, array.shape, dtype=np.uint8) > 0, np.inf, -np.inf).astype(array.dtype)
        moved = np.nextafter(array, toward)
        weights.arrays[name] = np.where(np.isfinite(array) & (array != 0), moved, array)


# ── names and order ───────────────────────────────────────────────────────────────────────────────


def _strip(model: Any) -> None:
    """Drop what only describes."""
    for field in ("producer_name", "producer_version", "domain", "model_version", "doc_string", "metadata_props"):
        model.ClearField(field)
    for field in ("doc_string", "value_info", "quantization_annotation", "metadata_props"):
        model.graph.ClearField(field)
    described = (*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output)
    for one in described:
        one.ClearField("doc_string")
    for node in model.graph.node:
        node.ClearField("metadata_props")


def _rename(graph: Any, rng: np.random.Generator) -> None:
    """Fresh names for all but the model's inputs and outputs."""
    held = {tensor.name for tensor in graph.initializer}
    kept = {value.name for value in graph.output} | {value.name for value in graph.input if value.name not in held}
    fresh: dict[str, str] = {"": ""}

    def name(old: str) -> str:
        if old not in fresh:
            fresh[old] = old if old in kept else f"v{rng.bytes(8).hex()}"
        return fresh[old]

    graph.name = f"g{rng.bytes(8).hex()}"
    for value in (*graph.initializer, *(value for value in graph.input if value.name in held)):
        value.name = name(value.name)
    for node in graph.node:
        node.name = f"n{rng.bytes(8).hex()}"
        read, given = [name(old) for old in node.input], [name(old) for old in node.output]
        node.input[:], node.output[:] = read, given


def _shuffle(graph: Any, rng: np.random.Generator) -> None:
    """Nodes in another order in which each still follows what it reads; initialisers in any."""
    waiting = list(graph.node)
    made = {name for node in waiting for name in node.output if name}
    there: set[str] = set()
    placed: list[Any] = []
    while waiting:
        ready = [at for at, node in enumerate(waiting) if all(n in there for n in node.input if n in made)]
        node = waiting.pop(ready[int(rng.integers(len(ready)))])
        there.update(node.output)
        placed.append(node)
    tensors = [graph.initializer[at] for at in rng.permutation(len(graph.initializer))]
    for field, items in (("node", placed), ("initializer", tensors)):
        copies = [type(item).FromString(item.SerializeToString()) for item in items]
        graph.ClearField(field)
        getattr(graph, field).extend(copies)
