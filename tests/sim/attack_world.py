"""A small world under attack, played by hand: who asks and who lies, and what came of it. For test_adversaries_*.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from p2peval.core.events import JoinBenchmark, PublishBenchmark, StartTask
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Limits, Tensor, Tolerance, Verification
from p2peval.core.policy import Policy
from p2peval.core.rows import ReplicaRow, ReplicaState, TaskState
from p2peval.core.types import BenchmarkId
from p2peval.defaults import NETWORK_ID
from p2peval.sim.adversary import Adversary, Grip, Ring
from p2peval.sim.flood import Flood, Register
from p2peval.sim.host import Host
from p2peval.sim.links import Latency, Links
from p2peval.sim.world import World
from p2peval.wire.ids import cid_of

Make = Callable[[], tuple[Adversary, ...]]
"""A fresh chain of adversaries for one host."""

SAMPLES = 200
NANO = 1_000_000_000
LOST = (ReplicaState.DIFFERS, ReplicaState.WITHHELD, ReplicaState.SILENT, ReplicaState.DOUBTFUL)


@dataclass
class Scene:
    """Honest hosts first, then one ring. ``requesters``: of the honest, those who ask in turn, ``tasks`` in all.

    ``gap``: seconds between two tasks. ``again``: each model is asked for by so many requesters, one after the other.
    ``epoch_s``: of everybody's trust statements. ``also``: (how many hosts, their chains) of more rings.
    """

    make: Make | None = None
    liars: int = 5
    honest: int = 10
    requesters: int = 5
    tasks: int = 60
    gap: float = 60.0
    again: int = 1
    epoch_s: float = 600.0
    opinion: str = "p2peval"
    checking: str = "audit"
    replicas: int = 1
    computes: bool = True
    background_audits: bool = False
    seed: int = 1
    delta: float = 0.02
    epsilon: float = 0.005
    samples: int = SAMPLES
    also: tuple[tuple[int, Make], ...] = ()


class Played:
    """The world of a ``Scene`` as it stands after ``tasks``, and what its honest requesters got."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = World(scene.seed, Links(scene.seed, Latency()), Flood, Register)
        self.rings: list[Ring] = []
        policy = Policy(
            epoch_s=scene.epoch_s,
            opinion=scene.opinion,
            checking=scene.checking,
            computes=scene.computes,
            background_audits=scene.background_audits,
        )
        self.honest = [self.world.add(policy) for _ in range(scene.honest)]
        able = policy if scene.computes else Policy(epoch_s=scene.epoch_s)
        if not scene.computes:  # those who ask cannot compute; those who evaluate can
            for number in range(scene.requesters, scene.honest):
                self.honest[number].policy = able
        crews = ([(scene.liars, scene.make)] if scene.make else []) + list(scene.also)
        for count, make in crews:
            self._crew(able, count, make)
        self.benchmark = self._join_all()
        for host in self.world.hosts:
            for adversary in host.adversaries:
                adversary.begin()
        self._run()

    @property
    def ring(self) -> Ring:
        return self.rings[0]

    @property
    def requesters(self) -> list[Host]:
        return self.honest[: self.scene.requesters]

    def _crew(self, policy: Policy, count: int, make: Make) -> None:
        hosts = [self.world.add(policy) for _ in range(count)]
        ring = Ring(f"ring-{len(self.rings)}", tuple(host.number for host in hosts))
        self.rings.append(ring)
        for host in hosts:
            host.adversaries = make()
            for adversary in host.adversaries:
                adversary.seize(Grip(self.world, host, ring, Random(f"{self.world.seed}/{ring.name}/{host.number}")))

    def _join_all(self) -> BenchmarkId:
        world = self.world
        for host in world.hosts:
            world.up(host)
        for host in world.hosts:
            for other in world.hosts[: host.number]:
                world.connect(host.number, other.number)
        world.heap.run(world.now + 5)
        author = world.hosts[0]
        spec = spec_by(author, self.scene)
        world.hold(author, spec.inputs.cid)
        world.hold(author, blob("labels").cid)
        world.handle(author, PublishBenchmark("published", spec))
        benchmark = BenchmarkId(world.replies["published"].subject)
        world.heap.run(world.now + 5)
        for host in world.hosts[1:]:
            asks = host.number < self.scene.requesters
            world.handle(host, JoinBenchmark("", benchmark, True, asks, (author.id,)))
        world.heap.run(world.now + 30)
        return benchmark

    def _run(self) -> None:
        world, scene = self.world, self.scene
        for number in range(scene.tasks):
            host = self.honest[number % scene.requesters]
            model = blob(f"model {number // scene.again}", 1000)
            world.hold(host, model.cid)
            world.handle(host, StartTask("", self.benchmark, model, "m", 0, 0, scene.replicas))
            world.heap.run(world.now + scene.gap)
        world.heap.run(world.now + 120)

    # ── what came of it ───────────────────────────────────────────────────────────────────────────

    def wrong(self, replica: ReplicaRow) -> bool:
        """Whether what it said is off by Δ or more."""
        if replica.outputs is None:
            return False
        outputs = self.world.workshop.laboratory[replica.outputs.cid]
        return len(outputs.wrong) >= self.scene.delta * self.scene.samples

    def accepted(self, hosts: list[Host] | None = None) -> list[ReplicaRow]:
        """The replicas that these requesters, or all of them, have accepted."""
        return [
            row
            for host in hosts or self.requesters
            for task in host.node.state.tasks.of(TaskState.ACCEPTED)
            for row in host.node.state.replicas.of(task.id)
            if row.state is ReplicaState.AGREES and row.id == self._taken(host, row)
        ]

    @staticmethod
    def _taken(host: Host, replica: ReplicaRow) -> str:
        agreeing = [row for row in host.node.state.replicas.of(replica.task) if row.state is ReplicaState.AGREES]
        return agreeing[0].id

    def wrong_accepts(self, hosts: list[Host] | None = None) -> float:
        """Share of accepted results that are wrong."""
        accepted = self.accepted(hosts)
        return sum(map(self.wrong, accepted)) / len(accepted)

    def asked(self, hosts: list[Host] | None = None, after: float = 0.0) -> list[ReplicaRow]:
        """All assignments of these requesters' tasks; ``after``: a share of the tasks that is left out, the first."""
        rows = []
        for host in hosts or self.requesters:
            tasks = list(host.node.state.tasks)
            for task in tasks[int(after * len(tasks)) :]:
                rows += host.node.state.replicas.of(task.id)
        return rows

    def bad_picks(self, hosts: list[Host] | None = None, after: float = 0.0) -> float:
        """Share of assignments that went to a lie, or were lost."""
        rows = self.asked(hosts, after)
        return sum(self.wrong(row) or row.state in LOST for row in rows) / len(rows)

    def to_ring(self, hosts: list[Host] | None = None, after: float = 0.0) -> float:
        """Share of assignments that went to a place of any ring, under whatever name."""
        members = {number for ring in self.rings for number in ring.numbers}
        rows = self.asked(hosts, after)
        return sum(self.world.places[row.peer] in members for row in rows) / len(rows)

    @property
    def executions(self) -> float:
        """Per task: evaluations, and samples that were re-run as their share of one."""
        work = self.world.work
        return (work["RunEvaluation"] + work["checked_nano"] / NANO) / self.scene.tasks

    @property
    def unfinished(self) -> float:
        """Share of tasks without a result."""
        return 1.0 - len(self.accepted()) / self.scene.tasks

    @property
    def convicted(self) -> int:
        """Members of rings that the first requester holds a proof against."""
        members = {number for ring in self.rings for number in ring.numbers}
        rows = self.requesters[0].node.state.convictions
        return len({row.peer for row in rows if self.world.places.get(row.peer) in members})

    def seconds(self) -> float:
        """Mean time from a task's beginning to its accepted record, over those that have one."""
        spans = [
            row.finished - task.created
            for host in self.requesters
            for task in host.node.state.tasks.of(TaskState.ACCEPTED)
            if (row := host.node.state.results.get(task.id)) is not None
        ]
        return sum(spans) / len(spans)


def blob(text: str, size: int | None = None) -> Blob:
    data = text.encode()
    return Blob(cid_of(data), size or len(data), sha256(data).digest())


def spec_by(author: Host, scene: Scene) -> BenchmarkSpec:
    return BenchmarkSpec(
        network=NETWORK_ID,
        author=author.id,
        name="digits",
        title="Digits",
        description="",
        license="CC0-1.0",
        version=1,
        parent=BenchmarkId(""),
        task="classification",
        samples=scene.samples,
        inputs=blob("inputs"),
        labels=blob("labels"),
        labels_commitment=b"",
        model_input=Tensor("x", "float32", (64,)),
        model_output=Tensor("p", "float32", (10,)),
        metrics=("accuracy",),
        range=None,
        tolerance=Tolerance(10_000, 10_000),
        limits=Limits(10, 512, 10),
        verification=Verification(round(scene.epsilon * NANO), round(scene.delta * NANO), 1, 3),
    )
