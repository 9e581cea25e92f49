"""``eval verify`` on real reports of a real model, with all the ways in which one may be false."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from p2peval.cli.contract import FOLDER
from p2peval.cli.main import cli
from p2peval.core.parts import Defined, Outcome, Tolerance
from p2peval.core.record_check import STEPS
from p2peval.defaults import MAX_REPORT_BYTES
from tests.daemon.report_case import EVALUATOR, REQUESTER, SAMPLES, Case

SIGNED = ["record", "benchmark", "display", *STEPS]
DATA = ["outputs", "metrics", "audit"]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case") / "bundle")


@pytest.fixture(scope="module")
def alone(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report by itself."""
    return Path(shutil.copy(case.report, tmp_path_factory.mktemp("alone")))


def verify(*words: str | Path) -> tuple[int, dict[str, str], dict[str, str]]:
    """Exit code, states and details by the check's name."""
    result = CliRunner().invoke(cli, ["eval", "verify", "--json", *map(str, words)])
    answer = json.loads(result.stdout)
    assert "data" in answer, answer
    jsonschema.validate(answer, json.loads((FOLDER / "eval.verify.json").read_text()))
    checks = answer["data"]["checks"]
    assert answer["data"]["verified"] == (result.exit_code == 0)
    return result.exit_code, {c["name"]: c["state"] for c in checks}, {c["name"]: c["detail"] for c in checks}


def test_bundle_passes_every_check_on_a_machine_that_has_nothing_else(case: Case, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "p2peval", "eval", "verify", str(case.folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[: len(SIGNED + DATA)]] == [["ok", name] for name in SIGNED + DATA]
    assert f"135 of {SAMPLES} samples, drawn and re-run here, 0 differ" in done.stdout
    assert "everything holds" in done.stderr
    assert not list(tmp_path.iterdir()), "verify left something in the user's home"


def test_report_alone_passes_what_signatures_prove_and_says_what_the_rest_needs(case: Case, alone: Path) -> None:
    code, states, details = verify(alone)
    assert code == 0
    assert states == dict.fromkeys(SIGNED, "ok") | dict.fromkeys(DATA, "not checked")
    for name, blob in (("outputs", "outputs.bin"), ("metrics", "labels.npy"), ("audit", "model.onnx")):
        assert case.blob(blob).cid in details[name]


def test_outputs_and_labels_suffice_for_the_metrics(case: Case, alone: Path) -> None:
    code, states, _ = verify(alone, "--outputs", case.folder / "outputs.bin", "--data", case.folder / "labels.npy")
    assert code == 0
    assert [states[name] for name in DATA] == ["ok", "ok", "not checked"]


def test_the_users_own_sample_count_is_kept_to(case: Case, alone: Path) -> None:
    code, _, details = verify(alone, "--model", case.folder / "model.onnx", "--data", case.folder, "--samples", "7")
    assert code == 0
    assert details["audit"].startswith(f"7 of {SAMPLES} samples")


def test_lie_in_the_outputs_is_found_by_ones_own_audit_although_all_signatures_hold(tmp_path: Path) -> None:
    code, states, details = verify(Case(tmp_path / "lie", lie=SAMPLES // 4).folder)
    assert code == 5
    assert all(states[name] == "ok" for name in (*SIGNED, "outputs", "metrics"))
    assert states["audit"] == "failed"
    assert "they are not what the model says" in details["audit"]


def test_metric_that_does_not_follow_from_the_outputs_is_named(case: Case, tmp_path: Path) -> None:
    better = replace(case.metrics[0], value_nano=case.metrics[0].value_nano + 3)
    made_up = Case(tmp_path / "made", changes={"ResultRecord": {"metrics": (better, *case.metrics[1:])}})
    code, states, details = verify(made_up.folder)
    assert code == 5
    assert (states["outputs"], states["metrics"], states["audit"]) == ("ok", "failed", "not checked")
    assert "the value of accuracy" in details["metrics"]


def test_rounding_of_a_metric_is_no_lie(case: Case, tmp_path: Path) -> None:
    near = replace(case.metrics[0], value_nano=case.metrics[0].value_nano + 2)
    code, _, _ = verify(
        Case(tmp_path / "near", changes={"ResultRecord": {"metrics": (near, *case.metrics[1:])}}).folder
    )
    assert code == 0


def test_intervals_of_a_requester_of_another_class_are_as_good(case: Case, tmp_path: Path) -> None:
    other = Case(
        tmp_path / "other", same_class=False, changes={"BenchmarkSpec": {"tolerance": Tolerance(10**6, 10**6)}}
    )
    assert other.metrics[2].audit != case.metrics[2].audit
    code, states, _ = verify(other.folder)
    assert (code, states["metrics"]) == (0, "ok")


@pytest.mark.parametrize(
    "change", [{"defined": Defined.UNDEFINED, "value_nano": 0}, {"audit": None}, {"sampling": None}]
)
def test_what_is_missing_from_a_metric_is_noticed(case: Case, tmp_path: Path, change: dict[str, Any]) -> None:
    metrics = (replace(case.metrics[0], **change), *case.metrics[1:])
    code, states, _ = verify(Case(tmp_path / "less", changes={"ResultRecord": {"metrics": metrics}}).folder)
    assert (code, states["metrics"]) == (5, "failed")


@pytest.mark.parametrize(
    ("step", "changes"),
    [
        ("benchmark", {"BenchmarkSpec": {"group_names": ("a",)}}),
        ("announcement", {"ResultRecord": {"revision": 99}}),
        ("announcement", {"TaskAnnouncement": {"delta_nano": 10**9}}),
        ("assignments", {"Assignment": {"task": "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}),
        ("commitments", {"Assignment": {"evaluator": REQUESTER.peer_id}}),
        ("reveals", {"Commitment": {"digest": b"x" * 32}}),
        ("reveals", {"CommitmentSet": {"round": 2}}),
        ("reveals", {"Reveal": {"root": b"x" * 32}}),
        ("draws", {"Assignment": {"audit_commitment": b"x" * 32}}),
        ("draws", {"Check": {"nonce": b"x" * 32}}),
        ("certificate", {"Check": {"drawn": 134}}),
        ("certificate", {"Check": {"drawn": 134}, "Certificate": {"audited": 134}}),
        ("certificate", {"Certificate": {"epsilon_nano": 1}}),
        ("certificate", {"Certificate": {"delta_nano": 1}}),
        ("certificate", {"Certificate": {"attempts": 2}}),
        ("certificate", {"Certificate": {"samples": 10**6}}),
        ("certificate", {"Check": {"differing": (1,)}}),
        ("certificate", {"ResultRecord": {"certificate": None}}),
        ("certificate", {"ResultRecord": {"metrics": ()}}),
    ],
)
def test_record_that_contradicts_itself_fails_at_the_step_that_finds_it(
    tmp_path: Path, step: str, changes: dict[str, dict[str, Any]]
) -> None:
    code, states, details = verify(Case(tmp_path / "bad", changes=changes).folder)
    assert code == 5
    assert [name for name, state in states.items() if state == "failed"] == [step], details
    after = list(states)[list(states).index(step) + 1 :]
    assert {states[name] for name in after} <= {"not checked"}


def test_groups_are_told_apart_and_their_file_is_asked_for(tmp_path: Path) -> None:
    case = Case(tmp_path / "grouped", groups=True)
    code, states, _ = verify(case.folder)
    assert (code, set(states.values())) == (0, {"ok"})
    told = CliRunner().invoke(cli, ["eval", "verify", str(case.report)]).stdout
    assert "  accuracy of north 1.0000   audit" in told
    (case.folder / "groups.npy").unlink()
    code, states, details = verify(case.folder)
    assert (code, states["metrics"], states["audit"]) == (0, "not checked", "ok")
    assert "the groups (" in details["metrics"]
    text = CliRunner().invoke(cli, ["eval", "export", str(case.report), "--to", "csv"]).stdout
    rows = [line.split(",")[4:6] for line in text.splitlines()[1:]]
    assert [row for row in rows if row[0] == "accuracy" and row[1]] == [["accuracy", "north"], ["accuracy", "south"]]


def test_failed_task_has_nothing_to_check_but_its_signatures(tmp_path: Path) -> None:
    nothing = {"outcome": Outcome.FAILED, "accepted": "", "certificate": None, "checks": (), "metrics": ()}
    case = Case(tmp_path / "failed", changes={"ResultRecord": nothing})
    code, states, details = verify(case.folder)
    assert code == 0
    assert [states[name] for name in DATA] == ["not checked"] * 3
    assert "failed" in details["audit"]
    result = CliRunner().invoke(cli, ["eval", "export", str(case.report), "--to", "csv"])
    assert result.exit_code == 2
    assert "no result to export" in result.stderr


def edited(alone: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    report = json.loads(alone.read_text())
    edit(report)
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(report))
    return path


@pytest.mark.parametrize(
    "edit",
    [
        lambda r: r["decoded"]["record"]["metrics"][0].update(value_nano=1),
        lambda r: r["decoded"]["record"].update(revision=True),
        lambda r: r["decoded"]["benchmark"].update(samples=float(SAMPLES)),
        lambda r: r["decoded"]["announcement"].update(model_name="gpt"),
        lambda r: r["decoded"].update(more={}),
        lambda r: r["decoded"].pop("announcement"),
        lambda r: r.update(signer=EVALUATOR.peer_id),
        lambda r: r.update(record=r["benchmark"]),
        lambda r: r.update(benchmark=r["record"]),
    ],
)
def test_display_that_says_other_than_what_was_signed_is_forged(
    alone: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], object]
) -> None:
    code, states, _ = verify(edited(alone, tmp_path, edit))
    assert (code, states["display"]) == (5, "failed")


@pytest.mark.parametrize(
    ("check", "edit"),
    [
        ("record", lambda r: r.update(envelope="****")),
        ("record", lambda r: r.update(envelope=r["envelope"][:-8] + "AAAAAAA=")),
        ("record", lambda r: r.update(envelope=r["benchmark_envelope"])),
        ("record", lambda r: r.update(network="p2peval-2")),
        ("benchmark", lambda r: r.update(benchmark_envelope=r["envelope"])),
    ],
)
def test_envelope_that_does_not_open_is_named(
    alone: Path, tmp_path: Path, check: str, edit: Callable[[dict[str, Any]], object]
) -> None:
    code, states, _ = verify(edited(alone, tmp_path, edit))
    assert (code, states[check]) == (5, "failed")


def test_spec_of_another_benchmark_does_not_pass_for_this_one(case: Case, alone: Path, tmp_path: Path) -> None:
    other = Case(tmp_path / "other", changes={"BenchmarkSpec": {"version": 2}}).file
    code, states, details = verify(
        edited(
            alone, tmp_path, lambda r: r.update(benchmark_envelope=other.benchmark_envelope, benchmark=other.benchmark)
        )
    )
    assert (code, states["display"]) == (5, "failed")
    assert "the spec beside it" in details["display"]


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", 2, "not a report"),
        (b"{}", 2, "not a report"),
        (b"[" * 100_000, 2, "not a report"),
        (b"\xff\xfe", 2, "not a report"),
        (b" " * (MAX_REPORT_BYTES + 1), 2, "larger than any report"),
    ],
)
def test_file_that_is_no_report_is_a_usage_error(tmp_path: Path, data: bytes, code: int, says: str) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(data)
    result = CliRunner().invoke(cli, ["eval", "verify", str(path)])
    assert result.exit_code == code
    assert says in result.stderr


def test_report_of_another_schema_is_named(alone: Path, tmp_path: Path) -> None:
    path = edited(alone, tmp_path, lambda r: r.update(schema="p2peval.report/2"))
    result = CliRunner().invoke(cli, ["eval", "verify", str(path)])
    assert result.exit_code == 2
    assert "p2peval.report/2" in result.stderr


def test_report_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["eval", "verify", str(tmp_path / "none.json")]).exit_code == 6


def test_model_of_another_name_is_not_the_one_that_was_signed_for(case: Case, alone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes((case.folder / "model.onnx").read_bytes() + b"\x00")
    code, states, details = verify(alone, "--model", other)
    assert (code, states["model"]) == (5, "failed")
    assert case.blob("model.onnx").cid in details["model"]


def test_people_are_told_what_was_checked_and_what_was_not(alone: Path) -> None:
    result = CliRunner().invoke(cli, ["eval", "verify", str(alone)])
    assert result.exit_code == 0
    assert "not checked  audit" in result.stdout
    assert "=logistic é on digits" in result.stdout
    assert "nothing failed; not checked: outputs, metrics, audit" in result.stderr
