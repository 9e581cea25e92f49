"""The worker: a process that a zygote forked, and that does one job.

Decides how each job is done; everything that opens a stranger's file happens here. Must not know the
daemon, the network or the store. One order comes in on stdin, one answer goes out on stdout
(evaluation.jobs, in evaluation.frames); what else is printed lands on stderr. Source: evaluation.md, The sandbox.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from p2peval.core.parts import MetricReport, Tensor
from p2peval.core.verdict import REASONS, Verdict
from p2peval.errors import ConfigError, EvaluationError, RemoteProtocolError
from p2peval.evaluation import confine, layers
from p2peval.evaluation.answers import (
    Answer,
    Compared,
    Disguised,
    Evaluated,
    Failed,
    Previewed,
    Rehearsed,
    Rescored,
    Scanned,
    Tried,
)
from p2peval.evaluation.frames import decode_order, frame, missing
from p2peval.evaluation.jobs import (
    AnyJob,
    Compare,
    Disguise,
    Evaluate,
    Order,
    Prepare,
    Preview,
    Prove,
    Rehearse,
    Rescore,
    Run,
    Sample,
    Scan,
    Settle,
    Trial,
    row_bytes,
)

if TYPE_CHECKING:
    from p2peval.evaluation.judge import Subject

HINTS = {
    Verdict.BATCH_DEPENDENT: "let it treat each sample by itself, without statistics over the batch",
    Verdict.ILL_CONDITIONED: "no two processors would say the same: is it trained, and fed as it was in training?",
}
"""What to do about a model that cannot be checked."""

# What a job needs is imported where it is needed; what is large, the zygote has imported already.


def main() -> None:
    """Read an order, tie and limit this process, answer."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer
    order = _read_order()
    confine.leash(0)
    answers.write(frame(_carry_out(order)))
    answers.flush()


def perform(job: AnyJob) -> Answer:
    """Do a job in this process. Raises EvaluationError or ConfigError."""
    match job:
        case Prepare():
            from p2peval.evaluation.dataset import prepare

            return prepare(Path(job.directory), Path(job.out))
        case Scan():
            return _scan(job)
        case Disguise():
            return _disguise(job)
        case Evaluate():
            return _evaluate(job)
        case Preview():
            return _preview(job)
        case Rehearse():
            return _rehearse(job)
        case Compare():
            return _compare(job)
        case Sample() | Settle() | Prove():
            return _single(job)
        case Rescore():
            return _rescore(job)
        case Trial():
            return Tried()


def _carry_out(order: Order) -> Answer:
    try:
        confine.limit(
            memory_mb=order.job.memory_mb,
            mapped=sum(_size(path) for path in order.job.reads),
            cpu_seconds=order.cpu_seconds,
            file_bytes=order.job.writes,
        )
        on = (*_lock(order.job), *order.walls)
        answer = perform(order.job)
        return msgspec.structs.replace(answer, layers=on) if isinstance(answer, Evaluated | Tried) else answer
    except EvaluationError as error:
        return Failed(error.reason, error.message, error.hint)
    except ConfigError as error:
        return Failed(error.code, error.message, error.hint, config=True)
    except MemoryError:
        return Failed("out_of_memory", f"it needs more than the {order.job.memory_mb} MiB allowed")
    except OSError as error:
        return Failed("file", f"{error.strerror or error}: {error.filename or 'a file of this job'}")


def _lock(job: AnyJob) -> tuple[str, ...]:
    """Raises EvaluationError: sandbox, where a lock that the kernel has cannot be put on; nothing was opened then."""
    try:
        return ("rlimits", *layers.lock(job))
    except OSError as error:
        raise EvaluationError("sandbox", f"the worker could not lock itself in: {error}") from None


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0  # the job itself will say so, with a better reason


def _read_order() -> Order:
    data = bytearray()
    while need := missing(data):
        part = os.read(0, need)
        if not part:
            raise SystemExit(0)  # the parent is gone
        data += part
    return decode_order(data)


# ── the jobs ──────────────────────────────────────────────────────────────────────────────────────


def _scan(job: Scan) -> Scanned:
    from p2peval.evaluation import recipe, scan

    data = scan.read(Path(job.model), job.limits.model_mb)
    contents = scan.scan(data)
    if job.fits:
        recipe.open_model(data, *job.fits)
    return Scanned(contents.nodes, contents.initialisers)


def _disguise(job: Disguise) -> Disguised:
    from p2peval.evaluation import scan
    from p2peval.evaluation.disguise import disguise

    data = scan.read(Path(job.model), job.limits.model_mb)
    scan.scan(data)
    Path(job.out).write_bytes(disguise(data, job.seed))
    return Disguised()


def _evaluate(job: Evaluate) -> Evaluated:
    from p2peval.core.commitment import output_root
    from p2peval.evaluation.pace import pace
    from p2peval.evaluation.recipe import equivalence_class

    subject = _subject(job.run)
    model, rows, run_s = _timed_run(subject)
    peak = confine.peak_memory_mb()
    with open(job.out, "wb") as out:
        rows.tofile(out)
    root = output_root(rows, job.public_key)
    return Evaluated(
        equivalence_class(subject.recipe),
        root,
        rows.nbytes,
        run_s,
        _ms(run_s),
        peak,
        pace=pace(model, subject.inputs),
    )


def _preview(job: Preview) -> Previewed:
    from p2peval.evaluation.pace import pace
    from p2peval.evaluation.recipe import equivalence_class
    from p2peval.evaluation.score import score

    subject = _subject(job.run)
    model, rows, run_s = _timed_run(subject)
    metrics = score(job.scoring, rows, None)
    return Previewed(
        equivalence_class(subject.recipe),
        metrics,
        run_s,
        _ms(run_s),
        confine.peak_memory_mb(),
        pace=pace(model, subject.inputs),
    )


def _rehearse(job: Rehearse) -> Rehearsed:
    from p2peval.core.verdict import Rules
    from p2peval.defaults import REHEARSED
    from p2peval.evaluation.judge import invalid

    middle, end = job.run.samples // 2, job.run.samples  # of two batches, the last and padded one among them
    some = sorted({index for k in range(REHEARSED // 2) for index in (min(middle + k, end - 1), max(0, end - 1 - k))})
    verdict = invalid(_subject(job.run), some, Rules(job.tolerance, job.fraud_margin))
    if verdict is not None:
        raise EvaluationError(verdict.value, f"the model is {REASONS[verdict]}", hint=HINTS[verdict])
    return Rehearsed()


def _compare(job: Compare) -> Compared:
    from p2peval.core.audit import draw
    from p2peval.core.commitment import output_root
    from p2peval.core.verdict import Rules
    from p2peval.defaults import MAX_DIFFERING
    from p2peval.evaluation.judge import Claim, allowed, judge
    from p2peval.evaluation.recipe import Recipe
    from p2peval.evaluation.score import score

    try:
        claimed = _read_outputs(job.outputs, job.run.samples, job.run.output)
    except RemoteProtocolError as error:
        return Compared(Verdict.NOT_AUTHENTIC, error.reason)
    if output_root(claimed, job.public_key) != job.root:
        return Compared(Verdict.NOT_AUTHENTIC, "root")
    within = allowed(job.tolerance, job.equivalence_class, Recipe(job.run.profile))
    metrics = score(job.scoring, claimed, within) if job.scoring else ()
    if not job.drawn:  # nothing is to be run: they are the outputs committed to, and these their metrics
        if job.known:
            return _match(job, claimed, metrics)
        return Compared(Verdict.AGREES, metrics=tuple(replace(report, audit=None) for report in metrics))
    drawn = draw(job.nonce, job.task, job.root, job.run.samples, job.drawn)
    checked = sorted({*drawn, *_contested(job, claimed)})
    subject, rules = _subject(job.run), Rules(job.tolerance, job.fraud_margin)
    found = judge(subject, Claim(checked, claimed[checked], job.equivalence_class), rules, job.nonce)
    return Compared(found.verdict, "", len(drawn), len(checked), found.differing[:MAX_DIFFERING], metrics)


def _match(job: Compare, claimed: Any, metrics: tuple[MetricReport, ...]) -> Compared:
    """Against outputs that are known; the model is a disguise of theirs, so no class reproduces them bit by bit."""
    import numpy as np

    from p2peval.core.outputs import differing
    from p2peval.core.verdict import Rules
    from p2peval.defaults import MAX_DIFFERING

    try:
        known = _read_outputs(job.known, job.run.samples, job.run.output)
    except RemoteProtocolError as error:
        raise EvaluationError(error.reason, f"the known outputs: {error.message}") from None
    rules = Rules(job.tolerance, job.fraud_margin)
    lies = np.flatnonzero(differing(claimed, known, rules.margin)).tolist()
    agrees = not differing(claimed, known, rules.beyond_doubt).any()
    verdict = Verdict.DIFFERS if lies else Verdict.AGREES if agrees else Verdict.DOUBTFUL
    return Compared(verdict, "", len(claimed), len(claimed), tuple(lies[:MAX_DIFFERING]), metrics)


def _single(job: Sample | Settle | Prove) -> Answer:
    from p2peval.evaluation import singles

    subject = _subject(job.run)
    match job:
        case Sample():
            return singles.sample(job, subject)
        case Settle():
            return singles.settle(job, subject)
        case Prove():
            return singles.prove(job, subject, _read_outputs(job.outputs, job.run.samples, job.run.output))


def _rescore(job: Rescore) -> Rescored:
    from p2peval.evaluation.judge import allowed
    from p2peval.evaluation.recipe import Recipe
    from p2peval.evaluation.score import score

    try:
        rows = _read_outputs(job.outputs, job.samples, job.output)
    except RemoteProtocolError as error:
        raise EvaluationError(error.reason, f"the saved outputs: {error.message}") from None
    return Rescored(score(job.scoring, rows, allowed(job.tolerance, job.equivalence_class, Recipe(job.profile))))


def _contested(job: Compare, claimed: Any) -> list[int]:
    """Some rows where other replicas say otherwise, chosen so that no liar can foresee which."""
    import numpy as np

    from p2peval.core.audit import draw
    from p2peval.core.outputs import differing
    from p2peval.defaults import DIFFERING_CHECKED

    contested = np.zeros(len(claimed), bool)
    for path in job.others:
        with suppress(RemoteProtocolError):  # its own audit will say so
            contested |= differing(claimed, _read_outputs(path, job.run.samples, job.run.output), job.tolerance)
    rows: Sequence[int] = np.flatnonzero(contested).tolist()
    chosen = draw(job.nonce, f"{job.task}/contested", job.root, len(rows), DIFFERING_CHECKED)
    return [rows[at] for at in chosen]


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────


def _subject(run: Run) -> Subject:
    """The scanned model and the mapped inputs. Raises EvaluationError."""
    from p2peval.evaluation import dataset, scan
    from p2peval.evaluation.judge import Subject
    from p2peval.evaluation.recipe import Recipe

    inputs = dataset.map_inputs(Path(run.inputs), run.samples, run.input)
    data = scan.read(Path(run.model), run.limits.model_mb)
    scan.scan(data)
    return Subject(data, run.input, run.output, inputs, Recipe(run.profile))


def _timed_run(subject: Subject) -> tuple[Any, Any, float]:
    """The open model, canonical rows of all samples, and the seconds that the loop over batches took."""
    model = subject.open()
    start = time.perf_counter()
    outputs = model.run_all(subject.inputs)
    run_s = time.perf_counter() - start
    return model, subject.rows(outputs), run_s


def _read_outputs(path: str, samples: int, output: Tensor) -> Any:
    """Rows of somebody's outputs blob. Raises RemoteProtocolError: outputs_size."""
    from p2peval.core.outputs import from_bytes

    too_large = os.path.getsize(path) > samples * row_bytes(output)  # do not even read it
    return from_bytes(b"" if too_large else Path(path).read_bytes(), samples, math.prod(output.shape), output.dtype)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
