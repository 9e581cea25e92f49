"""A small benchmark directory, by csv or npz, and what ``prepare`` makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation.benchmark_file import load
from p2peval.evaluation.dataset import prepare

CSV = """
name = "iris"
[data]
file = "data.csv"
input = ["a", "b"]
label = "kind"
[model]
task = "classification"
classes = 3
inputs = [{ name = "x", shape = ["N", 2] }]
output = { name = "y" }
[metrics]
primary = "accuracy"
"""
NPZ = CSV.replace("data.csv", "data.npz").replace('["a", "b"]', '"a"')
REGRESSION = CSV.replace("classification", "regression").replace("classes = 3\n", "").replace("accuracy", "mae")


class Bench:
    """A benchmark directory and what ``prepare`` makes of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out = path / "out"
        self.out.mkdir()
        self.toml(CSV)

    def toml(self, text: str) -> None:
        (self.path / "benchmark.toml").write_text(text)

    def csv(self, text: str, encoding: str = "utf-8") -> None:
        (self.path / "data.csv").write_bytes(text.encode(encoding))

    def npz(self, **arrays: object) -> None:
        self.toml(NPZ)
        np.savez_compressed(self.path / "data.npz", **arrays)

    def prepare(self):
        return prepare(self.path, self.out)

    def error(self) -> EvaluationError:
        with pytest.raises(EvaluationError) as caught:
            self.prepare()
        assert caught.value.reason == "bad_data"
        assert not list(self.out.iterdir()), "something half-written"
        return caught.value

    def config_error(self, text: str) -> str:
        self.toml(text)
        with pytest.raises(ConfigError) as caught:
            load(self.path)
        return caught.value.message
