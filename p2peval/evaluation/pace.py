"""How fast a model is on this machine: figures that nobody else can check, hence self-reported.

Offline throughput and single-stream latency as MLPerf Inference names them, each a quantile of repeated runs on one
thread. Apart from the run whose outputs count: a batch of one sample may use other kernels. Source: evaluation.md,
Metrics.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from p2peval.defaults import BATCH, PACE_QUERIES, PACE_SECONDS
from p2peval.errors import EvaluationError
from p2peval.evaluation.answers import Pace
from p2peval.evaluation.recipe import Array, Model


def pace(model: Model, inputs: Array) -> Pace:
    """``inputs``: N × the input's shape, N ≥ 1. Each figure takes PACE_SECONDS and one run at most.

    It is the first batch that is run again and again: all of them would be mapped into memory once more.
    """
    first = inputs[:BATCH]
    batches = _timed(lambda turn: model.run(first, [0]))
    try:
        queries = _timed(lambda turn: model.query(first[turn % len(first)]))
    except EvaluationError:  # it takes whole batches only: it has no latency of one sample
        queries = np.zeros(1)
    return Pace(
        throughput_milli=round(1000 * BATCH / max(float(np.median(batches)), 1e-9)),
        latency_p50_us=round(1e6 * float(np.quantile(queries, 0.5))),
        latency_p99_us=round(1e6 * float(np.quantile(queries, 0.99))),
    )


def _timed(run: Callable[[int], object]) -> Array:
    """Seconds of each of up to PACE_QUERIES runs, the first of which is not counted where there are others."""
    seconds: list[float] = []
    end = time.perf_counter() + PACE_SECONDS
    while len(seconds) <= PACE_QUERIES and (not seconds or time.perf_counter() < end):
        start = time.perf_counter()
        run(len(seconds))
        seconds.append(time.perf_counter() - start)
    return np.array(seconds[1:] or seconds)
