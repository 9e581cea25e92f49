"""A small scenario under attack, with its stage kept to look into what came of it: for test_adversaries_*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil

from p2peval.core.events import StartTask
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskState
from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.host import Host
from p2peval.sim.measures import Observer, measures
from p2peval.sim.scenario import Adversaries, Defence, Population, Scenario, Value, Workload
from p2peval.sim.stage import SETTLED, Stage, made_up, set_up
from p2peval.sim.users import schedule
from p2peval.sim.world import START

LUCK = 0.04
"""Of some thirty results one may be a lie that was lucky: our rule promises ε of all lies, not none."""


def attack(
    kind: str,
    *,
    count: int = 6,
    also: tuple[str, ...] = (),
    more: tuple[Adversaries, ...] = (),
    honest: int = 6,
    requesters: int = 6,
    cannot_compute: int = 0,
    roots: int = 0,
    tasks: int = 5,
    per_hour: float = 20.0,
    samples: int = 200,
    replicas: int = 1,
    epoch_s: float = 180.0,
    opinion: str = "p2peval",
    checking: str = "audit",
    background_audits: bool = False,
    **options: Value,
) -> Scenario:
    """``count`` hosts of ``kind`` with ``options`` among ``honest`` ones; ``tasks`` of each of the requesters."""
    return Scenario(
        title=kind,
        hours=max(tasks, 1) / per_hour,
        population=Population(honest=honest, requesters=requesters, cannot_compute=cannot_compute, roots=roots),
        adversaries=(Adversaries(kind, count, also, options=tuple(sorted(options.items()))), *more),
        defence=Defence(opinion=opinion, checking=checking, epoch_s=epoch_s, background_audits=background_audits),
        workload=Workload(samples=samples, model_seconds=1.0, tasks=tasks, tasks_per_hour=per_hour, replicas=replicas),
    )


@dataclass(frozen=True, slots=True)
class Played:
    stage: Stage
    measures: dict[str, float]

    @property
    def dishonest(self) -> tuple[Host, ...]:
        return self.stage.dishonest

    def cost(self, kind: str) -> float:
        """What all rings have spent of it."""
        return sum(ring.cost.get(kind, 0.0) for ring in self.stage.rings)

    def is_false(self, replica: ReplicaRow) -> bool:
        """In at least ⌈Δn⌉ samples."""
        work = self.stage.scenario.workload
        if replica.outputs is None:
            return False
        wrong = self.stage.world.workshop.laboratory[replica.outputs.cid].wrong
        return len(wrong) >= max(1, ceil(work.delta * work.samples - 1e-9))

    def replicas(self, hosts: Sequence[Host] | None = None) -> list[ReplicaRow]:
        """All assignments of these requesters' tasks, or of all."""
        asked = hosts or self.stage.requesters
        return [row for host in asked for task in host.node.state.tasks for row in host.node.state.replicas.of(task.id)]

    def wrong_accepts(self, hosts: Sequence[Host]) -> float:
        """Share of what these requesters accepted that is false."""
        states = [(host.node.state, task) for host in hosts for task in host.node.state.tasks.of(TaskState.ACCEPTED)]
        agreeing = [
            [row for row in state.replicas.of(task.id) if row.state is ReplicaState.AGREES] for state, task in states
        ]
        return sum(any(map(self.is_false, rows)) for rows in agreeing) / len(states)


@cache
def play_attack(scenario: Scenario, seed: int = 1) -> Played:
    """As ``sim.play`` does, with the stage kept; to be looked into by several tests, and changed by none."""
    stage = set_up(scenario, seed, dict(ADVERSARIES))
    observer = Observer(stage)
    schedule(stage, seed)
    run_on(stage, START + SETTLED + scenario.seconds + 120.0 - stage.world.now)
    return Played(stage, measures(observer))


def run_on(stage: Stage, seconds: float) -> None:
    stage.world.heap.run(stage.world.now + seconds)


def ask(stage: Stage, host: Host, model: str, replicas: int = 0) -> None:
    """One more task, of a model of this name."""
    blob = made_up(model)
    stage.world.hold(host, blob.cid)
    stage.world.handle(host, StartTask("", stage.benchmarks[0], blob, model, 0, 0, replicas))
