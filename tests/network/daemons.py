"""Real daemons in processes of their own, driven through the command line, as a person would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

P2PEVAL = (sys.executable, "-m", "p2peval")
PATIENCE = 60.0


class Failed(Exception):
    """A command ended with ``code``; ``error`` is its JSON error."""

    def __init__(self, code: int, error: dict[str, Any]) -> None:
        super().__init__(f"exit {code}: {error}")
        self.code = code
        self.error = error


class Peer:
    """One home and, while it runs, its daemon. ``program`` and ``settings`` (environment) count at its next start."""

    def __init__(self, home: Path, *, bootstrap: str = "") -> None:
        self.home = home
        self.bootstrap = bootstrap
        self.program: tuple[str, ...] = (*P2PEVAL, "--home", str(home), "daemon")
        self.settings: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.id = self.run("init")["peer"]

    def run(self, *words: str, timeout: float = PATIENCE) -> Any:
        """The data that a command prints with --json; raises Failed."""
        command = (*P2PEVAL, "--home", str(self.home), "--json", *words)
        done = subprocess.run(command, capture_output=True, timeout=timeout, env=self._environment(), check=False)
        printed = json.loads(done.stdout or b"{}")
        if done.returncode or "error" in printed:
            raise Failed(done.returncode, printed.get("error", {"message": done.stderr.decode()}))
        return printed["data"]

    def start(self) -> Peer:
        log = (self.home / "daemon.log").open("ab")
        with log:
            self.process = subprocess.Popen(self.program, stderr=log, env=self._environment())
        wait_for(self._answers, f"the daemon of {self.home} to answer")
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "daemon.log").read_text()
        try:
            with self._client() as client:
                return client.get("/readyz").status_code == 200
        except (httpx.HTTPError, OSError):
            return False

    def kill(self) -> None:
        """SIGKILL, to the daemon and its workers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=10)

    def address(self) -> str:
        return str(self.run("id", "show")["addresses"][0])

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """The feed, as it comes."""
        with self._client() as client, client.stream("GET", "/v1/events", params={"after": after}) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def wait_for_event(self, kind: str, after: int = 0) -> dict[str, Any]:
        return next(event for event in self.events(after) if event["kind"] == kind)

    def told(self) -> list[dict[str, Any]]:
        """The events so far."""
        with self._client() as client:
            lines = client.get("/v1/events", params={"after": 0, "follow": "false"}).text.splitlines()
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]

    def last_event(self) -> int:
        return max((int(event["id"]) for event in self.told()), default=0)

    def get(self, path: str) -> Any:
        """What the local API answers, without the cost of a command."""
        with self._client() as client:
            answer = client.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """As ``get``, for what changes or runs something."""
        with self._client() as client:
            answer = client.post(f"/v1/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def task(self, task: str) -> dict[str, Any]:
        return dict(self.get(f"tasks/{task}"))

    def finish(self, task: str, patience: float = PATIENCE) -> dict[str, Any]:
        wait_for(lambda: self.task(task)["state"] in ("accepted", "failed"), f"task {task} to end", patience)
        return self.task(task)

    def _client(self) -> httpx.Client:
        token = (self.home / "token").read_text().strip()
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.home / "api.sock")),
            base_url="http://p2peval",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
        )

    def _environment(self) -> dict[str, str]:
        settings = {
            "P2PEVAL_NETWORK__LISTEN": json.dumps(["/ip4/127.0.0.1/tcp/0"]),
            "P2PEVAL_EVALUATION__BACKGROUND_AUDITS": "false",  # else any board may change while a test reads it
        }
        if self.bootstrap:
            settings["P2PEVAL_NETWORK__BOOTSTRAP"] = json.dumps([self.bootstrap])
        return {**settings, **os.environ, **self.settings}


@contextmanager
def peers(folder: Path, count: int) -> Iterator[list[Peer]]:
    """``count`` running peers; the first is everybody's bootstrap."""
    made: list[Peer] = []
    try:
        for number in range(count):
            bootstrap = made[0].address() if made else ""
            made.append(Peer(folder / f"peer{number}", bootstrap=bootstrap).start())
        yield made
    finally:
        for peer in made:
            peer.stop()


def wait_for(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Look again and again, as a person would: the command line has no other way to tell."""
    end = time.monotonic() + patience
    pause = trio_free_pause()
    while not holds():
        assert time.monotonic() < end, f"waited {patience:g} s for {what}"
        next(pause)


def trio_free_pause() -> Iterator[None]:
    """Tenths of a second: a real poll of another process, not synchronisation within this one."""
    while True:
        time.sleep(0.1)
        yield


# ── benchmarks and models ─────────────────────────────────────────────────────────────────────────


def classification(folder: Path, *, name: str = "flowers", rows: int = 150, extra: str = "") -> Path:
    """Three classes of points in the plane, as csv."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    labels = np.arange(rows) % 3
    points = rng.normal(size=(rows, 2)) + 3.0 * labels[:, None]
    lines = [f"{x:.5f},{y:.5f},{label}" for (x, y), label in zip(points, labels, strict=True)]
    (folder / "data.csv").write_text("x,y,label\n" + "\n".join(lines) + "\n")
    (folder / "benchmark.toml").write_text(
        f"""
name = "{name}"
version = 1
[data]
file = "data.csv"
input = ["x", "y"]
label = "label"
[model]
task = "classification"
classes = 3
inputs = [{{ name = "X", dtype = "float32", shape = ["N", 2] }}]
output = {{ name = "P" }}
[metrics]
primary = "accuracy"
others = ["macro_f1", "brier"]
[limits]
seconds = 30
{extra}
"""
    )
    return folder


def regression(folder: Path, *, name: str = "prices", rows: int = 120) -> Path:
    """y = 2a − b, as csv; its perfect model is linear."""
    folder.mkdir(parents=True)
    points = np.random.default_rng(8).uniform(0, 1, size=(rows, 2)).round(3)
    lines = [f"{a},{b},{2 * a - b:.3f}" for a, b in points]
    (folder / "data.csv").write_text("a,b,price\n" + "\n".join(lines) + "\n")
    (folder / "benchmark.toml").write_text(
        f"""
name = "{name}"
version = 1
[data]
file = "data.csv"
input = ["a", "b"]
label = "price"
[model]
task = "regression"
inputs = [{{ name = "X", dtype = "float32", shape = ["N", 2] }}]
output = {{ name = "variable", shape = ["N", 1] }}
[metrics]
primary = "mae"
others = ["rmse"]
range = [-1.0, 2.0]
"""
    )
    return folder


def linear_classifier(path: Path, *, work: int = 0) -> Path:
    """Softmax over three lines; ``work`` more matrix products make it slow without changing its answer."""
    weights = np.array([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]], dtype=np.float32)
    bias = np.array([3.0, 0.0, -9.0], dtype=np.float32)
    nodes = [helper.make_node("MatMul", ["X", "W"], ["S0"]), helper.make_node("Add", ["S0", "B"], ["S"])]
    tensors = [numpy_helper.from_array(weights, "W"), numpy_helper.from_array(bias, "B")]
    scores = "S"
    if work:
        side = 1024
        tensors.append(numpy_helper.from_array(np.full((3, side), 1 / side, dtype=np.float32), "Spread"))
        tensors.append(numpy_helper.from_array(np.full((side, side), 1 / side, dtype=np.float32), "Big"))
        tensors.append(numpy_helper.from_array(np.zeros((side, 3), dtype=np.float32), "Drop"))
        nodes.append(helper.make_node("MatMul", ["S", "Spread"], ["H0"]))
        nodes += [helper.make_node("MatMul", [f"H{i}", "Big"], [f"H{i + 1}"]) for i in range(work)]
        nodes += [
            helper.make_node("MatMul", [f"H{work}", "Drop"], ["Z"]),
            helper.make_node("Add", ["S", "Z"], ["T"]),
        ]
        scores = "T"
    nodes.append(helper.make_node("Softmax", [scores], ["P"], axis=1))
    return save(path, nodes, tensors, "P", 3)


def some_model(path: Path, seed: int) -> Path:
    """Softmax over three lines of their own: every task has another answer."""
    drawn = np.random.default_rng(seed)
    tensors = [
        numpy_helper.from_array(drawn.normal(size=(2, 3)).astype(np.float32), "W"),
        numpy_helper.from_array(drawn.normal(size=3).astype(np.float32), "B"),
    ]
    nodes = [
        helper.make_node("MatMul", ["X", "W"], ["S0"]),
        helper.make_node("Add", ["S0", "B"], ["S"]),
        helper.make_node("Softmax", ["S"], ["P"], axis=1),
    ]
    return save(path, nodes, tensors, "P", 3)


def linear_regressor(path: Path) -> Path:
    tensors = [numpy_helper.from_array(np.array([[2.0], [-1.0]], dtype=np.float32), "W")]
    return save(path, [helper.make_node("MatMul", ["X", "W"], ["variable"])], tensors, "variable", 1)


def save(path: Path, nodes: list[Any], tensors: list[Any], output: str, width: int, *, input_name: str = "X") -> Path:
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", width])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path
