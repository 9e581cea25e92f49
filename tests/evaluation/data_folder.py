"""A benchmark directory for the tests of data formats, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from p2peval.core.parts import Tensor
from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation.answers import Prepared
from p2peval.evaluation.benchmark_file import load
from p2peval.evaluation.dataset import map_inputs, map_labels, prepare

TOML = """
name = "iris"
[data]
{data}
[model]
task = "{task}"
{classes}
inputs = [{{ name = "x", dtype = "{dtype}", shape = [{shape}] }}]
output = {{ name = "y" }}
[metrics]
primary = "{primary}"
"""


class DataFolder:
    """``toml``: the [data] lines and what differs from a classification of three classes by two float32 numbers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out = path / "out"
        self.out.mkdir()
        self._input = Tensor("x", "float32", (2,))

    def toml(
        self,
        data: str,
        *,
        shape: tuple[int, ...] = (2,),
        dtype: str = "float32",
        classes: str = "classes = 3",
        more: str = "",
    ) -> None:
        self._input = Tensor("x", dtype, shape)
        task, primary = ("classification", "accuracy") if classes else ("regression", "mae")
        sides = ", ".join(['"N"', *map(str, shape)])
        text = TOML.format(data=data, task=task, classes=classes, dtype=dtype, shape=sides, primary=primary)
        (self.path / "benchmark.toml").write_text(text + more)

    def prepare(self) -> Prepared:
        self.answer = prepare(self.path, self.out)
        return self.answer

    def inputs(self, blocks: int = 1) -> np.ndarray:
        return map_inputs(self.out / "inputs.npy", self.answer.samples * blocks, self._input)

    def labels(self) -> list[float]:
        task = "classification" if self.answer.per_class else "regression"
        return map_labels(self.out / "labels.npy", self.answer.samples, task).tolist()

    def groups(self) -> list[str]:
        return [self.answer.group_names[at] for at in np.load(self.out / "groups.npy")]

    def error(self) -> EvaluationError:
        """What is wrong with the data; nothing half-written is left."""
        with pytest.raises(EvaluationError) as caught:
            self.prepare()
        assert caught.value.reason == "bad_data"
        assert not list(self.out.iterdir())
        return caught.value

    def config_error(self) -> str:
        with pytest.raises(ConfigError) as caught:
            load(self.path)
        return caught.value.message
