from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
from onnx_models import IN, LIMITS, OUT, doubling_concat, endless_loop, matmul, memory_bomb

from p2peval.core.parts import Limits
from p2peval.errors import ConfigError, EvaluationError, LocalProtocolError
from p2peval.evaluation.answers import Failed, Scanned
from p2peval.evaluation.frames import frame
from p2peval.evaluation.jobs import Evaluate, Prepare, Run, Scan
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are confined by Linux's means")

START = "import os, signal, struct, sys, time\nfrom p2peval.evaluation import zygote\nzygote.serve()\n"
ANY = Scan("/nowhere/model.onnx", LIMITS)


def impostor(script: str, workers: int = 1, sees: Path | None = None) -> Sandbox:
    """A sandbox whose workers run ``script`` after they have read their order; they can write in ``sees``."""
    command = (sys.executable, "-c", START + "os.read(0, 100_000)\n" + textwrap.dedent(script))
    return Sandbox(workers, command=command, sight=Sight(writes=(str(sees),) if sees else ()))


async def failure(sandbox: Sandbox, deadline: float = 20, job=ANY) -> EvaluationError:
    with pytest.raises(EvaluationError) as caught:
        await sandbox.run(job, deadline=deadline)
    return caught.value


def says(answer) -> str:
    return f"os.write(1, {frame(answer)!r})\n"


@pytest.fixture
def model(tmp_path: Path) -> Callable[[bytes], str]:
    def write(data: bytes) -> str:
        (tmp_path / "model.onnx").write_bytes(data)
        return str(tmp_path / "model.onnx")

    return write


# ── the way it should go ──────────────────────────────────────────────────────────────────────────


async def test_a_job_is_answered(model) -> None:
    assert await Sandbox(1).run(Scan(model(matmul()), LIMITS), deadline=20) == Scanned(nodes=1, initialisers=1)


async def test_a_workers_refusal_keeps_reason_detail_and_hint(model) -> None:
    error = await failure(Sandbox(1), job=Scan(model(b""), LIMITS))
    assert (error.reason, error.message, error.hint) == (
        "model_empty",
        "the model file is empty (0 bytes)",
        "export it again",
    )


async def test_a_mistake_in_benchmark_toml_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text("nam = 'x'")
    with pytest.raises(ConfigError, match=r"benchmark\.toml"):
        await Sandbox(1).run(Prepare(str(tmp_path), str(tmp_path)), deadline=20)


@pytest.fixture
def open_file(tmp_path: Path) -> Iterator[None]:
    """One of the daemon's files that a careless spawn would hand on."""
    with open(tmp_path / "key", "w") as key:
        os.set_inheritable(key.fileno(), True)
        yield


@pytest.mark.usefixtures("open_file")
async def test_the_worker_sees_nothing_of_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P2PEVAL_API_TOKEN", "secret")
    script = """
    import json
    seen = {"env": dict(os.environ), "cwd": os.listdir("."), "where": os.getcwd(),
            "fds": sorted(int(f) for f in os.listdir("/proc/self/fd"))[:-1], "group": os.getpgrp() == os.getpid()}
    from p2peval.evaluation.frames import frame
    from p2peval.evaluation.answers import (Failed)
    os.write(1, frame(Failed("seen", json.dumps(seen))))
    """
    seen = json.loads((await failure(impostor(script))).message)
    assert "secret" not in str(seen["env"])
    assert seen["env"]["ORT_DISABLE_TELEMETRY"] == "1"
    assert seen["env"]["HOME"] == seen["where"]
    assert seen["cwd"] == []
    assert seen["fds"] == [0, 1, 2]
    assert seen["group"]
    assert not await trio.Path(seen["where"]).exists()


async def test_no_more_workers_run_at_once_than_allowed() -> None:
    script = """
    from p2peval.evaluation.frames import frame
    from p2peval.evaluation.answers import (Failed)
    start = time.monotonic()
    time.sleep(0.2)
    os.write(1, frame(Failed("done", f"{start} {time.monotonic()}")))
    """
    sandbox, spans = impostor(script, workers=2), []

    async def one() -> None:
        error = await failure(sandbox)
        spans.append(tuple(map(float, error.message.split())))

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(one)
    assert max(sum(a <= start < b for a, b in spans) for start, _ in spans) == 2


async def test_an_order_too_large_for_a_frame_is_our_own_bug() -> None:
    with pytest.raises(LocalProtocolError):
        await Sandbox(1).run(Scan("x" * 2_000_000, LIMITS), deadline=5)


# ── workers that misbehave ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "script",
    [
        "os.write(1, b'hello world, this is no frame')",
        "os.write(1, struct.pack('>I', 0xFFFFFFFF) + bytes(4096)); time.sleep(60)",
        "os.write(1, struct.pack('>I', 2 << 20)); time.sleep(60)",
        "os.write(1, struct.pack('>I', 5) + b'abcde')",
        "os.write(1, struct.pack('>I', 100) + b'abcde')",
        "os.write(1, b'ab')",
        "os.write(1, struct.pack('>I', 0))",
        says(Scanned(1, 1)).replace("scanned", "unheard"),
    ],
)
async def test_garbage_is_an_evaluation_error(script: str) -> None:
    assert (await failure(impostor(script))).reason == "garbage"


async def test_the_answer_to_another_question_is_garbage(tmp_path: Path) -> None:
    error = await failure(impostor(says(Scanned(1, 1))), job=Prepare(str(tmp_path), str(tmp_path)))
    assert error.reason == "garbage"


async def test_a_frame_in_small_pieces_is_whole() -> None:
    script = f"for byte in {frame(Scanned(7, 7))!r}: os.write(1, bytes([byte]))"
    assert await impostor(script).run(ANY, deadline=20) == Scanned(7, 7)


@pytest.mark.parametrize(
    ("script", "reason", "detail"),
    [
        ("", "no_answer", "status 0"),
        ("raise SystemExit('it broke')", "no_answer", "status 1 and no answer it broke"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed", "SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "crashed", "SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "timeout", "CPU"),
        ("os.write(1, b'abc'); os.kill(os.getpid(), signal.SIGSEGV)", "crashed", "SIGSEGV"),
        ("os.write(2, b'what(): std::bad_alloc'); os.abort()", "out_of_memory", "bad_alloc"),
        ("x = [0] * 10**13", "out_of_memory", "MemoryError"),
        ("time.sleep(600)", "timeout", "2 s"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN); os.close(1); time.sleep(600)", "timeout", "2 s"),
        ("while True: os.write(2, bytes(65536))", "timeout", "2 s"),
        ("os.write(2, b'x' * 10_000_000 + b'the last words'); sys.exit(3)", "no_answer", "the last words"),
    ],
)
async def test_every_end_has_its_own_reason(script: str, reason: str, detail: str) -> None:
    with trio.fail_after(10):
        error = await failure(impostor(script), deadline=2)
    assert error.reason == reason
    assert detail in error.message
    assert len(error.message) < 10_000


async def test_a_worker_that_dies_unread_is_an_evaluation_error() -> None:
    sandbox = Sandbox(1, command=(sys.executable, "-c", START + "os.close(0); raise SystemExit(4)"))
    assert (await failure(sandbox)).reason == "no_answer"


async def test_a_worker_that_leaves_children_behind_is_answered_and_they_die(tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    script = f"alive = os.open({str(fifo)!r}, os.O_WRONLY)\nif os.fork() == 0: time.sleep(600)\n" + says(Scanned(1, 1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ends, fifo)
        assert await impostor(script, sees=tmp_path).run(ANY, deadline=20) == Scanned(1, 1)


async def ends(fifo: Path) -> None:
    """Returns when every process that holds the pipe is gone."""
    with trio.fail_after(20):
        assert await trio.to_thread.run_sync(fifo.read_bytes, abandon_on_cancel=True) == b""


async def test_cancelling_kills_the_worker_and_its_children_and_leaves_no_product(tmp_path: Path) -> None:
    fifo, out = tmp_path / "alive", tmp_path / "out"
    os.mkfifo(fifo)
    script = f"""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open({str(out)!r}, "w").write("half")
    alive = os.open({str(fifo)!r}, os.O_WRONLY)
    if os.fork():
        os.write(alive, b"x")
    while True: pass
    """
    run = Run("/model", "/inputs", 1, IN, OUT, LIMITS)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(failure, impostor(script, sees=tmp_path), 60, Evaluate(run, b"", str(out)))
            alive = trio.lowlevel.FdStream(await trio.to_thread.run_sync(os.open, fifo, os.O_RDONLY))
            assert await alive.receive_some(1) == b"x"
            assert out.exists()
            nursery.cancel_scope.cancel()
        async with alive:
            assert await alive.receive_some() == b""
    assert not out.exists()


def test_no_worker_outlives_a_killed_daemon(tmp_path: Path) -> None:
    """The worker spins in Python, holding its interpreter: only the kernel can end it."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    worker = f"""
{START}
os.read(0, 100_000)
from p2peval.evaluation.confine import leash
leash(0)
alive = os.open({str(fifo)!r}, os.O_WRONLY)
if os.fork():
    os.write(alive, b"x")
while True: pass
"""
    daemon = f"""
import sys, trio
from p2peval.core.parts import (Limits)
from p2peval.evaluation.jobs import (Scan)
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight
sandbox = Sandbox(1, command=(sys.executable, "-c", {worker!r}), sight=Sight(writes=({str(tmp_path)!r},)))
async def main():
    await sandbox.run(Scan("/m", Limits(1, 1, 1)), deadline=60)
trio.run(main)
"""
    process = subprocess.Popen([sys.executable, "-c", daemon])
    with open(fifo, "rb", buffering=0) as pipe:
        assert pipe.read(1) == b"x"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert pipe.read() == b""


def test_a_worker_whose_daemon_is_gone_before_it_is_tied_dies_too() -> None:
    script = "from p2peval.evaluation.confine import leash; leash(0); print('alive')"
    done = subprocess.run([sys.executable, "-c", script], input=b"", capture_output=True, start_new_session=True)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")


# ── hostile models in the real worker ─────────────────────────────────────────────────────────────


def evaluate(tmp_path: Path, model: str, limits: Limits = LIMITS) -> Evaluate:
    import numpy as np

    np.save(tmp_path / "inputs.npy", np.ones((40, 4), np.float32))
    run = Run(model, str(tmp_path / "inputs.npy"), 40, IN, OUT, limits)
    return Evaluate(run, b"k" * 32, str(tmp_path / "outputs"))


async def test_an_infinite_loop_is_killed_at_the_deadline(tmp_path: Path, model) -> None:
    with trio.fail_after(10):
        error = await failure(Sandbox(1), deadline=3, job=evaluate(tmp_path, model(endless_loop())))
    assert error.reason == "timeout"
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("bomb", [memory_bomb, doubling_concat])
async def test_a_memory_bomb_is_contained(tmp_path: Path, model, bomb: Callable[[], bytes]) -> None:
    error = await failure(Sandbox(1), deadline=30, job=evaluate(tmp_path, model(bomb()), Limits(30, 256, 10)))
    assert error.reason == "out_of_memory"
    assert not (tmp_path / "outputs").exists()


def test_the_limits_of_the_process_are_what_the_job_says() -> None:
    script = """
import resource
from p2peval.evaluation.confine import limit
mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit(memory_mb=100, mapped=1 << 20, cpu_seconds=7, file_bytes=1000)
names = "CORE AS CPU FSIZE NOFILE NPROC".split()
limits = [resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] for name in names]
limits[1] = limits[1] - mapped >> 20
print(limits)
try:
    open("/tmp/p2peval-too-large", "wb", buffering=0).write(bytes(2000)) == 1000 or exit("wrote it all")
finally:
    import os; os.unlink("/tmp/p2peval-too-large")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0, 100 + 256 + 1, 7, 1000, 64, 0]


def test_failed_answers_keep_what_is_said() -> None:
    assert b"because" in frame(Failed("r", "because"))
