"""A campaign on a Dask cluster finds what one process finds (extra ``sim-cluster``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2peval.errors import NetworkError
from p2peval.sim import campaign
from p2peval.sim.cluster import on_cluster
from tests.sim.test_campaign import POINT, quiet

distributed = pytest.importorskip("distributed")


def test_two_workers_find_what_one_process_finds(tmp_path: Path) -> None:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        (there,) = campaign.run([POINT], tmp_path / "there", on_cluster(cluster.scheduler_address), quiet)
    (here,) = campaign.run([POINT], tmp_path / "here", campaign.locally(1), quiet)
    assert there == here


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2peval.sim.cluster.CONNECT", 0.5)
    with pytest.raises(NetworkError, match="no Dask scheduler answers at tcp"):
        on_cluster("tcp://127.0.0.1:9")
