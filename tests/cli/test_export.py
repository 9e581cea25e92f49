"""``eval export`` of a real report: what others' readers ask for is there, and says what was signed."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from p2peval.cli.contract import FOLDER
from p2peval.cli.main import cli
from p2peval.core.parts import Defined
from p2peval.core.types import from_nano
from p2peval.daemon import reports
from p2peval.interop.eddsa_jcs import signer_of
from tests.cli.conftest import Shell
from tests.cli.scripted import TASK, Scripted
from tests.daemon.report_case import SAMPLES, Case

TEXT, DETAILS = {"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}


def fields(required: dict[str, Any], optional: dict[str, Any] | None = None, *, closed: bool = True) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": not closed,
    }


BOUND = {"anyOf": [{"type": ["number", "null"]}, {"enum": ["Infinity", "-Infinity"]}]}
EVERY_EVAL_EVER = fields(
    {
        "schema_version": {"const": "0.3.0"},
        "evaluation_id": TEXT,
        "retrieved_timestamp": {"type": "string", "pattern": "^[0-9]+$"},
        "source_metadata": fields(
            {
                "source_type": {"enum": ["documentation", "evaluation_run"]},
                "source_organization_name": TEXT,
                "evaluator_relationship": {"enum": ["first_party", "third_party", "collaborative", "other"]},
            },
            {"source_name": TEXT, "additional_details": DETAILS},
        ),
        "model_info": fields(
            {
                "name": TEXT,
                "id": TEXT,
                "additional_details": {
                    **DETAILS,
                    "required": ["deployment_type", "model_availability"],
                    "properties": {
                        "deployment_type": {"enum": ["self_deployed", "externally_managed", "unknown"]},
                        "model_availability": {"enum": ["open_weights", "closed_weights", "unknown"]},
                    },
                },
            },
            {"inference_engine": fields({"name": TEXT})},
        ),
        "eval_library": fields({"name": TEXT, "version": TEXT}),
        "evaluation_results": {
            "type": "array",
            "items": fields(
                {
                    "evaluation_name": TEXT,
                    "source_data": fields(
                        {
                            "dataset_name": TEXT,
                            "source_type": {"const": "url"},
                            "url": {"type": "array", "items": TEXT},
                        },
                        {"additional_details": DETAILS},
                    ),
                    "metric_config": fields(
                        {
                            "lower_is_better": {"type": "boolean"},
                            "score_type": {"const": "continuous"},
                            "min_score": BOUND,
                            "max_score": BOUND,
                        },
                        {"metric_id": TEXT, "metric_name": TEXT},
                    ),
                    "score_details": fields(
                        {"score": {"type": "number"}},
                        {"details": DETAILS, "uncertainty": {"type": "object"}},
                    ),
                },
                {"evaluation_result_id": TEXT},
            ),
        },
    },
    {"evaluation_timestamp": TEXT},
)
"""What eval.schema.json 0.3.0 of github.com/evaleval/every_eval_ever asks of the fields that we fill; no others."""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case") / "bundle")


def export(source: Path | str, to: str, *words: str, home: Path | None = None) -> Result:
    at = ["--home", str(home)] if home else []
    return CliRunner().invoke(cli, [*at, "eval", "export", str(source), "--to", to, *words])


def exported(source: Path | str, to: str, *words: str, home: Path | None = None) -> str:
    result = export(source, to, *words, home=home)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_eval_ever_file_has_what_its_schema_asks_for(case: Case) -> None:
    document = json.loads(exported(case.report, "eee"))
    jsonschema.validate(document, EVERY_EVAL_EVER)
    first = document["evaluation_results"][0]
    assert first["evaluation_name"] == "digits/accuracy"
    assert first["score_details"]["score"] == from_nano(case.metrics[0].value_nano)
    assert first["score_details"]["uncertainty"]["num_samples"] == SAMPLES
    brier = document["evaluation_results"][2]["metric_config"]
    assert (brier["metric_id"], brier["max_score"], brier["lower_is_better"]) == ("brier", 2.0, True)


def test_model_index_names_every_metric_that_has_a_value(case: Case, tmp_path: Path) -> None:
    lines = exported(case.report, "hf").splitlines()
    assert lines[:3] == ["model-index:", '  - name: "=logistic é"', "    results:"]
    assert [line.split('"')[1] for line in lines if line.strip().startswith("- type:")] == list(
        case.spec.payload.metrics
    )
    value = from_nano(case.metrics[0].value_nano)
    assert f"            value: {value}" in lines
    undefined = replace(case.metrics[0], defined=Defined.UNDEFINED, value_nano=0, audit=None, sampling=None)
    less = Case(tmp_path / "less", changes={"ResultRecord": {"metrics": (undefined, *case.metrics[1:])}})
    assert '"accuracy"' not in exported(less.report, "hf")
    assert exported(less.report, "hf", "--hub-dataset", "org/digits") == "[]\n"


def test_eval_results_entry_is_of_the_benchmark_that_the_hub_knows(case: Case) -> None:
    lines = exported(case.report, "hf", "--hub-dataset", "org/digits", "--hub-task", "test").splitlines()
    assert lines[:4] == [
        "- dataset:",
        '    id: "org/digits"',
        '    task_id: "test"',
        f"  value: {from_nano(case.metrics[0].value_nano)}",
    ]
    assert not [line for line in lines if "verify" in line.split(":")[0]]


def test_csv_has_a_row_for_each_metric_and_no_formula(case: Case) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(case.report, "csv"))))
    assert [row["metric"] for row in rows] == list(case.spec.payload.metrics)
    assert rows[0]["model_name"] == "'=logistic é"
    for row, metric in zip(rows, case.metrics, strict=True):
        assert metric.audit is not None
        assert metric.sampling is not None
        assert float(row["value"]) == from_nano(metric.value_nano)
        assert float(row["audit_low"]) == from_nano(metric.audit.low_nano)
        assert float(row["sampling_high"]) == from_nano(metric.sampling.high_nano)
        assert (row["samples"], row["audited"], row["ambiguity_low"]) == (str(SAMPLES), "135", "")


@pytest.fixture(scope="module")
def credential(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A credential signed by the key of a home of its own."""
    folder = tmp_path_factory.mktemp("issuer")
    assert CliRunner().invoke(cli, ["--home", str(folder / "home"), "init"]).exit_code == 0
    exported(case.report, "vc", "--out", str(folder / "credential.json"), home=folder / "home")
    return folder / "credential.json"


def test_credential_is_signed_by_the_home_and_verifies_as_the_report_does(case: Case, credential: Path) -> None:
    document = json.loads(credential.read_text())
    assert document["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert document["type"][0] == "VerifiableCredential"
    assert signer_of(document) == document["issuer"]
    result = CliRunner().invoke(cli, ["eval", "verify", str(credential), "--data", str(case.folder), "--json"])
    assert result.exit_code == 0, result.output
    view = json.loads(result.stdout)["data"]
    assert view["kind"] == "credential"
    assert {check["state"] for check in view["checks"]} == {"ok"}
    assert {"proof", "claims", "audit"} <= {check["name"] for check in view["checks"]}


def test_credential_that_says_more_than_its_record_is_refused_although_its_issuer_signed_it(
    case: Case, credential: Path, tmp_path: Path
) -> None:
    from p2peval.interop import eddsa_jcs

    document = json.loads(credential.read_text())
    del document["proof"]
    document["credentialSubject"]["evaluation"]["metrics"][0]["value"] = 0.5
    seed = bytes(range(32))
    document["issuer"] = signer_of(eddsa_jcs.sign(document, seed, "2026-01-01T00:00:00Z"))
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(eddsa_jcs.sign(document, seed, "2026-01-01T00:00:00Z")))
    result = CliRunner().invoke(cli, ["eval", "verify", str(forged), "--json"])
    checks = {check["name"]: check["state"] for check in json.loads(result.stdout)["data"]["checks"]}
    assert (result.exit_code, checks["proof"], checks["claims"]) == (5, "ok", "failed")


def test_credential_of_another_issuer_than_its_signer_is_refused(credential: Path, tmp_path: Path) -> None:
    from p2peval.interop import eddsa_jcs

    document = json.loads(credential.read_text())
    del document["proof"]
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(eddsa_jcs.sign(document, bytes(32), "2026-01-01T00:00:00Z")))
    result = CliRunner().invoke(cli, ["eval", "verify", str(forged), "--json"])
    checks = {check["name"]: check["state"] for check in json.loads(result.stdout)["data"]["checks"]}
    assert (result.exit_code, checks["proof"]) == (5, "failed")


def test_credential_needs_a_key(case: Case, tmp_path: Path) -> None:
    result = export(case.report, "vc", home=tmp_path / "nothing")
    assert result.exit_code == 6
    assert "init makes one" in result.stderr


def test_report_that_does_not_hold_is_not_exported(case: Case, tmp_path: Path) -> None:
    bad = Case(tmp_path / "bad", changes={"Commitment": {"digest": b"x" * 32}})
    result = export(bad.report, "csv")
    assert result.exit_code == 5
    assert "reveals" in result.stderr
    assert result.stdout == ""


def test_json_answer_carries_the_export(case: Case, tmp_path: Path) -> None:
    answer = json.loads(exported(case.report, "csv", "--json"))
    jsonschema.validate(answer, json.loads((FOLDER / "eval.export.json").read_text()))
    assert answer["data"]["text"].startswith("benchmark_name,")
    assert answer["data"]["record"] == case.record.id
    written = json.loads(exported(case.report, "csv", "--json", "--out", str(tmp_path / "x.csv")))["data"]
    assert (written["text"], Path(written["file"]).read_text().splitlines()[0]) == (
        "",
        answer["data"]["text"].splitlines()[0],
    )


def test_task_is_exported_through_the_daemon_as_its_report_would_be(
    case: Case, shell: Shell, service: Scripted
) -> None:
    service.report_file = case.file
    assert shell.run("eval", "export", TASK, "--to", "csv").stdout == exported(case.report, "csv")
    assert shell.run("eval", "export", TASK, "--to", "report").stdout.encode() == reports.text(case.file)
    assert service.calls == [("report", TASK), ("report", TASK)]


def test_bundle_says_where_it_is_and_what_it_lacks(shell: Shell, service: Scripted, tmp_path: Path) -> None:
    result = shell.run("eval", "export", TASK, "--to", "bundle", "--out", str(tmp_path / "b"))
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "b")
    assert "without model.onnx" in result.stderr
    assert shell.run("eval", "export", TASK, "--to", "bundle").exit_code == 2
