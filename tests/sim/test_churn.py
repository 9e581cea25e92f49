"""Hosts come and go by the laws that a scenario names."""

from __future__ import annotations

from itertools import pairwise
from math import inf, log
from random import Random
from statistics import fmean, median

import numpy as np
import pytest
from scipy import stats

from p2peval.sim.churn import Change, Law, changes, share_up
from p2peval.sim.scenario import Churn, Flash, Lengths

LAWS = {
    "exponential": Lengths(mean_s=600.0),
    "exponential by its median": Lengths(median_s=600.0),
    "lognormal": Lengths("lognormal", mean_s=600.0, sigma=0.8),
    "lognormal by its median": Lengths("lognormal", median_s=600.0, sigma=1.5),
    "weibull": Lengths("weibull", mean_s=600.0, shape=0.6),
    "weibull by its median": Lengths("weibull", median_s=600.0, shape=2.0),
    "pareto": Lengths("pareto", mean_s=600.0, shape=3.0),
    "pareto by its median": Lengths("pareto", median_s=600.0, shape=2.5),
    "constant": Lengths("constant", mean_s=600.0),
}
DRAWS = 20_000


def theirs(law: Law) -> stats.rv_continuous:
    match law.kind:
        case "exponential":
            return stats.expon(scale=law.scale)
        case "lognormal":
            return stats.lognorm(law.shape, scale=law.scale)
        case "weibull":
            return stats.weibull_min(law.shape, scale=law.scale)
        case _:
            return stats.pareto(law.shape, scale=law.scale)


@pytest.mark.parametrize("name", LAWS)
def test_lengths_have_the_mean_or_median_that_was_asked_for(name: str):
    lengths = LAWS[name]
    law = Law.of(lengths)
    assert (lengths.mean_s or 600.0) == pytest.approx(law.mean if lengths.mean_s else law.median)
    rng = Random(name)
    drawn = [law.draw(rng) for _ in range(DRAWS)]
    assert median(drawn) == pytest.approx(law.median, rel=0.04)
    assert fmean(drawn) == pytest.approx(law.mean, rel=0.06)


@pytest.mark.parametrize("name", [name for name in LAWS if name != "constant"])
def test_lengths_are_of_the_law_that_was_asked_for(name: str):
    law = Law.of(LAWS[name])
    rng = Random(name)
    drawn = [law.draw(rng) for _ in range(5_000)]
    assert stats.kstest(drawn, theirs(law).cdf).pvalue > 1e-3
    assert theirs(law).mean() == pytest.approx(law.mean)


@pytest.mark.parametrize("name", LAWS)
def test_what_is_left_is_what_a_moment_far_from_the_start_leaves(name: str):
    """The remaining session of who is found up at a fixed moment, long after its first."""
    law, rng = Law.of(LAWS[name]), Random(name)
    left = []
    for _ in range(700):
        at = -rng.uniform(20.0, 40.0) * 600.0
        while at <= 0.0:
            at += law.draw(rng)
        left.append(at)
    assert stats.ks_2samp(left, [law.rest(rng) for _ in range(700)]).pvalue > 1e-3


def test_a_pareto_without_a_mean_is_never_in_balance():
    wild = Churn(session=Lengths("pareto", median_s=600.0, shape=0.9))
    assert Law.of(wild.session).mean == inf
    assert share_up(wild) == 1.0
    assert Law.of(wild.session).rest(Random(1)) >= Law.of(wild.session).scale


def up_at(churn: Churn, hosts: int, at: float, seed: int = 1) -> list[int]:
    up = dict.fromkeys(range(hosts), True)
    for change in changes(churn, range(hosts), seed, 0.0, at):
        up[change.host] = change.up
    return [host for host, here in up.items() if here]


@pytest.mark.parametrize("kind", ["exponential", "weibull", "constant"])
def test_at_any_time_as_many_are_up_as_sessions_and_absences_say(kind: str):
    churn = Churn(Lengths(kind, mean_s=900.0, shape=0.6), Lengths(kind, mean_s=300.0, shape=0.6))
    assert share_up(churn) == 0.75
    for at in (1.0, 1_500.0):
        assert len(up_at(churn, 1_500, at)) / 1_500 == pytest.approx(0.75, abs=0.04)


def test_a_flash_crowd_comes_all_at_once_and_then_lives_like_the_others():
    quiet = Lengths("constant", mean_s=1e9)
    churn = Churn(quiet, Lengths("constant", mean_s=1.0), Flash(at_s=100.0, share=0.4))
    assert len(up_at(churn, 1_000, 99.0)) == 600
    assert len(up_at(churn, 1_000, 101.0)) == 1_000
    came = [change for change in changes(churn, range(1_000), 1, 0.0, 200.0) if change.up]
    assert {change.at for change in came} == {100.0}
    assert [change.host for change in came] == sorted(change.host for change in came)
    lively = Churn(Lengths(mean_s=50.0), Lengths(mean_s=50.0), Flash(at_s=100.0, share=1.0))
    assert 350 < len(up_at(lively, 1_000, 600.0)) < 650


def test_changes_come_in_order_and_every_host_goes_only_when_it_is_up():
    churn = Churn(Lengths("lognormal", mean_s=60.0, sigma=2.0), Lengths("pareto", mean_s=60.0, shape=1.2))
    played = list(changes(churn, range(200), 3, 1_000.0, 5_000.0))
    assert len(played) > 2_000
    assert all(one.at <= other.at for one, other in pairwise(played))
    assert all(1_000.0 <= change.at < 5_000.0 for change in played)
    for host in range(200):
        own = [Change(0.0, host, True), *(change for change in played if change.host == host)]
        assert all(one.up != other.up for one, other in pairwise(own))
        assert all(other.at - one.at >= 1.0 - 1e-9 for one, other in pairwise(own[1:]))


def test_a_hosts_life_depends_on_nothing_but_the_seed_and_itself():
    churn = Churn()
    alone = list(changes(churn, [7], 5, 0.0, 1e5))
    among = [change for change in changes(churn, range(50), 5, 0.0, 1e5) if change.host == 7]
    assert alone == among != []
    assert alone != list(changes(churn, [7], 6, 0.0, 1e5))


def test_the_share_of_time_that_one_host_is_up_is_that_of_all():
    churn = Churn(Lengths(mean_s=20.0), Lengths(mean_s=60.0))
    ends = np.array([change.at for change in changes(churn, [1], 2, 0.0, 400_000.0)])
    first_up = next(iter(changes(churn, [1], 2, 0.0, 400_000.0))).up
    gaps = np.diff(ends)
    up = gaps[0 if first_up else 1 :: 2].sum()
    assert up / gaps.sum() == pytest.approx(share_up(churn), abs=0.02)
    assert log(len(ends)) > 8
