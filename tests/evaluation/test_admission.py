"""A model that could be read in two ways, or hides something where a careless scan does not look, is refused."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper
from onnx_models import WEIGHTS, classifier, constant, matmul, model, value

from p2peval.errors import EvaluationError
from p2peval.evaluation import answers, frames
from p2peval.evaluation.operators import OPSETS
from p2peval.evaluation.scan import scan
from p2peval.evaluation.tensors import unpacked_bytes


def refusal(changed: onnx.ModelProto | bytes) -> EvaluationError:
    data = changed if isinstance(changed, bytes) else changed.SerializeToString()
    with pytest.raises(EvaluationError) as caught:
        scan(data)
    return caught.value


def parsed(data: bytes | None = None) -> onnx.ModelProto:
    return onnx.ModelProto.FromString(data or matmul())


def elsewhere() -> onnx.TensorProto:
    tensor = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../identity.key")
    return tensor


# ── hidden in graphs within a node ────────────────────────────────────────────────────────────────


def hidden() -> onnx.GraphProto:
    """A graph with a random node, for the body of another."""
    dice = helper.make_node("RandomNormalLike", ["w"], ["inner_y"], name="dice")
    return helper.make_graph([dice], "body", [], [value("inner_y", None)])


def holder(operator: str, attribute: AttributeProto) -> onnx.ModelProto:
    changed = parsed()
    changed.graph.node.add(op_type=operator, name="holder", input=["w"], output=["z"]).attribute.append(attribute)
    return changed


@pytest.mark.parametrize(
    ("operator", "name"),
    [("Loop", "body"), ("Scan", "body"), ("If", "then_branch"), ("If", "else_branch"), ("SequenceMap", "body")],
)
def test_a_random_node_in_a_body_is_found(operator: str, name: str) -> None:
    error = refusal(holder(operator, helper.make_attribute(name, hidden())))
    assert (error.reason, "'dice' (RandomNormalLike)" in error.message) == ("random", True)


def test_a_random_node_in_a_list_of_graphs_is_found() -> None:
    error = refusal(holder("Identity", helper.make_attribute("bodies", [hidden(), hidden()])))
    assert "'dice'" in error.message


def test_a_graph_in_an_attribute_that_says_it_is_a_number_is_found() -> None:
    attribute = AttributeProto(name="axis", type=AttributeProto.INT, i=1)
    attribute.g.CopyFrom(hidden())
    assert "'dice'" in refusal(holder("Softmax", attribute)).message


def test_a_function_that_hides_a_graph_is_refused_as_a_function() -> None:
    opset = [helper.make_opsetid("", 17)]
    inner = helper.make_node("If", ["a"], ["b"], then_branch=hidden(), else_branch=hidden())
    function = helper.make_function("mine", "F" * 1000, ["a"], ["b"], [inner], opset)
    changed = parsed()
    changed.functions.append(function)
    error = refusal(changed)
    assert error.reason == "function"
    assert len(error.message) < 200


def test_a_function_under_the_name_of_an_allowed_operator_is_refused() -> None:
    function = helper.make_function("", "MatMul", ["a", "b"], ["c"], [], [helper.make_opsetid("", 17)])
    changed = parsed()
    changed.functions.append(function)
    assert refusal(changed).reason == "function"


def external_attributes() -> dict[str, AttributeProto]:
    sparse = onnx.SparseTensorProto(values=elsewhere(), indices=constant("i", np.array([0])), dims=[4])
    return {
        "tensor": helper.make_attribute("value", elsewhere()),
        "tensors": helper.make_attribute("values", [constant("near", np.ones(1)), elsewhere()]),
        "sparse": helper.make_attribute("sparse_value", sparse),
        "sparse list": helper.make_attribute("sparse_values", [sparse]),
    }


@pytest.mark.parametrize("kind", external_attributes())
def test_external_data_is_found_in_every_kind_of_attribute(kind: str) -> None:
    error = refusal(holder("Constant", external_attributes()[kind]))
    assert (error.reason, "'holder' (Constant)" in error.message) == ("external_data", True)


# ── names and versions that mean two things ───────────────────────────────────────────────────────


def second_weights(changed: onnx.ModelProto) -> None:
    changed.graph.initializer.append(constant("w", np.ones((4, 3), np.float32)))


def sparse_weights(changed: onnx.ModelProto) -> None:
    sparse = changed.graph.sparse_initializer.add(dims=[4, 3])
    sparse.values.CopyFrom(constant("w", np.ones(1, np.float32)))
    sparse.indices.CopyFrom(constant("i", np.array([0])))


def second_output(changed: onnx.ModelProto) -> None:
    changed.graph.node.add(op_type="Identity", name="again", input=["x"], output=["y"])


def overwritten_input(changed: onnx.ModelProto) -> None:
    changed.graph.node.add(op_type="Identity", name="over", input=["w"], output=["x"])


def overwritten_weights(changed: onnx.ModelProto) -> None:
    changed.graph.node.add(op_type="Identity", name="over", input=["x"], output=["w"])


def second_input(changed: onnx.ModelProto) -> None:
    changed.graph.input.append(value("x", ["N", 4]))


def second_attribute(changed: onnx.ModelProto) -> None:
    node = changed.graph.node.add(op_type="Softmax", name="soft", input=["x"], output=["z"])
    node.attribute.extend([helper.make_attribute("axis", 1), helper.make_attribute("axis", 0)])


def second_opset(changed: onnx.ModelProto) -> None:
    changed.opset_import.add(domain="ai.onnx", version=12)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (second_weights, "'w'"),
        (sparse_weights, "'w'"),
        (second_output, "'again' makes 'y'"),
        (overwritten_input, "'over' makes 'x'"),
        (overwritten_weights, "'over' makes 'w'"),
        (second_input, "'x'"),
        (second_attribute, "'soft' (Softmax)"),
        (second_opset, "'ai.onnx'"),
    ],
)
def test_a_name_for_two_things_is_refused(change: Callable[[onnx.ModelProto], None], named: str) -> None:
    changed = parsed()
    change(changed)
    error = refusal(changed)
    assert error.reason == "duplicate_name"
    assert named in error.message


def test_an_operator_set_that_is_imported_twice_alike_passes() -> None:
    assert len(parsed(classifier("logistic")).opset_import) == 3
    assert scan(classifier("logistic")).nodes > 0


@pytest.mark.parametrize(("domain", "version"), [("", 6), ("", 0), ("", 29), ("ai.onnx.ml", 6), ("ai.onnx", 2**40)])
def test_an_operator_set_that_nobody_looked_at_is_refused(domain: str, version: int) -> None:
    changed = parsed()
    del changed.opset_import[:]
    changed.opset_import.add(domain=domain, version=version)
    error = refusal(changed)
    assert (error.reason, str(version) in error.message) == ("opset", True)
    assert str(OPSETS[domain][1]) in error.hint


def test_the_newest_operator_sets_that_pass_are_those_that_onnx_knows() -> None:
    assert OPSETS[""][1] == onnx.defs.onnx_opset_version()
    newest = max(one.since_version for one in onnx.defs.get_all_schemas_with_history() if one.domain == "ai.onnx.ml")
    assert OPSETS["ai.onnx.ml"][1] >= newest


@pytest.mark.parametrize("opset", [9, 14])
def test_batch_normalization_with_the_outputs_of_training_is_refused(opset: int) -> None:
    node = helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "mean"], name="norm")
    error = refusal(model([node], opset=opset))
    assert (error.reason, "'norm'" in error.message) == ("training", True)


def test_a_training_flag_that_a_loop_overrides_is_refused() -> None:
    """An initialiser of a body's own input is only what it is until the loop gives it another value."""
    drop = helper.make_node("Dropout", ["w", "", "train"], ["inner_y"], name="drop")
    body = helper.make_graph([drop], "body", [value("train", [], TensorProto.BOOL)], [value("inner_y", None)])
    body.initializer.append(constant("train", np.bool_(False)))
    assert refusal(holder("Loop", helper.make_attribute("body", body))).reason == "training"


# ── tensors that are not what they say ────────────────────────────────────────────────────────────


def lying(**changes: object) -> onnx.ModelProto:
    changed = parsed()
    tensor = changed.graph.initializer[0]
    for name, what in changes.items():
        tensor.ClearField(name)  # type: ignore[arg-type]
        (getattr(tensor, name).extend if isinstance(what, list) else lambda v, n=name: setattr(tensor, n, v))(what)
    return changed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dims": [2**40, 3]}, "its shape needs"),
        ({"dims": [-4, -3]}, "less than 0"),
        ({"dims": [4, 4]}, "48 bytes, but its shape needs 64"),
        ({"dims": []}, "needs 4"),
        ({"raw_data": b""}, "0 bytes"),
        ({"raw_data": bytes(47)}, "47 bytes"),
        ({"data_type": 0}, "unknown type 0"),
        ({"data_type": 99}, "unknown type 99"),
        ({"data_type": 11}, "needs 96"),
        ({"data_type": 8}, "0 texts, not 12"),
    ],
)
def test_an_initialiser_that_lies_about_itself_is_refused_by_name(changes: dict[str, object], said: str) -> None:
    error = refusal(lying(**changes))
    assert error.reason == "tensor"
    assert "initialiser 'w'" in error.message
    assert said in error.message


def test_a_constant_that_lies_about_itself_is_refused_by_its_node() -> None:
    tensor = constant("c", np.ones(3, np.float32))
    tensor.dims[0] = 2**50
    error = refusal(holder("Constant", helper.make_attribute("value", tensor)))
    assert (error.reason, "'holder' (Constant)" in error.message) == ("tensor", True)


def test_a_sparse_tensor_that_would_be_huge_when_dense_is_refused() -> None:
    changed = parsed()
    sparse = changed.graph.sparse_initializer.add(dims=[2**17, 2**17])
    sparse.values.CopyFrom(constant("thin", np.ones(1, np.float32)))
    sparse.indices.CopyFrom(constant("i", np.array([5])))
    error = refusal(changed)
    assert error.reason == "model_too_large"
    assert "'thin'" in error.message
    sparse.dims[:] = [4, 3]
    assert scan(changed.SerializeToString()).initialisers == 2


@pytest.mark.parametrize("kind", [kind for kind in TensorProto.DataType.values() if kind not in (0, 8, 27, 28)])
@pytest.mark.parametrize("raw", [False, True])
def test_tensors_of_every_type_that_onnx_makes_are_sound(kind: int, raw: bool) -> None:
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    values = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    tensor = onnx.numpy_helper.from_array(values, "t")
    if not raw:
        tensor = helper.make_tensor("t", kind, [2, 3], values.flatten().tolist())
    assert tensor.data_type == kind
    assert unpacked_bytes(tensor) in (values.nbytes, 3, 2)


def test_a_text_tensor_takes_the_bytes_of_its_texts() -> None:
    assert unpacked_bytes(helper.make_tensor("t", TensorProto.STRING, [2], [b"no", b"yes"])) == 5


# ── names that would fill or steer what shows them ────────────────────────────────────────────────


@pytest.mark.parametrize("field", ["name", "op_type", "domain"])
def test_a_strangers_names_are_cut_and_cannot_steer_a_terminal(field: str) -> None:
    changed = parsed()
    node = changed.graph.node.add(op_type="Bernoulli", name="culprit", input=["x"], output=["z"])
    setattr(node, field, "\x1b[2J\u202e" + "n" * 5_000_000)
    error = refusal(changed)
    assert len(error.message) < 300
    assert error.message.isprintable()


def test_a_failure_fits_its_frame_and_a_terminal_whoever_made_it() -> None:
    failed = answers.Failed("r" * 1000, "row 1\nrow 2\x1b[2J" + "é" * 5_000_000, "\x07" * 100)
    assert failed.reason == "r" * 64
    assert failed.detail.startswith("row 1\nrow 2 [2J")
    assert len(frames.frame(failed)) < 20_000
    body = msgspec.msgpack.encode({"type": "failed", "reason": "x", "detail": "a\x1bb" * 10_000})
    read = frames.decode_answer(frames.HEADER.pack(len(body)) + body)
    assert isinstance(read, answers.Failed)
    assert "\x1b" not in read.detail
    assert len(read.detail) <= 8192


def test_the_bytes_of_a_good_model_are_left_alone() -> None:
    assert scan(matmul()).initialisers == 1
    assert unpacked_bytes(WEIGHTS) == 48
