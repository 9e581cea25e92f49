"""What the families share: keys, a benchmark, announcements, and child processes that answer line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import p2peval
from p2peval.core import messages as m
from p2peval.core import parts as p
from p2peval.core.merkle import leaf
from p2peval.core.types import BenchmarkId
from p2peval.defaults import DELTA, EPSILON, NETWORK_ID, TASK_LIFETIME
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import cid_of

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
MIB = 1 << 20
_NOW_MS = int(time.time() * 1000)
_NANO = 10**9


def seed_of(name: str) -> bytes:
    return sha256(name.encode()).digest()


def sealer_of(name: str) -> EnvelopeSealer:
    return EnvelopeSealer(seed_of(name))


def small_blob(text: str) -> p.Blob:
    data = text.encode()
    return p.Blob(cid_of(data), len(data), leaf(data))


def author_spec() -> m.Sealed[m.BenchmarkSpec]:
    """A benchmark that anybody can derive, so that processes need not send it to each other."""
    author = sealer_of("author")
    spec = m.BenchmarkSpec(
        network=NETWORK_ID,
        author=author.peer_id,
        name="bench",
        title="Bench",
        description="",
        license="CC0-1.0",
        version=1,
        parent=BenchmarkId(""),
        task="classification",
        samples=1000,
        inputs=small_blob("inputs"),
        labels=small_blob("labels"),
        labels_commitment=b"",
        model_input=p.Tensor("x", "float32", (64,)),
        model_output=p.Tensor("y", "float32", (10,)),
        metrics=("accuracy",),
        range=None,
        tolerance=p.Tolerance(10_000, 10_000),
        limits=p.Limits(60, 1024, 64),
        verification=p.Verification(int(EPSILON * _NANO), int(DELTA * _NANO), 1, 3),
    )
    return author.seal(spec)


def announcement(signer: EnvelopeSealer, benchmark: BenchmarkId, number: int) -> m.Sealed[m.TaskAnnouncement]:
    """The ``number``-th task of ``signer``; all of them are open now."""
    return signer.seal(
        m.TaskAnnouncement(
            network=NETWORK_ID,
            author=signer.peer_id,
            benchmark=benchmark,
            model=small_blob(f"model {number}"),
            model_name="model.onnx",
            epsilon_nano=int(EPSILON * _NANO),
            delta_nano=int(DELTA * _NANO),
            replicas=1,
            created_ms=_NOW_MS - number,
            deadline_ms=_NOW_MS + int(TASK_LIFETIME * 1000),
        )
    )


class Child:
    """A process of ours that reads and writes one JSON value a line; ended, at the latest, by ``with``."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(script)), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(p2peval.__file__).parent.parent)},  # the same code as ours
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def tell(self, value: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Its next answer. Raises RuntimeError where it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return json.loads(line)


def say(value: Any) -> None:
    """The child's side of ``hear``."""
    print(json.dumps(value), flush=True)


def listen() -> Any:
    """The child's side of ``tell``. Blocks."""
    return json.loads(sys.stdin.readline())
