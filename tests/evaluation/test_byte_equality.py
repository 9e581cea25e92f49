"""The same bytes for every kind of model, whoever runs it: in how many workers, after which restart, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trio
from minilm import MINILM_IN, MINILM_LIMITS, MINILM_OUT, minilm, random_tokens
from onnx_models import DIGITS_IN, DIGITS_OUT, LIMITS, classifier, digits
from small_cnn import CNN_IN, CNN_OUT, cnn, pictures

from p2peval.core.outputs import canonical
from p2peval.core.parts import Limits, Tensor, Tolerance
from p2peval.defaults import FRAUD_MARGIN
from p2peval.evaluation.answers import Rehearsed
from p2peval.evaluation.jobs import Evaluate, Rehearse, Run
from p2peval.evaluation.recipe import Recipe, open_model
from p2peval.evaluation.runner import perform
from p2peval.evaluation.sandbox import Sandbox

KINDS = ("logistic", "forest", "boosting", "mlp", "cnn", "transformer")
KEY = b"k" * 32


@dataclass(frozen=True)
class Case:
    model: bytes
    inputs: np.ndarray
    input: Tensor
    output: Tensor
    limits: Limits = LIMITS

    def saved(self, folder: Path) -> Run:
        np.save(folder / "inputs.npy", self.inputs)
        (folder / "model.onnx").write_bytes(self.model)
        files = (str(folder / "model.onnx"), str(folder / "inputs.npy"))
        return Run(*files, len(self.inputs), self.input, self.output, self.limits)

    def rows(self, inputs: np.ndarray, profile: str = "all") -> bytes:
        outputs = open_model(self.model, self.input, self.output, Recipe(profile)).run_all(inputs)
        return canonical(outputs, self.output.dtype).tobytes()


def case_of(kind: str) -> Case:
    match kind:
        case "cnn":
            return Case(cnn(), pictures(77), CNN_IN, CNN_OUT)
        case "transformer":
            return Case(minilm(), random_tokens(45), MINILM_IN, MINILM_OUT, MINILM_LIMITS)
        case _:
            return Case(classifier(kind), digits()[0][:300], DIGITS_IN, DIGITS_OUT)


@pytest.mark.parametrize("kind", KINDS)
async def test_sandboxes_restarts_and_numbers_of_workers_do_not_change_a_byte(tmp_path: Path, kind: str) -> None:
    """One sandbox with one worker, then a new one with two that are busy at once: three processes, one file."""
    case = case_of(kind)
    run = case.saved(tmp_path)

    async def evaluate(sandbox: Sandbox, name: str) -> None:
        answers[name] = await sandbox.run(Evaluate(run, KEY, str(tmp_path / name)), deadline=run.limits.seconds)

    answers = {}
    await evaluate(Sandbox(1), "first")
    two = Sandbox(2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(evaluate, two, "second")
        nursery.start_soon(evaluate, two, "third")
    files = {name: (tmp_path / name).read_bytes() for name in answers}
    assert len(files) == 3
    assert set(files.values()) == {case.rows(case.inputs)}
    assert len({(answer.root, answer.equivalence_class) for answer in answers.values()}) == 1


@pytest.mark.parametrize("profile", ["all", "canonical"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_samples_does_not_change_a_byte_of_any(kind: str, profile: str) -> None:
    case = case_of(kind)
    order = np.random.default_rng(4).permutation(len(case.inputs))
    rows = np.frombuffer(case.rows(case.inputs, profile), np.float32).reshape(len(order), -1)
    assert case.rows(case.inputs[order], profile) == rows[order].tobytes()
    assert len(np.unique(rows, axis=0)) > 1


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
def test_deep_models_too_can_be_held_to_what_they_say(tmp_path: Path, kind: str) -> None:
    run = case_of(kind).saved(tmp_path)
    assert perform(Rehearse(run, Tolerance(10_000, 10_000), FRAUD_MARGIN)) == Rehearsed()
