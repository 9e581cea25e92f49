"""The lab's shell around real nodes: that it does what a daemon's shell does, and the same thing every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from p2peval.core.conviction import is_convicted
from p2peval.core.effects import Effect
from p2peval.core.events import Event, StartTask
from p2peval.core.rows import TaskState
from p2peval.core.types import Seconds
from p2peval.sim import exchange, world
from p2peval.sim.kinds import registry
from p2peval.sim.onnx_laboratory import OnnxLaboratory
from p2peval.sim.play import play
from p2peval.sim.scenario import Adversaries, Latency, Network, Partition, Population, Scenario, Workload
from p2peval.sim.stage import Stage, made_up, set_up
from p2peval.sim.trace import Trace

SMALL = Scenario(
    "small",
    hours=0.2,
    population=Population(honest=6, requesters=2),
    workload=Workload(tasks=3, tasks_per_hour=15.0, samples=400),
    network=Network(degree=3),
)
ATTACKED = replace(SMALL, adversaries=(Adversaries("sybils", 3),), population=Population(honest=7, requesters=3))


def ask(stage: Stage, place: int = 0, model: str = "a model") -> None:
    """A requester's user asks for one evaluation."""
    host, blob = stage.requesters[place], made_up(model)
    stage.world.hold(host, blob.cid)
    stage.world.handle(host, StartTask("", stage.benchmarks[0], blob, model, 0, 0, 0))


def task_of(stage: Stage, place: int = 0) -> TaskState:
    return list(stage.requesters[place].node.state.tasks)[-1].state


def test_a_task_is_announced_evaluated_audited_and_recorded_at_every_member() -> None:
    stage = set_up(SMALL, 0, {})
    ask(stage)
    stage.world.heap.run(stage.world.now + 60.0)
    assert task_of(stage) is TaskState.ACCEPTED
    task = next(iter(stage.requesters[0].node.state.tasks))
    assert all(task.record in host.node.state.objects for host in stage.honest)


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_plays_the_same_world_again_and_another_seed_another(seed: int) -> None:
    first, again, other = (play(ATTACKED, s, registry(ATTACKED)) for s in (seed, seed, seed + 1))
    assert first == again
    assert first.digest != other.digest


def test_what_is_not_signed_is_decided_as_what_is() -> None:
    """With and without cryptography: the same events at the same hosts, leading to the same effects."""

    def told(scenario: Scenario) -> list[tuple[int, str, tuple[str, ...]]]:
        seen: list[tuple[int, str, tuple[str, ...]]] = []

        def heard(now: Seconds, host: int, event: Event, effects: list[Effect]) -> None:
            seen.append((host, type(event).__name__, tuple(type(effect).__name__ for effect in effects)))

        play(scenario, 3, registry(scenario), Trace(heard))  # type: ignore[arg-type]
        return seen

    real = replace(ATTACKED, network=replace(ATTACKED.network, crypto="real"))
    assert told(ATTACKED) == told(real)


def test_no_host_has_more_connections_than_a_daemon_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody asks for members and finds the same twenty: without limits these would be connected to all."""
    monkeypatch.setattr(world, "MAX_CONNECTIONS", 12)
    monkeypatch.setattr(exchange, "MAX_PEERS", 8)
    many = replace(SMALL, population=Population(honest=30, requesters=1), network=Network(degree=2))
    hosts = set_up(many, 0, {}).world.hosts
    assert 8 < max(len(host.neighbours) for host in hosts) <= 12
    assert all(host.number in hosts[other].neighbours for host in hosts for other in host.neighbours)


@pytest.mark.parametrize("network", [{"gossip": "mesh"}, {"lookups": "kademlia"}], ids=["mesh", "kademlia"])
def test_every_way_of_the_network_brings_every_record_to_everybody(network: dict[str, str]) -> None:
    outcome = play(replace(SMALL, network=replace(SMALL.network, **network)), 0, {})
    assert outcome.measures["accepted"] == 1.0
    assert outcome.measures["records_delivered"] == 1.0


def test_real_models_are_run_and_a_liar_is_caught_by_what_they_say() -> None:
    real = replace(ATTACKED, workload=replace(ATTACKED.workload, evaluator="onnxruntime"))
    stage = set_up(real, 0, registry(real))
    laboratory = stage.world.workshop.laboratory
    assert isinstance(laboratory, OnnxLaboratory)
    for number in range(4):
        ask(stage, place=number % 3, model=f"model {number}")
        stage.world.heap.run(stage.world.now + 60.0)
    assert laboratory.runs == 4
    outcome = play(real, 0, registry(real))
    assert outcome.measures["lies"] >= 1.0
    assert outcome.measures["caught"] > 0.0
    assert outcome.measures["wrong_accepts"] == 0.0
    assert outcome == play(real, 0, registry(real))


def test_a_host_that_dies_at_work_goes_on_when_it_is_back() -> None:
    """The evaluator is killed while it runs the model; its outbox brings the run back, and the task is accepted."""
    slow = replace(SMALL, workload=replace(SMALL.workload, model_seconds=5.0), population=Population(2, 1))
    stage = set_up(replace(slow, network=Network(degree=1)), 0, {})
    ask(stage)
    (evaluator,) = [host for host in stage.honest if host is not stage.requesters[0]]
    assert stage.world.heap.run_while(lambda: stage.world.now >= evaluator.busy_until, stage.world.now + 60.0)
    stage.world.down(evaluator)
    stage.world.heap.run(stage.world.now + 1.0)
    stage.world.up(evaluator)
    stage.world.connect(evaluator.number, stage.requesters[0].number)
    stage.world.heap.run(stage.world.now + 60.0)
    assert task_of(stage) is TaskState.ACCEPTED


def test_nothing_passes_a_cut_and_everything_follows_when_it_heals() -> None:
    cut = Partition(start_s=0.0, seconds=120.0, share=0.5)
    stage = set_up(replace(SMALL, network=Network(degree=5, partitions=(cut,))), 1, {})
    ask(stage)
    stage.world.heap.run(stage.world.now + 60.0)
    record = next(iter(stage.requesters[0].node.state.tasks)).record
    having = [host.number for host in stage.honest if record in host.node.state.objects]
    assert record
    assert 0 < len(having) < len(stage.honest)
    stage.world.heap.run(stage.world.now + 60.0 + 60.0)  # a minute after it healed (reliability.md, row 12)
    assert all(record in host.node.state.objects for host in stage.honest)


def test_liars_are_caught_by_audit_and_dropped_by_everybody() -> None:
    one = replace(SMALL, population=Population(3, 1), adversaries=(Adversaries("sybils", 1),))
    stage = set_up(one, 0, registry(one))
    (liar,) = stage.dishonest
    for number in range(12):
        ask(stage, model=f"model {number}")
        stage.world.heap.run(stage.world.now + 60.0)
        if is_convicted(stage.requesters[0].node.state, liar.id, stage.world.now):
            break
    stage.world.heap.run(stage.world.now + 60.0)
    assert all(is_convicted(host.node.state, liar.id, stage.world.now) for host in stage.honest)


def test_equal_times_leave_no_room_for_chance() -> None:
    """Latencies in steps of 50 ms: nearly everything happens at the same time as something else."""
    ties = Network(degree=3, latency=Latency(kind="constant", median_ms=50.0), step_ms=50.0)
    told = digests(replace(ATTACKED, network=ties), range(2), "1")
    assert told == digests(replace(ATTACKED, network=ties), range(2), "2")


@pytest.mark.slow
def test_a_thousand_seeds_are_the_same_under_two_hash_seeds() -> None:
    """reliability.md, row 21."""
    tiny = replace(ATTACKED, hours=0.1, workload=replace(SMALL.workload, tasks=1, tasks_per_hour=10.0))
    steps = replace(tiny, network=replace(tiny.network, step_ms=10.0))
    told = digests(steps, range(1000), "1")
    assert len(set(told)) == 1000
    assert told == digests(steps, range(1000), "2")


def digests(scenario: Scenario, seeds: range, hash_seed: str) -> list[str]:
    """Of each seed's trace, in a process of its own with that PYTHONHASHSEED."""
    from p2peval.sim.scenario_file import dumps

    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        [sys.executable, "-c", PLAY, str(seeds.start), str(seeds.stop)],
        input=dumps(scenario),
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return list(json.loads(ran.stdout))


PLAY = """
import json, sys
from p2peval.sim.document import parsed
from p2peval.sim.kinds import kinds, registry
from p2peval.sim.onnx_laboratory import OnnxLaboratory
from p2peval.sim.play import play
from p2peval.sim.scenario_file import Rules, Source
scenario = Source(parsed(sys.stdin.read(), "stdin"), Rules(kinds)).scenario()
print(json.dumps([play(scenario, seed, registry(scenario)).digest for seed in range(*map(int, sys.argv[1:]))]))
"""
