"""What people get wrong, said to real daemons: one clear error, the right exit code, nothing half-written.

Two daemons serve every case: Ada holds the benchmark alone, Bob has joined it. After each case nothing may
have changed on the disk of whom was asked, and both daemons answer.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from daemons import P2PEVAL, PATIENCE, Failed, Peer, classification, linear_classifier, peers, wait_for
from onnx import TensorProto, helper, numpy_helper

OK, ERROR, USAGE, NOT_RUNNING, LOCKED, UNVERIFIED, NOT_FOUND, TIMEOUT, NOT_AUTHORISED = range(9)
"""Exit codes (interface.md)."""


@dataclass
class Scene:
    folder: Path
    ada: Peer
    bob: Peer
    model: Path


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("bad")
    with peers(folder, 2) as (ada, bob):
        ada.run("bench", "publish", str(classification(folder / "flowers")))
        bob.run("bench", "join", ada.run("bench", "invite", "flowers")["invite"])
        wait_for(lambda: sum(e["kind"] == "data.ready" for e in bob.told()) == 2, "the data to arrive")
        wait_for(lambda: len(ada.get("benchmarks/flowers")["members"]) == 2, "Ada to know Bob")
        wait_for(lambda: not pending(ada) + pending(bob), "both to be at rest")
        yield Scene(folder, ada, bob, linear_classifier(folder / "m.onnx"))


def pending(peer: Peer) -> list[Any]:
    with sqlite3.connect(peer.home / "state.db") as database:
        return database.execute("SELECT * FROM outbox").fetchall()


def written(peer: Peer) -> dict[str, Any]:
    """All that a command could leave behind; who was heard of meanwhile is no part of it."""
    tables = ("benchmarks", "names", "wanted", "tasks", "offers", "replicas", "duties", "results", "outbox")
    with sqlite3.connect(peer.home / "state.db") as database:
        rows: dict[str, Any] = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    folders = [peer.home / "blobs", peer.home / "scratch", peer.home / "reports"]
    return rows | {"files": sorted(str(path) for folder in folders for path in folder.rglob("*"))}


def refused(peer: Peer, *words: str) -> tuple[int, str]:
    """Exit code and text of a command that must fail and leave nothing behind."""
    before = written(peer)
    with pytest.raises(Failed) as failure:
        peer.run(*words)
    assert written(peer) == before
    peer.get("status")
    assert set(failure.value.error) == {"code", "message", "hint", "retryable"}
    said = f"{failure.value.error['message']} | {failure.value.error['hint']}"
    return failure.value.code, said.replace(f" --home {peer.home}", "")


# ── models ────────────────────────────────────────────────────────────────────────────────────────


def product(path: Path, *, input: str = "X", inner: int = 2, outer: int = 3, then: str = "", **attributes: int) -> Path:
    """X·W, N×``inner`` to N×``outer``, with one more operator behind it."""
    nodes = [helper.make_node("MatMul", [input, "W"], ["Q" if then else "P"], name="product")]
    if then:
        nodes.append(helper.make_node(then, ["Q"], ["P"], name="the last one", **attributes))
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(input, TensorProto.FLOAT, ["N", inner])],
        [helper.make_tensor_value_info("P", TensorProto.FLOAT, ["N", outer])],
        [numpy_helper.from_array(np.ones((inner, outer), dtype=np.float32), "W")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def cut_short(path: Path) -> Path:
    path.write_bytes(linear_classifier(path).read_bytes()[:100])
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


MODELS: dict[str, tuple[Callable[[Path], Path], int, tuple[str, ...]]] = {
    "wrong input name": (lambda p: product(p, input="Z"), ERROR, ("'Z'", "'X'", "N×2")),
    "wrong input shape": (lambda p: product(p, inner=5), ERROR, ("'X'", "N×5", "N×2")),
    "wrong output shape": (lambda p: product(p, outer=4), ERROR, ("'P'", "N×4", "N×3")),
    "a Bernoulli op": (lambda p: product(p, then="Bernoulli"), ERROR, ("Bernoulli", "'the last one'", "random")),
    "a softmax over the batch": (
        lambda p: product(p, then="Softmax", axis=0),
        ERROR,
        ("invalid: batch-dependent", "each sample by itself"),
    ),
    "0 bytes": (empty, ERROR, ("empty", "0 bytes")),
    "a truncated file": (cut_short, ERROR, ("not a whole ONNX file", "100 bytes", "cut short")),
    "a directory": (folder, NOT_FOUND, ("case.onnx", "not a file")),
    "no file": (lambda p: p, NOT_FOUND, ("case.onnx", "no such file")),
}


@pytest.mark.parametrize("case", MODELS)
def test_model_that_cannot_be_evaluated_is_refused_before_anything_is_announced(
    scene: Scene, tmp_path: Path, case: str
) -> None:
    make, code, words = MODELS[case]
    path = make(tmp_path / "case.onnx")
    said = refused(scene.bob, "eval", "run", "flowers", str(path))
    assert said[0] == code
    assert all(word in said[1] for word in words), said[1]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--epsilon", "0"), USAGE, "0<x<1"),
        (("--epsilon", "2"), USAGE, "0<x<1"),
        (("--epsilon", "1e-12"), USAGE, "1e-9"),
        (("--delta", "0.7"), USAGE, "0.5"),
        (("--replicas", "99"), USAGE, "1 to 8"),
    ],
)
def test_numbers_out_of_range_are_refused_with_the_range(
    scene: Scene, words: tuple[str, ...], code: int, text: str
) -> None:
    said = refused(scene.bob, "eval", "run", "flowers", str(scene.model), *words)
    assert said[0] == code
    assert text in said[1]


def test_model_file_whose_name_no_object_can_hold_is_evaluated_under_a_plain_one(scene: Scene, tmp_path: Path) -> None:
    odd = tmp_path / ("ü\n\x1b[31m" + "x" * 200 + ".onnx")
    odd.write_bytes(scene.model.read_bytes())
    task = scene.bob.run("eval", "run", "flowers", str(odd))
    assert task["state"] == "accepted"
    assert task["model_name"].startswith("ü  [31mxxx")


# ── benchmarks ────────────────────────────────────────────────────────────────────────────────────


def edited(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def edit(directory: Path) -> None:
        (directory / file).write_bytes(change((directory / file).read_bytes()))

    return edit


def without_label_in_row_17(data: bytes) -> bytes:
    lines = data.split(b"\n")
    lines[16] = lines[16].rsplit(b",", 1)[0] + b","
    return b"\n".join(lines)


BENCHMARKS: dict[str, tuple[Callable[[Path], None], int, tuple[str, ...]]] = {
    "no label at row 17": (edited("data.csv", without_label_in_row_17), ERROR, ("data.csv", "row 17", "'label'")),
    "csv that is not UTF-8": (edited("data.csv", lambda d: d + b"\xff,1,2\n"), ERROR, ("data.csv", "UTF-8")),
    "empty csv": (edited("data.csv", lambda d: b""), ERROR, ("data.csv", "'x'")),
    "no csv": (lambda d: (d / "data.csv").unlink(), ERROR, ("data.csv", "no such file")),
    "unknown key": (
        edited("benchmark.toml", lambda d: d.replace(b"primary", b"primry = 1\nprimary")),
        USAGE,
        ("benchmark.toml", "[metrics]", "primry", "'primary'"),
    ),
    "no benchmark.toml": (lambda d: (d / "benchmark.toml").unlink(), USAGE, ("benchmark.toml", "bench init")),
    "benchmark.toml cut short": (
        edited("benchmark.toml", lambda d: d[:10]),
        USAGE,
        ("benchmark.toml", "end of document"),
    ),
}


@pytest.mark.parametrize("case", BENCHMARKS)
def test_benchmark_that_is_wrong_is_not_published(scene: Scene, tmp_path: Path, case: str) -> None:
    spoil, code, words = BENCHMARKS[case]
    directory = classification(tmp_path / "case", name="case")
    spoil(directory)
    said = refused(scene.ada, "bench", "publish", str(directory))
    assert said[0] == code
    assert all(word in said[1] for word in words), said[1]


def test_unknown_names_are_not_found_and_say_where_to_look(scene: Scene) -> None:
    for words, text in (
        (("bench", "join", "nosuch"), "'nosuch' | p2peval bench ls"),
        (("bench", "leave", "nosuch"), "'nosuch'"),
        (("eval", "run", "nosuch", str(scene.model)), "'nosuch' on this node | joined here: flowers"),
        (("eval", "show", "bafkreinosuchtask"), "bafkreinosuchtask"),
        (("board", "nosuch"), "'nosuch'"),
    ):
        code, said = refused(scene.bob, *words)
        assert code == NOT_FOUND
        assert text in said


def test_evaluation_on_a_benchmark_that_is_left_is_refused(scene: Scene, tmp_path: Path) -> None:
    bob = scene.bob
    bob.run("bench", "leave", "flowers")
    try:
        wait_for(lambda: not pending(bob), "Bob to be at rest")
        other = linear_classifier(tmp_path / "other.onnx", work=1)
        code, said = refused(bob, "eval", "run", "flowers", str(other))
        assert code == NOT_FOUND
        assert "not joined flowers as a requester | p2peval bench join" in said
    finally:
        bob.run("bench", "join", scene.ada.run("bench", "invite", "flowers")["invite"])


# ── homes, ports, tokens ──────────────────────────────────────────────────────────────────────────


def start_fails(peer: Peer, **settings: str) -> tuple[int, str]:
    environment = {**peer._environment(), **settings}
    command = (*P2PEVAL, "--home", str(peer.home), "daemon")
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, env=environment, check=False)
    return done.returncode, done.stderr.decode()


def test_home_that_another_daemon_holds_is_named_with_its_pid(scene: Scene) -> None:
    assert scene.bob.process is not None
    code, said = start_fails(scene.bob)
    assert code == LOCKED
    assert f"(pid {scene.bob.process.pid})" in said
    assert str(scene.bob.home) in said
    scene.bob.get("status")


def test_port_that_is_taken_is_named_and_leaves_the_home_usable(scene: Scene, tmp_path: Path) -> None:
    taken = scene.bob.address().rsplit("/p2p/", 1)[0]
    late = Peer(tmp_path / "late")
    code, said = start_fails(late, P2PEVAL_NETWORK__LISTEN=json.dumps([taken]))
    assert code == ERROR
    assert taken in said
    assert "another process holds this port" in said
    assert not (late.home / "api.sock").exists()
    late.start()
    late.stop()


def test_no_daemon_and_a_wrong_token_have_exit_codes_of_their_own(scene: Scene, tmp_path: Path) -> None:
    assert refused_alone(Peer(tmp_path / "idle"), "status") == NOT_RUNNING
    token = scene.bob.home / "token"
    right = token.read_text()
    token.write_text("wrong")
    try:
        assert refused_alone(scene.bob, "status") == NOT_AUTHORISED
    finally:
        token.write_text(right)
    scene.bob.get("status")


def refused_alone(peer: Peer, *words: str) -> int:
    with pytest.raises(Failed) as failure:
        peer.run(*words)
    assert failure.value.error["hint"]
    return failure.value.code


# ── signals ───────────────────────────────────────────────────────────────────────────────────────


def test_interrupted_follower_exits_130_and_the_task_goes_on(scene: Scene, tmp_path: Path) -> None:
    bob = scene.bob
    slow = linear_classifier(tmp_path / "slow.onnx", work=100)
    command = (*P2PEVAL, "--home", str(bob.home), "--json", "eval", "run", "flowers", str(slow))
    after = bob.last_event()
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bob._environment())
    task = bob.wait_for_event("task.assigned", after)["subject"]
    follower.send_signal(signal.SIGINT)
    out, _ = follower.communicate(timeout=10)
    assert follower.returncode == 130
    assert task in json.loads(out)["error"]["message"]
    assert bob.finish(task)["state"] == "accepted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_daemon_stops_in_time_in_the_middle_of_everything(scene: Scene, tmp_path: Path, number: int) -> None:
    """With peers, an open event stream, and a model running here."""
    ada, bob = scene.ada, scene.bob
    slow = linear_classifier(tmp_path / "slow.onnx", work=200)
    after = ada.last_event()
    task = bob.run("eval", "run", "flowers", str(slow), "--detach")["id"]
    ada.wait_for_event("duty.assigned", after)
    listening = threading.Event()

    def listen() -> None:
        for _ in ada.events():
            listening.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert listening.wait(timeout=10)
    assert ada.process is not None
    began = time.monotonic()
    ada.process.send_signal(number)
    assert ada.process.wait(timeout=10) == 0
    assert time.monotonic() - began < 5.0
    listener.join(timeout=5)
    assert not listener.is_alive()
    assert not (ada.home / "api.sock").exists()
    assert not list((ada.home / "scratch").iterdir())
    ada.start()
    bob.run("eval", "cancel", task)


# ── data that is not what its CID says; last, since it spoils the only copy ───────────────────────


def test_data_that_does_not_match_its_cid_is_named_removed_and_fetched_again_from_who_has_it(scene: Scene) -> None:
    ada, bob = scene.ada, scene.bob
    inputs = ada.get("benchmarks/flowers")["inputs"]["cid"]
    held = [peer.home / "blobs" / inputs for peer in (ada, bob)]
    whole = held[0].read_bytes()
    spoil(held[1], whole)
    assert bob.run("eval", "preview", "flowers", str(scene.model))["metrics"]
    assert held[1].read_bytes() == whole
    for file in held:
        spoil(file, whole)
    with pytest.raises(Failed) as failure:
        bob.run("eval", "run", "flowers", str(scene.model))
    assert failure.value.code == UNVERIFIED
    assert "the inputs of flowers" in failure.value.error["message"]
    assert inputs in failure.value.error["message"]
    assert not [file for file in held if file.exists() and file.read_bytes() != whole and file is held[1]]
    with pytest.raises(Failed) as again:
        bob.run("eval", "run", "flowers", str(scene.model))
    assert "no holder is left" in again.value.error["message"]
    assert ada.get("status")["pid"]


def spoil(file: Path, whole: bytes) -> None:
    """One bit of it flips, as on a bad disk."""
    data = bytearray(whole)
    data[len(data) // 2] ^= 1
    file.unlink(missing_ok=True)
    file.write_bytes(data)
    os.utime(file)
