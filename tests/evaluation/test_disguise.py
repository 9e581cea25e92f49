"""A model in other clothes: says the same within the tolerance, and nothing of its file tells where it comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_models import DIGITS_IN, DIGITS_OUT, IN, LIMITS, OUT, classifier, constant, digits, endless_loop, model
from small_cnn import CNN_IN, CNN_OUT, cnn, pictures

from p2peval.core.commitment import output_root
from p2peval.core.outputs import differing
from p2peval.core.parts import Tensor, Tolerance
from p2peval.core.types import to_nano
from p2peval.core.verdict import Verdict
from p2peval.defaults import ATOL, RTOL
from p2peval.errors import EvaluationError
from p2peval.evaluation import jobs
from p2peval.evaluation.disguise import disguise
from p2peval.evaluation.recipe import open_model
from p2peval.evaluation.runner import perform
from p2peval.evaluation.scan import scan

TOLERANCE = Tolerance(to_nano(ATOL), to_nano(RTOL))
POINTS = np.random.default_rng(3).normal(size=(200, 4)).astype(np.float32)


def deep() -> bytes:
    """Two hidden layers, batch norm, one layer whose units two others read."""
    rng = np.random.default_rng(1)
    arrays = {
        "w1": rng.normal(size=(4, 16)), "b1": rng.normal(size=16), "w2": rng.normal(size=(16, 12)) / 4,
        "b2": rng.normal(size=(1, 12)), "scale": rng.uniform(0.5, 2, 12), "shift": rng.normal(size=12),
        "mean": rng.normal(size=12), "var": rng.uniform(0.5, 2, 12), "w3": rng.normal(size=(8, 12)) / 4,
        "w4": rng.normal(size=(8, 3)) / 4, "w5": rng.normal(size=(8, 3)) / 4,
    }  # fmt: skip
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h1"], name="first"),
        helper.make_node("Tanh", ["h1"], ["t1"]),
        helper.make_node("MatMul", ["t1", "w2"], ["h2"]),
        helper.make_node("Add", ["b2", "h2"], ["a2"]),
        helper.make_node("BatchNormalization", ["a2", "scale", "shift", "mean", "var"], ["n2"]),
        helper.make_node("Relu", ["n2"], ["r2"]),
        helper.make_node("Gemm", ["r2", "w3"], ["h3"], transB=1),
        helper.make_node("MatMul", ["h3", "w4"], ["left"]),
        helper.make_node("MatMul", ["h3", "w5"], ["right"]),
        helper.make_node("Add", ["left", "right"], ["y"]),
    ]
    return model(nodes, initialisers=[constant(name, array.astype(np.float32)) for name, array in arrays.items()])


CASES = {
    "deep": (deep, IN, OUT, POINTS),
    "cnn": (cnn, CNN_IN, CNN_OUT, pictures()),
    "mlp": (lambda: classifier("mlp"), DIGITS_IN, DIGITS_OUT, digits()[0][:300]),
    "logistic": (lambda: classifier("logistic"), DIGITS_IN, DIGITS_OUT, digits()[0][:300]),
    "forest": (lambda: classifier("forest"), DIGITS_IN, DIGITS_OUT, digits()[0][:300]),
}


def names_of(data: bytes) -> set[str]:
    graph = onnx.ModelProto.FromString(data).graph
    given = {name for node in graph.node for name in (node.name, *node.input, *node.output)}
    fixed = {value.name for value in (*graph.input, *graph.output)}
    return {graph.name, *given, *(tensor.name for tensor in graph.initializer)} - fixed - {""}


def float_weights(data: bytes) -> set[bytes]:
    graph = onnx.ModelProto.FromString(data).graph
    arrays = (numpy_helper.to_array(tensor) for tensor in graph.initializer)
    return {array.tobytes() for array in arrays if array.dtype.kind == "f" and array.size > 2}


@pytest.mark.parametrize("case", CASES)
def test_it_says_the_same_within_the_tolerance_and_shares_no_name(case: str) -> None:
    make, input, output, inputs = CASES[case]
    plain, other = make(), disguise(make(), b"secret")
    scan(other)
    rows = [open_model(data, input, output).run_all(inputs).reshape(len(inputs), -1) for data in (plain, other)]
    assert not differing(rows[0], rows[1], TOLERANCE).any()
    assert not names_of(plain) & names_of(other)
    assert onnx.ModelProto.FromString(other).producer_name == ""


@pytest.mark.parametrize("case", ["deep", "cnn", "mlp"])
def test_no_weights_of_a_layer_keep_their_bytes_and_hidden_units_change_places(case: str) -> None:
    plain = CASES[case][0]()
    other = disguise(plain, b"secret")
    assert not float_weights(plain) & float_weights(other) - _untouched(plain)
    assert any(_reordered(a, b) for a in _matrices(plain) for b in _matrices(other))


def _reordered(a: np.ndarray, b: np.ndarray) -> bool:
    """The same numbers but for an ulp, in other places."""
    same = a.shape == b.shape and np.allclose(np.sort(a.ravel()), np.sort(b.ravel()), atol=1e-6)
    return same and not np.allclose(a, b, atol=1e-6)


def _matrices(data: bytes) -> list[np.ndarray]:
    tensors = (numpy_helper.to_array(tensor) for tensor in onnx.ModelProto.FromString(data).graph.initializer)
    return [array for array in tensors if array.ndim >= 2 and array.dtype.kind == "f"]


def _untouched(data: bytes) -> set[bytes]:
    """Of a batch norm's own figures only the order changes, of constants nothing."""
    graph = onnx.ModelProto.FromString(data).graph
    weighed = {name for node in graph.node if node.op_type in ("Conv", "Gemm", "MatMul") for name in node.input}
    return {numpy_helper.to_array(tensor).tobytes() for tensor in graph.initializer if tensor.name not in weighed}


def test_the_same_secret_gives_the_same_bytes_and_another_others() -> None:
    one, again, other = (disguise(deep(), secret) for secret in (b"a", b"a", b"b"))
    assert one == again
    assert one != other
    assert not names_of(one) & names_of(other)
    assert not float_weights(one) & float_weights(other) - _untouched(one)


def test_nodes_stand_in_another_order_that_computes_the_same() -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "v"], ["h"]),
        helper.make_node("Relu", ["h"], ["left"]),
        helper.make_node("Tanh", ["h"], ["right"]),
        helper.make_node("Add", ["left", "right"], ["y"]),
    ]
    data, orders = model(nodes, initialisers=[constant("v", np.ones((4, 3), np.float32))]), set()
    for number in range(12):
        graph = onnx.ModelProto.FromString(disguise(data, b"%d" % number)).graph
        orders.add(tuple(node.op_type for node in graph.node))
        there = {"x", *(tensor.name for tensor in graph.initializer)}
        for node in graph.node:
            assert set(node.input) <= there
            there.update(node.output)
    assert orders == {("MatMul", "Relu", "Tanh", "Add"), ("MatMul", "Tanh", "Relu", "Add")}


def test_a_layer_whose_weights_another_reads_too_keeps_its_units_in_place() -> None:
    square = constant("w", np.arange(16, dtype=np.float32).reshape(4, 4) / 16)
    last = constant("v", np.ones((4, 3), np.float32))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("MatMul", ["h", "w"], ["g"]),
        helper.make_node("MatMul", ["g", "v"], ["y"]),
    ]
    data = model(nodes, initialisers=[square, last])
    plain, other = (open_model(d, IN, OUT).run_all(POINTS) for d in (data, disguise(data, b"s")))
    assert not differing(plain, other, TOLERANCE).any()


def test_a_model_with_loops_is_refused_with_its_reason() -> None:
    with pytest.raises(EvaluationError) as refused:
        disguise(endless_loop(), b"secret")
    assert refused.value.reason == "not_disguisable"


def test_double_precision_and_integers_are_left_what_they_are() -> None:
    plain = classifier("forest")
    other = disguise(plain, b"secret")
    kinds = [{t.data_type for t in onnx.ModelProto.FromString(data).graph.initializer} for data in (plain, other)]
    assert kinds[0] == kinds[1]
    assert open_model(other, DIGITS_IN, Tensor("probabilities", "float32", (10,))) is not None


@pytest.mark.parametrize(
    ("altered", "by", "verdict"),
    [(0, 0.0, Verdict.AGREES), (1, 0.5, Verdict.DIFFERS), (1, 1e-4, Verdict.DOUBTFUL)],
)
def test_every_output_of_a_disguised_model_is_held_against_the_known_ones_and_no_model_is_run(
    tmp_path: Path, altered: int, by: float, verdict: Verdict
) -> None:
    (tmp_path / "plain").write_bytes(classifier("mlp"))
    perform(jobs.Disguise(str(tmp_path / "plain"), str(tmp_path / "model"), LIMITS, b"secret"))
    inputs = digits()[0]
    known, told = (
        open_model((tmp_path / name).read_bytes(), DIGITS_IN, DIGITS_OUT).run_all(inputs) for name in ("plain", "model")
    )
    told[1000, :altered] += np.float32(by)
    known.tofile(tmp_path / "known")
    told.tofile(tmp_path / "told")
    run = jobs.Run("no model", "no inputs", len(inputs), DIGITS_IN, DIGITS_OUT, LIMITS)
    answer = perform(
        jobs.Compare(
            run=run,
            equivalence_class="some other",
            tolerance=TOLERANCE,
            fraud_margin=100,
            outputs=str(tmp_path / "told"),
            others=(),
            root=output_root(told, b"key"),
            public_key=b"key",
            nonce=bytes(32),
            task="task",
            drawn=0,
            scoring=None,
            known=str(tmp_path / "known"),
        )
    )
    assert (answer.verdict, answer.audited) == (verdict, len(inputs))
    assert answer.differing == ((1000,) if verdict is Verdict.DIFFERS else ())
