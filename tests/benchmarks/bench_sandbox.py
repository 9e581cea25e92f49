"""What a worker costs to start, cold and warm, and what a second worker brings.

A job is a whole evaluation as the daemon asks for it: a process, its locks, scan, session, samples, hashing and
the answer. Cold has a zygote of its own, warm is forked from one that has done jobs before; they take turns, as
do one worker and two. Two workers on fewer than two idle cores cannot bring twice as much: the cores are said.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bench_models
import numpy as np
import trio
from bench_models import Case
from report import Row
from worlds import seed_of

from p2peval.core.parts import Limits
from p2peval.evaluation.jobs import Evaluate, Run
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight

STARTS = 15
ROUNDS = 5
JOBS = 4
DEADLINE = 120.0


@dataclass(frozen=True, slots=True)
class Work:
    """A case whose files lie in a folder of their own."""

    folder: Path
    case: Case
    samples: int

    def jobs(self, count: int) -> Iterator[Evaluate]:
        limits = Limits(int(DEADLINE), 1024, 64)
        model, inputs = str(self.folder / "model.onnx"), str(self.folder / "inputs.npy")
        run = Run(model, inputs, self.samples, self.case.input, self.case.output, limits)
        for number in range(count):
            yield Evaluate(run, seed_of("me"), str(self.folder / f"outputs{number}"))


def run(scratch: Path) -> list[Row]:
    small = _written(scratch / "small", bench_models.logreg(), 64)
    large = _written(scratch / "large", bench_models.cnn(), 16_384)
    return [*trio.run(_starts, small), *trio.run(_speedup, large)]


def _written(folder: Path, case: Case, samples: int) -> Work:
    folder.mkdir()
    np.save(folder / "inputs.npy", np.random.default_rng(3).random((samples, *case.input.shape), np.float32))
    (folder / "model.onnx").write_bytes(case.model)
    return Work(folder, case, samples)


async def _starts(work: Work) -> list[Row]:
    sight = Sight(writes=(str(work.folder),))
    async with Sandbox(1, sight=sight) as warm:
        cold = Sandbox(1, sight=sight)
        await _seconds(warm, work, 1)
        turns = [(await _seconds(cold, work, 1), await _seconds(warm, work, 1)) for _ in range(STARTS)]
    colds, warms = zip(*turns, strict=True)
    what = f"{work.samples} samples of {work.case.name}, median of {STARTS}"
    return [
        Row("evaluation.start_cold_ms", 1000 * statistics.median(colds), "ms", f"a zygote of its own; {what}"),
        Row("evaluation.start_warm_ms", 1000 * statistics.median(warms), "ms", f"the warm zygote; {what}"),
    ]


async def _speedup(work: Work) -> list[Row]:
    sight = Sight(writes=(str(work.folder),))
    async with Sandbox(1, sight=sight) as one, Sandbox(2, sight=sight) as two:
        for sandbox in (one, two):
            await _seconds(sandbox, work, 1)
        turns = [(await _seconds(one, work, JOBS), await _seconds(two, work, JOBS)) for _ in range(ROUNDS)]
    ratio = statistics.median(single / double for single, double in turns)
    single, double = (statistics.median(column) for column in zip(*turns, strict=True))
    against = f"{JOBS} jobs: one worker {single:.2f} s, two {double:.2f} s; {os.cpu_count()} cores, load {_load():.1f}"
    return [Row("evaluation.workers2.speedup", ratio, "ratio", f"{against}; wanted: >= 1.8 on 2 cores")]


async def _seconds(sandbox: Sandbox, work: Work, count: int) -> float:
    """Of ``count`` jobs that are asked for at once."""

    async def one(job: Evaluate) -> None:
        await sandbox.run(job, deadline=DEADLINE)

    start = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for job in work.jobs(count):
            nursery.start_soon(one, job)
    return time.perf_counter() - start


def _load() -> float:
    """Processes that wanted a core in the last minute, ours included."""
    return os.getloadavg()[0]
