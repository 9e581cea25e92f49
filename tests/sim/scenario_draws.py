"""Random scenarios that can be, for tests that hold for all of them."""

from __future__ import annotations

import types
from dataclasses import dataclass, field, fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from p2peval.sim.claims import OPERATORS, STATS, Claim
from p2peval.sim.scenario import (
    Adversaries,
    Churn,
    Defence,
    Flash,
    Latency,
    Lengths,
    Network,
    Partition,
    Population,
    Region,
    Scenario,
    Workload,
)
from p2peval.sim.scenario_file import Rules

METRICS = ("bad_picks", "wrong_accepts")


@dataclass
class Sybils:
    altered: float = field(default=0.02, metadata={"least": 0.0, "most": 1.0})
    victims: tuple[str, ...] = ()


@dataclass
class Sleeper:
    honest: int = field(default=30, metadata={"least": 0})
    loud: bool = False


RULES = Rules(lambda file: {"sybils": Sybils, "sleeper": Sleeper}, METRICS)


def fitting(cls: type, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Every field anywhere in its range."""
    hints = get_type_hints(cls)
    return st.builds(cls, **{each.name: _value(hints[each.name], each.metadata) for each in fields(cls)} | given)


def _value(hint: Any, rules: Any) -> st.SearchStrategy[Any]:
    if "choices" in rules:
        return st.sampled_from(rules["choices"])
    if get_origin(hint) in (Union, types.UnionType):
        return st.none() | _value(get_args(hint)[0], rules)
    if get_origin(hint) is tuple:
        return st.lists(_value(get_args(hint)[0], {}), max_size=3).map(tuple)
    if hint is float:
        above = rules.get("above")
        low = rules.get("least", above)
        return st.floats(low, rules.get("most", 1e6), exclude_min=above is not None, allow_nan=False)
    if hint is int:
        return st.integers(rules["least"], min(rules.get("most", 10**6), 10**6))
    return st.booleans() if hint is bool else st.text(max_size=10)


SHARES = st.integers(1, 4).map(lambda count: (1.0 / count,) * count)
LATENCIES = fitting(Latency, low_ms=st.floats(0.0, 10.0), high_ms=st.floats(10.0, 500.0))
REGIONS = SHARES.map(lambda shares: tuple(Region(f"r{at}", share, 3.5 * at) for at, share in enumerate(shares)))
PARTITIONS = st.lists(fitting(Partition), max_size=2).map(tuple)
NETWORKS = fitting(Network, latency=LATENCIES, regions=st.just(()) | REGIONS, partitions=PARTITIONS)
LENGTHS = st.one_of(
    fitting(Lengths, mean_s=st.floats(1.0, 1e5), median_s=st.none(), shape=st.floats(1.5, 9.0)),
    fitting(Lengths, mean_s=st.none(), median_s=st.floats(1.0, 1e5)),
)
CHURN = st.builds(Churn, session=LENGTHS, absence=LENGTHS, flash=st.none() | fitting(Flash))
FEW = st.integers(0, 20)
POPULATIONS = fitting(
    Population,
    honest=st.integers(20, 100),
    requesters=FEW,
    cannot_compute=FEW,
    roots=FEW,
    class_shares=SHARES,
    churn=st.none() | CHURN,
)


@st.composite
def groups(draw: st.DrawFn) -> Adversaries:
    """All options of its kinds, as whoever reads a file fills them in."""
    kinds = draw(st.permutations(["sybils", "sleeper"]))[: draw(st.integers(1, 2))]
    options: dict[str, Any] = {}
    for kind in kinds:
        made = draw(fitting({"sybils": Sybils, "sleeper": Sleeper}[kind]))
        options |= {each.name: getattr(made, each.name) for each in fields(made)}
    count, reach = draw(st.integers(0, 50)), draw(st.floats(0.0, 1.0))
    return Adversaries(kinds[0], count, tuple(kinds[1:]), "", reach, tuple(sorted(options.items())))


CLAIMS = st.builds(
    Claim,
    st.sampled_from(METRICS),
    st.sampled_from(sorted(STATS)),
    st.sampled_from(sorted(OPERATORS)),
    st.floats(allow_nan=False, allow_infinity=False),
)
SWEEPS = st.sampled_from(
    [(), (("population.honest", (30, 40)),), (("defence.opinion", ("own", "none")), ("network.loss", (0.0, 0.5)))]
)
SEEDS = st.one_of(
    st.integers(1, 40).map(lambda count: tuple(range(count))),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=5, unique=True).map(tuple),
)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    return Scenario(
        title=draw(st.text(min_size=1, max_size=30)),
        description=draw(st.text(max_size=60)),
        seeds=draw(SEEDS),
        hours=draw(st.floats(1.0, 100.0)),
        network=draw(NETWORKS),
        population=draw(POPULATIONS),
        adversaries=tuple(draw(st.lists(groups(), max_size=3))),
        defence=draw(fitting(Defence, epoch_s=st.floats(1.0, 1e5), file=st.just(""))),
        workload=draw(fitting(Workload, tasks=st.integers(0, 10), tasks_per_hour=st.floats(10.0, 1e4))),
        claims=tuple(draw(st.lists(CLAIMS, max_size=4))),
        sweep=draw(SWEEPS),
    )
