from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import WEIGHTS, classifier, constant, endless_loop, matmul, memory_bomb, model, regressor, value

from p2peval.defaults import MAX_GRAPH_DEPTH
from p2peval.errors import EvaluationError
from p2peval.evaluation.operators import ALLOWED, RANDOM
from p2peval.evaluation.scan import read, scan


def refusal(data: bytes) -> EvaluationError:
    with pytest.raises(EvaluationError) as caught:
        scan(data)
    return caught.value


def node(operator: str, *, inputs=("x",), outputs=("y",), name="culprit", **attributes) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), name=name, **attributes)


def subgraph(*nodes: onnx.NodeProto) -> onnx.GraphProto:
    return helper.make_graph(nodes, "inner", [], [value("inner_y", None)])


def chosen(inner: onnx.GraphProto) -> onnx.NodeProto:
    other = subgraph(node("Identity", inputs=["w"], outputs=["inner_y"], name="fine"))
    return node("If", inputs=["yes"], name="choice", then_branch=other, else_branch=inner)


@pytest.mark.parametrize("kind", ["logistic", "forest", "mlp"])
def test_models_of_scikit_learn_pass(kind: str) -> None:
    assert scan(classifier(kind)).nodes > 0
    assert scan(classifier(kind, zipmap=True)).nodes > 0


def test_a_regression_a_loop_and_a_memory_bomb_pass_for_the_limits_will_hold_them() -> None:
    assert scan(regressor()[0]).nodes >= 1
    assert scan(endless_loop()).nodes == 4
    assert scan(memory_bomb()).initialisers == 2


@pytest.mark.parametrize("operator", sorted(RANDOM))
def test_random_operators_are_refused_by_name(operator: str) -> None:
    error = refusal(model([node(operator)]))
    assert error.reason == "random"
    assert f"'culprit' ({operator})" in error.message


def test_a_random_operator_in_a_subgraph_of_a_subgraph_is_found() -> None:
    hidden = subgraph(node("Bernoulli", inputs=["w"], outputs=["inner_y"]))
    outer = subgraph(node("If", inputs=["yes"], outputs=["inner_y"], then_branch=hidden, else_branch=hidden))
    assert refusal(model([chosen(outer)])).reason == "random"


def test_an_unnamed_node_is_named_by_its_output() -> None:
    assert "'y' (Bernoulli)" in refusal(model([node("Bernoulli", name="")])).message


@pytest.mark.parametrize("operator", ["ImageDecoder", "RegexFullMatch", "NoSuchOperator", "matmul"])
def test_operators_outside_the_list_are_refused(operator: str) -> None:
    assert refusal(model([node(operator)])).reason == "operator"


@pytest.mark.parametrize("domain", ["com.microsoft", "my.domain", "ai.onnx.preview.training"])
def test_other_domains_are_refused(domain: str) -> None:
    assert refusal(model([node("MatMul", domain=domain)], domains=[domain])).reason == "unknown_domain"


def test_a_domain_that_is_imported_but_not_used_passes() -> None:
    assert scan(model([node("Identity")], domains=["com.microsoft"])).nodes == 1


def test_functions_of_the_models_own_are_refused() -> None:
    opset = [helper.make_opsetid("", 17)]
    function = helper.make_function("mine", "F", ["a"], ["b"], [node("Bernoulli", inputs=["a"], outputs=["b"])], opset)
    error = refusal(model([node("F", domain="mine")], functions=[function], domains=["mine"]))
    assert error.reason == "function"


@pytest.mark.parametrize(
    ("nodes", "initialisers"),
    [
        ([node("Dropout", inputs=["x", "", "train"])], [constant("train", np.bool_(True))]),
        ([node("Dropout", inputs=["x", "", "train"])], []),  # computed at run time
        ([node("BatchNormalization", inputs=["x", "s", "b", "m", "v"], training_mode=1)], []),
    ],
)
def test_training_mode_is_refused(nodes: list, initialisers: list) -> None:
    assert refusal(model(nodes, initialisers=initialisers)).reason == "training"


@pytest.mark.parametrize(
    ("nodes", "initialisers"),
    [
        ([node("Dropout")], []),
        ([node("Dropout", inputs=["x", "", "train"])], [constant("train", np.bool_(False))]),
        ([node("BatchNormalization", inputs=["x", "s", "b", "m", "v"])], []),
    ],
)
def test_inference_mode_passes(nodes: list, initialisers: list) -> None:
    assert scan(model(nodes, initialisers=initialisers)).nodes == 1


def external(location: str = "secrets.bin") -> onnx.TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.mark.parametrize("location", ["weights.bin", "/etc/passwd", "../../identity.key"])
def test_an_external_initialiser_is_refused_wherever_it_lies(location: str) -> None:
    error = refusal(model([node("MatMul", inputs=["x", "w"])], initialisers=[external(location)]))
    assert error.reason == "external_data"
    assert "'w'" in error.message


def test_an_external_constant_is_refused() -> None:
    assert refusal(model([node("Constant", inputs=[], value=external())])).reason == "external_data"


def test_external_data_in_a_subgraph_is_refused() -> None:
    inner = subgraph(node("Identity", inputs=["w"], outputs=["inner_y"]))
    inner.initializer.append(external())
    assert refusal(model([chosen(inner)])).reason == "external_data"


@pytest.mark.parametrize("part", ["values", "indices"])
def test_an_external_sparse_initialiser_is_refused(part: str) -> None:
    parsed = onnx.ModelProto.FromString(matmul())
    getattr(parsed.graph.sparse_initializer.add(), part).CopyFrom(external())
    assert refusal(parsed.SerializeToString()).reason == "external_data"


def test_external_data_without_the_location_flag_is_refused() -> None:
    tensor = external()
    tensor.data_location = TensorProto.DEFAULT
    assert refusal(model([node("MatMul", inputs=["x", "w"])], initialisers=[tensor])).reason == "external_data"


def test_training_graphs_are_refused() -> None:
    parsed = onnx.ModelProto.FromString(matmul())
    parsed.training_info.add()
    assert refusal(parsed.SerializeToString()).reason == "training"


def test_graphs_within_graphs_have_a_limit() -> None:
    inner = subgraph(node("Identity", inputs=["w"], outputs=["inner_y"]))
    for _ in range(MAX_GRAPH_DEPTH + 1):
        inner = subgraph(node("If", inputs=["yes"], outputs=["inner_y"], then_branch=inner, else_branch=inner))
        inner.node[0].attribute[1].Clear()  # keep one branch: two would double the file at every level
        inner.node[0].attribute[1].name = "then_branch"
    assert refusal(model([chosen(inner)])).reason == "too_complex"


def test_the_number_of_nodes_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2peval.evaluation.scan.MAX_MODEL_NODES", 3)
    chain = [node("Identity", inputs=["x"], outputs=[f"y{number}"]) for number in range(4)]
    assert scan(model(chain[:3])).nodes == 3
    assert refusal(model(chain)).reason == "too_complex"
    assert refusal(model([node("Identity")], initialisers=[WEIGHTS] * 4)).reason == "too_complex"


@pytest.mark.parametrize("data", [b"garbage", b"\x00" * 100, classifier("logistic")[:-7], classifier("mlp")[:500]])
def test_what_is_no_whole_model_is_malformed(data: bytes) -> None:
    assert refusal(data).reason == "model_malformed"


def test_every_cut_of_a_model_is_refused_or_parses_without_a_crash() -> None:
    data = matmul()
    for length in range(1, len(data) - 1):
        with pytest.raises(EvaluationError) as caught:
            scan(data[:length])
        assert caught.value.reason == "model_malformed"


def test_an_empty_a_missing_and_an_oversized_file_each_say_so(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(EvaluationError, match="cannot be read"):
        read(path, 1)
    path.write_bytes(b"")
    with pytest.raises(EvaluationError, match="empty"):
        read(path, 1)
    path.write_bytes(bytes(2 * 2**20))
    with pytest.raises(EvaluationError, match=r"2\.0 MiB; this benchmark allows 1"):
        read(path, 1)


def test_every_allowed_operator_exists_and_every_other_one_is_left_out_on_purpose() -> None:
    """A new onnx brings new operators: someone must look at each before it is allowed."""
    left_out = RANDOM | {"ImageDecoder", "RegexFullMatch", "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"}
    left_out |= {"CausalConvWithState", "LinearAttention"}  # opset 27, still moving
    for domain in ("", "ai.onnx.ml"):
        known = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == domain}
        assert ALLOWED[domain] <= known
        assert known - ALLOWED[domain] <= left_out
