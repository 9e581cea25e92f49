"""Every family of ``make bench`` still measures something; how fast it is, no test says."""

from __future__ import annotations

from pathlib import Path

import bench_blob
import bench_evaluation
import bench_gossip
import bench_ingest
import bench_mesh
import bench_population
import bench_proof
import bench_redundancy
import bench_sandbox
import bench_trust
import pytest
from report import Row

pytestmark = pytest.mark.slow


def positive(rows: list[Row]) -> set[str]:
    assert all(row.value > 0 and row.unit and row.against for row in rows), rows
    return {row.name for row in rows}


def test_ingest_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ingest, "EACH", 4)
    assert positive(bench_ingest.run(tmp_path)) == {
        "ingest.objects_per_s",
        "ingest.statements_per_s",
    }


def test_evaluation_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_evaluation, "RUNS", 1)
    names = positive(bench_evaluation.run(tmp_path))
    ratios = {f"evaluation.ratio.{name}" for name in bench_evaluation.WANTED}
    assert ratios <= names


def test_fraud_proofs_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_proof, "RUNS", 1)
    monkeypatch.setattr(bench_proof, "READS", 2)
    assert positive(bench_proof.run(tmp_path)) == {
        "proof.bytes",
        "proof.build_ms",
        "proof.read_ms",
        "proof.rerun_ms",
    }


def test_workers_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_sandbox, "STARTS", 2)
    monkeypatch.setattr(bench_sandbox, "ROUNDS", 1)
    names = {"evaluation.start_cold_ms", "evaluation.start_warm_ms", "evaluation.workers2.speedup"}
    assert positive(bench_sandbox.run(tmp_path)) == names


def test_blobs_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_blob, "RUNS", 1)
    assert positive(bench_blob.run(tmp_path)) == {"blob.ratio_to_stream"}


def test_gossip_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_gossip, "EACH", 3)
    assert positive(bench_gossip.run(tmp_path)) == {"gossip.all_ms_p50.5", "gossip.all_ms_p99.5"}


def test_trust_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_trust, "SIZES", {"few": (2000, 20_000)})
    monkeypatch.setattr(bench_trust, "RUNS", 1)
    monkeypatch.setattr(bench_trust, "CHANGES", 20)
    names = positive(bench_trust.run(tmp_path))
    assert {"trust.few.ratio_to_scipy", "trust.few.ratio_to_scipy.numpy", "trust.row_update_ms.few"} <= names


def test_redundancy_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_redundancy, "SEEDS", 2)
    names = {
        "redundancy.executions_per_task.honest",
        "redundancy.wrong_accepts.whitewash",
        "redundancy.wrong_accepts.whitewash.bold",
    }
    assert positive(bench_redundancy.run(tmp_path)) == names


def test_the_population_model_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_population, "SIZES", {"few": 2_000})
    assert positive(bench_population.run(tmp_path)) == {"sim.population_epoch_s.few", "sim.population_gb.few"}


def test_gossip_in_virtual_time_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_mesh, "SIZES", {"few": 100})
    names = {"sim.gossip_copies_per_s.few", "sim.gossip_events_per_s.few", "sim.gossip_bytes_per_host.few"}
    assert positive(bench_mesh.run(tmp_path)) == names
