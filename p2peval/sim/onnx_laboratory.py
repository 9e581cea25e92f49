"""Evaluations by real models: onnxruntime, by the one recipe that daemons run, for worlds small enough to wait for it.

Each name of a model stands for a linear classifier of its own, and a benchmark's inputs are drawn by their name; what
comes out is what onnxruntime makes of them on this machine. So all hosts are of one equivalence class here, whatever
the scenario calls it. Lies and audits are as in ``synthetic``.
"""

from __future__ import annotations

import numpy as np

from p2peval.core.benchmark import output_bytes
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.types import Cid
from p2peval.evaluation.recipe import Recipe, open_model
from p2peval.sim.synthetic import Laboratory, Rows, drawn_by


class OnnxLaboratory(Laboratory):
    """``runs``: models that were really run so far; an audit of the same model looks at what was computed once."""

    __slots__ = ("_computed", "runs")

    def __init__(self) -> None:
        super().__init__()
        self._computed: dict[tuple[Cid, Cid], Rows] = {}
        self.runs = 0

    def true_rows(self, spec: BenchmarkSpec, model: Cid, equivalence_class: str) -> Rows:
        key = (spec.inputs.cid, model)
        rows = self._computed.get(key)
        if rows is None:
            opened = open_model(_model(spec, model), spec.model_input, spec.model_output, Recipe(spec.profile))
            shape = (spec.samples, *spec.model_input.shape)
            inputs = drawn_by("inputs", spec.inputs.cid).random(shape, dtype=np.float32)
            rows = self._computed[key] = opened.run_all(inputs).reshape(spec.samples, -1)
            self.runs += 1
        return rows


def _model(spec: BenchmarkSpec, model: Cid) -> bytes:
    """Softmax of a linear layer whose weights are drawn by the model's name; fits the benchmark's input and output."""
    from onnx import TensorProto, helper, numpy_helper

    width, classes = spec.model_input.shape[0], output_bytes(spec) // spec.samples // 4
    weights = drawn_by("weights", model).standard_normal((width, classes)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", [spec.model_input.name, "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], [spec.model_output.name], axis=1),
        ],
        "lab",
        [helper.make_tensor_value_info(spec.model_input.name, TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info(spec.model_output.name, TensorProto.FLOAT, [None, classes])],
        [numpy_helper.from_array(weights, "weights")],
    )
    opset = helper.make_opsetid("", 17)
    made: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    return made
