"""A world whose hosts come and go, and whose look-ups are libp2p's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p2peval.core.types import Seconds
from p2peval.sim.play import play
from p2peval.sim.scenario import Churn, Flash, Lengths, Network, Population, Scenario, Workload
from p2peval.sim.stage import set_up
from p2peval.sim.users import come_and_go

STEADY = Scenario(
    "steady",
    hours=0.3,
    population=Population(honest=12, requesters=3),
    workload=Workload(tasks=4, tasks_per_hour=20.0, samples=400),
    network=Network(degree=4, lookups="kademlia"),
)


def with_churn(churn: Churn) -> Scenario:
    return replace(STEADY, population=replace(STEADY.population, churn=churn))


LIVELY = with_churn(Churn(Lengths(mean_s=240.0), Lengths("weibull", mean_s=120.0, shape=0.6)))
CROWD = with_churn(Churn(Lengths("constant", mean_s=1e9), Lengths(mean_s=1.0), Flash(at_s=300.0, share=0.5)))


def test_hosts_are_up_as_long_as_their_churn_says_and_know_each_other_again() -> None:
    stage = set_up(LIVELY, 1, {})
    come_and_go(stage, 1)
    up: list[int] = []
    for _ in range(100):
        stage.world.heap.run(stage.world.now + 10.0)
        up.append(sum(host.up for host in stage.honest))
    assert sum(up) / len(up) / 12 == pytest.approx(2 / 3, abs=0.12)
    assert len(set(up)) > 3
    for host in stage.honest:
        neighbours = stage.world.neighbours(host.number)
        assert bool(neighbours) == host.up
        assert host.up == stage.world.directory.dht.is_up(host.number)  # type: ignore[attr-defined]


def test_a_flash_crowd_arrives_at_its_minute() -> None:
    stage = set_up(CROWD, 1, {})
    come_and_go(stage, 1)

    def there(after: Seconds) -> int:
        stage.world.heap.run(began + after)
        return sum(host.up for host in stage.honest)

    began = stage.world.now
    assert [there(after) for after in (1.0, 299.0, 301.0, 600.0)] == [6, 6, 12, 12]


def test_tasks_are_done_although_hosts_go() -> None:
    calm, lively = play(STEADY, 2, {}), play(LIVELY, 2, {})
    assert calm.measures["accepted"] == 1.0
    assert 0.3 < lively.measures["accepted"] <= 1.0
    assert lively.work["messages"] > 0


def test_churn_is_the_same_each_time_a_seed_is_played() -> None:
    brief = replace(LIVELY, hours=0.2)
    first, again, other = play(brief, 3, {}), play(brief, 3, {}), play(brief, 4, {})
    assert first.digest == again.digest != other.digest
