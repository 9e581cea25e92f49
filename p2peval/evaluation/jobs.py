"""What the daemon asks of a worker process; what it hears back is in evaluation.answers.

Decides the shape of every job. Must not know how a job is done, how a process is run or how both talk
(evaluation.frames). Paths are absolute; arrays travel as files, so that no frame grows with the dataset.
"""

from __future__ import annotations

import math
from typing import ClassVar, Generic, TypeVar

import msgspec

from p2peval.core.benchmark import DTYPES
from p2peval.core.parts import Limits, Range, Tensor, Tolerance
from p2peval.defaults import DATA_MEMORY_MB, MAX_DATA_BYTES, NPY_HEADER, PROFILE
from p2peval.evaluation.answers import (
    Answer,
    Compared,
    Disguised,
    Evaluated,
    Prepared,
    Previewed,
    Proven,
    Rehearsed,
    Rescored,
    Sampled,
    Scanned,
    Tried,
)

A = TypeVar("A", bound=Answer)


class Run(msgspec.Struct, frozen=True):
    """A model on a benchmark's inputs, and what the benchmark says of both. ``profile``: of its recipe."""

    model: str
    inputs: str
    samples: int
    input: Tensor
    output: Tensor
    limits: Limits
    profile: str = PROFILE


class Scoring(msgspec.Struct, frozen=True):
    """How outputs become metrics. ``delta_nano``: the share of outputs a lie may have altered.

    ``labels`` and ``groups`` ("" without) are of the clean samples; the outputs have a block for each of
    ``conditions`` after theirs.
    """

    labels: str
    task: str
    metrics: tuple[str, ...]
    range: Range | None
    delta_nano: int
    groups: str = ""
    group_names: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.labels, self.groups) if self.groups else (self.labels,)


class Job(msgspec.Struct, Generic[A], frozen=True):
    """``answers``: what comes back; ``memory_mb``: MiB it may use; ``products``: the files it writes."""

    answers: ClassVar[type[Answer]]

    @property
    def memory_mb(self) -> int:
        return DATA_MEMORY_MB

    @property
    def reads(self) -> tuple[str, ...]:
        """Files that are mapped or read whole: their size is not held against the memory limit."""
        return ()

    @property
    def products(self) -> tuple[str, ...]:
        return ()

    @property
    def writes(self) -> int:
        """Bytes that the largest product may have."""
        return 0


class Prepare(Job[Prepared], frozen=True, tag="prepare"):
    """Parse the data of the benchmark in ``directory`` into ``out``/inputs.npy, labels.npy and groups.npy."""

    answers = Prepared
    directory: str
    out: str

    @property
    def products(self) -> tuple[str, ...]:
        return (f"{self.out}/inputs.npy", f"{self.out}/labels.npy", f"{self.out}/groups.npy")

    @property
    def writes(self) -> int:
        return MAX_DATA_BYTES + NPY_HEADER


class Scan(Job[Scanned], frozen=True, tag="scan"):
    """Say whether a model may be opened at all, and whether it fits ``fits``: an input and an output."""

    answers = Scanned
    model: str
    limits: Limits
    fits: tuple[Tensor, Tensor] | None = None

    @property
    def memory_mb(self) -> int:
        return self.limits.memory_mb

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.model,)


class _RunJob(Job[A], frozen=True):
    run: Run

    @property
    def memory_mb(self) -> int:
        return self.run.limits.memory_mb

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.run.model, self.run.inputs)


class _JudgedJob(_RunJob[A], frozen=True):
    """A re-run of what was made in ``equivalence_class``, as is said."""

    equivalence_class: str
    tolerance: Tolerance
    fraud_margin: int

    @property
    def memory_mb(self) -> int:
        return _twice_open(self.run.limits)


class Evaluate(_RunJob[Evaluated], frozen=True, tag="evaluate"):
    """Run the model and write its canonical outputs to ``out``: raw rows, little-endian, no header."""

    answers = Evaluated
    public_key: bytes
    out: str

    @property
    def products(self) -> tuple[str, ...]:
        return (self.out,)

    @property
    def writes(self) -> int:
        return self.run.samples * row_bytes(self.run.output)


class Preview(_RunJob[Previewed], frozen=True, tag="preview"):
    """Run the model and say its metrics; commit to nothing."""

    answers = Previewed
    scoring: Scoring

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.run.model, self.run.inputs, *self.scoring.reads)


class Rehearse(_RunJob[Rehearsed], frozen=True, tag="rehearse"):
    """Say whether a model's outputs can be checked at all; its own answer is a refusal otherwise."""

    answers = Rehearsed
    tolerance: Tolerance
    fraud_margin: int

    @property
    def memory_mb(self) -> int:
        return _twice_open(self.run.limits)


class Compare(_JudgedJob[Compared], frozen=True, tag="compare"):
    """Audit ``outputs``, which ``public_key`` committed to with ``root``, at ``drawn`` samples; with 0, run nothing.

    ``others``: outputs of other replicas. ``scoring`` None: no labels here, hence no metrics. ``known``: outputs that
    are right, or ""; they are compared in full then, and nothing is run.
    """

    answers = Compared
    outputs: str
    others: tuple[str, ...]
    root: bytes
    public_key: bytes
    nonce: bytes
    task: str
    drawn: int
    scoring: Scoring | None
    known: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        labels = (*(self.scoring.reads if self.scoring else ()), *((self.known,) if self.known else ()))
        return (self.run.model, self.run.inputs, self.outputs, *self.others, *labels)


class Disguise(Job[Disguised], frozen=True, tag="disguise"):
    """Write a model that says the same as ``model`` and shares neither names nor bytes with it; ``seed``: a secret."""

    answers = Disguised
    model: str
    out: str
    limits: Limits
    seed: bytes

    @property
    def memory_mb(self) -> int:
        return self.limits.memory_mb

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.model,)

    @property
    def products(self) -> tuple[str, ...]:
        return (self.out,)

    @property
    def writes(self) -> int:
        return self.limits.model_mb << 20


class Sample(_RunJob[Sampled], frozen=True, tag="sample"):
    """Run the model at ``indices`` only, each in its own batch."""

    answers = Sampled
    indices: tuple[int, ...]


class Settle(_JudgedJob[Compared], frozen=True, tag="settle"):
    """Re-run one sample, of which ``row`` is claimed."""

    answers = Compared
    index: int
    row: bytes


class Prove(_JudgedJob[Proven], frozen=True, tag="prove"):
    """Of the samples ``indices`` of ``outputs``, find the one that speaks plainest against who made them.

    ``rerun`` False: nothing is run, and the first is taken.
    """

    answers = Proven
    outputs: str
    public_key: bytes
    indices: tuple[int, ...]
    rerun: bool = True

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.run.model, self.run.inputs, self.outputs)


class Rescore(Job[Rescored], frozen=True, tag="rescore"):
    """Say the metrics of ``outputs``, canonical rows of ``samples`` samples, as their audit did.

    ``equivalence_class``: in which they are said to have been made, by the recipe ``profile``.
    """

    answers = Rescored
    outputs: str
    samples: int
    output: Tensor
    equivalence_class: str
    profile: str
    tolerance: Tolerance
    scoring: Scoring
    limit_mb: int

    @property
    def memory_mb(self) -> int:
        return self.limit_mb

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.outputs, *self.scoring.reads)


class Trial(Job[Tried], frozen=True, tag="trial"):
    """Do nothing, locked in as for any other job."""

    answers = Tried


AnyJob = Prepare | Scan | Disguise | Evaluate | Preview | Rehearse | Compare | Sample | Settle | Prove | Rescore | Trial


class Order(msgspec.Struct, frozen=True):
    """A job, the CPU seconds it may take, and the layers that are around the worker already."""

    job: AnyJob
    cpu_seconds: int
    walls: tuple[str, ...] = ()


def _twice_open(limits: Limits) -> int:
    """MiB for a job that may open the model a second time, and rewrite it (rule c)."""
    return 2 * limits.memory_mb + 4 * limits.model_mb


def row_bytes(tensor: Tensor) -> int:
    """Bytes of one sample."""
    return math.prod(tensor.shape) * DTYPES[tensor.dtype]
