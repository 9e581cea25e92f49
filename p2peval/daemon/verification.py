"""What a report's signatures prove: every check that needs nothing but the file, one name for each.

Decides which checks there are and in which order; ``own_audit`` goes on with the data. Needs no daemon, no home
and no network. After one that fails, those that rely on it stay open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from p2peval.core import record_check
from p2peval.core.messages import BenchmarkSpec, ResultRecord, Sealed
from p2peval.core.parts import Outcome
from p2peval.core.record_check import STEPS, Contents
from p2peval.core.types import from_nano
from p2peval.daemon import reports
from p2peval.daemon.report_views import FAILED, OK, OPEN, FindingView
from p2peval.daemon.reports import Report, ReportFile
from p2peval.daemon.story import percent
from p2peval.errors import RemoteProtocolError, UsageError, VerificationError
from p2peval.wire.envelope import open_envelope


@dataclass(slots=True)
class Checklist:
    """Checks in the order in which they were made."""

    made: list[FindingView] = field(default_factory=list)

    @property
    def failed(self) -> str:
        """The name of the first check that failed, or ""."""
        return next((check.name for check in self.made if check.state == FAILED), "")

    def note(self, name: str, state: str, detail: str) -> None:
        self.made.append(FindingView(name=name, state=state, detail=detail))

    def make(self, name: str, check: Callable[[], str]) -> None:
        """Make ``check``, which says what it found or raises; leave it open once another has failed."""
        if self.failed:
            return self.note(name, OPEN, f"it relies on {self.failed}, which failed")
        try:
            self.note(name, OK, check())
        except (VerificationError, UsageError) as error:
            self.note(name, FAILED, error.message)
        except RemoteProtocolError as error:
            self.note(name, FAILED, error.message.replace("_", " "))


@dataclass(slots=True)
class Signed:
    """What the file's envelopes turned out to hold; None where it did not come to that."""

    record: Sealed[ResultRecord] | None = None
    spec: Sealed[BenchmarkSpec] | None = None
    contents: Contents | None = None


def check_signed(file: ReportFile, checklist: Checklist) -> Signed:
    """Every check of a report by itself. Never raises for what is in the file."""
    signed = Signed()

    def record() -> str:
        signed.record = reports.open_record(file)
        return f"signed by {signed.record.signer} in network {file.network}: canonical, and the id is its hash"

    def benchmark() -> str:
        signed.spec = reports.open_spec(file)
        return f"{signed.spec.payload.name} v{signed.spec.payload.version}, signed by {signed.spec.signer}"

    def display() -> str:
        reports.check_shown(file, _report(signed))
        return "what the file shows is what was signed"

    checklist.make("record", record)
    checklist.make("benchmark", benchmark)
    checklist.make("display", display)
    if not checklist.failed:
        report = _report(signed)
        signed.contents = Contents(
            report.spec.payload, report.record.payload, lambda data: open_envelope(data, file.network)
        )
    for name, step in STEPS.items():
        checklist.make(name, partial(_step, signed, step, name))
    return signed


def _report(signed: Signed) -> Report:
    if signed.record is None or signed.spec is None:
        raise VerificationError("there is no record to check")
    return Report(signed.record, signed.spec)


def _step(signed: Signed, step: Callable[[Contents], None], name: str) -> str:
    if signed.contents is None:
        raise VerificationError("there is no record to check")
    step(signed.contents)
    return FOUND[name](signed.contents)


def _certificate(contents: Contents) -> str:
    certificate = contents.record.certificate
    if contents.record.outcome is not Outcome.ACCEPTED:
        return "the task failed: nothing is certified"
    if certificate is None:
        return "none: its requester ran no sample itself, and what others told it is its own business"
    epsilon, delta = percent(from_nano(certificate.epsilon_nano)), percent(from_nano(certificate.delta_nano))
    if record_check.is_certified(contents):
        said = f"certified: {certificate.audited} of {certificate.samples} samples are enough for ε {epsilon}"
    else:
        said = (
            f"by record: {certificate.audited} of {certificate.samples} samples, for its requester had seen results of "
            f"this evaluator hold before; what these audits let through is ε {epsilon}"
        )
    return f"{said} and δ {delta}, computed anew; that they were re-run and none differed is the requester's word"


FOUND: dict[str, Callable[[Contents], str]] = {
    "announcement": lambda this: f"model {this.announcement.model.cid} ({this.announcement.model_name})",
    "assignments": lambda this: f"{len(this.assignments)} by the requester, each evaluator once per attempt",
    "commitments": lambda this: f"{len(this.commitments)}, each of an assigned evaluator",
    "windows": lambda this: f"{len(this.record.commitment_sets)} closed by the requester",
    "reveals": lambda this: f"{len(this.reveals)}, each opens a commitment that stood in its window",
    "draws": lambda this: f"{len(this.record.checks)}, from nonces fixed before any output existed",
    "audits": lambda this: f"{len(this.record.audits)} of others",
    "certificate": _certificate,
}
"""What each step of core/record_check.py has found where it passes."""
