"""Models that keep their rounding where noise behind each operator does not reach: within a sum, or in a branch.

What an honest peer with another processor says of them is far off, so whoever believes them steady would blame it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from elsewhere import QEMU, run_elsewhere
from framing_models import node, rounding_of_its_own, scalar
from onnx import ModelProto, TensorProto, helper
from onnx_models import DIGITS_IN, DIGITS_OUT, classifier, constant, digits, model
from small_cnn import CNN_IN, CNN_OUT, cnn, pictures
from test_framing import ABROAD, OURS, trial

from p2peval.core.verdict import Verdict
from p2peval.defaults import ATOL
from p2peval.errors import EvaluationError
from p2peval.evaluation.processor import tier


def cancelling_sum(width: int = 128) -> bytes:
    """One product of constants whose terms cancel all but their rounding: fused or not, it says another thing."""
    rng = np.random.default_rng(5)
    row, columns = rng.normal(size=width).astype(np.float32), rng.normal(size=(width, 3)).astype(np.float32)
    row[-1], columns[-1] = 1, -(row[:-1].astype(np.float64) @ columns[:-1].astype(np.float64))
    nodes = [
        node("ReduceMax", "x", "top", axes=[1], keepdims=1),
        node("IsNaN", "top", "never"),
        node("Where", "never zero row", "chosen"),
        node("MatMul", "chosen columns", "left"),
        node("Mul", "left huge", "y"),
    ]
    arrays = [constant("row", row[None]), constant("columns", columns), scalar("zero", 0), scalar("huge", 1e5)]
    return model(nodes, initialisers=arrays)


def branch() -> bytes:
    """``rounding_of_its_own`` in a branch that is always taken."""
    inner = ModelProto.FromString(rounding_of_its_own()).graph
    graphs = {}
    for name in ("then_branch", "else_branch"):
        made = {one.output[0] for one in inner.node}
        nodes = [
            helper.make_node(
                one.op_type,
                [f"{name}/{given}" if given in made else given for given in one.input],
                [f"{name}/{one.output[0]}"],
            )
            for one in inner.node
        ]
        out = helper.make_tensor_value_info(f"{name}/y", TensorProto.FLOAT, None)
        graphs[name] = helper.make_graph(nodes, name, [], [out])
    yes = constant("yes", np.array(True))
    return model([helper.make_node("If", ["yes"], ["y"], **graphs)], initialisers=[*inner.initializer, yes])


@pytest.mark.parametrize(
    ("made", "verdict"), [(cancelling_sum, Verdict.ILL_CONDITIONED), (branch, Verdict.DOUBTFUL)], ids=["sum", "branch"]
)
def test_an_honest_peer_with_another_processor_is_not_blamed(
    tmp_path: Path, made: Callable[[], bytes], verdict: Verdict
) -> None:
    if QEMU is None:
        pytest.skip("another processor cannot be emulated here: apt-get install qemu-user")
    if tier() == "sse2":
        pytest.skip("this processor is of the emulated one's own class")
    case = trial(tmp_path, made())
    (there,) = run_elsewhere([case.run], "Nehalem", tmp_path)
    assert np.abs(there.rows - case.honest("all")).max() > 100 * ATOL
    assert case.audit(there.rows, there.equivalence_class).verdict is verdict


def test_a_cancelling_sum_is_refused_before_any_evaluator_is_asked(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        trial(tmp_path, cancelling_sum()).rehearse()
    assert caught.value.reason == "ill_conditioned"


def test_a_branch_excuses_no_lie_in_ones_own_class(tmp_path: Path) -> None:
    """There, all bytes are the same; nobody needs to know how steady they are elsewhere."""
    inner = helper.make_node("MatMul", ["x", "w"], ["inside"])
    out = helper.make_tensor_value_info("inside", TensorProto.FLOAT, None)
    graph = helper.make_graph([inner], "both", [], [out])
    weights = constant("w", np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32))
    chosen = helper.make_node("If", ["yes"], ["y"], then_branch=graph, else_branch=graph)
    case = trial(tmp_path, model([chosen], initialisers=[weights, constant("yes", np.array(True))]))
    lie = case.honest("all")
    lie[:50] += 1
    assert case.audit(lie, OURS).verdict is Verdict.DIFFERS
    assert case.audit(lie, ABROAD).verdict is Verdict.DOUBTFUL
    assert case.audit(case.honest("all"), OURS).verdict is Verdict.AGREES


@pytest.mark.parametrize("kind", ["logistic", "forest", "mlp", "cnn"])
def test_models_as_people_train_them_stand_firm_and_convict_who_lies_about_them(tmp_path: Path, kind: str) -> None:
    if kind == "cnn":
        case = trial(tmp_path, cnn(), pictures(), CNN_IN, CNN_OUT)
    else:
        case = trial(tmp_path, classifier(kind), digits()[0][:100], DIGITS_IN, DIGITS_OUT)
    lie = case.honest("all")
    lie[:50] = np.roll(lie[:50], 1, axis=1)
    assert case.audit(lie, ABROAD).verdict is Verdict.DIFFERS
