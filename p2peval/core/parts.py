"""Parts of what peers say to each other: never signed alone, always inside one of ``messages``.

Field names and order equal those of the protobuf messages. Numbers are integers; a field called ``…_nano`` is in
units of 1e-9.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from p2peval.core.types import AssignmentId, BenchmarkId, Cid, PeerId


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that travel apart. ``root``: RFC 6962 root (32 bytes) over its chunks of 256 KiB."""

    cid: Cid
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Tensor:
    """One named model input or output; ``shape`` is that of a single sample (without N)."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """|a−b| ≤ atol + rtol·|b| per element (evaluation.md, Determinism)."""

    atol_nano: int
    rtol_nano: int

    def times(self, factor: int) -> Tolerance:
        """``factor`` times as much of both."""
        return Tolerance(self.atol_nano * factor, self.rtol_nano * factor)


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: int
    memory_mb: int
    model_mb: int


@dataclass(frozen=True, slots=True)
class Verification:
    """ε, δ of the certificate asked for by default, and how many replicas and attempts are allowed."""

    epsilon_nano: int
    delta_nano: int
    replicas: int
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Range:
    """Declared range of a regression target; outputs are clipped to it before metrics."""

    low_nano: int
    high_nano: int


@dataclass(frozen=True, slots=True)
class Interval:
    low_nano: int
    high_nano: int


class Defined(Enum):
    VALUE = 1
    UNDEFINED = 2
    OUT_OF_RANGE = 3


@dataclass(frozen=True, slots=True)
class MetricReport:
    """A metric with what a lie could have moved (``audit``) and how far the sample speaks (``sampling``).

    ``value_nano`` counts only where ``defined`` is VALUE; ``audit`` is None where no certificate exists.
    ``group`` is the group of samples it speaks of, "" for all. ``ambiguity`` is what near-ties inside the
    tolerance could be, None where there are none (evaluation.md, Ambiguity).
    """

    name: str
    defined: Defined
    value_nano: int
    audit: Interval | None
    sampling: Interval | None
    group: str = ""
    ambiguity: Interval | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A lie on more than δ·n outputs would have been caught with probability ≥ 1−ε (trust.md §1).

    ``epsilon_nano`` is what all looks of this task together have spent.
    """

    epsilon_nano: int
    delta_nano: int
    samples: int
    audited: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Check:
    """The requester's own audit of one reveal; ``nonce`` opens the Assignment's commitment."""

    assignment: AssignmentId
    nonce: bytes
    drawn: int
    differing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Self-reported by the evaluator, outside every certificate. ``layers``: of the sandbox, that were on.

    ``throughput_milli``: thousandths of samples/s, in whole batches on one thread, a median; ``latency_…_us``:
    quantiles for one sample at a time. 0 where it was not measured.
    """

    wall_ms: int
    peak_memory_mb: int
    layers: tuple[str, ...] = ()
    throughput_milli: int = 0
    latency_p50_us: int = 0
    latency_p99_us: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """A declared perturbation of all samples: ``kind`` at strength ``level_nano``, drawn from ``seed``."""

    name: str
    kind: str
    level_nano: int
    seed: int


class Outcome(Enum):
    ACCEPTED = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class Membership:
    benchmark: BenchmarkId
    evaluates: bool
    requests: bool


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """What a rater has seen of one peer itself: decayed counts of outcomes, in thousandths."""

    peer: PeerId
    agreed_milli: int
    disagreed_milli: int
