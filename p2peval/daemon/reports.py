"""Report files: an accepted task as one JSON file that stands alone, written once the record is on disk.

Decides what such a file holds and what of it is believed: two signed envelopes, the record's and its
benchmark's. All else is there for people and must follow from them, or the file shows what nobody signed.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from p2peval.core.benchmark import problem
from p2peval.core.messages import BenchmarkSpec, Payload, ResultRecord, Sealed, TaskAnnouncement
from p2peval.core.record_check import Contents, examine
from p2peval.defaults import MAX_REPORT_BYTES
from p2peval.errors import NotFoundError, RemoteProtocolError, UsageError, VerificationError
from p2peval.store.disk import make_private, refusals, sync_directory
from p2peval.wire.envelope import open_envelope

P = TypeVar("P", bound=Payload)

SCHEMA = "p2peval.report/1"
REPORT_NAME = "report.json"
"""What a report is called in a bundle, beside its data."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no such JSON."""


class ReportFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file's fields. ``envelope`` is the signed record, ``benchmark_envelope`` the signed spec: base64.

    ``record``, ``benchmark``: their ids. ``signer``: the requester. ``decoded``: both, and the announcement,
    as readable JSON.
    """

    schema: str
    network: str
    record: str
    benchmark: str
    signer: str
    envelope: str
    benchmark_envelope: str
    decoded: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """What a file's envelopes say, each checked for itself."""

    record: Sealed[ResultRecord]
    spec: Sealed[BenchmarkSpec]

    def contents(self) -> Contents:
        """All that is inside the record. Raises RemoteProtocolError where it does not hang together."""
        network = self.record.payload.network
        return examine(self.spec.payload, self.record.payload, lambda data: open_envelope(data, network))


# ── writing ───────────────────────────────────────────────────────────────────────────────────────


def write(directory: Path, envelope: bytes, benchmark_envelope: bytes, network: str) -> Path:
    """Write ``directory``/<record id>.json, whole or not at all. Raises StoreError."""
    make_private(directory)
    file = compose(envelope, benchmark_envelope, network)
    path = directory / f"{file.record}.json"
    draft = path.with_suffix(".tmp")
    with refusals("writing", path):
        with draft.open("wb") as out:
            out.write(text(file))
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
        sync_directory(directory)
    return path


def compose(envelope: bytes, benchmark_envelope: bytes, network: str) -> ReportFile:
    """The file of a record and its benchmark. Raises RemoteProtocolError for envelopes that do not open."""
    report = Report(
        _opened(envelope, network, ResultRecord),
        _opened(benchmark_envelope, network, BenchmarkSpec),
    )
    return ReportFile(
        schema=SCHEMA,
        network=network,
        record=report.record.id,
        benchmark=report.spec.id,
        signer=report.record.signer,
        envelope=b64encode(envelope).decode(),
        benchmark_envelope=b64encode(benchmark_envelope).decode(),
        decoded=_decoded(report),
    )


def text(file: ReportFile) -> bytes:
    return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"


# ── reading ───────────────────────────────────────────────────────────────────────────────────────


def load(path: Path) -> bytes:
    """The bytes of a report or credential. Raises NotFoundError, UsageError for what is too large, StoreError."""
    if not path.is_file():
        raise NotFoundError(f"no report at {path}", hint="p2peval eval show TASK names the report of a task of yours")
    with refusals("reading", path), path.open("rb") as file:
        data = file.read(MAX_REPORT_BYTES + 1)
    if len(data) > MAX_REPORT_BYTES:
        raise UsageError(f"{path} is larger than any report: more than {MAX_REPORT_BYTES} bytes")
    return data


def parse(data: bytes, path: Path | None = None) -> ReportFile:
    """The fields, nothing of them checked yet. Raises UsageError for what is no report of this schema.

    ``path``: whence, None where a daemon said it.
    """
    hint = "a report is what p2peval eval run names at its end, or what p2peval eval export makes"
    try:
        file = msgspec.json.decode(data, type=ReportFile)
    except UNREADABLE as error:
        raise UsageError(f"not a report: {path or 'the answer'}: {error}", hint=hint) from None
    if file.schema != SCHEMA:
        raise UsageError(
            f"a report of schema {file.schema[:64]!r}, not {SCHEMA}", hint="is p2peval of another version?"
        )
    return file


def open_record(file: ReportFile) -> Sealed[ResultRecord]:
    """Raises VerificationError: not base64, not canonical, of another network, not signed by its author."""
    return _believed(file.envelope, file.network, ResultRecord)


def open_spec(file: ReportFile) -> Sealed[BenchmarkSpec]:
    """As ``open_record``; also for a spec that no node would accept."""
    sealed = _believed(file.benchmark_envelope, file.network, BenchmarkSpec)
    wrong = problem(sealed.payload)
    if wrong:
        raise VerificationError(f"the benchmark's spec: {wrong}")
    return sealed


def check_shown(file: ReportFile, report: Report) -> None:
    """What the file shows beside its envelopes follows from them. Raises VerificationError that names what does not."""
    record, spec = report.record, report.spec
    ids = {
        "record": (file.record, record.id),
        "signer": (file.signer, record.signer),
        "benchmark": (file.benchmark, spec.id),
    }
    for name, (shown, true) in ids.items():
        if shown != true:
            raise VerificationError(f"the file shows {name} {shown[:64]!r}, but what was signed has {true}")
    if str(record.payload.benchmark) != spec.id:
        raise VerificationError(
            f"the record is of benchmark {record.payload.benchmark}, the spec beside it is {spec.id}"
        )
    decoded = _decoded(report)
    for part in sorted(set(decoded) ^ set(file.decoded)):
        raise VerificationError(f"decoded.{part[:64]} is missing, or is no part of a report")
    for part, signed in decoded.items():
        if _canonical(file.decoded[part]) != _canonical(signed):
            raise VerificationError(f"decoded.{part} is not what was signed: this display is forged or damaged")


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────


def _believed(encoded: str, network: str, kind: type[P]) -> Sealed[P]:
    try:
        return _opened(b64decode(encoded, validate=True), network, kind)
    except (Base64Error, ValueError) as error:
        raise VerificationError(f"the envelope of the {kind.__name__} is not base64: {error}") from None
    except RemoteProtocolError as error:
        raise VerificationError(f"the {kind.__name__} does not open: {error.message}") from None


def _opened(envelope: bytes, network: str, kind: type[P]) -> Sealed[P]:
    sealed = open_envelope(envelope, network)
    if not isinstance(sealed.payload, kind):
        raise RemoteProtocolError("wrong_type", f"{type(sealed.payload).__name__} for {kind.__name__}")
    return sealed  # type: ignore[return-value]


def _decoded(report: Report) -> dict[str, Any]:
    network = report.record.payload.network
    announcement = _opened(report.record.payload.announcement, network, TaskAnnouncement)
    shown: dict[str, Payload] = {
        "record": report.record.payload,
        "benchmark": report.spec.payload,
        "announcement": announcement.payload,
    }
    return {name: _plain(payload) for name, payload in shown.items()}


def _plain(value: Any) -> Any:
    """Messages as JSON for people: bytes in base64, and enums by their names."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value.name.lower() if isinstance(value, Enum) else value


def _canonical(value: Any) -> bytes:
    """Equal bytes for equal JSON; 1, 1.0 and true differ."""
    return msgspec.json.encode(value, order="sorted")
