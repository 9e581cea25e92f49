"""What a worker that is owned by a hostile file can still do: nothing but its job."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import DIGITS_IN, DIGITS_OUT, classifier, digits

from p2peval.core.parts import Limits
from p2peval.evaluation import bwrap, frames, jobs, landlock, seccomp
from p2peval.evaluation.sandbox import Sandbox


def landlocked() -> bool:
    try:
        return landlock.abi() > 0
    except OSError:
        return False


needs_landlock = pytest.mark.skipif(not landlocked(), reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif(bool(seccomp.missing()), reason=seccomp.missing() or "it has it")

OWNED = """
import ctypes, json, os, signal, socket, sys
import msgspec
from p2peval.evaluation import confine, layers
from p2peval.evaluation.frames import decode_order
order = decode_order(open(sys.argv[1], "rb").read())
on = layers.lock(order.job)
secret, outside = sys.argv[2:4]
libc = ctypes.CDLL(None, use_errno=True)
def raw(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "raw")
tries = {
    "tcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill the parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "kill all": lambda: os.kill(-1, signal.SIGKILL),
    "ptrace": lambda: raw(101, 16, os.getppid(), 0, 0),
    "the key": lambda: open(secret).read(),
    "a file outside": lambda: open(outside, "w"),
    "a link": lambda: os.symlink(secret, "link"),
    "its own inputs": lambda: open(order.job.run.inputs, "rb").read(1),
    "its product": lambda: open(order.job.out, "wb").write(b"outputs"),
    "a signal to itself": lambda: signal.raise_signal(signal.SIGURG),
}
said = {}
for name, attempt in tries.items():
    try:
        attempt()
        said[name] = 0
    except OSError as error:
        said[name] = error.errno
print(json.dumps({"layers": on, "said": said}))
"""
"""The worker's own locks, and then what an attacker would try from inside."""


@pytest.fixture
def job(tmp_path: Path) -> jobs.Evaluate:
    folder, product = tmp_path / "blobs", tmp_path / "scratch"
    folder.mkdir()
    product.mkdir()
    inputs, _ = digits()
    np.save(folder / "inputs.npy", inputs[:64])
    (folder / "model.onnx").write_bytes(classifier("logistic"))
    names = (str(folder / "model.onnx"), str(folder / "inputs.npy"))
    run = jobs.Run(*names, 64, DIGITS_IN, DIGITS_OUT, Limits(60, 1024, 64))
    return jobs.Evaluate(run, bytes(32), str(product / "outputs"))


def owned(tmp_path: Path, job: jobs.Evaluate) -> dict[str, Any]:
    (tmp_path / "identity.key").write_bytes(b"secret")
    (tmp_path / "order").write_bytes(frames.frame(jobs.Order(job, 60)))
    arguments = [str(tmp_path / name) for name in ("order", "identity.key", "outside")]
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", OWNED, *arguments], cwd=work, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return dict(json.loads(done.stdout))


@needs_landlock
@needs_seccomp
@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="its ptrace is x86_64's")
def test_an_owned_worker_reaches_its_inputs_and_its_product_and_nothing_else(
    tmp_path: Path, job: jobs.Evaluate
) -> None:
    told = owned(tmp_path, job)
    assert told["layers"] == ["landlock", "seccomp"]
    said = told["said"]
    allowed = {"its own inputs", "its product", "a signal to itself"}
    assert {name for name, number in said.items() if not number} == allowed
    assert said["the key"] == said["a file outside"] == errno.EACCES
    others = set(said) - allowed - {"the key", "a file outside"}
    assert {said[name] for name in others} == {errno.EPERM}
    assert not (tmp_path / "outside").exists()


@needs_seccomp
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_lands_inside_it_and_it_ends_in_a_refusal(machine: str) -> None:
    lines = seccomp.program(machine, 4321)
    for at, (code, if_true, if_false, _) in enumerate(lines):
        if code & 0x07 == 0x05:  # a jump
            assert at + 1 + max(if_true, if_false) < len(lines)
    assert lines[-1] == (0x06, 0, 0, 0x00050000 | errno.EPERM)
    assert len(lines) < 4096  # what the kernel takes


async def test_a_result_names_the_layers_that_were_on(job: jobs.Evaluate) -> None:
    answer = await Sandbox(1).run(job, deadline=60)
    expected = ["rlimits"] + ["landlock"] * landlocked() + ["seccomp"] * (not seccomp.missing())
    expected += ["bubblewrap"] * (not bwrap.missing())
    assert list(answer.layers) == expected
