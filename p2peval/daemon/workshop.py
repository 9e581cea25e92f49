"""Evaluations and audits, done by workers: the daemon itself never opens a model or a dataset."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import trio

from p2peval.core.effects import Compare, RunEvaluation
from p2peval.core.events import ComparisonFailed, ComparisonFinished, EvaluationFailed, EvaluationFinished
from p2peval.core.messages import BenchmarkSpec, Blob, Efficiency
from p2peval.core.types import PeerId
from p2peval.core.verdict import Verdict
from p2peval.daemon.library import Library
from p2peval.defaults import PREPARE_SECONDS, WORKER_GRACE
from p2peval.errors import ConfigError, EvaluationError, NotFoundError, StoreError
from p2peval.evaluation import jobs
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.turns import OWN
from p2peval.wire.ids import public_key_of

NOT_DONE = (EvaluationError, ConfigError, StoreError, NotFoundError)
"""What a job may end with instead of an answer."""


class Workshop:
    """``public_key``: this node's, bound into every leaf of its outputs. ``scratch``: a folder of its own."""

    def __init__(self, sandbox: Sandbox, library: Library, public_key: bytes, scratch: Path) -> None:
        self._sandbox = sandbox
        self._library = library
        self._public_key = public_key
        self._scratch = scratch

    async def evaluate(self, effect: RunEvaluation) -> EvaluationFinished | EvaluationFailed:
        try:
            answer, outputs = await self.outputs(effect.spec, effect.model, self._queue(effect.requester))
        except NOT_DONE as error:
            return EvaluationFailed(effect.id, effect.task, effect.assignment, error.message)
        return EvaluationFinished(
            effect.id,
            effect.task,
            effect.assignment,
            answer.equivalence_class,
            answer.root,
            outputs,
            Efficiency(answer.wall_ms, answer.peak_memory_mb, answer.layers),
        )

    async def outputs(self, spec: BenchmarkSpec, model: Blob, queue: str = OWN) -> tuple[jobs.Evaluated, Blob]:
        """Run ``model`` and put its outputs on the shelf. ``queue``: for whom. Raises what NOT_DONE names."""
        run = await self._run(spec, model)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            out = Path(folder) / "outputs"
            job = jobs.Evaluate(run, self._public_key, str(out))
            answer = await self._sandbox.run(job, deadline=spec.limits.seconds, queue=queue)
            return answer, await trio.to_thread.run_sync(self._library.store.add_file, out)

    async def compare(self, effect: Compare) -> ComparisonFinished | ComparisonFailed:
        try:
            answer = await self._compared(effect)
        except NOT_DONE as error:
            return ComparisonFailed(effect.id, effect.task, effect.assignment, error.message)
        return ComparisonFinished(
            effect.id,
            effect.task,
            effect.assignment,
            _verdict(answer),
            answer.audited,
            answer.differing,
            answer.metrics,
        )

    async def _compared(self, effect: Compare) -> jobs.Compared:
        path = self._library.path
        job = jobs.Compare(
            run=await self._run(effect.spec, effect.model),
            outputs=await path(effect.outputs.cid),
            others=tuple([await path(other.cid) for other in effect.others]),
            root=effect.root,
            public_key=public_key_of(effect.evaluator),
            nonce=effect.nonce,
            task=effect.task,
            drawn=effect.drawn,
            tolerance=effect.spec.tolerance,
            scoring=await self._scoring(effect.spec, effect.delta_nano),
        )
        return await self._sandbox.run(job, deadline=effect.spec.limits.seconds + WORKER_GRACE)

    async def scan(self, spec: BenchmarkSpec, model: Path) -> None:
        """Raises EvaluationError, saying where, for a model that may not be opened or does not fit ``spec``."""
        fits = (spec.model_input, spec.model_output)
        await self._sandbox.run(jobs.Scan(str(model), spec.limits, fits), deadline=spec.limits.seconds)

    async def preview(self, spec: BenchmarkSpec, model: Blob) -> jobs.Previewed:
        """Run and score, commit to nothing. Raises what NOT_DONE names."""
        scoring = await self._scoring(spec, spec.verification.delta_nano)
        if scoring is None:
            raise EvaluationError("no_labels", "the labels of this benchmark are not published")
        job = jobs.Preview(await self._run(spec, model), scoring)
        return await self._sandbox.run(job, deadline=spec.limits.seconds + WORKER_GRACE)

    async def rescore(
        self, spec: BenchmarkSpec, outputs: Blob, metrics: tuple[str, ...], delta_nano: int
    ) -> jobs.Rescored:
        """Metrics of outputs on the shelf; nothing is run. Raises what NOT_DONE names."""
        scoring = await self._scoring(spec, delta_nano)
        if scoring is None:
            raise EvaluationError("no_labels", "the labels of this benchmark are not published")
        job = jobs.Rescore(
            outputs=await self._library.path(outputs.cid),
            samples=spec.samples,
            output=spec.model_output,
            tolerance=spec.tolerance,
            scoring=msgspec.structs.replace(scoring, metrics=metrics),
            limit_mb=spec.limits.memory_mb,
        )
        return await self._sandbox.run(job, deadline=spec.limits.seconds + WORKER_GRACE)

    async def prepare(self, directory: Path) -> tuple[jobs.Prepared, Blob, Blob]:
        """Parse a benchmark directory's data; returns inputs and labels on the shelf."""
        store = self._library.store
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            job = jobs.Prepare(str(directory), folder)
            answer = await self._sandbox.run(job, deadline=PREPARE_SECONDS)
            inputs = await trio.to_thread.run_sync(store.add_file, Path(folder) / "inputs.npy")
            labels = await trio.to_thread.run_sync(store.add_file, Path(folder) / "labels.npy")
        return answer, inputs, labels

    def _queue(self, requester: PeerId | None) -> str:
        """Requesters are served in turn; what this node wants itself goes first."""
        return OWN if requester is None or public_key_of(requester) == self._public_key else requester

    async def _run(self, spec: BenchmarkSpec, model: Blob) -> jobs.Run:
        return jobs.Run(
            model=await self._library.path(model.cid),
            inputs=await self._library.path(spec.inputs.cid),
            samples=spec.samples,
            input=spec.model_input,
            output=spec.model_output,
            limits=spec.limits,
        )

    async def _scoring(self, spec: BenchmarkSpec, delta_nano: int) -> jobs.Scoring | None:
        if spec.labels is None:
            return None
        labels = await self._library.path(spec.labels.cid)
        return jobs.Scoring(labels, spec.task, spec.metrics, spec.range, delta_nano)


def _verdict(answer: jobs.Compared) -> Verdict:
    if answer.mismatch:
        return Verdict.NOT_AUTHENTIC
    return Verdict.DIFFERS if answer.differing else Verdict.AGREES
