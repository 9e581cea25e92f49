"""A model all of whose roundings are other ones: how rule c tells a steady output from one that rounding makes up.

Every number that arithmetic gives is multiplied by its own random factor within one ulp of 1. That stands for all
processors at once: another class changes the same roundings, in one way. Inputs alone would not do, for a model can
round its inputs away and then blow up the rounding of its own sums. Nor would what a sum gives: where large terms
cancel within one operator, its own rounding is all that is left, so its terms are shaken too. Operators within loops
and branches are left as they are: ``hides_rounding`` says where there are any. Works on a scanned model; never for
results.
"""

from __future__ import annotations

from typing import Any

from p2peval.evaluation.operators import names
from p2peval.evaluation.recipe import output_dtypes

EXACT = names(
    """
    Abs ArgMax ArgMin Cast CastLike Ceil CenterCropPad Clip Compress Concat Constant ConstantOfShape DepthToSpace
    Dropout Expand EyeLike Flatten Floor Gather GatherElements GatherND GlobalMaxPool Hardmax Identity If Loop Max
    MaxPool MaxRoiPool MaxUnpool Min Mod Neg OneHot Pad QuantizeLinear Range ReduceMax ReduceMin Relu Reshape
    ReverseSequence Round Scan Scatter ScatterElements ScatterND Shape Sign Size Slice SpaceToDepth Split Squeeze
    ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Where
    ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer LabelEncoder OneHotEncoder ZipMap
    """
)
"""Operators that only move, pick or compare numbers: all processors agree on them."""

SUMS = names(
    """
    Attention AveragePool BatchNormalization Conv ConvTranspose CumProd CumSum Det Einsum GRU Gemm GlobalAveragePool
    GlobalLpPool GroupNormalization InstanceNormalization LRN LSTM LayerNormalization LogSoftmax LpNormalization LpPool
    MatMul Mean MeanVarianceNormalization RMSNormalization RNN ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceMean ReduceProd ReduceSum ReduceSumSquare Softmax Sum
    LinearClassifier LinearRegressor Normalizer SVMClassifier SVMRegressor Scaler
    """
)
"""Operators that add up or multiply many numbers, in an order and with roundings that only they know."""

FIRST_SUMMED = names("DFT DeformConv GridSample Resize RoiAlign RotaryEmbedding STFT Upsample")
"""The same of their first input; the others say where and how much."""

KINDS = {"float16": 10, "float32": 1, "float64": 11}
"""In which arithmetic rounds, and what ONNX calls them."""

ULP = {10: 2.0**-10, 1: 2.0**-23, 11: 2.0**-52}
"""Of 1, in each of these."""


def shaken(data: bytes) -> bytes:
    """The model with noise behind each operator that rounds, and before each that sums: another one in each run, the
    same in all processes."""
    from onnx import ModelProto, helper

    model = ModelProto.FromString(data)
    if not any(opset.domain in ("", "ai.onnx") for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid("", 17))
    opset = max(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx"))
    kinds = _kinds(model)
    nodes: list[Any] = []
    for place, node in enumerate(model.graph.node):
        for at, name in enumerate(_terms(node)):
            if name in kinds:
                node.input[at] = f"p2peval/shaken/{place}/term{at}"
                nodes += _noise(name, node.input[at], kinds[name], opset, len(nodes))
        nodes.append(node)
        for at, name in enumerate(node.output if node.op_type not in EXACT else ()):
            if name in kinds:
                node.output[at] = f"p2peval/shaken/{place}/{at}/raw"
                nodes += _noise(node.output[at], name, kinds[name], opset, len(nodes))
    graph = [helper.make_node("Constant", [], [f"p2peval/shaken/{name}"], value=value) for name, value in _constants()]
    graph += nodes
    del model.graph.node[:]
    model.graph.node.extend(graph)
    return bytes(model.SerializeToString())


def _constants() -> list[tuple[str, Any]]:
    from onnx import TensorProto, helper

    half = ("half", helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]))
    training = ("training", helper.make_tensor("training", TensorProto.BOOL, [], [True]))
    ulps = [(f"ulp{kind}", helper.make_tensor("ulp", kind, [], [ulp])) for kind, ulp in ULP.items()]
    ones = [(f"one{kind}", helper.make_tensor("one", kind, [], [1.0])) for kind in ULP]
    return [half, training, *ulps, *ones]


def hides_rounding(data: bytes) -> bool:
    """Whether the model has loops or branches, in which no rounding is shaken: nobody can tell how steady it is."""
    from onnx import ModelProto

    nodes = ModelProto.FromString(data).graph.node
    return any(attribute.HasField("g") or attribute.graphs for node in nodes for attribute in node.attribute)


def _terms(node: Any) -> list[str]:
    """Inputs that the operator adds up."""
    if node.op_type in SUMS:
        return list(node.input)
    return list(node.input[:1]) if node.op_type in FIRST_SUMMED else []


def _noise(raw: str, name: str, kind: int, opset: int, seed: int) -> list[Any]:
    """Nodes that give ``name`` = raw · (1 + ulp · drawn)."""
    from onnx import helper

    drawn, scaled, factor = (f"{name}/p2peval/{part}" for part in ("drawn", "scaled", "factor"))
    return [
        *_draw(raw, drawn, kind, opset, seed),
        helper.make_node("Mul", [drawn, f"p2peval/shaken/ulp{kind}"], [scaled]),
        helper.make_node("Add", [scaled, f"p2peval/shaken/one{kind}"], [factor]),
        helper.make_node("Mul", [raw, factor], [name]),
    ]


def _draw(raw: str, drawn: str, kind: int, opset: int, seed: int) -> list[Any]:
    """Nodes that give a number from 0 to 1 for each element: 0 or 1 by Dropout's mask, where it has one."""
    from onnx import helper

    if opset < 12:  # from 22 on onnxruntime has no random operators any more
        return [helper.make_node("RandomUniformLike", [raw], [drawn], seed=float(seed))]
    chance = [raw, "p2peval/shaken/half", "p2peval/shaken/training"]
    rest, mask = f"{drawn}/rest", f"{drawn}/mask"
    return [
        helper.make_node("Dropout", chance, [rest, mask], seed=seed),
        helper.make_node("Cast", [mask], [drawn], to=kind),
    ]


def _kinds(model: Any) -> dict[str, int]:
    """Element types of what nodes give, of the inputs and the weights: of a copy of the model that gives all away."""
    from onnx import ModelProto, ValueInfoProto

    copy = ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    names = (name for node in copy.graph.node for name in node.output if name)
    copy.graph.output.extend([ValueInfoProto(name=name) for name in names])
    dtypes = output_dtypes(copy.SerializeToString())
    given = {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
    given |= {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    known = {name: KINDS[dtype] for name, dtype in dtypes.items() if dtype in KINDS}
    return known | {name: kind for name, kind in given.items() if kind in ULP}
