"""The people of a scenario: who asks for what, and when. They only ask; their nodes do the rest."""

from __future__ import annotations

from random import Random

from p2peval.core.events import StartTask
from p2peval.core.types import BenchmarkId, to_nano
from p2peval.sim.churn import changes
from p2peval.sim.host import Host
from p2peval.sim.stage import SETTLED, Stage, made_up
from p2peval.sim.world import START


def schedule(stage: Stage, seed: int) -> None:
    """Every requester's tasks at random times, at its rate on average, each with a model of its own."""
    work = stage.scenario.workload
    span = work.tasks / work.tasks_per_hour * 3600.0
    for host in stage.requesters:
        rng = Random(f"{seed}/users/{host.number}")
        for number, at in enumerate(sorted(rng.uniform(0.0, span) for _ in range(work.tasks))):
            benchmark = rng.choice(stage.benchmarks)
            due = START + SETTLED + at - stage.world.now
            stage.world.heap.later(due, _ask, stage, host, benchmark, f"model {host.number}/{number}")


def come_and_go(stage: Stage, seed: int) -> None:
    """Honest hosts' sessions and absences, as the scenario's churn has them. Who comes back dials as many as before."""
    churn, world = stage.scenario.population.churn, stage.world
    if churn is None:
        return
    numbers = [host.number for host in stage.honest]
    start = START + SETTLED
    for change in changes(churn, numbers, seed, start, start + stage.scenario.seconds):
        at = max(0.0, change.at - world.now)
        if change.up:
            world.heap.later(at, _come, stage, change.host, Random(f"{seed}/dial/{change.host}/{change.at!r}"))
        else:
            world.heap.later(at, world.down, world.hosts[change.host])


def _come(stage: Stage, number: int, rng: Random) -> None:
    world = stage.world
    if world.hosts[number].up:
        return
    world.up(world.hosts[number])
    others = [host.number for host in world.hosts if host.up and host.number != number]
    for other in rng.sample(others, min(stage.scenario.network.degree, len(others))):
        world.connect(number, other)


def _ask(stage: Stage, host: Host, benchmark: BenchmarkId, name: str) -> None:
    """Nobody asks while the host is down."""
    if not host.up:
        stage.world.work["not_asked"] += 1
        return
    work, model = stage.scenario.workload, made_up(name)
    stage.world.hold(host, model.cid)
    replicas = work.replicas if work.replicas > 1 else 0
    epsilon, delta = to_nano(work.epsilon), to_nano(work.delta)
    command = StartTask("", benchmark, model, name, epsilon, delta, replicas, certify=work.certify)
    stage.world.handle(host, command)
