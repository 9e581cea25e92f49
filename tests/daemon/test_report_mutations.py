"""Whatever a report file or a credential holds, checking it ends, soon, in an answer or in one of two errors."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from pathlib import Path
from time import process_time

import pytest

from p2peval.daemon import credentials, reports
from p2peval.daemon.offline import check_file
from p2peval.errors import UsageError, VerificationError
from p2peval.interop.result import result_of
from tests.daemon.report_case import Case
from tests.daemon.report_mutator import broken_reports

INPUTS = 6_000
MANY, PIECES = 1_000_000, 20
HANG = 1.0
"""Seconds of CPU time that no single input may take; nothing here waits for anything else."""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case") / "bundle")


@pytest.fixture(scope="module")
def seeds(case: Case) -> list[bytes]:
    """A report and a credential of it."""
    _, signed, checklist = check_file(reports.text(case.file))
    assert not checklist.failed
    assert signed.contents is not None
    document = credentials.sign(result_of(case.record.id, signed.contents), case.file, sha256(b"issuer").digest())
    return [reports.text(case.file), json.dumps(document, ensure_ascii=False).encode()]


def survive(case: Case, seeds: list[bytes], count: int, seed: int) -> Counter[str]:
    """How each input ended. What passes every check carries the very envelopes that were signed."""
    ends: Counter[str] = Counter()
    slowest = 0.0
    for data in broken_reports(seeds, count, seed):
        began = process_time()
        try:
            _, signed, checklist = check_file(data)
        except (UsageError, VerificationError) as error:
            ends[error.code] += 1
        else:
            ends[checklist.failed or "passed"] += 1
            if not checklist.failed:
                assert signed.record is not None
                assert signed.spec is not None
                assert (signed.record.envelope, signed.spec.envelope) == (case.record.envelope, case.spec.envelope)
        slowest = max(slowest, process_time() - began)
        assert slowest < HANG, data
    print(f"\n{count} mutated reports, slowest {1000 * slowest:.1f} ms of CPU: {dict(ends.most_common())}")
    return ends


def test_no_mutated_report_passes_as_another_or_raises_anything_but_two_errors(case: Case, seeds: list[bytes]) -> None:
    ends = survive(case, seeds, INPUTS, 1)
    assert ends.total() == INPUTS
    assert {"usage", "verification_failed", "record", "benchmark", "display", "proof", "passed"} <= set(ends)
    assert ends["passed"] < INPUTS // 10  # white space, escapes, what a reader of JSON does not see


@pytest.mark.slow
@pytest.mark.parametrize("piece", range(PIECES))
def test_a_million_mutated_reports_are_survived(case: Case, seeds: list[bytes], piece: int) -> None:
    assert survive(case, seeds, MANY // PIECES, 100 + piece).total() == MANY // PIECES


@pytest.mark.parametrize("envelope", [b"", b"\x00", b"\xff" * 65_536, bytes(65_537)])
def test_envelope_of_garbage_fails_its_check(case: Case, envelope: bytes) -> None:
    report = json.loads(reports.text(case.file)) | {"envelope": b64encode(envelope).decode()}
    _, _, checklist = check_file(json.dumps(report).encode())
    assert checklist.failed == "record"


def test_report_is_written_whole_and_reads_back_as_it_was(case: Case, tmp_path: Path) -> None:
    path = reports.write(tmp_path / "reports", case.record.envelope, case.spec.envelope, case.file.network)
    assert path.name == f"{case.record.id}.json"
    assert reports.parse(reports.load(path)) == case.file
    assert case.file.decoded["record"]["outcome"] == "accepted"
    assert case.file.decoded["record"]["metrics"][0]["defined"] == "value"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
