"""What people call things: names mean the newest version, and an id may be typed as a table shows it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from p2peval.core.events import PublishBenchmark
from p2peval.core.rows import PeerRow
from p2peval.core.trust_rows import PetNameRow
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.daemon import refs
from p2peval.daemon.story import short_id
from p2peval.errors import NotFoundError, UsageError
from p2peval.wire.envelope import EnvelopeSealer

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


def test_a_peer_is_its_id_or_what_we_call_it_before_what_it_calls_itself() -> None:
    world = World(1)
    state = world.all[0].node.state
    honest, liar = PeerId("12D3KooWHonestAbCd"), PeerId("12D3KooWLiarWxYz")
    for peer, called in ((honest, "Ada"), (liar, "…AbCd")):
        state.peers.put(PeerRow(peer, called, (), (), (), 1, 1.0))
    for ref in ("…AbCd", "AbCd"):
        if ref == "AbCd":
            state.peers.put(replace(state.peers[liar], name=ref))
        with pytest.raises(UsageError) as refused:
            refs.peer(state, ref, ())
        assert honest in refused.value.message
    assert refs.peer(state, honest, ()) == honest
    state.peers.put(replace(state.peers[liar], name="Ada"))
    state.pet_names.put(PetNameRow(honest, "Ada"))
    assert refs.peer(state, "Ada", ()) == honest
    nobody = EnvelopeSealer(bytes(32)).peer_id
    state.peers.put(replace(state.peers[liar], name=nobody))
    with pytest.raises(NotFoundError):
        refs.peer(state, nobody, ())


def test_one_name_of_two_authors_is_not_guessed() -> None:
    world = World(2)
    for author in world.all:
        published(world, author)
    world.run(5.0)
    with pytest.raises(UsageError) as refused:
        refs.claimed_benchmark(world.all[0].node.state, "digits", lambda peer: None)
    assert all(author.id in refused.value.message for author in world.all)
