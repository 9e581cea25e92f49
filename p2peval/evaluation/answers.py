"""What the daemon hears back from a worker process: one answer for each job (evaluation.jobs).

Decides the shape of every answer. Must not know how a job is done, or how both talk (evaluation.frames).
"""

from __future__ import annotations

import msgspec

from p2peval.core.parts import MetricReport
from p2peval.core.text import lines, one_line
from p2peval.core.verdict import Verdict
from p2peval.defaults import WORKER_WORDS


class Answer(msgspec.Struct, frozen=True):
    """Base of all answers."""


class Failed(Answer, frozen=True, tag="failed"):
    """An EvaluationError of the worker; a ConfigError where ``config``.

    Its words may be a stranger's: whoever makes or reads one cuts them, and leaves out what could steer a terminal.
    """

    reason: str
    detail: str
    hint: str = ""
    config: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "reason", one_line(self.reason, 64))
        for name in ("detail", "hint"):
            msgspec.structs.force_setattr(self, name, lines(getattr(self, name), WORKER_WORDS))


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


class Pace(msgspec.Struct, frozen=True):
    """Self-reported speed: thousandths of samples/s in whole batches, and µs of one sample alone; 0: not measured."""

    throughput_milli: int = 0
    latency_p50_us: int = 0
    latency_p99_us: int = 0


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
    pace: Pace = Pace()


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


class Disguised(Answer, frozen=True, tag="disguised"):
    """The product says what the model says."""


class Rehearsed(Answer, frozen=True, tag="rehearsed"):
    """The model runs, and its evaluators can be held to what it says."""


class Previewed(Answer, frozen=True, tag="previewed"):
    """The metrics of one's own run; nothing was claimed, so none has an audit interval."""

    equivalence_class: str
    metrics: tuple[MetricReport, ...]
    run_s: float
    wall_ms: int
    peak_memory_mb: int
    pace: Pace = Pace()


class Rescored(Answer, frozen=True, tag="rescored"):
    """The metrics of outputs that were saved: no model was run."""

    metrics: tuple[MetricReport, ...]


class Sampled(Answer, frozen=True, tag="sampled"):
    """Canonical rows of one's own run, in the order of the indices asked for."""

    equivalence_class: str
    rows: tuple[bytes, ...]


class Proven(Answer, frozen=True, tag="proven"):
    """One claimed row that a re-run of it alone finds false, and its Merkle path."""

    index: int
    row: bytes
    path: tuple[bytes, ...]


class Tried(Answer, frozen=True, tag="tried"):
    """``layers``: of the sandbox, that were on."""

    layers: tuple[str, ...] = ()


AnyAnswer = (
    Failed
    | Prepared
    | Scanned
    | Disguised
    | Evaluated
    | Previewed
    | Rehearsed
    | Compared
    | Sampled
    | Proven
    | Rescored
    | Tried
)
