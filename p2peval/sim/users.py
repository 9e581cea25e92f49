"""The people of a scenario: who asks for what, and when. They only ask; their nodes do the rest."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from random import Random

from p2peval.core.events import StartTask
from p2peval.core.types import BenchmarkId, Seconds, to_nano
from p2peval.sim.churn import changes
from p2peval.sim.host import Host
from p2peval.sim.stage import SETTLED, Stage, made_up
from p2peval.sim.world import START


def schedule(stage: Stage, seed: int) -> None:
    """Every requester's tasks at random times, at its rate on average, about models of its own or of before."""
    die, world = Random(f"{seed}/repeats"), stage.world
    asked: dict[BenchmarkId, list[str]] = {benchmark: [] for benchmark in stage.benchmarks}
    for at, host, benchmark, model in sorted(_wishes(stage, seed), key=itemgetter(0)):
        before = asked[benchmark]
        if before and die.random() < stage.scenario.workload.repeats:
            model = die.choice(before)
        before.append(model)
        world.heap.later(START + SETTLED + at - world.now, _ask, stage, host, benchmark, model)


def _wishes(stage: Stage, seed: int) -> Iterator[tuple[Seconds, Host, BenchmarkId, str]]:
    """When who asks on which benchmark, and a model of its own for it."""
    work = stage.scenario.workload
    span = work.tasks / work.tasks_per_hour * 3600.0
    for host in stage.requesters:
        rng = Random(f"{seed}/users/{host.number}")
        for number, at in enumerate(sorted(rng.uniform(0.0, span) for _ in range(work.tasks))):
            yield at, host, rng.choice(stage.benchmarks), f"model {host.number}/{number}"


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
