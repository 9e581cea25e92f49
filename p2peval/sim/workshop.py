"""Evaluations and audits of one world: the twin of ``daemon/workshop.py``, with a ``Laboratory`` for a worker.

A host has one worker, which does one job after the other. A run over all samples takes the benchmark's ``seconds``
times the host's pace; an audit its share of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2peval.core import audit
from p2peval.core.effects import Compare, Excerpt, Prove, RunEvaluation, Sample, Settle
from p2peval.core.events import (
    ComparisonFinished,
    EvaluationFinished,
    Event,
    Excerpted,
    JobFailed,
    Proven,
    Sampled,
    Settled,
)
from p2peval.core.parts import Efficiency
from p2peval.core.types import Seconds
from p2peval.core.verdict import Verdict
from p2peval.sim.host import Host
from p2peval.sim.synthetic import Laboratory, path, reports, root
from p2peval.wire.ids import public_key_of

if TYPE_CHECKING:
    from p2peval.sim.world import World

Job = RunEvaluation | Compare | Sample | Excerpt | Prove | Settle

START_UP: Seconds = 0.02
"""Of a warm worker; measured."""

MOST_NAMED = 64
"""Differing samples that an answer names, as a worker's does."""


class Workshop:
    """``seconds``: what one evaluation takes, at a pace of 1. ``mistakes``: chance that a run errs by accident."""

    __slots__ = ("_world", "laboratory", "mistakes", "seconds")

    def __init__(self, world: World) -> None:
        self._world = world
        self.laboratory: Laboratory = Laboratory()
        self.seconds: Seconds = 1.0
        self.mistakes = 0.0

    def do(self, host: Host, job: Job) -> None:
        """Queue it behind what the host's worker has to do already."""
        world = self._world
        begin = max(world.now, host.busy_until)
        host.busy_until = begin + START_UP + host.pace * self.seconds * self._share(job)
        world.after(host, host.busy_until - world.now, self._finish, host, job)

    def _share(self, job: Job) -> float:
        """Of an evaluation's work, 0 to 1."""
        match job:
            case RunEvaluation():
                return 1.0
            case Compare():
                return min(1.0, job.drawn / job.spec.samples)
            case Sample():
                return len(job.indices) / job.spec.samples
            case Settle() | Prove():
                return 1.0 / job.spec.samples
            case Excerpt():
                return 0.0

    def _finish(self, host: Host, job: Job) -> None:
        if job.id not in host.performing:
            return  # stopped
        self._world.work[type(job).__name__] += 1
        if not isinstance(job, RunEvaluation):
            self._world.work["checked_nano"] += round(self._share(job) * 1e9)
        self._world.handle(host, self._answer(host, job), job.id)

    def _answer(self, host: Host, job: Job) -> Event:
        match job:
            case RunEvaluation():
                return self._evaluated(host, job)
            case Compare():
                return self._compared(host, job)
            case Sample():
                rows = self.laboratory.true_rows(job.spec, job.model.cid, host.equivalence_class)
                return Sampled(job.id, host.equivalence_class, tuple(rows[index].tobytes() for index in job.indices))
            case Excerpt():
                rows = self.laboratory[job.outputs.cid].rows
                return Excerpted(job.id, tuple(rows[index].tobytes() for index in job.indices))
            case Prove():
                return self._proven(host, job)
            case Settle():
                differs = self.laboratory.row_differs(
                    job.spec, job.model.cid, job.index, job.row, host.equivalence_class
                )
                return Settled(job.id, Verdict.DIFFERS if differs else Verdict.AGREES, host.equivalence_class)

    def _evaluated(self, host: Host, job: RunEvaluation) -> EvaluationFinished:
        own = host.equivalence_class
        if self.mistakes and host.rng.random() < self.mistakes:
            outputs = self.laboratory.altered(job.spec, job.model.cid, own, 1.0, f"mistake/{host.number}/{job.task}")
        else:
            outputs = self.laboratory.run(job.spec, job.model.cid, own)
        self._world.hold(host, outputs.blob.cid)
        millis = max(1, round(1000 * host.pace * self.seconds))
        return EvaluationFinished(
            job.id,
            job.task,
            job.assignment,
            own,
            root(outputs, public_key_of(host.id)),
            outputs.blob,
            Efficiency(millis, 100),
        )

    def _compared(self, host: Host, job: Compare) -> ComparisonFinished:
        outputs = self.laboratory[job.outputs.cid]
        drawn = audit.draw(job.nonce, job.task, job.root, job.spec.samples, job.drawn)
        if job.known is not None:
            right = self.laboratory[job.known.cid].rows
            drawn = list(range(job.spec.samples))
            differing = [at for at in drawn if (outputs.rows[at] != right[at]).any()]
        else:
            differing = self.laboratory.differing(
                job.spec, job.model.cid, job.outputs.cid, host.equivalence_class, drawn
            )
        verdict = Verdict.DIFFERS if differing else Verdict.AGREES
        if root(outputs, public_key_of(job.evaluator)) != job.root:
            verdict, differing = Verdict.NOT_AUTHENTIC, []
        return ComparisonFinished(
            job.id,
            job.task,
            job.assignment,
            verdict,
            len(drawn),
            tuple(differing[:MOST_NAMED]),
            reports(job.spec, outputs),
        )

    def _proven(self, host: Host, job: Prove) -> Proven | JobFailed:
        outputs, differing = self.laboratory[job.outputs.cid], list(job.differing)
        if job.rerun:
            differing = self.laboratory.differing(
                job.spec, job.model.cid, job.outputs.cid, host.equivalence_class, differing
            )
        if not differing:
            return JobFailed(job.id, "nothing to prove")
        return Proven(
            job.id,
            job.benchmark,
            job.task,
            job.assignment,
            job.announcement,
            job.reveal,
            differing[0],
            outputs.rows[differing[0]].tobytes(),
            path(outputs, public_key_of(job.evaluator), differing[0]),
        )
