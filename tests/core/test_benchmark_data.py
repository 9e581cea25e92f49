"""Which blobs a benchmark has, who fetches them, and what a spec may say of groups and conditions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_world import World, blob

from p2peval.core.benchmark import clean_samples, data_of, labels_of, problem
from p2peval.core.events import JoinBenchmark
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Condition

NOISE = Condition("noise", "gaussian_noise", 10**8, 1)
GROUPED = {"groups": blob("groups"), "group_names": ("east", "west")}


@pytest.fixture
def spec() -> BenchmarkSpec:
    world = World(1)
    return world.spec(world.all[0])


@pytest.mark.parametrize(
    ("evaluates", "requests", "fetched"),
    [
        (True, False, {"inputs"}),
        (True, True, {"inputs", "labels", "groups"}),
        (False, False, set()),
    ],
)
def test_only_who_scores_fetches_labels_and_groups(evaluates: bool, requests: bool, fetched: set[str]) -> None:
    world = World(2)
    author, member = world.all
    author.blobs.add(blob("groups").cid)
    benchmark = world.publish(author, **GROUPED)
    world.run(1.0)
    member.handle(JoinBenchmark("join", benchmark, evaluates, requests, (author.id,)))
    world.run(5.0)
    assert {what for what in ("inputs", "labels", "groups") if blob(what).cid in member.blobs} == fetched


def test_data_is_named_in_one_place(spec: BenchmarkSpec) -> None:
    grouped = replace(spec, **GROUPED)
    assert list(data_of(grouped)) == ["inputs", "labels", "groups"]
    assert labels_of(grouped) == {"labels": spec.labels, "groups": GROUPED["groups"]}
    assert labels_of(replace(grouped, labels=None, labels_commitment=bytes(32))) == {}


def test_a_condition_is_as_many_samples_again(spec: BenchmarkSpec) -> None:
    perturbed = replace(spec, samples=300, conditions=(NOISE, replace(NOISE, name="more")))
    assert problem(perturbed) == ""
    assert clean_samples(perturbed) == 100
    assert "cannot be the clean ones" in problem(replace(perturbed, samples=301))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"samples": 300, "conditions": (NOISE, NOISE)}, "conditions: each needs a name of its own"),
        ({"samples": 300, "conditions": (replace(NOISE, name="east"),) * 2, **GROUPED}, "conditions: each needs a"),
        ({"samples": 200, "conditions": (replace(NOISE, name="east"),), **GROUPED}, "that no group has"),
        ({"groups": blob("groups")}, "groups: give"),
        ({**GROUPED, "group_names": ("west", "east")}, "groups: give"),
    ],
)
def test_a_wrong_spec_is_refused_in_words(spec: BenchmarkSpec, changes: dict, complaint: str) -> None:
    assert complaint in problem(replace(spec, **changes))
