"""Which models are refused before they are opened.

Decides from the ONNX file alone: an operator outside the allow-list, a random or training-mode one, a
model-local function, external data, a name that means two things, a tensor that is not what it says, or too
large a graph is refused, each with a reason of its own and the node's name. Must not know benchmarks or
onnxruntime. Runs in the worker only: protobuf parses a stranger's bytes here. Source: evaluation.md, Determinism.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2peval.core.text import one_line
from p2peval.defaults import MAX_GRAPH_DEPTH, MAX_MODEL_NODES, MAX_UNPACKED_BYTES
from p2peval.errors import EvaluationError
from p2peval.evaluation.operators import ALLOWED, OPSETS, RANDOM
from p2peval.evaluation.tensors import Unsound, unpacked_bytes


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
    _check_opsets(model.opset_import)
    if model.functions:
        name = _called(model.functions[0].name)
        raise _refusal("function", f"the model defines a function of its own, {name}", "inline it: onnx.inliner")
    if model.training_info:
        raise _refusal("training", "the model carries training graphs", "export it for inference")
    return _Scan().whole(model.graph)


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


def _check_opsets(imports: Any) -> None:
    """A domain that nobody knows may be imported: a node of it is refused where it stands.

    skl2onnx says the same twice; two versions of a domain would be read one way here and another way elsewhere.
    """
    versions = {(one.domain or "ai.onnx", one.version) for one in imports}
    _check_unique((domain for domain, _ in versions), "the model imports several operator sets of the domain")
    for one in imports:
        oldest, newest = OPSETS.get(one.domain, (one.version, one.version))
        if not oldest <= one.version <= newest:
            detail = f"the model is of operator set {one.version} of {one.domain or 'ai.onnx'}"
            raise _refusal("opset", f"{detail}; {oldest} to {newest} can be checked", f"export it with opset {newest}")


class _Scan:
    """One walk over a graph and its subgraphs, and what it has counted so far."""

    def __init__(self) -> None:
        self._nodes = self._initialisers = self._bytes = 0

    def whole(self, graph: Any) -> Contents:
        pending = [(graph, 0)]
        while pending:
            graph, depth = pending.pop()
            if depth > MAX_GRAPH_DEPTH:
                raise _refusal("too_complex", f"subgraphs are nested deeper than {MAX_GRAPH_DEPTH}")
            self._nodes += len(graph.node)
            self._initialisers += len(graph.initializer) + len(graph.sparse_initializer)
            if max(self._nodes, self._initialisers) > MAX_MODEL_NODES:
                raise _refusal("too_complex", f"more than {MAX_MODEL_NODES} nodes or initialisers")
            pending += [(inner, depth + 1) for inner in self._graph(graph)]
        return Contents(self._nodes, self._initialisers)

    def _graph(self, graph: Any) -> Iterator[Any]:
        """Yields the subgraphs."""
        for tensor in graph.initializer:
            self._tensor(tensor, f"initialiser {_called(tensor.name)}")
        for sparse in graph.sparse_initializer:
            self._sparse(sparse, f"initialiser {_called(sparse.values.name)}")
        _check_names(graph)
        given = {one.name for one in graph.input}
        constants = {tensor.name: tensor for tensor in graph.initializer if tensor.name not in given}
        for node in graph.node:
            name = _called(node.name or next(iter(node.output), ""))
            where = f"node {name} ({one_line(node.op_type, 40)})"
            _check_operator(node, where)
            _check_unique((attribute.name for attribute in node.attribute), f"{where} has more than one attribute")
            _check_mode(node, where, constants)
            for attribute in node.attribute:
                yield from self._attribute(attribute, where)

    def _attribute(self, attribute: Any, where: str) -> Iterator[Any]:
        """Whatever it says of its type: all that a reader could take from it is looked at."""
        for tensor in (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors):
            self._tensor(tensor, where)
        sparse_ones = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for sparse in (*sparse_ones, *attribute.sparse_tensors):
            self._sparse(sparse, where)
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs

    def _sparse(self, sparse: Any, where: str) -> None:
        """onnxruntime makes it dense, so that a few bytes may become many."""
        for tensor in (sparse.values, sparse.indices):
            _check_inline(tensor, where)
        self._count(sparse.indices, None, where)
        self._count(sparse.values, sparse.dims, where)

    def _tensor(self, tensor: Any, where: str) -> None:
        _check_inline(tensor, where)
        self._count(tensor, None, where)

    def _count(self, tensor: Any, dense: Iterable[int] | None, where: str) -> None:
        try:
            self._bytes += unpacked_bytes(tensor, dense)
        except Unsound as error:
            raise _refusal("tensor", f"{where} {error}", "export or copy the model again") from None
        if self._bytes > MAX_UNPACKED_BYTES:
            raise _refusal("model_too_large", f"{where} brings its numbers over {MAX_UNPACKED_BYTES} bytes in memory")


def _check_inline(tensor: Any, where: str) -> None:
    if tensor.external_data or tensor.data_location:
        hint = "save it as one file: onnx.save(model, path, save_as_external_data=False)"
        raise _refusal("external_data", f"{where} keeps its data in another file", hint)


def _check_names(graph: Any) -> None:
    """A name that stands for two things could be read one way here and another way by the runtime."""
    _check_unique((one.name for one in graph.input), "more than one input is called")
    values = [tensor.name for tensor in graph.initializer] + [one.values.name for one in graph.sparse_initializer]
    _check_unique(values, "more than one initialiser is called")
    taken = {*values, *(one.name for one in graph.input)}
    for node in graph.node:
        for output in filter(None, node.output):
            if output in taken:
                raise _refusal("duplicate_name", f"node {_called(node.name)} makes {_called(output)}, which is taken")
            taken.add(output)


def _check_unique(names: Iterable[str], what: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise _refusal("duplicate_name", f"{what} {_called(twice[0])}")


def _check_operator(node: Any, where: str) -> None:
    allowed = ALLOWED.get(node.domain)
    if allowed is None:
        detail = f"{where} is of the domain {_called(node.domain)}"
        raise _refusal("unknown_domain", detail, "use standard ONNX operators")
    if node.op_type in RANDOM:
        raise _refusal("random", f"{where} is random: two peers could never agree", "export it for inference")
    if node.op_type not in allowed:
        raise _refusal("operator", f"{where} is not on the list of operators that can be checked")


def _check_mode(node: Any, where: str, constants: dict[str, Any]) -> None:
    """Dropout and BatchNormalization must be in inference mode.

    Dropout says so with its third input; BatchNormalization with ``training_mode``, and before operator set 14
    with the number of its outputs.
    """
    if node.op_type == "Dropout":
        training = len(node.input) > 2 and node.input[2] != "" and not _is_false(constants.get(node.input[2]))
    elif node.op_type == "BatchNormalization":
        training = any(one.name == "training_mode" and one.i != 0 for one in node.attribute)
        training |= any(node.output[1:])
    else:
        return
    if training:
        raise _refusal("training", f"{where} is in training mode", "export it for inference: model.eval()")


def _is_false(tensor: Any) -> bool:
    return tensor is not None and not any(tensor.raw_data) and not any(tensor.int32_data)


def _called(name: str) -> str:
    """A stranger's name, fit to be shown."""
    return repr(one_line(name, 80))


def _refusal(reason: str, detail: str, hint: str = "") -> EvaluationError:
    return EvaluationError(reason, f"model refused: {detail}", hint=hint)
