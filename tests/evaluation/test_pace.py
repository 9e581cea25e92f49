"""Speed as an evaluator reports it of itself: measured, in the right units, and never in the way of the outputs."""

from __future__ import annotations

import numpy as np
import pytest

from p2peval.core.parts import Tensor
from p2peval.defaults import BATCH, PACE_QUERIES
from p2peval.errors import EvaluationError
from p2peval.evaluation import pace as module
from p2peval.evaluation.pace import pace
from p2peval.evaluation.recipe import Model


class Clock:
    """A run of a batch takes a second for each of its samples."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.runs: list[int] = []
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)

    def infer(self, rows: np.ndarray) -> np.ndarray:
        self.now += len(rows) * 1e-3
        self.runs.append(len(rows))
        return np.zeros((len(rows), 2), np.float32)


def model(infer) -> Model:
    return Model(Tensor("x", "float32", (3,)), Tensor("y", "float32", (2,)), infer)


def test_throughput_is_of_whole_batches_and_latency_of_one_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    told = pace(model(clock.infer), np.zeros((100, 3), np.float32))
    assert told.throughput_milli == pytest.approx(1_000_000, rel=0.01)
    assert (told.latency_p50_us, told.latency_p99_us) == (pytest.approx(1000, abs=2), pytest.approx(1000, abs=2))
    assert set(clock.runs) == {BATCH, 1}


def test_figures_take_little_time_however_slow_or_fast_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace(model(clock.infer), np.zeros((100, 3), np.float32))
    assert clock.now < 1.0
    instant: list[int] = []

    def at_once(rows: np.ndarray) -> np.ndarray:
        instant.append(len(rows))
        return np.zeros((len(rows), 2), np.float32)

    pace(model(at_once), np.zeros((5, 3), np.float32))
    assert instant.count(1) == PACE_QUERIES + 1


def test_a_model_for_whole_batches_only_has_no_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole_only(rows: np.ndarray) -> np.ndarray:
        if len(rows) != BATCH:
            raise RuntimeError("got 1, expected 32")
        return np.zeros((BATCH, 2), np.float32)

    told = pace(model(whole_only), np.zeros((40, 3), np.float32))
    assert told.throughput_milli > 0
    assert (told.latency_p50_us, told.latency_p99_us) == (0, 0)
    with pytest.raises(EvaluationError):
        model(whole_only).query(np.zeros(3, np.float32))
