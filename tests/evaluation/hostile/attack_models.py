"""Models that attack whoever opens them. Each is evaluated as a stranger's model is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from attack import Attack
from onnx import TensorProto, helper
from onnx_models import IN, OUT, WEIGHTS, constant, doubling_concat, endless_loop, matmul, memory_bomb, model, value

from p2peval.core.parts import Limits
from p2peval.evaluation.jobs import AnyJob, Evaluate, Run, Scan

SMALL = Limits(seconds=30, memory_mb=256, model_mb=32)
CONTAINED = ("out_of_memory", "model_load", "model_run")
"""How onnxruntime may end when it asks for more than there is, depending on where it asks."""


def evaluating(make: Callable[[Path], bytes]) -> Callable[[Path], AnyJob]:
    def job(folder: Path) -> AnyJob:
        np.save(folder / "inputs.npy", np.ones((40, 4), np.float32))
        (folder / "model.onnx").write_bytes(make(folder))
        run = Run(str(folder / "model.onnx"), str(folder / "inputs.npy"), 40, IN, OUT, SMALL)
        return Evaluate(run, b"k" * 32, str(folder / "outputs"))

    return job


def of(data: Callable[[], bytes]) -> Callable[[Path], AnyJob]:
    return evaluating(lambda _: data())


def node(operator: str, inputs: str, output: str, name: str = "culprit", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), [output], name=name, **attributes)


def spread(*nodes: onnx.NodeProto, **constants: object) -> bytes:
    """``nodes`` make a number, "all", which is added to the outputs: nothing can be optimised away."""
    ends = [node("MatMul", "x w", "h", "mul"), node("Add", "h all", "y", "add")]
    tensors = [constant(name, np.asarray(what)) for name, what in constants.items()]
    return model([*nodes, *ends], initialisers=[WEIGHTS, *tensors])


def summed(name: str) -> onnx.NodeProto:
    return node("ReduceSum", name, "all", "sum", keepdims=0)


# ── time and memory ───────────────────────────────────────────────────────────────────────────────


def folded_bomb() -> bytes:
    """The optimiser itself makes 2³⁴ numbers, before a sample is seen."""
    return spread(node("ConstantOfShape", "huge", "bomb"), summed("bomb"), huge=np.array([2**34]))


def tiled_bomb() -> bytes:
    return spread(node("Tile", "x times", "bomb"), summed("bomb"), times=np.array([2**20, 2**14]))


def padded_bomb() -> bytes:
    return spread(node("Pad", "x pads", "bomb"), summed("bomb"), pads=np.array([0, 0, 2**30, 8]))


def ranged_bomb() -> bytes:
    """As far as the data says: no optimiser can see it."""
    cast = node("Cast", "sum", "limit", "cast", to=TensorProto.INT64)
    far = node("Mul", "limit times", "far", "far")
    back = node("Cast", "bomb", "floats", "back", to=TensorProto.FLOAT)
    total = node("ReduceSum", "x", "sum", "total", keepdims=0)
    ends = {"zero": np.int64(0), "one": np.int64(1), "times": np.int64(2**28)}
    return spread(total, cast, far, node("Range", "zero far one", "bomb"), back, summed("floats"), **ends)


def gathered_loop() -> bytes:
    """Keeps an output of every round."""
    body = helper.make_graph(
        [node("Identity", "go", "go_on", "a"), node("Identity", "x", "kept", "b")],
        "body",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL)],
        [value("go_on", [], TensorProto.BOOL), value("kept", None)],
    )
    loop = helper.make_node("Loop", ["often", ""], ["bomb"], name="hoard", body=body)
    return spread(loop, summed("bomb"), often=np.int64(2**40))


def nested_loops() -> bytes:
    """Three loops in each other, none of them long."""
    inner = [node("Tanh", "state2", "state3", "deep")]
    for depth in (2, 1, 0):
        body = helper.make_graph(
            [node("Identity", f"go{depth}", f"on{depth}", f"id{depth}"), *inner],
            f"body{depth}",
            [
                value(f"i{depth}", [], TensorProto.INT64),
                value(f"go{depth}", [], TensorProto.BOOL),
                value(f"state{depth}", None),
            ],
            [value(f"on{depth}", [], TensorProto.BOOL), value(inner[-1].output[0], None)],
        )
        state = f"state{depth - 1}" if depth else "h"
        out = f"out{depth}" if depth else "y"
        inner = [helper.make_node("Loop", ["often", "", state], [out], name=f"loop{depth}", body=body)]
    often = constant("often", np.int64(100_000))
    return model([node("MatMul", "x w", "h", "mul"), *inner], initialisers=[WEIGHTS, often])


def crowd() -> bytes:
    """20 MiB of empty nodes: as protobuf keeps them, gigabytes."""
    nodes = b"\x0a\x00" * (10 << 20)
    length = bytearray()
    size = len(nodes)
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return matmul() + b"\x3a" + bytes(length) + bytes([size]) + nodes


def oversized(folder: Path) -> AnyJob:
    """A file with a hole: 40 MiB that take no disk."""
    (folder / "model.onnx").write_bytes(matmul())
    with open(folder / "model.onnx", "r+b") as file:
        file.truncate((SMALL.model_mb + 8) << 20)
    return Scan(str(folder / "model.onnx"), SMALL)


# ── data elsewhere ────────────────────────────────────────────────────────────────────────────────


def elsewhere(location: str) -> onnx.TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def external(where: Callable[[Path], str], place: Callable[[onnx.TensorProto], bytes]) -> Callable[[Path], AnyJob]:
    return evaluating(lambda folder: place(elsewhere(where(folder))))


def beside(folder: Path) -> str:
    (folder / "weights.bin").write_bytes(bytes(48))
    return "weights.bin"


def absolute(folder: Path) -> str:
    beside(folder)
    return str(folder / "weights.bin")


def link(folder: Path) -> str:
    (folder / "link.bin").symlink_to("/etc/passwd")
    return "link.bin"


def above(folder: Path) -> str:
    return "../../identity.key"


def as_initialiser(tensor: onnx.TensorProto) -> bytes:
    return model([node("MatMul", "x w", "y", "mul")], initialisers=[tensor])


def as_attribute(tensor: onnx.TensorProto) -> bytes:
    return model([node("Constant", "", "w", "hidden", value=tensor), node("MatMul", "x w", "y", "mul")])


def in_subgraph(tensor: onnx.TensorProto) -> bytes:
    inner = helper.make_graph([node("Identity", "w", "z", "inside")], "inner", [], [value("z", None)], [tensor])
    choice = node("If", "yes", "v", "choice", then_branch=inner, else_branch=inner)
    return model([choice, node("MatMul", "x v", "y", "mul")], initialisers=[constant("yes", np.bool_(True))])


def as_sparse(tensor: onnx.TensorProto) -> bytes:
    parsed = onnx.ModelProto.FromString(as_initialiser(WEIGHTS))
    del parsed.graph.initializer[:]
    sparse = parsed.graph.sparse_initializer.add(dims=[4, 3])
    sparse.values.CopyFrom(tensor)
    sparse.indices.CopyFrom(constant("i", np.arange(12)))
    return parsed.SerializeToString()


PLACES = {
    "initialiser": (as_initialiser, "initialiser 'w'"),
    "attribute": (as_attribute, "'hidden' (Constant)"),
    "subgraph": (in_subgraph, "initialiser 'w'"),
    "sparse": (as_sparse, "initialiser 'w'"),
}
PATHS = {"beside": beside, "absolute": absolute, "link": link, "above": above}

# ── outputs that lie, and the rest ────────────────────────────────────────────────────────────────


def outputs(*nodes: onnx.NodeProto, **constants: object) -> bytes:
    tensors = [constant(name, np.asarray(what)) for name, what in constants.items()]
    return model([node("MatMul", "x w", "h", "mul"), *nodes], initialisers=[WEIGHTS, *tensors])


def lying_shape() -> bytes:
    """Says N×3; what comes depends on the data."""
    rows = node("Compress", "h keep", "y", "liar", axis=0)
    return outputs(node("Greater", "column zero", "keep", "gt"), node("Slice", "h a b c", "s", "cut"),
                   node("Squeeze", "s axes", "column", "sq"), rows, zero=np.float32(1e9), a=np.array([0]),
                   b=np.array([1]), c=np.array([1]), axes=np.array([1]))  # fmt: skip


def not_a_number() -> bytes:
    return outputs(node("Sub", "h h", "zero", "sub"), node("Div", "zero zero", "y", "div"))


def infinite() -> bytes:
    return outputs(node("Sub", "h h", "zero", "sub"), node("Div", "h zero", "y", "div"))


def strange_domain() -> bytes:
    strange = helper.make_node("Evil", ["x"], ["y"], name="stranger", domain="com.evil")
    return model([strange], domains=["com.evil"])


def own_function() -> bytes:
    opset = [helper.make_opsetid("", 17)]
    function = helper.make_function("mine", "Own", ["a"], ["b"], [node("Identity", "a", "b")], opset)
    called = helper.make_node("Own", ["x"], ["y"], name="call", domain="mine")
    return model([called], functions=[function], domains=["mine"])


def lying_initialiser() -> bytes:
    parsed = onnx.ModelProto.FromString(matmul())
    parsed.graph.initializer[0].dims[0] = 2**40
    return parsed.SerializeToString()


def sparse_bomb() -> bytes:
    parsed = onnx.ModelProto.FromString(matmul())
    sparse = parsed.graph.sparse_initializer.add(dims=[2**17, 2**17])
    sparse.values.CopyFrom(constant("thin", np.ones(1, np.float32)))
    sparse.indices.CopyFrom(constant("i", np.array([5])))
    return parsed.SerializeToString()


ATTACKS = (
    Attack("endless loop", of(endless_loop), ("timeout",), "2 s", 2.0),
    Attack("nested loops", of(nested_loops), ("timeout",), "2 s", 2.0),
    Attack("doubling concat", of(doubling_concat), ("out_of_memory",), "'doubling'"),
    Attack("expand to 2^34", of(memory_bomb), ("out_of_memory",), "'bomb'"),
    Attack("folded bomb", of(folded_bomb), CONTAINED, "'culprit'"),
    Attack("tiled bomb", of(tiled_bomb), CONTAINED, "'culprit'"),
    Attack("padded bomb", of(padded_bomb), CONTAINED, "'culprit'"),
    Attack("ranged bomb", of(ranged_bomb), CONTAINED, "'culprit'"),
    Attack("gathered loop", of(gathered_loop), ("out_of_memory", "timeout"), deadline=2.0),
    Attack("crowd of nodes", of(crowd), ("too_complex", "out_of_memory", "crashed", "model_malformed")),
    Attack("oversized model", oversized, ("model_too_large",), "40.0 MiB"),
    *(
        Attack(
            f"external {path} {place}", external(PATHS[path], PLACES[place][0]), ("external_data",), PLACES[place][1]
        )
        for path in PATHS
        for place in PLACES
    ),
    Attack("unknown domain", of(strange_domain), ("unknown_domain",), "'stranger' (Evil)"),
    Attack("own function", of(own_function), ("function",), "'Own'"),
    Attack("lying initialiser", of(lying_initialiser), ("tensor",), "initialiser 'w'"),
    Attack("sparse bomb", of(sparse_bomb), ("model_too_large",), "'thin'"),
    Attack("lying output", of(lying_shape), ("output_shape",), "output 'y' is float32[0, 3]"),
    Attack("nan outputs", of(not_a_number), ("",), "Evaluated"),
    Attack("inf outputs", of(infinite), ("",), "Evaluated"),
)
