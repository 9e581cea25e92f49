"""Daemons that never see each other's runs say the same bytes of every kind of model, before and after a restart."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from daemons import Peer, peers, wait_for
from minilm import MINILM_IN, MINILM_OUT, minilm, random_tokens
from onnx_models import DIGITS_IN, DIGITS_OUT, classifier, digits
from small_cnn import CNN_IN, CNN_OUT, cnn, pictures

from p2peval.core.parts import Tensor

SAMPLES = 70


@dataclass(frozen=True)
class Bench:
    """A benchmark as npz, and the models that fit it."""

    name: str
    inputs: np.ndarray
    input: Tensor
    output: Tensor
    models: dict[str, bytes]
    profile: str = "all"

    def write(self, folder: Path) -> Path:
        folder.mkdir()
        (classes,) = self.output.shape
        np.savez(folder / "data.npz", x=self.inputs, y=np.arange(len(self.inputs)) % classes)
        shape = ", ".join(['"N"', *map(str, self.input.shape)])
        (folder / "benchmark.toml").write_text(
            f"""
name = "{self.name}"
[data]
file = "data.npz"
input = "x"
label = "y"
[model]
task = "classification"
classes = {classes}
inputs = [{{ name = "{self.input.name}", dtype = "{self.input.dtype}", shape = [{shape}] }}]
output = {{ name = "{self.output.name}" }}
[metrics]
primary = "accuracy"
[limits]
model_mb = 128
[verification]
profile = "{self.profile}"
"""
        )
        return folder


def benches() -> list[Bench]:
    kinds = {kind: classifier(kind) for kind in ("logistic", "forest", "boosting", "mlp")}
    return [
        Bench("digits", digits()[0][:SAMPLES], DIGITS_IN, DIGITS_OUT, kinds),
        Bench("pictures", pictures(SAMPLES), CNN_IN, CNN_OUT, {"cnn": cnn()}, "canonical"),
        Bench("sentences", random_tokens(40), MINILM_IN, MINILM_OUT, {"transformer": minilm()}),
    ]


def outputs_of(requester: Peer, task: str) -> set[tuple[str, str, str]]:
    """(outputs, class, state) of each replica of ``task``."""
    asked = "SELECT json_extract(outputs, '$.cid'), equivalence_class, state FROM replicas WHERE task = ?"
    with sqlite3.connect(requester.home / "state.db") as database:
        found = database.execute(asked, (task,)).fetchall()
    assert len(found) == 2, found
    return set(found)


def run_all(requester: Peer, cases: list[Bench], folder: Path) -> dict[str, set[tuple[str, str, str]]]:
    said = {}
    for bench in cases:
        for name, model in bench.models.items():
            path = folder / f"{name}.onnx"
            path.write_bytes(model)
            task = requester.run("eval", "run", bench.name, str(path), "--replicas", "2", timeout=300)
            assert task["state"] == "accepted", task["reason"]
            said[name] = outputs_of(requester, task["id"])
    return said


@pytest.mark.slow
def test_two_daemons_say_the_same_bytes_of_six_kinds_of_models_before_and_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = benches()
    with peers(tmp_path, 3) as (ada, bob, eve):
        for bench in cases:
            ada.run("bench", "publish", str(bench.write(tmp_path / bench.name)), timeout=120)
            invite = ada.run("bench", "invite", bench.name)["invite"]
            for peer in (bob, eve):
                peer.run("bench", "join", invite)
        for bench in cases:
            wait_for(lambda name=bench.name: len(bob.get(f"benchmarks/{name}")["members"]) == 3, "all to know all")  # type: ignore[misc]
        first = run_all(bob, cases, tmp_path)
        assert len(first) == 6
        for name, replicas in first.items():
            assert len(replicas) == 1, f"two daemons differ about {name}"
            ((_, equivalence_class, state),) = replicas
            assert state == "AGREES"
            assert equivalence_class.split("/")[1] == ("opt-none" if name == "cnn" else "opt-all")
        assert len({outputs for replicas in first.values() for outputs, *_ in replicas}) == 6
        monkeypatch.setenv("P2PEVAL_EVALUATION__WORKERS", "2")
        eve.kill()
        eve.start()
        wait_for(lambda: sum(peer["connected"] for peer in bob.run("peers", "ls")) == 2, "eve to be back")
        again = run_all(bob, [cases[1], cases[2]], tmp_path)
        assert again == {name: first[name] for name in ("cnn", "transformer")}
