"""Which models are refused before they are opened.

Decides from the ONNX file alone: an operator outside the allow-list, a random or training-mode one, a
model-local function, external data, or too large a graph is refused, each with a reason of its own and
the node's name. Must not know benchmarks or onnxruntime. Runs in the worker only: protobuf parses a
stranger's bytes here. Source: evaluation.md, Determinism; ONNX operator sets 1 to 26 and ai.onnx.ml 1 to 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2peval.defaults import MAX_GRAPH_DEPTH, MAX_MODEL_NODES
from p2peval.errors import EvaluationError


def names(text: str) -> frozenset[str]:
    """Operators, written as one text."""
    return frozenset(text.split())


RANDOM = names("Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike")
"""Never the same twice: no second peer could check them."""

STANDARD = names(
    """
    Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool
    BatchNormalization BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike
    Ceil Celu CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape Conv
    ConvInteger ConvTranspose Cos Cosh CumProd CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div
    Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather
    GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual
    GridSample GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If
    InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop
    LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization
    MelWeightMatrix Min Mish Mod Mul Neg NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement
    OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range
    Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan Scatter
    ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
    SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign
    SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat StringNormalizer StringSplit Sub Sum SwiGLU
    Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze
    Upsample Where Xor
    """
)

CLASSICAL = names(
    """
    ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder
    LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble
    TreeEnsembleClassifier TreeEnsembleRegressor ZipMap
    """
)

ALLOWED = {"": STANDARD, "ai.onnx": STANDARD, "ai.onnx.ml": CLASSICAL}
"""Domain -> operators that give the same bytes for the same bytes. Left out beside the random ones: image
decoders and regular expressions (a large parser each), losses (training) and the contrib domains."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a model that passed is made of, subgraphs included."""

    nodes: int
    initialisers: int


def read(path: Path, model_mb: int) -> bytes:
    """A model's bytes. Raises EvaluationError: model_missing, model_empty, model_too_large."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise EvaluationError("model_empty", "the model file is empty (0 bytes)", hint="export it again")
        if size > model_mb << 20:
            detail = f"the model has {size / 2**20:.1f} MiB; this benchmark allows {model_mb}"
            raise EvaluationError("model_too_large", detail)
        return path.read_bytes()
    except OSError as error:
        raise EvaluationError("model_missing", f"the model cannot be read: {error.strerror}") from None


def scan(data: bytes) -> Contents:
    """Refuse or pass a model. Raises EvaluationError with the reason and the node that caused it."""
    model = _parse(data)
    if model.functions:
        name = model.functions[0].name
        raise _refusal("function", f"the model defines a function of its own, {name!r}", "inline it: onnx.inliner")
    if model.training_info:
        raise _refusal("training", "the model carries training graphs", "export it for inference")
    nodes = initialisers = 0
    pending = [(model.graph, 0)]
    while pending:
        graph, depth = pending.pop()
        if depth > MAX_GRAPH_DEPTH:
            raise _refusal("too_complex", f"subgraphs are nested deeper than {MAX_GRAPH_DEPTH}")
        nodes += len(graph.node)
        initialisers += len(graph.initializer) + len(graph.sparse_initializer)
        if max(nodes, initialisers) > MAX_MODEL_NODES:
            raise _refusal("too_complex", f"more than {MAX_MODEL_NODES} nodes or initialisers")
        pending += [(inner, depth + 1) for inner in _check_graph(graph)]
    return Contents(nodes, initialisers)


def _parse(data: bytes) -> Any:
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    try:
        model = ModelProto.FromString(data)
    except DecodeError:
        model = None
    if model is None or not model.graph.output or not model.opset_import:
        raise EvaluationError(
            "model_malformed",
            f"the model is not a whole ONNX file ({len(data)} bytes)",
            hint="it may be cut short, or of another format: export or copy it again",
        )
    return model


def _check_graph(graph: Any) -> Iterator[Any]:
    """Yields the subgraphs."""
    for tensor in graph.initializer:
        _check_tensor(tensor, f"initialiser {tensor.name!r}")
    for sparse in graph.sparse_initializer:
        _check_sparse(sparse, f"initialiser {sparse.values.name!r}")
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        where = f"node {node.name or next(iter(node.output), '')!r} ({node.op_type})"
        _check_operator(node, where)
        _check_mode(node, where, constants)
        for attribute in node.attribute:
            yield from _check_attribute(attribute, where)


def _check_operator(node: Any, where: str) -> None:
    allowed = ALLOWED.get(node.domain)
    if allowed is None:
        raise _refusal("unknown_domain", f"{where} is of the domain {node.domain!r}", "use standard ONNX operators")
    if node.op_type in RANDOM:
        raise _refusal("random", f"{where} is random: two peers could never agree", "export it for inference")
    if node.op_type not in allowed:
        raise _refusal("operator", f"{where} is not on the list of operators that can be checked")


def _check_mode(node: Any, where: str, constants: dict[str, Any]) -> None:
    """Dropout and BatchNormalization must be in inference mode.

    Opset 1 and 6 say so with ``is_test``, 12 and later with Dropout's third input or ``training_mode``.
    """
    if node.op_type not in ("Dropout", "BatchNormalization"):
        return
    flags = {attribute.name: attribute.i for attribute in node.attribute}
    training = flags.get("training_mode", 0) != 0 or flags.get("is_test", 1) == 0
    if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
        training |= not _is_false(constants.get(node.input[2]))
    if training:
        raise _refusal("training", f"{where} is in training mode", "export it for inference: model.eval()")


def _is_false(tensor: Any) -> bool:
    return tensor is not None and not any(tensor.raw_data) and not any(tensor.int32_data)


def _check_attribute(attribute: Any, where: str) -> Iterator[Any]:
    for tensor in (attribute.t, *attribute.tensors):
        _check_tensor(tensor, where)
    for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
        _check_sparse(sparse, where)
    if attribute.HasField("g"):
        yield attribute.g
    yield from attribute.graphs


def _check_sparse(sparse: Any, where: str) -> None:
    _check_tensor(sparse.values, where)
    _check_tensor(sparse.indices, where)


def _check_tensor(tensor: Any, where: str) -> None:
    if tensor.external_data or tensor.data_location:
        hint = "save it as one file: onnx.save(model, path, save_as_external_data=False)"
        raise _refusal("external_data", f"{where} keeps its data in another file", hint)


def _refusal(reason: str, detail: str, hint: str = "") -> EvaluationError:
    return EvaluationError(reason, f"model refused: {detail}", hint=hint)
