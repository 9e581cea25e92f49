"""Starts, limits and kills workers: the only way from the daemon to a stranger's file.

Decides how long a worker lives and what its death means. Must not know what a job does, and parses
nothing but one bounded frame. One process and one message each way per job. Source: evaluation.md, The sandbox.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, cast

import trio

import p2peval
from p2peval.core.types import Seconds
from p2peval.defaults import WORKER_STDERR
from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation.jobs import (
    Answer,
    AnyAnswer,
    AnyJob,
    Failed,
    Job,
    Order,
    decode_answer,
    frame,
    missing,
)

A = TypeVar("A", bound=Answer)

RUNNER = (sys.executable, "-P", "-s", "-m", "p2peval.evaluation.runner")
"""-P and -s: neither the working directory nor the user's own packages are looked at for modules."""


class Sandbox:
    """Runs jobs in fresh processes, at most ``workers`` at a time.

    ``command`` starts a worker; tests put misbehaving ones in its place.
    """

    def __init__(self, workers: int, *, command: Sequence[str] = RUNNER) -> None:
        self._places = trio.CapacityLimiter(workers)
        self._command = tuple(command)

    async def run(self, job: Job[A], *, deadline: Seconds) -> A:
        """Do ``job`` within ``deadline`` seconds, counted from when a worker is free.

        Raises EvaluationError with the worker's reason, or timeout, out_of_memory, crashed, no_answer,
        garbage; ConfigError for a benchmark.toml. A job that failed or was cancelled leaves no product.
        """
        order = frame(Order(cast(AnyJob, job), math.ceil(deadline)))
        done = False
        try:
            async with self._places:
                answer = await self._ask(order, deadline)
            if isinstance(answer, Failed):
                raise _raised(answer)
            if not isinstance(answer, job.answers):
                raise EvaluationError("garbage", f"the worker answered {type(answer).__name__}")
            done = True
            return cast(A, answer)
        finally:
            if not done:
                _remove(job.products)

    async def _ask(self, order: bytes, deadline: Seconds) -> AnyAnswer:
        with tempfile.TemporaryDirectory(prefix="p2peval-", ignore_cleanup_errors=True) as folder:
            process = await trio.lowlevel.open_process(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
            try:
                with trio.move_on_after(deadline):
                    return await _talk(process, order)
                raise EvaluationError("timeout", f"it was still running after {deadline:g} s and was killed")
            finally:
                await _end(process)


async def _talk(process: trio.Process, order: bytes) -> AnyAnswer:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = bytearray()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_keep_tail, process.stderr, complaints)
        with suppress(trio.BrokenResourceError):  # it died before it read: its status says why
            await process.stdin.send_all(order)
        answer = await _read_frame(process.stdout)
        if missing(answer):
            await process.wait()
            _kill(process)
        else:
            nursery.cancel_scope.cancel()
    if missing(answer) and (not answer or process.returncode):
        raise _epitaph(cast(int, process.returncode), complaints.decode(errors="replace").strip())
    return decode_answer(answer)


async def _read_frame(pipe: trio.abc.ReceiveStream) -> bytearray:
    """One frame, or what came of it."""
    data = bytearray()
    while (need := missing(data)) and (part := await pipe.receive_some(need)):
        data += part
    return data


async def _keep_tail(pipe: trio.abc.ReceiveStream, kept: bytearray) -> None:
    async for part in pipe:
        kept += part
        del kept[:-WORKER_STDERR]


async def _end(process: trio.Process) -> None:
    """Kill the worker and whatever it started, and reap it, even while being cancelled."""
    _kill(process)
    with trio.CancelScope(shield=True):
        await process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                await pipe.aclose()


def _kill(process: trio.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _remove(products: Sequence[str]) -> None:
    for product in products:
        Path(product).unlink(missing_ok=True)


def _environment(folder: str) -> Mapping[str, str]:
    """Nothing of the daemon's own: no tokens, no home, one thread for every numeric library."""
    return {
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(p2peval.__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def _raised(failure: Failed) -> EvaluationError | ConfigError:
    if failure.config:
        return ConfigError(failure.detail, hint=failure.hint)
    return EvaluationError(failure.reason, failure.detail, hint=failure.hint)


def _epitaph(status: int, complaints: str) -> EvaluationError:
    """What a worker's end without an answer means. ``status``: negative is the signal that ended it."""
    last = complaints.splitlines()[-1] if complaints else ""
    if any(word in complaints for word in ("bad_alloc", "MemoryError", "Cannot allocate memory")):
        return EvaluationError("out_of_memory", f"it ran out of the memory allowed: {last}")
    if status == -signal.SIGXCPU:
        return EvaluationError("timeout", "it used up the CPU time allowed")
    if status < 0:
        hint = "the system may be out of memory" if status == -signal.SIGKILL else ""
        name = signal.Signals(-status).name
        return EvaluationError("crashed", f"the worker was ended by {name} {last}".rstrip(), hint=hint)
    return EvaluationError("no_answer", f"the worker ended with status {status} and no answer {last}".rstrip())
