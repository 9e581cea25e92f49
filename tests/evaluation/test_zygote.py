"""Workers are forked from one warm process, which learns nothing from them and outlives them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
import trio
from onnx_models import IN, LIMITS, OUT, matmul
from PIL import Image
from pyarrow import parquet

from p2peval.errors import EvaluationError
from p2peval.evaluation import bwrap
from p2peval.evaluation.answers import Scanned, Tried
from p2peval.evaluation.jobs import Evaluate, Run, Scan, Trial
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are confined by Linux's means")
needs_bwrap = pytest.mark.skipif(bool(bwrap.missing()), reason=bwrap.missing() or "it works")

TELL = """
def tell(**seen):
    from p2peval.evaluation.frames import frame
    from p2peval.evaluation.answers import (Failed)
    os.write(1, frame(Failed("seen", json.dumps(seen))))
"""
WHO = """
parent = os.getppid()
threads = [line.split()[1] for line in open(f"/proc/{parent}/status") if line.startswith("Threads:")]
tell(parent=parent, threads=int(threads[0]), fds=len(os.listdir(f"/proc/{parent}/fd")))
"""


def forked(script: str, *, preload: bool = False, workers: int = 4, **how: Any) -> Sandbox:
    """A sandbox whose workers run ``script`` after they have read their order."""
    before = "import json, os, sys, time\nfrom p2peval.evaluation import zygote\n"
    before += "zygote.preload()\n" * preload + "zygote.serve()\nos.read(0, 100_000)\n" + TELL
    return Sandbox(workers, command=(sys.executable, "-c", before + textwrap.dedent(script)), **how)


async def seen(sandbox: Sandbox) -> dict[str, Any]:
    with pytest.raises(EvaluationError) as caught:
        await sandbox.run(Trial(), deadline=20)
    assert caught.value.reason == "seen", caught.value
    return dict(json.loads(caught.value.message))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def evaluate(folder: Path, model: str = "model.onnx") -> Evaluate:
    np.save(folder / "inputs.npy", np.ones((40, 4), np.float32))
    (folder / model).write_bytes(matmul())
    run = Run(str(folder / model), str(folder / "inputs.npy"), 40, IN, OUT, LIMITS)
    return Evaluate(run, b"k" * 32, str(folder / "outputs"))


# ── one zygote, many workers ──────────────────────────────────────────────────────────────────────


async def test_all_workers_come_from_one_process_that_has_one_thread_and_keeps_no_descriptor() -> None:
    async with forked(WHO, preload=True, bubblewrap=False) as sandbox:
        first = await seen(sandbox)
        before = descriptors()
        found = [await seen(sandbox) for _ in range(20)]
        assert descriptors() == before
    assert {(each["parent"], each["threads"]) for each in found} == {(first["parent"], 1)}
    # a worker may look while the zygote still closes the few that it handed on; one kept a job would be 20
    assert max(each["fds"] for each in found) - min(each["fds"] for each in found) <= 4


async def test_outside_async_with_every_job_has_a_zygote_of_its_own_and_nothing_is_left() -> None:
    sandbox, before = forked(WHO, bubblewrap=False), descriptors()
    parents = [(await seen(sandbox))["parent"] for _ in range(2)]
    assert parents[0] != parents[1]
    assert descriptors() == before
    for parent in parents:
        with pytest.raises(ProcessLookupError):
            os.kill(parent, 0)


async def test_a_worker_leaves_nothing_to_the_next() -> None:
    script = """
    before = getattr(os, "left_behind", None), os.environ.get("LEFT")
    os.left_behind = os.environ["LEFT"] = "something"
    tell(before=before, left=os.left_behind)
    """
    async with forked(script) as sandbox:
        for _ in range(2):
            assert await seen(sandbox) == {"before": [None, None], "left": "something"}


@pytest.mark.parametrize("bubblewrap", [False, pytest.param(True, marks=needs_bwrap)])
async def test_a_job_whose_zygote_died_says_so_and_the_next_has_a_new_one(tmp_path: Path, bubblewrap: bool) -> None:
    flag = str(tmp_path / "flag")
    script = f"""
    if not os.path.exists({flag!r}):
        open({flag!r}, "w").close()
        os.kill(os.getppid(), 9)
        os._exit(0)
    tell(alive=True)
    """
    async with forked(script, sight=Sight(writes=(str(tmp_path),)), bubblewrap=bubblewrap) as sandbox:
        with pytest.raises(EvaluationError) as caught:
            await sandbox.run(Trial(), deadline=20)
        assert caught.value.reason == "crashed"
        assert await seen(sandbox) == {"alive": True}


async def test_a_zygote_that_cannot_start_says_why() -> None:
    with pytest.raises(EvaluationError, match="no module for this"):
        await Sandbox(1, command=(sys.executable, "-c", "raise SystemExit('no module for this')")).run(
            Trial(), deadline=20
        )


async def test_a_command_that_does_not_exist_is_an_evaluation_error() -> None:
    with pytest.raises(EvaluationError) as caught:
        await Sandbox(1, command=("/nowhere/python",), bubblewrap=False).run(Trial(), deadline=20)
    assert caught.value.reason == "no_worker"


async def test_peak_memory_is_that_of_the_job_not_of_one_before_it(tmp_path: Path) -> None:
    script = """
    from p2peval.evaluation.confine import peak_memory_mb
    start = peak_memory_mb()
    bytearray(300 << 20)
    tell(start=start, end=peak_memory_mb())
    """
    async with forked(script, preload=True) as sandbox:
        for _ in range(2):
            found = await seen(sandbox)
            assert found["start"] < 200
            assert 300 <= found["end"] - found["start"] + 100 < 420


async def test_where_memory_runs_out_a_worker_goes_first_not_its_zygote() -> None:
    script = """
    from p2peval.evaluation import confine
    confine.limit(memory_mb=64, mapped=0, cpu_seconds=30, file_bytes=0)
    tell(scores=[int(open(f"/proc/{pid}/oom_score_adj").read()) for pid in ("self", os.getppid())])
    """
    mine, zygotes = (await seen(forked(script, bubblewrap=False)))["scores"]
    assert mine == 1000 > zygotes


async def test_a_child_that_fled_its_group_and_its_parent_is_found_and_killed(tmp_path: Path) -> None:
    """Where no seccomp keeps a worker from forking."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    script = f"""
    ready, go = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            alive = os.open({str(fifo)!r}, os.O_WRONLY)
            os.write(go, b"x")
            time.sleep(600)
        os._exit(0)
    os.read(ready, 1)
    tell(fled=True)
    """
    async with forked(script, bubblewrap=False) as sandbox, trio.open_nursery() as nursery:
        ended = trio.Event()

        async def watch() -> None:
            assert await trio.to_thread.run_sync(fifo.read_bytes, abandon_on_cancel=True) == b""
            ended.set()

        nursery.start_soon(watch)
        assert await seen(sandbox) == {"fled": True}
        with trio.fail_after(10):
            await ended.wait()


@pytest.mark.parametrize("bubblewrap", [False, pytest.param(True, marks=needs_bwrap)])
def test_no_zygote_outlives_a_killed_daemon(tmp_path: Path, bubblewrap: bool) -> None:
    fifo = str(tmp_path / "alive")
    os.mkfifo(fifo)
    command = f"import os; alive = os.open({fifo!r}, os.O_WRONLY)\nfrom p2peval.evaluation import zygote, runner\n"
    daemon = f"""
import sys, trio
from p2peval.evaluation.jobs import (Trial)
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight
command = (sys.executable, "-c", {command + "zygote.serve(); os.close(alive); runner.main()"!r})
async def main():
    async with Sandbox(1, command=command, sight=Sight((), ({str(tmp_path)!r},)), bubblewrap={bubblewrap}) as sandbox:
        await sandbox.run(Trial(), deadline=60)
        print("warm", flush=True)
        await trio.sleep_forever()
trio.run(main)
"""
    process = subprocess.Popen([sys.executable, "-c", daemon], stdout=subprocess.PIPE)
    with process, open(fifo, "rb", buffering=0) as alive:
        assert process.stdout is not None
        assert process.stdout.readline() == b"warm\n"
        process.kill()
        process.wait()
        assert alive.read() == b""


async def test_cancelling_frees_the_place_at_once_of_a_running_job_and_of_a_waiting_one(tmp_path: Path) -> None:
    fifo, flag = str(tmp_path / "running"), str(tmp_path / "flag")
    os.mkfifo(fifo)
    script = f"""
    if os.path.exists({flag!r}):
        tell(later=True)
        sys.exit()
    os.mkdir({flag!r})
    with open({fifo!r}, "w") as running:
        running.write("x")
    time.sleep(600)
    """
    async with forked(script, workers=1, bubblewrap=False) as sandbox, trio.open_nursery() as nursery:
        with trio.fail_after(20):
            scopes = [trio.CancelScope(), trio.CancelScope()]
            for scope in scopes:
                nursery.start_soon(_run_in, scope, sandbox)
            assert await trio.to_thread.run_sync(Path(fifo).read_bytes, abandon_on_cancel=True) == b"x"
            for scope in reversed(scopes):
                scope.cancel()
            assert await seen(sandbox) == {"later": True}


async def _run_in(scope: trio.CancelScope, sandbox: Sandbox) -> None:
    with scope:
        await sandbox.run(Trial(), deadline=60)


@pytest.mark.parametrize("bubblewrap", [False, pytest.param(True, marks=needs_bwrap)])
async def test_parquet_and_pictures_are_read_by_a_worker_that_can_start_no_thread(
    tmp_path: Path, bubblewrap: bool
) -> None:
    parquet.write_table(pyarrow.table({"x": list(range(1000))}), tmp_path / "x.parquet")
    Image.new("L", (4, 4)).save(tmp_path / "x.png")
    script = f"""
    from p2peval.evaluation import confine, layers
    from p2peval.evaluation.jobs import Prepare
    confine.limit(memory_mb=8192, mapped=0, cpu_seconds=30, file_bytes=1 << 20)
    layers.lock(Prepare({str(tmp_path)!r}, {str(tmp_path)!r}))
    import pyarrow
    from pyarrow import parquet
    from PIL import Image
    pyarrow.set_cpu_count(1)
    with parquet.ParquetFile({str(tmp_path / "x.parquet")!r}, pre_buffer=False) as file:
        rows = sum(batch.num_rows for batch in file.iter_batches(100, use_threads=False))
    tell(rows=rows, picture=Image.open({str(tmp_path / "x.png")!r}).size)
    """
    sight = Sight(writes=(str(tmp_path),))
    with trio.fail_after(60):
        found = await seen(forked(script, preload=True, bubblewrap=bubblewrap, sight=sight))
    assert (found["rows"], found["picture"]) == (1000, [4, 4])


# ── walls ─────────────────────────────────────────────────────────────────────────────────────────


@needs_bwrap
async def test_behind_walls_there_is_no_network_no_other_process_and_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "identity.key").write_text("secret")
    sight = tmp_path / "blobs"
    sight.mkdir()
    (sight / "blob").write_text("public")
    script = f"""
    def tries(what):
        try:
            return what()
        except OSError as error:
            return type(error).__name__
    tell(
        links=sorted(line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line),
        processes=sum(name.isdigit() for name in os.listdir("/proc")),
        key=tries(lambda: open({str(tmp_path / "identity.key")!r}).read()),
        blob=tries(lambda: open({str(sight / "blob")!r}).read()),
        wrote=tries(lambda: open({str(sight / "new")!r}, "w").write("x")),
        here=tries(lambda: open("new", "w").write("x")),
        root=tries(lambda: os.mkdir("/new")),
        home=os.listdir("."),
    )
    """
    async with forked(script, sight=Sight(reads=(str(sight),))) as sandbox:
        found = await seen(sandbox)
    assert found.pop("processes") <= 4
    assert found == {
        "links": ["lo"],
        "key": "FileNotFoundError",
        "blob": "public",
        "wrote": "OSError",
        "here": "OSError",
        "root": "OSError",
        "home": [],
    }


@needs_bwrap
async def test_a_job_whose_files_lie_elsewhere_is_done_too(tmp_path: Path) -> None:
    inside, elsewhere = tmp_path / "inside", tmp_path / "elsewhere"
    for folder in (inside, elsewhere):
        folder.mkdir()
    async with Sandbox(1, sight=Sight(writes=(str(inside),))) as sandbox:
        for folder in (inside, elsewhere):
            answer = await sandbox.run(evaluate(folder), deadline=60)
            assert "bubblewrap" in answer.layers
        scanned = await sandbox.run(Scan(str(elsewhere / "model.onnx"), LIMITS), deadline=60)
    assert scanned == Scanned(1, 1)
    assert (inside / "outputs").read_bytes() == (elsewhere / "outputs").read_bytes()


def test_bubblewrap_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert bwrap.missing.__wrapped__() == "it is not installed"


def test_bubblewrap_that_cannot_start_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert bwrap.missing.__wrapped__() == "it cannot start: No permissions to create new namespace"


async def test_where_bubblewrap_is_missing_jobs_are_done_without_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bwrap, "missing", lambda: "not here")
    async with Sandbox(1) as sandbox:
        answer = await sandbox.run(Trial(), deadline=20)
    assert isinstance(answer, Tried)
    assert answer.layers[0] == "rlimits"
    assert "bubblewrap" not in answer.layers
