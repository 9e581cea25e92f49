"""What people call things: names mean the newest version, and an id may be typed as a table shows it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from p2peval.core.events import PublishBenchmark
from p2peval.core.types import BenchmarkId
from p2peval.daemon import refs
from p2peval.daemon.story import short_id
from p2peval.errors import NotFoundError, UsageError

sys.path.append(str(Path(__file__).parent.parent / "core"))
from small_world import Host, World


def published(world: World, author: Host, **changes: object) -> BenchmarkId:
    author.handle(PublishBenchmark("publish", replace(world.spec(author), **changes)))  # type: ignore[arg-type]
    return BenchmarkId(author.replies["publish"].subject)


def test_a_name_means_its_authors_newest_version_and_an_id_the_one_it_names() -> None:
    world = World(1)
    (author,) = world.all
    first = published(world, author)
    second = published(world, author, version=2, parent=first)
    state = author.node.state
    assert refs.held_benchmark(state, "digits").id == second
    assert refs.held_benchmark(state, first).id == first


def test_an_id_may_be_typed_as_tables_show_it() -> None:
    world = World(1)
    (author,) = world.all
    benchmark = published(world, author)
    state = author.node.state
    assert refs.held_benchmark(state, short_id(benchmark)).id == benchmark
    assert refs.held_benchmark(state, benchmark[:14]).id == benchmark
    for wrong in ("bafk…zzzz", "bafk", "…"):
        with pytest.raises(NotFoundError):
            refs.held_benchmark(state, wrong)


def test_one_name_of_two_authors_is_not_guessed() -> None:
    world = World(2)
    for author in world.all:
        published(world, author)
    world.run(5.0)
    with pytest.raises(UsageError) as refused:
        refs.claimed_benchmark(world.all[0].node.state, "digits", lambda peer: None)
    assert all(author.id in refused.value.message for author in world.all)
