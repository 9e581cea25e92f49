"""Samples per second through the daemon's own path ÷ a bare onnxruntime loop with the same recipe.

The path is Workshop → Sandbox → worker, blobs from the store and outputs back onto it. Both sides time their
loop over batches alone, each in a fresh process, taking turns; opening the session and hashing stay outside.
What the whole job takes, all of it included, stands beside.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bench_models
import numpy as np
import trio
from bench_models import Case
from report import Row
from worlds import author_spec, seed_of

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.daemon.clock import Clock
from p2peval.daemon.library import Library
from p2peval.daemon.workshop import Workshop
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight
from p2peval.store.blobs import BlobStore

RUNS = 7
WANTED = {"cnn": 0.90, "logreg": 0.75, "transformer": 0.95}
"""Of evaluation.md, Speed: a batch of the transformer takes far more than 10 ms."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds: of the bare loop, of ours, and of our whole job."""

    bare: float
    loop: float
    job: float


def run(scratch: Path) -> list[Row]:
    cases = (bench_models.cnn(), bench_models.logreg(), bench_models.transformer())
    return [row for case in cases for row in trio.run(_measure, case, scratch)]


async def _measure(case: Case, scratch: Path) -> list[Row]:
    store = BlobStore(scratch / f"{case.name}-blobs", 4 << 30)
    spec, model = put(case, store, scratch)
    no_network: Any = None  # all blobs are here
    async with Sandbox(1, sight=Sight(writes=(str(scratch),))) as sandbox:
        workshop = Workshop(sandbox, Library(no_network, store, Clock()), seed_of("me"), scratch)
        await _turn(case, spec, model, workshop, store)  # files into the page cache, a zygote that is warm
        turns = [await _turn(case, spec, model, workshop, store) for _ in range(RUNS)]
    ratio = statistics.median(turn.bare / turn.loop for turn in turns)
    bare, loop, job = (statistics.median(getattr(turn, part) for turn in turns) for part in ("bare", "loop", "job"))
    against = f"bare loop {len(case.inputs) / bare:.0f} samples/s, ours {len(case.inputs) / loop:.0f}"
    return [
        Row(f"evaluation.ratio.{case.name}", ratio, "ratio", f"{against}; wanted: >= {WANTED[case.name]:.2f}"),
        Row(
            f"evaluation.job_overhead_s.{case.name}",
            job - loop,
            "s",
            f"loop of {loop:.3f} s over {len(case.inputs)} samples: process, scan, session, hashing, storing",
        ),
    ]


def put(case: Case, store: BlobStore, scratch: Path) -> tuple[BenchmarkSpec, Blob]:
    inputs = scratch / f"{case.name}.npy"
    np.save(inputs, case.inputs)
    spec = replace(
        author_spec().payload,
        samples=len(case.inputs),
        inputs=store.add_file(inputs),
        model_input=case.input,
        model_output=case.output,
        limits=case.limits,
    )
    return spec, store.add_bytes(case.model)


async def _turn(case: Case, spec: BenchmarkSpec, model: Blob, workshop: Workshop, store: BlobStore) -> Turn:
    command = [sys.executable, str(Path(__file__).with_name("bare_loop.py"))]
    arguments = [str(store.path(model.cid)), str(store.path(spec.inputs.cid)), str(*case.output.shape)]
    bare = await trio.run_process([*command, *arguments, case.input.name, case.output.name], capture_stdout=True)
    start = time.perf_counter()
    answer, _ = await workshop.outputs(spec, model)
    return Turn(float(bare.stdout), answer.run_s, time.perf_counter() - start)
