"""An epoch of the population model: a million peers that know each other, in a process of its own for its memory."""

from __future__ import annotations

import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from report import Row

from p2peval.sim.population.epochs import Play
from p2peval.sim.population.groups import Behaviour, Group, Population

SIZES = {"100k": 100_000, "1m": 1_000_000}
RUNS = 5


def run(scratch: Path) -> list[Row]:
    rows = []
    for label, peers in SIZES.items():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            wall, cpu, gigabytes = pool.submit(_measured, peers).result()
        told = f"{peers} peers, a tenth Sybils; median of {RUNS}; {cpu:.3g} s of CPU; reputation reckoned in each"
        rows.append(Row(f"sim.population_epoch_s.{label}", wall, "s", told))
        rows.append(Row(f"sim.population_gb.{label}", gigabytes, "GB", "peak of its process, all included"))
    return rows


def population(peers: int) -> Population:
    """Nine tenths honest, each acquainted with sixteen and asking once; the others are Sybils that sleep and lie."""
    sybils = Group("sybils", peers // 10, Behaviour(honest=12), edges=peers // 100)
    return Population(peers - peers // 10, (sybils,), met=16)


def _measured(peers: int) -> tuple[float, float, float]:
    """Median seconds of an epoch, on the wall and of this process, after one to warm up; GB at its peak."""
    game = Play(population(peers), 1)
    game.epoch()
    spent = []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        game.epoch()
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    walls, cpus = zip(*spent, strict=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return statistics.median(walls), statistics.median(cpus), peak
