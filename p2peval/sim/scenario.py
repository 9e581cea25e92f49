"""A scenario: which world is played, who attacks it, how it defends itself, and what is claimed of it. Data only.

Every value stands here with its unit in its name and its range in its metadata; a scenario that cannot be does not
come to be (ImpossibleError). ``sim/scenario_file.py`` reads and writes it as TOML, by the names of these fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from p2peval import defaults
from p2peval.sim.checked import COUNT, SHARE, ImpossibleError, check, whole
from p2peval.sim.claims import Claim

Value = bool | int | float | str | tuple["Value", ...]
"""What a TOML file may say in one place, tables aside; a list is a tuple."""

POSITIVE = {"above": 0.0}

MOST_HOSTS = 100_000
"""Whole nodes of one world: 1 GB before they know anybody (sim.bytes_per_node)."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a message takes one way, in ms. ``constant``: ``median_ms``, always. ``lognormal``: ``median_ms`` and
    ``sigma`` of its logarithm. ``uniform``: from ``low_ms`` to ``high_ms``."""

    kind: str = field(default="lognormal", metadata={"choices": ("lognormal", "constant", "uniform")})
    median_ms: float = field(default=50.0, metadata={"least": 0.0})  # between continents 80, within one 20; guess
    sigma: float = field(default=0.5, metadata={"least": 0.0, "most": 5.0})  # p95 at 2.3 times the median; guess
    low_ms: float = field(default=10.0, metadata={"least": 0.0})  # guess
    high_ms: float = field(default=200.0, metadata={"least": 0.0})  # guess

    def __post_init__(self) -> None:
        check(self)
        if self.low_ms > self.high_ms:
            raise ImpossibleError("low_ms", f"must be at most high_ms ({self.high_ms:g}), not {self.low_ms:g}")


@dataclass(frozen=True, slots=True)
class Region:
    """``share`` of all hosts is here; a message to or from another region takes ``extra_ms`` more for each of both."""

    name: str
    share: float = field(metadata=SHARE)
    extra_ms: float = field(default=0.0, metadata={"least": 0.0})

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Partition:
    """From ``start_s`` on, for ``seconds``, no message passes between ``share`` of all hosts and the others."""

    start_s: float = field(metadata={"least": 0.0})
    seconds: float = field(metadata=POSITIVE)
    share: float = field(default=0.5, metadata=SHARE)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Network:
    """``step_ms``: delays are rounded up to multiples of it, so that many things happen at once; 0: they are not.

    ``loss``: share of messages lost. ``bandwidth_mbps``: of each host, in Mbit/s; 0: without limit. ``degree``:
    connections that a host opens. ``gossip``: to all connected, or by a mesh as gossipsub does. ``lookups``: by asking
    a list that all share, or by Kademlia's messages. ``crypto``: "real" signs and verifies, "fast" only names objects.
    ``profiles``: peers' profiles reach all, as they do outside; or neighbours only, for what n hosts know of n others
    outgrows the memory of one machine.
    """

    latency: Latency = Latency()
    step_ms: float = field(default=0.0, metadata={"least": 0.0})
    loss: float = field(default=0.0, metadata=SHARE)
    bandwidth_mbps: float = field(default=0.0, metadata={"least": 0.0})
    regions: tuple[Region, ...] = ()
    degree: int = field(default=12, metadata={"least": 1})  # gossipsub's upper bound of a mesh; its specification
    gossip: str = field(default="flood", metadata={"choices": ("flood", "mesh")})
    lookups: str = field(default="direct", metadata={"choices": ("direct", "kademlia")})
    crypto: str = field(default="fast", metadata={"choices": ("fast", "real")})
    profiles: str = field(default="all", metadata={"choices": ("all", "neighbours")})
    partitions: tuple[Partition, ...] = ()

    def __post_init__(self) -> None:
        check(self)
        if self.regions:
            whole("regions", [region.share for region in self.regions])
        names = [region.name for region in self.regions]
        if len(set(names)) < len(names):
            raise ImpossibleError("regions", f"must have different names, not {', '.join(names)}")


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of time in seconds, by ``mean_s`` or by ``median_s``, never by both.

    ``exponential``, ``constant``: nothing else. ``lognormal``: ``sigma`` of the logarithm. ``weibull``, ``pareto``:
    ``shape``; below 1 a Weibull's tail is heavier than the exponential's, and a Pareto has a mean above 1 only.
    """

    kind: str = field(
        default="exponential", metadata={"choices": ("exponential", "lognormal", "weibull", "pareto", "constant")}
    )
    mean_s: float | None = field(default=None, metadata=POSITIVE)
    median_s: float | None = field(default=None, metadata=POSITIVE)
    sigma: float = field(default=1.0, metadata={"least": 0.0, "most": 5.0})  # guess
    shape: float = field(default=1.5, metadata={"least": 0.1, "most": 100.0})  # guess

    def __post_init__(self) -> None:
        check(self)
        if (self.mean_s is None) == (self.median_s is None):
            raise ImpossibleError("mean_s", "or median_s must be given, and not both")
        if self.kind == "pareto" and self.mean_s is not None and self.shape <= 1.0:
            raise ImpossibleError("shape", f"of a Pareto with a mean must be more than 1, not {self.shape:g}")


@dataclass(frozen=True, slots=True)
class Flash:
    """A crowd: ``share`` of all honest hosts is absent until ``at_s``, and then comes all at once."""

    at_s: float = field(metadata={"least": 0.0})
    share: float = field(metadata=SHARE)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Churn:
    """Honest hosts come for a ``session``, go for an ``absence``, and come again."""

    session: Lengths = Lengths(mean_s=3600.0)  # half of all peers of open networks stay less; guess
    absence: Lengths = Lengths(mean_s=1800.0)  # guess
    flash: Flash | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """``honest`` hosts, of which ``requesters`` ask, ``cannot_compute`` run no model, and ``roots`` are pre-trusted.

    The first of the honest are the roots, and the last cannot compute. Those who ask are drawn from these last, and
    from the others where they are too few.
    ``class_shares``: of hosts in each equivalence class, first to last. ``speed_sigma``: of the logarithm of a host's
    time for an evaluation, 0: all are equally fast. ``honest_error``: chance that an honest host's outputs are wrong.
    """

    honest: int = field(default=40, metadata=COUNT)
    requesters: int = field(default=10, metadata=COUNT)
    cannot_compute: int = field(default=0, metadata=COUNT)
    roots: int = field(default=0, metadata=COUNT)
    class_shares: tuple[float, ...] = (1.0,)
    speed_sigma: float = field(default=0.0, metadata={"least": 0.0, "most": 5.0})
    honest_error: float = field(default=0.0, metadata=SHARE)
    churn: Churn | None = None

    def __post_init__(self) -> None:
        check(self)
        for key in ("requesters", "cannot_compute", "roots"):
            if (count := getattr(self, key)) > self.honest:
                raise ImpossibleError(key, f"must be at most the honest ({self.honest}), not {count}")
        whole("class_shares", self.class_shares)


@dataclass(frozen=True, slots=True)
class Adversaries:
    """``count`` hosts that do as ``kind`` says, and as all of ``also`` (in a file: ``with``) say besides.

    ``file``: a Python file with adversaries of one's own, or "". ``reach``: share of honest hosts that they contact.
    ``options``: name and value of every setting of these kinds, sorted, checked where the scenario was read.
    """

    kind: str
    count: int = field(default=1, metadata=COUNT)
    also: tuple[str, ...] = field(default=(), metadata={"key": "with"})
    file: str = ""
    reach: float = field(default=1.0, metadata=SHARE)
    options: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        check(self)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What these hosts do, in the order in which it applies."""
        return (self.kind, *self.also)


@dataclass(frozen=True, slots=True)
class Defence:
    """What the honest hosts' operators set (core.policy.Policy), one for all.

    ``file``: a Python file with rules of one's own (sim/own_rules.py), or ""; it takes the place of those it defines.
    """

    opinion: str = field(default=defaults.OPINION, metadata={"choices": defaults.OPINIONS})
    checking: str = field(default=defaults.CHECKING, metadata={"choices": defaults.CHECKINGS})
    file: str = ""
    newcomer_share: float = field(default=defaults.NEWCOMER_SHARE, metadata=SHARE)
    epoch_s: float = field(default=defaults.EPOCH, metadata={"least": 1.0})
    honest_share: float = field(default=defaults.HONEST_SHARE, metadata=SHARE)
    background_audits: bool = False  # the daemon's default is to audit; in the lab it hides what the rules alone do

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Workload:
    """``benchmarks`` of ``samples`` each; one evaluation takes ``model_seconds`` on an average host.

    ``tasks`` of each requester, at ``tasks_per_hour`` of each, one after another at random times. ``repeats``: chance
    that one is about a model that was asked for before. ``epsilon``, ``delta``, ``replicas``, ``certify``: what they
    ask for. ``evaluator``: outputs are drawn, or are what onnxruntime makes of small models.
    """

    benchmarks: int = field(default=1, metadata={"least": 1})
    samples: int = field(default=1797, metadata={"least": 1, "most": defaults.MAX_SAMPLES})  # trust.md §5
    model_seconds: float = field(default=2.0, metadata={"least": 0.0, "most": float(defaults.MAX_SECONDS)})  # guess
    tasks: int = field(default=20, metadata=COUNT)  # guess
    tasks_per_hour: float = field(default=20.0, metadata=POSITIVE)  # guess
    repeats: float = field(default=0.0, metadata=SHARE)
    epsilon: float = field(default=defaults.EPSILON, metadata={"above": 0.0, "most": 0.5})
    delta: float = field(default=defaults.DELTA, metadata={"above": 0.0, "most": 0.5})
    replicas: int = field(default=1, metadata={"least": 1, "most": defaults.MAX_REPLICAS})
    certify: bool = False
    evaluator: str = field(default="synthetic", metadata={"choices": ("synthetic", "onnxruntime")})

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Scenario:
    """``seeds``: of the worlds played. ``hours``: virtual, of each. ``sweep``: key -> the values that it takes, each in
    a run of its own, every one with every other."""

    title: str
    description: str = ""
    seeds: tuple[int, ...] = tuple(range(30))  # spec (issue: >= 30 seeds)
    hours: float = field(default=2.0, metadata=POSITIVE)
    network: Network = Network()
    population: Population = Population()
    adversaries: tuple[Adversaries, ...] = ()
    defence: Defence = Defence()
    workload: Workload = Workload()
    claims: tuple[Claim, ...] = ()
    sweep: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    def __post_init__(self) -> None:
        check(self)
        if not self.title:
            raise ImpossibleError("title", "must say what is played")
        if not self.seeds:
            raise ImpossibleError("seeds", "must be at least one: no seeds, no world", hint="seeds = 30 is the default")
        if min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ImpossibleError("seeds", f"must be different whole numbers from 0 on, not {list(self.seeds)}")
        if self.workload.tasks > self.workload.tasks_per_hour * self.hours:
            raise ImpossibleError(
                "hours",
                f"must be at least {self.workload.tasks / self.workload.tasks_per_hour:g} for each requester's "
                f"{self.workload.tasks} tasks at {self.workload.tasks_per_hour:g} an hour, not {self.hours:g}",
            )
        if not self.hosts:
            raise ImpossibleError("population", "is empty, and there are no adversaries")
        if self.hosts > MOST_HOSTS:
            raise ImpossibleError(
                "population",
                f"has {self.hosts} hosts, adversaries among them: at most {MOST_HOSTS} whole nodes are played",
                hint="p2peval sim population plays a million peers, with less of each",
            )

    @property
    def hosts(self) -> int:
        """Hosts of the world: honest ones first, then the adversaries in their order."""
        return self.population.honest + sum(group.count for group in self.adversaries)

    @property
    def seconds(self) -> float:
        """Virtual seconds that are played."""
        return self.hours * 3600.0
