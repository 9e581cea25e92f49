"""Sets a scenario up: its hosts, who is who among them, their links and their benchmarks.

Honest hosts come first, then each table of adversaries in its order; what is drawn is drawn from the scenario's seed.
The first minute of a world is for meeting and joining: nobody asks anything, and every adversary is still quiet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import exp
from pathlib import Path
from random import Random

from p2peval.core.events import JoinBenchmark, PublishBenchmark
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Limits, Tensor, Tolerance, Verification
from p2peval.core.policy import Policy
from p2peval.core.types import BenchmarkId, PeerId, Seconds, to_nano
from p2peval.defaults import ATOL, EPSILON, MAX_SECONDS, NETWORK_ID, RTOL
from p2peval.errors import LocalProtocolError
from p2peval.sim.adversary import Adversary, Grip, Ring
from p2peval.sim.flood import Flood, Register
from p2peval.sim.host import Host
from p2peval.sim.links import Cut, Links
from p2peval.sim.lookups import Lookups
from p2peval.sim.meshed import Meshed
from p2peval.sim.onnx_laboratory import OnnxLaboratory
from p2peval.sim.own_rules import OWN, install
from p2peval.sim.scenario import Network, Scenario
from p2peval.sim.trace import Trace
from p2peval.sim.world import START, World
from p2peval.wire.ids import cid_of

SETTLED: Seconds = 60.0
"""After which everybody has met and joined."""

JOIN: Seconds = 10.0
"""When the benchmarks are published; all others join a moment later, one after the other."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A world that is set up. ``honest``, ``requesters``: hosts; ``rings``: the adversaries, table by table."""

    scenario: Scenario
    world: World
    honest: tuple[Host, ...]
    requesters: tuple[Host, ...]
    rings: tuple[Ring, ...]
    benchmarks: tuple[BenchmarkId, ...]

    @property
    def dishonest(self) -> tuple[Host, ...]:
        return tuple(self.world.hosts[number] for ring in self.rings for number in ring.numbers)


Registry = dict[str, type[Adversary]]


def set_up(scenario: Scenario, seed: int, adversaries: Registry, trace: Trace | None = None) -> Stage:
    """The world of one seed, at the end of its first minute. ``adversaries``: name -> class, of all that it names."""
    rng = Random(f"{seed}/stage")
    world = World(
        seed,
        _links(scenario, seed, rng),
        Meshed if scenario.network.gossip == "mesh" else Flood,
        Lookups if scenario.network.lookups == "kademlia" else Register,
        real_keys=scenario.network.crypto == "real",
        near_profiles=scenario.network.profiles == "neighbours",
        trace=trace,
    )
    if scenario.workload.evaluator == "onnxruntime":
        world.workshop.laboratory = OnnxLaboratory()
    world.workshop.seconds = scenario.workload.model_seconds
    world.workshop.mistakes = scenario.population.honest_error
    honest = _honest(scenario, world, rng)
    rings = _rings(scenario, world)
    _meet(scenario, world, honest, rings, rng)
    benchmarks = _benchmarks(scenario, world, honest)
    stage = Stage(scenario, world, honest, _requesters(scenario, honest, rng), rings, benchmarks)
    world.break_connections()
    world.heap.run(START + SETTLED)
    _let_loose(stage, adversaries, seed)
    return stage


def _links(scenario: Scenario, seed: int, rng: Random) -> Links:
    network = scenario.network
    cuts = []
    for partition in network.partitions:
        apart = rng.sample(range(scenario.hosts), round(partition.share * scenario.hosts))
        cuts.append(Cut(START + SETTLED + partition.start_s, partition.seconds, frozenset(apart)))
    return Links(
        seed,
        network.latency,
        loss=network.loss,
        mbps=network.bandwidth_mbps,
        step_ms=network.step_ms,
        extra_ms=_extra_ms(network, scenario.hosts, rng),
        cuts=cuts,
    )


def _extra_ms(network: Network, hosts: int, rng: Random) -> list[float]:
    if not network.regions:
        return []
    extras = [region.extra_ms for region in network.regions]
    return rng.choices(extras, [region.share for region in network.regions], k=hosts)


def _honest(scenario: Scenario, world: World, rng: Random) -> tuple[Host, ...]:
    """Roots first; the last cannot compute."""
    people, policy = scenario.population, _policy(scenario)
    hosts = []
    for _ in range(people.honest):
        equivalence_class = f"class-{rng.choices(range(len(people.class_shares)), people.class_shares)[0]}"
        pace = exp(rng.gauss(0.0, people.speed_sigma)) if people.speed_sigma else 1.0
        hosts.append(world.add(policy, equivalence_class=equivalence_class, pace=pace))
    roots = tuple(host.id for host in hosts[: people.roots])
    for place, host in enumerate(hosts):
        computes = place < people.honest - people.cannot_compute
        host.set_policy(_policy(scenario, computes=computes, roots=tuple(root for root in roots if root != host.id)))
    return tuple(hosts)


def _policy(scenario: Scenario, *, computes: bool = True, roots: tuple[PeerId, ...] = ()) -> Policy:
    defence = scenario.defence
    own = install(Path(defence.file)) if defence.file else frozenset()
    return Policy(
        computes=computes,
        background_audits=defence.background_audits,
        trust_roots=roots,
        epoch_s=defence.epoch_s,
        newcomer_share=defence.newcomer_share,
        honest_share=defence.honest_share,
        opinion=OWN if "opinion" in own else defence.opinion,
        checking=OWN if "checking" in own else defence.checking,
    )


def _rings(scenario: Scenario, world: World) -> tuple[Ring, ...]:
    rings = []
    for place, group in enumerate(scenario.adversaries):
        numbers = tuple(world.add(_policy(scenario), equivalence_class="class-0").number for _ in range(group.count))
        rings.append(Ring(f"{place}-{group.kind}", numbers, cost={"identities": float(group.count)}))
    return tuple(rings)


def _requesters(scenario: Scenario, honest: Sequence[Host], rng: Random) -> tuple[Host, ...]:
    """Who cannot compute is there to ask; where these are too few, the others are drawn from."""
    people = scenario.population
    able = people.honest - people.cannot_compute
    idle = min(people.requesters, people.cannot_compute)
    chosen = rng.sample(range(able, len(honest)), idle) + rng.sample(range(able), people.requesters - idle)
    return tuple(honest[place] for place in sorted(chosen))


def _meet(scenario: Scenario, world: World, honest: Sequence[Host], rings: Sequence[Ring], rng: Random) -> None:
    """Everybody up, each with ``degree`` connections: honest ones among themselves, adversaries to whom they reach."""
    for host in world.hosts:
        world.up(host)
    degree = min(scenario.network.degree, len(honest) - 1)
    for host in honest:
        for other in rng.sample(range(len(honest)), degree + 1)[:degree]:
            world.connect(host.number, other)
    for ring, group in zip(rings, scenario.adversaries, strict=True):
        reached = rng.sample(range(len(honest)), max(1, round(group.reach * len(honest)))) if honest else []
        for number in ring.numbers:
            for other in rng.sample(reached, min(degree, len(reached))):
                world.connect(number, other)
            for friend in ring.numbers[:degree]:
                world.connect(number, friend)


def _benchmarks(scenario: Scenario, world: World, honest: Sequence[Host]) -> tuple[BenchmarkId, ...]:
    """Published by honest hosts, joined by all."""
    world.heap.run(START + JOIN)
    found = []
    for number in range(scenario.workload.benchmarks):
        author = honest[number % len(honest)]
        spec = _spec(scenario, author.id, number)
        for blob in (spec.inputs, spec.labels):
            if blob is not None:
                world.hold(author, blob.cid)
        reply = world.ask(author, PublishBenchmark("", spec))
        if reply.error:
            raise LocalProtocolError(f"the scenario's benchmark is refused: {reply.error}: {reply.detail}")
        found.append(BenchmarkId(reply.subject))
        for host in world.hosts:
            if host is not author:
                world.heap.later(
                    1.0 + 0.1 * host.number / len(world.hosts),
                    world.handle,
                    host,
                    JoinBenchmark("", found[-1], True, True, (author.id,)),
                )
    return tuple(found)


def _spec(scenario: Scenario, author: PeerId, number: int) -> BenchmarkSpec:
    work = scenario.workload
    return BenchmarkSpec(
        network=NETWORK_ID,
        author=author,
        name=f"lab-{number:02}",
        title=scenario.title,
        description="",
        license="CC0-1.0",
        version=1,
        parent=BenchmarkId(""),
        task="classification",
        samples=work.samples,
        inputs=made_up(f"inputs {number}"),
        labels=made_up(f"labels {number}"),
        labels_commitment=b"",
        model_input=Tensor("x", "float32", (2,)),
        model_output=Tensor("p", "float32", (2,)),
        metrics=("accuracy",),
        range=None,
        tolerance=Tolerance(to_nano(ATOL), to_nano(RTOL)),
        limits=Limits(10, 512, min(MAX_SECONDS, max(10, 3 * round(work.model_seconds)))),
        verification=Verification(to_nano(min(work.epsilon, EPSILON)), to_nano(work.delta), 1, 3),
    )


def made_up(name: str, size: int = 1000) -> Blob:
    """A blob that nobody opens: named as one of ``size`` bytes would be."""
    data = name.encode()
    return Blob(cid_of(data), size, sha256(data).digest())


def _let_loose(stage: Stage, adversaries: Registry, seed: int) -> None:
    """From now on the dishonest are dishonest."""
    world = stage.world
    for ring, group in zip(stage.rings, stage.scenario.adversaries, strict=True):
        settings = dict(group.options)
        for number in ring.numbers:
            host = world.hosts[number]
            chain = [_made(adversaries[kind], settings) for kind in group.kinds]
            for place, adversary in enumerate(chain):
                adversary.seize(Grip(world, host, ring, Random(f"{seed}/{ring.name}/{number}/{place}")))
            host.adversaries = tuple(chain)
    for host in stage.dishonest:
        for adversary in host.adversaries:
            adversary.begin()


def _made(kind: type[Adversary], settings: Mapping[str, object]) -> Adversary:
    """With those of the group's settings that are this one's."""
    own = {name: value for name, value in settings.items() if name in kind.__dataclass_fields__}
    return kind(**own)
