"""What the daemon asks of a worker process and what it hears back: framed msgpack on a pipe.

Decides the shape of every job and answer and the frame around it. Must not know how a job is done or
how a process is run. Never pickle: a parent that unpickles is owned by its worker (evaluation.md).
Paths are absolute; arrays travel as files, so that no frame grows with the dataset.
"""

from __future__ import annotations

import math
import struct
from typing import ClassVar, Generic, TypeVar

import msgspec

from p2peval.core.benchmark import DTYPES
from p2peval.core.messages import Limits, MetricReport, Range, Tensor, Tolerance
from p2peval.core.text import one_line
from p2peval.core.verdict import Verdict
from p2peval.defaults import DATA_MEMORY_MB, MAX_DATA_BYTES, NPY_HEADER, PROFILE, WORKER_FRAME, WORKER_WORDS
from p2peval.errors import EvaluationError, LocalProtocolError

# ── answers ───────────────────────────────────────────────────────────────────────────────────────


class Answer(msgspec.Struct, frozen=True):
    """Base of all answers."""


class Failed(Answer, frozen=True, tag="failed"):
    """An EvaluationError of the worker; a ConfigError where ``config``.

    Names in it are a stranger's, and so may the worker be: what is too long is cut, what could steer a terminal
    is left out, by whoever makes one and again by whoever reads one.
    """

    reason: str
    detail: str
    hint: str = ""
    config: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "reason", one_line(self.reason, 64))
        for name in ("detail", "hint"):
            lines = getattr(self, name)[:WORKER_WORDS].split("\n")
            text = "\n".join(one_line(line, WORKER_WORDS) for line in lines)
            msgspec.structs.force_setattr(self, name, text)


class Prepared(Answer, frozen=True, tag="prepared"):
    """``inputs.npy`` holds samples × shape of ``dtype``; ``labels.npy`` int64 or float64, one per sample.

    After the clean samples, which ``samples`` counts, the inputs hold those of each perturbation. ``per_class``:
    samples of each class, empty for regression. ``per_group``: of each of ``group_names``, both empty without groups.
    """

    samples: int
    shape: tuple[int, ...]
    dtype: str
    label_dtype: str
    per_class: tuple[int, ...]
    group_names: tuple[str, ...] = ()
    per_group: tuple[int, ...] = ()


class Scanned(Answer, frozen=True, tag="scanned"):
    """The model may be opened. ``nodes`` and ``initialisers`` count subgraphs too."""

    nodes: int
    initialisers: int


class Evaluated(Answer, frozen=True, tag="evaluated"):
    """``run_s``: seconds of the loop over batches alone, without opening the model and hashing.

    ``layers``: of the sandbox, that were on.
    """

    equivalence_class: str
    root: bytes
    size: int
    run_s: float
    wall_ms: int
    peak_memory_mb: int
    layers: tuple[str, ...] = ()


class Compared(Answer, frozen=True, tag="compared"):
    """The audit of one evaluator's outputs.

    ``mismatch``: "" if the outputs are those committed to, else "outputs_size" or "root", and nothing was run:
    ``verdict`` then is NOT_AUTHENTIC.
    ``drawn``: size of the draw; ``audited``: samples re-run, those where replicas differ included;
    ``differing``: up to MAX_DIFFERING of them that do not hold.
    """

    verdict: Verdict
    mismatch: str = ""
    drawn: int = 0
    audited: int = 0
    differing: tuple[int, ...] = ()
    metrics: tuple[MetricReport, ...] = ()


class Rehearsed(Answer, frozen=True, tag="rehearsed"):
    """The model runs, and its evaluators can be held to what it says."""


class Previewed(Answer, frozen=True, tag="previewed"):
    """The metrics of one's own run; nothing was claimed, so none has an audit interval."""

    equivalence_class: str
    metrics: tuple[MetricReport, ...]
    run_s: float
    wall_ms: int
    peak_memory_mb: int


class Rescored(Answer, frozen=True, tag="rescored"):
    """The metrics of outputs that were saved: no model was run."""

    metrics: tuple[MetricReport, ...]


class Tried(Answer, frozen=True, tag="tried"):
    """``layers``: of the sandbox, that were on."""

    layers: tuple[str, ...] = ()


A = TypeVar("A", bound=Answer)

# ── jobs ──────────────────────────────────────────────────────────────────────────────────────────


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


class Compare(_RunJob[Compared], frozen=True, tag="compare"):
    """Audit ``outputs``, which ``public_key`` committed to with ``root``, at ``drawn`` samples.

    ``equivalence_class``: in which they are said to have been made. ``others``: outputs of other replicas.
    ``scoring`` None: no labels here, hence no metrics.
    """

    answers = Compared
    outputs: str
    others: tuple[str, ...]
    root: bytes
    public_key: bytes
    nonce: bytes
    task: str
    drawn: int
    equivalence_class: str
    tolerance: Tolerance
    fraud_margin: int
    scoring: Scoring | None

    @property
    def memory_mb(self) -> int:
        return _twice_open(self.run.limits)

    @property
    def reads(self) -> tuple[str, ...]:
        labels = self.scoring.reads if self.scoring else ()
        return (self.run.model, self.run.inputs, self.outputs, *self.others, *labels)


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


AnyJob = Prepare | Scan | Evaluate | Preview | Rehearse | Compare | Rescore | Trial
AnyAnswer = Failed | Prepared | Scanned | Evaluated | Previewed | Rehearsed | Compared | Rescored | Tried


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


# ── frames: 4 bytes of length, big-endian, and msgpack ────────────────────────────────────────────

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that a hostile worker may write."""

HEADER = struct.Struct(">I")
_orders = msgspec.msgpack.Decoder(Order)
_answers: msgspec.msgpack.Decoder[AnyAnswer] = msgspec.msgpack.Decoder(AnyAnswer)


def frame(message: Order | Answer) -> bytes:
    """Raises LocalProtocolError where the message is larger than a frame may be."""
    body = msgspec.msgpack.encode(message)
    if len(body) > WORKER_FRAME:
        raise LocalProtocolError(f"{type(message).__name__} of {len(body)} bytes on the worker's pipe")
    return HEADER.pack(len(body)) + body


def missing(data: bytes | bytearray) -> int:
    """Bytes to read on until ``data`` is a whole frame; 0 too where it announces more than a frame may have."""
    if len(data) < HEADER.size:
        return HEADER.size - len(data)
    size: int = HEADER.unpack_from(data)[0]
    return max(0, HEADER.size + size - len(data)) if size <= WORKER_FRAME else 0


def decode_order(data: bytes | bytearray) -> Order:
    """Raises EvaluationError: garbage."""
    try:
        return _orders.decode(_body(data))
    except UNREADABLE as error:
        raise EvaluationError("garbage", f"no order on the worker's pipe: {error}") from None


def decode_answer(data: bytes | bytearray) -> AnyAnswer:
    """Raises EvaluationError: garbage."""
    try:
        return _answers.decode(_body(data))
    except UNREADABLE as error:
        raise EvaluationError("garbage", f"no answer on the worker's pipe: {error}") from None


def _body(data: bytes | bytearray) -> bytes:
    if missing(data):
        raise EvaluationError("garbage", "a frame on the worker's pipe broke off")
    size: int = HEADER.unpack_from(data)[0]
    if size > WORKER_FRAME:
        raise EvaluationError("garbage", f"a frame of {size} bytes on the worker's pipe")
    return bytes(data[HEADER.size :])
