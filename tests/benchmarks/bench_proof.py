"""What a fraud proof costs: bytes on the wire, building it, reading it, and the re-run that decides.

Building and re-running are whole jobs, as the daemon does them, in a worker that its warm zygote forks; reading is what
every receiver does before it spends anything: two envelopes, all bounds, and the Merkle path.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import bench_models
import numpy as np
import trio
from bench_evaluation import put
from report import Row
from worlds import sealer_of, seed_of

from p2peval.core import checking as c
from p2peval.core import fraud
from p2peval.core import messages as m
from p2peval.core import parts as p
from p2peval.core.commitment import output_root
from p2peval.core.context import Context
from p2peval.core.effects import Prove, Settle
from p2peval.core.events import Proven, Settled
from p2peval.core.policy import Policy
from p2peval.core.rows import BenchmarkRow
from p2peval.core.state import State
from p2peval.core.types import AssignmentId, BenchmarkId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.daemon.clock import Clock
from p2peval.daemon.library import Library
from p2peval.daemon.workshop import Workshop
from p2peval.defaults import NETWORK_ID
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight
from p2peval.store.blobs import BlobStore
from p2peval.wire.ids import public_key_of
from p2peval.wire.secrets import NodeSecrets

SAMPLES = 10_000
RUNS = 7
READS = 200
ALTERED = 17

T = TypeVar("T")


def run(scratch: Path) -> list[Row]:
    return trio.run(_in_sandbox, scratch)


async def _in_sandbox(scratch: Path) -> list[Row]:
    async with Sandbox(1, sight=Sight(writes=(str(scratch),))) as sandbox:
        return await _measure(scratch, sandbox)


async def _measure(scratch: Path, sandbox: Sandbox) -> list[Row]:
    whole = bench_models.logreg()
    case = replace(whole, inputs=whole.inputs[:SAMPLES])
    store = BlobStore(scratch / "blobs", 4 << 30)
    spec, model = put(case, store, scratch)
    no_network: Any = None  # all blobs are here
    workshop = Workshop(sandbox, Library(no_network, store, Clock()), seed_of("liar"), scratch)
    liar = sealer_of("liar")
    answer, true = await workshop.outputs(spec, model)
    rows = np.fromfile(store.path(true.cid), np.float32).reshape(SAMPLES, -1)
    rows[ALTERED] = rows[ALTERED][::-1].copy()
    lie = store.add_bytes(rows.tobytes())
    announced, reveal = _said(spec, model, lie, output_root(rows, public_key_of(liar.peer_id)), answer)
    effect = Prove(
        id="prove",
        benchmark=announced.payload.benchmark,
        task=TaskId(announced.id),
        assignment=reveal.payload.assignment,
        evaluator=liar.peer_id,
        spec=spec,
        model=model,
        outputs=lie,
        equivalence_class=answer.equivalence_class,
        differing=(ALTERED,),
        announcement=announced.envelope,
        reveal=reveal.envelope,
    )
    built, proven = await _timed(lambda: workshop.prove(effect))
    assert isinstance(proven, Proven)
    proof = sealer_of("prover").seal(_proof(proven))
    settle = Settle("settle", spec, model, proven.index, proven.row, answer.equivalence_class)
    settled, verdict = await _timed(lambda: workshop.settle(settle))
    assert isinstance(verdict, Settled)
    assert verdict.verdict is Verdict.DIFFERS
    against = f"{SAMPLES} samples of {case.output.shape[0]} outputs, path of {len(proven.path)} hashes"
    size = len(proof.envelope)
    return [
        Row(
            "proof.bytes",
            size,
            "bytes",
            f"{against}; inside: announcement {len(announced.envelope)}, reveal {len(reveal.envelope)}",
        ),
        Row("proof.build_ms", built * 1e3, "ms", f"{against}; a worker of the warm zygote included"),
        Row(
            "proof.read_ms",
            _reading(spec, proof) * 1e3,
            "ms",
            "three signatures, canonical form, bounds and path; no model",
        ),
        Row(
            "proof.rerun_ms",
            settled * 1e3,
            "ms",
            "one sample in its batch, rules a to c, a worker of the warm zygote included",
        ),
    ]


async def _timed(job: Callable[[], Awaitable[T]]) -> tuple[float, T]:
    """Median seconds of RUNS after one to warm the page cache, and the last answer."""
    answer, spent = await job(), []
    for _ in range(RUNS):
        start = time.perf_counter()
        answer = await job()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent), answer


def _reading(spec: m.BenchmarkSpec, proof: m.Sealed[c.FraudProof]) -> float:
    """Seconds from the envelope's bytes to the verdict that it hangs together."""
    state, reader = State(), sealer_of("reader")
    state.benchmarks.put(BenchmarkRow(proof.payload.benchmark, spec, True, True, True))
    ctx = Context(state, reader, NodeSecrets(seed_of("reader")), Random(0), NETWORK_ID, Policy())
    start = time.perf_counter()
    for _ in range(READS):
        opened = reader.open(proof.envelope).payload
        assert isinstance(opened, c.FraudProof)
        fraud.opened(ctx, opened)
    return (time.perf_counter() - start) / READS


def _said(
    spec: m.BenchmarkSpec, model: p.Blob, outputs: p.Blob, root: bytes, answer: Any
) -> tuple[m.Sealed[m.TaskAnnouncement], m.Sealed[m.Reveal]]:
    """A task of the author's, and the liar's reveal for it."""
    author, liar = sealer_of("author"), sealer_of("liar")
    benchmark = BenchmarkId(author.seal(spec).id)
    announced = author.seal(
        m.TaskAnnouncement(NETWORK_ID, author.peer_id, benchmark, model, "logreg.onnx", 10_000_000, 10_000_000, 1, 1, 2)
    )
    reveal = m.Reveal(
        network=NETWORK_ID,
        author=liar.peer_id,
        task=TaskId(announced.id),
        assignment=AssignmentId(announced.id),
        commitment=announced.id,
        equivalence_class=answer.equivalence_class,
        samples=spec.samples,
        root=root,
        nonce=bytes(32),
        outputs=outputs,
        efficiency=p.Efficiency(answer.wall_ms, answer.peak_memory_mb, answer.layers),
    )
    return announced, liar.seal(reveal)


def _proof(proven: Proven) -> c.FraudProof:
    return c.FraudProof(
        network=NETWORK_ID,
        author=sealer_of("prover").peer_id,
        benchmark=proven.benchmark,
        task=proven.task,
        assignment=proven.assignment,
        announcement=proven.announcement,
        reveal=proven.reveal,
        index=proven.index,
        row=proven.row,
        path=proven.path,
    )
