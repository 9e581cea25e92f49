"""The lab's engine: real nodes by the thousand on one core, beside a bare heap and simpy; what an idle node weighs."""

from __future__ import annotations

import heapq
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import simpy
from report import Row

from p2peval.core.policy import Policy
from p2peval.sim.collector import patient_collector
from p2peval.sim.flood import Flood, Register
from p2peval.sim.links import Links
from p2peval.sim.scenario import Latency, Network, Population, Scenario, Workload
from p2peval.sim.stage import set_up
from p2peval.sim.users import schedule
from p2peval.sim.world import World

HOSTS = 10_000

FIRST = 1_000
"""Hosts after which memory is looked at: what all share is there by then."""

MINUTES = 2
TASKS = 5
LOOP = 300_000
"""Events of the bare loops."""

SCENARIO = Scenario(
    "ten thousand",
    seeds=(0,),
    hours=MINUTES / 60,
    population=Population(honest=HOSTS, requesters=TASKS),
    workload=Workload(tasks=1, tasks_per_hour=60.0 / MINUTES, samples=1000),
    network=Network(degree=4, profiles="neighbours"),
)


def run(scratch: Path) -> list[Row]:
    rows = [
        Row("sim.bytes_per_node", _apart(idle), "bytes", f"resident, of {HOSTS - FIRST} more idle nodes"),
        Row("sim.events_per_s.heapq", _apart(bare_heap), "1/s", f"a heap of {HOSTS} callbacks that push the next"),
        Row("sim.events_per_s.simpy", _apart(by_simpy), "1/s", f"time-outs of {HOSTS} processes"),
    ]
    told = f"{HOSTS} nodes, {MINUTES} virtual minutes with {TASKS} tasks; of CPU time, one core"
    for gossip, name in (("flood", "sim.events_per_s.10k"), ("mesh", "sim.events_per_s.10k.mesh")):
        meeting, events, handled, messages = _apart(played, gossip)
        rows += [
            Row(name, events, "1/s", told),
            Row(f"{name}.handled", handled, "1/s", "of these, what a node's full logic handled"),
            Row(f"{name}.messages", messages, "1/s", "messages on links"),
            Row(f"{name}.meeting_s", meeting, "s", "until all have met and joined"),
        ]
    return rows


def _apart(measure: Callable[..., Any], *args: object) -> Any:
    """In a process of its own, so that nothing is warm and memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *args).result()


def idle() -> float:
    """Bytes of resident memory for each node that has started, has its profile and its timers, and knows nobody."""
    policy = Policy()
    world = World(1, Links(1, Latency()), Alone, Register)
    held = 0
    for number in range(HOSTS):
        world.up(world.add(policy))
        if number + 1 == FIRST:
            held = _resident()
    return (_resident() - held) / (HOSTS - FIRST)


class Alone(Flood):
    """Nobody hears anybody: an idle node is measured, not what it learns of ten thousand others."""

    def publish(self, *_: object) -> None:
        """Into the void."""


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@patient_collector()
def played(gossip: str) -> tuple[float, float, float, float]:
    """CPU seconds until everybody has joined; events, handled events and messages for each CPU second after that."""
    started = time.process_time()
    stage = set_up(replace(SCENARIO, network=replace(SCENARIO.network, gossip=gossip)), 0, {})
    world = stage.world
    schedule(stage, 0)

    def counts() -> tuple[int, int, int]:
        return world.heap.events, world.trace.events, world.work["messages"]

    before, began = counts(), time.process_time()
    world.heap.run(world.now + SCENARIO.seconds)
    spent = time.process_time() - began
    events, handled, messages = ((now - then) / spent for now, then in zip(counts(), before, strict=True))
    return began - started, events, handled, messages


def bare_heap() -> float:
    """The least that any simulator does: pop, call, push."""
    rng = Random(1)
    heap: list[tuple[float, int, Callable[[float, int], None]]] = []

    def again(now: float, ticket: int) -> None:
        heapq.heappush(heap, (now + rng.random(), ticket + HOSTS, again))

    for ticket in range(HOSTS):
        heapq.heappush(heap, (rng.random(), ticket, again))
    began = time.process_time()
    for _ in range(LOOP):
        now, ticket, what = heapq.heappop(heap)
        what(now, ticket)
    return LOOP / (time.process_time() - began)


def by_simpy() -> float:
    """As many processes that do nothing but wait."""
    rng = Random(1)
    environment = simpy.Environment()
    done = 0

    def waits() -> Iterator[simpy.Event]:
        nonlocal done
        while True:
            yield environment.timeout(rng.random())
            done += 1

    for _ in range(HOSTS):
        environment.process(waits())
    began = time.process_time()
    environment.run(until=0.5 * LOOP / HOSTS)
    return done / (time.process_time() - began)
