"""An accepted record in plain numbers and words: what every foreign format is made of.

Decides which facts are told and in which unit. Must not know any format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from p2peval.core.benchmark import lower_is_better
from p2peval.core.messages import BenchmarkSpec, ResultRecord, Reveal, Sealed
from p2peval.core.parts import Blob, Certificate, Defined, Interval, Outcome
from p2peval.core.record_check import Contents
from p2peval.core.types import ObjectId, PeerId, from_nano
from p2peval.errors import UsageError

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric. ``status``: "value", "undefined" or "out_of_range"; ``value`` None unless it is "value".

    ``audit``: what a lie could have moved; ``sampling``: 95 %, how far the data speak; ``ambiguity``: near-ties.
    """

    name: str
    group: str
    status: str
    value: float | None
    lower_is_better: bool
    audit: Range | None
    sampling: Range | None
    ambiguity: Range | None


@dataclass(frozen=True, slots=True)
class Result:
    """``record``: the id. ``contents`` have passed every step of core/record_check."""

    record: ObjectId
    contents: Contents
    certificate: Certificate
    reveal: Sealed[Reveal]

    @property
    def spec(self) -> BenchmarkSpec:
        return self.contents.spec

    @property
    def said(self) -> ResultRecord:
        return self.contents.record

    @property
    def model(self) -> Blob:
        return self.contents.announcement.model

    @property
    def model_name(self) -> str:
        return self.contents.announcement.model_name or self.model.cid

    @property
    def evaluator(self) -> PeerId:
        return self.reveal.signer

    @property
    def finished(self) -> str:
        """When, in UTC: 2026-01-31T12:00:00Z. Raises UsageError for a time no calendar has."""
        try:
            when = datetime.fromtimestamp(self.said.finished_ms // 1000, UTC)
        except (OverflowError, ValueError, OSError):
            raise UsageError(f"the record was finished at {self.said.finished_ms} ms, which is no date") from None
        return when.isoformat().replace("+00:00", "Z")

    @property
    def confidence(self) -> float:
        """1 − ε: with which a lie on more than δ of the outputs would have been caught."""
        return 1 - from_nano(self.certificate.epsilon_nano)

    def measures(self) -> Iterator[Measure]:
        for metric in self.said.metrics:
            yield Measure(
                name=metric.name,
                group=metric.group,
                status=metric.defined.name.lower(),
                value=from_nano(metric.value_nano) if metric.defined is Defined.VALUE else None,
                lower_is_better=lower_is_better(metric.name),
                audit=_range(metric.audit),
                sampling=_range(metric.sampling),
                ambiguity=_range(metric.ambiguity),
            )


def result_of(record: ObjectId, contents: Contents) -> Result:
    """Raises UsageError for a task that failed: it has no result to tell."""
    certificate, reveal = contents.record.certificate, contents.accepted
    if contents.record.outcome is not Outcome.ACCEPTED or certificate is None or reveal is None:
        raise UsageError(f"task {contents.record.task} failed: it has no result to export")
    return Result(record, contents, certificate, reveal)


def ipfs(cid: str) -> str:
    """A URI of content by its hash; our CIDs are IPFS's own."""
    return f"ipfs://{cid}"


def _range(interval: Interval | None) -> Range | None:
    return (from_nano(interval.low_nano), from_nano(interval.high_nano)) if interval else None
