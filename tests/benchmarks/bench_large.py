"""Peak memory of a daemon and its workers while 2 GB of data are published and a model is run on them.

Memory is the proportional set size of the whole process tree, read every few milliseconds, so that pages that
processes share count once; file pages that are mapped count too, as they do for whoever reads ``top``.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from report import Row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "network"))
from daemons import Peer

SAMPLES, FEATURES, CLASSES = 520_000, 1000, 10
BLOCK = 8_000
EVERY = 0.02
PATIENCE = 900.0
TOML = """
name = "large"
title = "Large"
description = "Random numbers"
license = "CC0-1.0"
version = 1
[data]
file = "data.npz"
input = "x"
label = "y"
[model]
task = "classification"
classes = 10
inputs = [{ name = "x", dtype = "float32", shape = ["N", 1000] }]
output = { name = "y" }
[metrics]
primary = "accuracy"
[limits]
seconds = 600
memory_mb = 512
"""


def run(scratch: Path) -> list[Row]:
    folder = scratch / "large"
    folder.mkdir()
    _write(folder)
    peer = Peer(scratch / "home").start()
    try:
        assert peer.process is not None
        with _Watch(peer.process.pid) as idle:
            peer.run("status")
        with _Watch(peer.process.pid) as publishing:
            peer.run("bench", "publish", str(folder), timeout=PATIENCE)
        with _Watch(peer.process.pid) as evaluating:
            peer.run("eval", "preview", "large", str(folder / "model.onnx"), timeout=PATIENCE)
    finally:
        peer.stop()
    size = f"{SAMPLES * FEATURES * 4 / 1e9:.2f} GB of inputs; idle daemon {idle.peak_mb:.0f} MB"
    return [
        Row("evaluation.large_dataset.peak_mb", evaluating.peak_mb, "MB", f"{size}; wanted: <= 600"),
        Row("evaluation.large_dataset.publish_peak_mb", publishing.peak_mb, "MB", f"{size}; wanted: <= 600"),
    ]


class _Watch:
    """While open, keeps the largest memory of a process and all that come from it, in MB (1e6 bytes)."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, sum(map(_pss, _tree(self._pid))) / 1e6)
            if self._done.wait(EVERY):
                return


def _tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):  # it ended meanwhile
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _write(folder: Path) -> None:
    """Data, labels that the model finds by chance, the model, and benchmark.toml."""
    rng = np.random.default_rng(5)
    with zipfile.ZipFile(folder / "data.npz", "w") as archive:
        with archive.open("x.npy", "w", force_zip64=True) as member:
            member.write(_header((SAMPLES, FEATURES), "<f4"))
            for _ in range(0, SAMPLES, BLOCK):
                member.write(rng.random((BLOCK, FEATURES), np.float32).tobytes())
        with archive.open("y.npy", "w") as member:
            member.write(_header((SAMPLES,), "<i8"))
            member.write(rng.integers(0, CLASSES, SAMPLES).tobytes())
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", FEATURES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(rng.normal(0, 1, (FEATURES, CLASSES)).astype(np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "benchmark.toml").write_text(TOML, encoding="utf-8")


def _header(shape: tuple[int, ...], descr: str) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": descr, "fortran_order": False, "shape": shape})
    return out.getvalue()
