"""What a worker that was taken over leaves where its product should be: whoever publishes it looks first."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from onnx_models import IN, LIMITS, OUT
from test_sandbox import failure, impostor, says

from p2peval.evaluation.answers import Evaluated
from p2peval.evaluation.jobs import Evaluate, Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are confined by Linux's means")

DONE = says(Evaluated("class", b"r" * 32, 12, 0.1, 1, 1))


@pytest.mark.parametrize("left", ["os.symlink({key!r}, {out!r})", "os.mkfifo({out!r})", "os.mkdir({out!r})"])
async def test_nothing_but_a_plain_file_is_a_product(tmp_path: Path, left: str) -> None:
    """Without Landlock and seccomp, a link made behind walls leads outside them once the daemon follows it."""
    out, key = tmp_path / "products" / "outputs", tmp_path / "identity.key"
    out.parent.mkdir()
    key.write_bytes(b"secret")
    job = Evaluate(Run("/nowhere", "/nowhere", 1, IN, OUT, LIMITS), b"k" * 32, str(out))
    script = f"os.unlink({str(out)!r})\n" + left.format(key=str(key), out=str(out)) + "\n" + DONE
    error = await failure(impostor(script, sees=out.parent), job=job)
    assert (error.reason, "something else than a file" in error.message) == ("garbage", True)
    assert not out.exists()
    assert key.read_bytes() == b"secret"
