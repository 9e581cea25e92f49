"""A parquet file with groups and a perturbation, from an author's folder to a stranger's accepted result."""

from __future__ import annotations

from pathlib import Path

import mlcroissant
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from daemons import classification, linear_classifier, peers, wait_for

NOISE = '[[perturbations]]\nname = "noisy"\nkind = "gaussian_noise"\nlevel = 3\nseed = 1\n'


def benchmark(folder: Path) -> Path:
    """The flowers of ``daemons``, in two regions, and once more with noise."""
    classification(folder, extra=NOISE)
    points = np.loadtxt(folder / "data.csv", delimiter=",", skiprows=1)
    regions = np.where(np.arange(len(points)) % 2, "north", "south")
    columns = {"x": points[:, 0], "y": points[:, 1], "label": points[:, 2].astype(int), "region": regions}
    pq.write_table(pa.table(columns), folder / "data.parquet")
    text = (folder / "benchmark.toml").read_text()
    text = text.replace('"data.csv"', '"data.parquet"').replace('label = "label"', 'label = "label"\ngroups = "region"')
    (folder / "benchmark.toml").write_text(text)
    return folder


def test_groups_and_perturbations_go_from_parquet_to_an_accepted_result(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "flowers")
    with peers(tmp_path, 2) as (ada, bob):
        checked = ada.run("bench", "validate", str(folder))
        assert (checked["samples"], checked["group_names"], checked["per_group"]) == (150, ["north", "south"], [75, 75])
        ada.run("bench", "publish", str(folder))
        bob.run("bench", "join", ada.run("bench", "invite", "flowers")["invite"])
        wait_for(lambda: len(bob.get("benchmarks/flowers")["members"]) == 2, "both to know each other")
        shown = bob.run("bench", "show", "flowers")
        assert shown["samples"] == 300
        assert [condition["name"] for condition in shown["conditions"]] == ["noisy"]
        task = bob.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "c.onnx")))
        assert task["state"] == "accepted"
        accuracy = {metric["group"]: metric["value"] for metric in task["metrics"] if metric["name"] == "accuracy"}
        assert accuracy.keys() == {"", "north", "south", "noisy"}
        assert abs((accuracy["north"] + accuracy["south"]) / 2 - accuracy[""]) < 1e-9
        assert accuracy["noisy"] < accuracy[""]
        document = bob.get("benchmarks/flowers/croissant")
        described = mlcroissant.Dataset(document).metadata
        assert [file.name for file in described.distribution] == ["inputs.npy", "labels.npy", "groups.npy"]
