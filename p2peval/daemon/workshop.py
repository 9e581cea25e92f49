"""Evaluations and audits, done by workers: the daemon itself never opens a model or a dataset."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import trio

from p2peval.core.effects import Compare, Excerpt, Prove, RunEvaluation, Sample, Settle
from p2peval.core.events import (
    ComparisonFailed,
    ComparisonFinished,
    EvaluationFailed,
    EvaluationFinished,
    Excerpted,
    JobFailed,
    Proven,
    Sampled,
    Settled,
)
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Efficiency
from p2peval.core.types import PeerId
from p2peval.daemon.shelf import Shelf
from p2peval.defaults import PREPARE_SECONDS, WORKER_GRACE
from p2peval.errors import ConfigError, EvaluationError, NotFoundError, StoreError
from p2peval.evaluation import answers, jobs
from p2peval.evaluation.recipe import Recipe, equivalence_class
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.turns import CHECKS, OWN
from p2peval.wire.ids import public_key_of

NOT_DONE = (EvaluationError, ConfigError, StoreError, NotFoundError)
"""What a job may end with instead of an answer."""


class Workshop:
    """``public_key``: this node's, bound into every leaf of its outputs. ``scratch``: a folder of its own."""

    def __init__(self, sandbox: Sandbox, library: Shelf, public_key: bytes, scratch: Path) -> None:
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
            Efficiency(
                answer.wall_ms,
                answer.peak_memory_mb,
                answer.layers,
                answer.pace.throughput_milli,
                answer.pace.latency_p50_us,
                answer.pace.latency_p99_us,
            ),
        )

    async def outputs(self, spec: BenchmarkSpec, model: Blob, queue: str = OWN) -> tuple[answers.Evaluated, Blob]:
        """Run ``model`` and put its outputs on the shelf. ``queue``: for whom. Raises what NOT_DONE names."""
        run = await self._run(spec, await self._library.path(model.cid))
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            out = Path(folder) / "outputs"
            job = jobs.Evaluate(run, self._public_key, str(out))
            answer = await self._sandbox.run(job, deadline=spec.limits.seconds, queue=queue)
            return answer, await self._library.add(out)

    async def compare(self, effect: Compare) -> ComparisonFinished | ComparisonFailed:
        try:
            answer = await self._compared(effect)
        except NOT_DONE as error:
            return ComparisonFailed(effect.id, effect.task, effect.assignment, error.message)
        return ComparisonFinished(
            effect.id,
            effect.task,
            effect.assignment,
            answer.verdict,
            answer.audited,
            answer.differing,
            answer.metrics,
        )

    async def _compared(self, effect: Compare) -> answers.Compared:
        path = self._library.path
        job = jobs.Compare(
            run=await self._run(effect.spec, await path(effect.model.cid)),
            outputs=await path(effect.outputs.cid),
            others=tuple([await path(other.cid) for other in effect.others]),
            root=effect.root,
            public_key=public_key_of(effect.evaluator),
            nonce=effect.nonce,
            task=effect.task,
            drawn=effect.drawn,
            equivalence_class=effect.equivalence_class,
            tolerance=effect.spec.tolerance,
            fraud_margin=effect.spec.fraud_margin,
            scoring=await self._scoring_if_here(effect.spec, effect.delta_nano),
            known=await path(effect.known.cid) if effect.known else "",
        )
        # As long again as an evaluation, for what tells a lie from a bad model: it must not run out of time there.
        return await self._sandbox.run(job, deadline=2 * effect.spec.limits.seconds + WORKER_GRACE)

    async def sample(self, effect: Sample) -> Sampled | JobFailed:
        """Our own outputs at some samples, for a blind audit."""
        try:
            job = jobs.Sample(await self._run(effect.spec, await self._library.path(effect.model.cid)), effect.indices)
            answer = await self._sandbox.run(job, deadline=effect.spec.limits.seconds, queue=CHECKS)
        except NOT_DONE as error:
            return JobFailed(effect.id, error.message)
        return Sampled(effect.id, answer.equivalence_class, answer.rows)

    async def excerpt(self, effect: Excerpt) -> Excerpted | JobFailed:
        """Claimed rows as they stand in a file of rows: no worker is needed to read them."""
        try:
            path = Path(await self._library.path(effect.outputs.cid))
            rows = await trio.to_thread.run_sync(_read_rows, path, effect.row_bytes, effect.indices)
        except NOT_DONE as error:
            return JobFailed(effect.id, error.message)
        return Excerpted(effect.id, rows)

    async def settle(self, effect: Settle) -> Settled | JobFailed:
        """Our own word on one sample of a fraud proof."""
        spec = effect.spec
        try:
            job = jobs.Settle(
                run=await self._run(spec, await self._library.path(effect.model.cid)),
                index=effect.index,
                row=effect.row,
                equivalence_class=effect.equivalence_class,
                tolerance=spec.tolerance,
                fraud_margin=spec.fraud_margin,
            )
            answer = await self._sandbox.run(job, deadline=2 * spec.limits.seconds + WORKER_GRACE, queue=CHECKS)
        except NOT_DONE as error:
            return JobFailed(effect.id, error.message)
        return Settled(effect.id, answer.verdict, equivalence_class(Recipe(spec.profile)))

    async def prove(self, effect: Prove) -> Proven | JobFailed:
        """The row and the path of a fraud proof of ours."""
        spec = effect.spec
        try:
            job = jobs.Prove(
                run=await self._run(spec, await self._library.path(effect.model.cid)),
                outputs=await self._library.path(effect.outputs.cid),
                public_key=public_key_of(effect.evaluator),
                indices=effect.differing,
                equivalence_class=effect.equivalence_class,
                tolerance=spec.tolerance,
                fraud_margin=spec.fraud_margin,
                rerun=effect.rerun,
            )
            answer = await self._sandbox.run(job, deadline=2 * spec.limits.seconds + WORKER_GRACE)
        except NOT_DONE as error:
            return JobFailed(effect.id, error.message)
        return Proven(
            effect_id=effect.id,
            benchmark=effect.benchmark,
            task=effect.task,
            assignment=effect.assignment,
            announcement=effect.announcement,
            reveal=effect.reveal,
            index=answer.index,
            row=answer.row,
            path=answer.path,
        )

    async def scan(self, spec: BenchmarkSpec, model: Path) -> None:
        """Raises EvaluationError, saying where, for a model that may not be opened or does not fit ``spec``."""
        fits = (spec.model_input, spec.model_output)
        await self._sandbox.run(jobs.Scan(str(model), spec.limits, fits), deadline=spec.limits.seconds)

    async def held(self, blob: Blob) -> None:
        """Raises NotFoundError where ``blob`` is not on the shelf any more."""
        await self._library.path(blob.cid)

    async def disguised(self, spec: BenchmarkSpec, model: Blob, seed: bytes) -> Blob:
        """A model that says the same, on the shelf. Raises what NOT_DONE names."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            out = Path(folder) / "model"
            job = jobs.Disguise(await self._library.path(model.cid), str(out), spec.limits, seed)
            await self._sandbox.run(job, deadline=spec.limits.seconds + WORKER_GRACE)
            return await self._library.add(out)

    async def rehearse(self, spec: BenchmarkSpec, model: Path) -> None:
        """Run a few samples of a scanned model; the benchmark's inputs are here.

        Raises EvaluationError for one that fails, or to whose outputs no evaluator could be held (batch_dependent,
        ill_conditioned), and what else NOT_DONE names.
        """
        job = jobs.Rehearse(await self._run(spec, str(model)), spec.tolerance, spec.fraud_margin)
        await self._sandbox.run(job, deadline=spec.limits.seconds + WORKER_GRACE)

    async def preview(self, spec: BenchmarkSpec, model: Blob) -> answers.Previewed:
        """Run and score, commit to nothing. Raises what NOT_DONE names."""
        scoring = await self._scoring(spec, spec.verification.delta_nano)
        if scoring is None:
            raise EvaluationError("no_labels", "the labels of this benchmark are not published")
        job = jobs.Preview(await self._run(spec, await self._library.path(model.cid)), scoring)
        return await self._sandbox.run(job, deadline=spec.limits.seconds + WORKER_GRACE)

    async def rescore(
        self,
        spec: BenchmarkSpec,
        outputs: Blob,
        equivalence_class: str,
        metrics: tuple[str, ...],
        delta_nano: int,
    ) -> answers.Rescored:
        """Metrics of ``outputs``, made in ``equivalence_class``; nothing is run. Raises what NOT_DONE names."""
        scoring = await self._scoring(spec, delta_nano)
        if scoring is None:
            raise EvaluationError("no_labels", "the labels of this benchmark are not published")
        job = jobs.Rescore(
            outputs=await self._library.path(outputs.cid),
            samples=spec.samples,
            output=spec.model_output,
            equivalence_class=equivalence_class,
            profile=spec.profile,
            tolerance=spec.tolerance,
            scoring=msgspec.structs.replace(scoring, metrics=metrics),
            limit_mb=spec.limits.memory_mb,
        )
        return await self._sandbox.run(job, deadline=spec.limits.seconds + WORKER_GRACE)

    async def prepare(self, directory: Path) -> tuple[answers.Prepared, dict[str, Blob]]:
        """Parse a benchmark directory's data; returns inputs, labels and any groups on the shelf, by these names."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            job = jobs.Prepare(str(directory), folder)
            answer = await self._sandbox.run(job, deadline=PREPARE_SECONDS)
            names = ("inputs", "labels", *(("groups",) if answer.group_names else ()))
            blobs = {name: await self._library.add(Path(folder) / f"{name}.npy") for name in names}
        return answer, blobs

    def _queue(self, requester: PeerId | None) -> str:
        """Requesters are served in turn; what this node wants itself goes first."""
        return OWN if requester is None or public_key_of(requester) == self._public_key else requester

    async def _run(self, spec: BenchmarkSpec, model: str) -> jobs.Run:
        return jobs.Run(
            model=model,
            inputs=await self._library.path(spec.inputs.cid),
            samples=spec.samples,
            input=spec.model_input,
            output=spec.model_output,
            limits=spec.limits,
            profile=spec.profile,
        )

    async def _scoring_if_here(self, spec: BenchmarkSpec, delta_nano: int) -> jobs.Scoring | None:
        """As ``_scoring``; None too while labels that were just revealed are on their way: outputs need none."""
        try:
            return await self._scoring(spec, delta_nano)
        except NotFoundError:
            if not spec.labels_commitment:
                raise
            return None

    async def _scoring(self, spec: BenchmarkSpec, delta_nano: int) -> jobs.Scoring | None:
        if spec.labels is None:
            return None
        path = self._library.path
        return jobs.Scoring(
            labels=await path(spec.labels.cid),
            task=spec.task,
            metrics=spec.metrics,
            range=spec.range,
            delta_nano=delta_nano,
            groups=await path(spec.groups.cid) if spec.groups else "",
            group_names=spec.group_names,
            conditions=tuple(condition.name for condition in spec.conditions),
        )


def _read_rows(path: Path, row_bytes: int, indices: tuple[int, ...]) -> tuple[bytes, ...]:
    """Raises StoreError."""
    rows = []
    try:
        with path.open("rb") as file:
            for index in indices:
                file.seek(index * row_bytes)
                rows.append(file.read(row_bytes))
    except OSError as error:
        raise StoreError(f"the outputs cannot be read: {error.strerror or error}") from None
    if any(len(row) != row_bytes for row in rows):
        raise StoreError("the outputs end too early")
    return tuple(rows)
