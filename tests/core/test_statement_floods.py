"""What is said by names that cost nothing fills no memory, and takes nobody's place who is believed."""

from __future__ import annotations

from itertools import count

import pytest
from hearsay import epoch, introduce, saw, settled, tells, to_epoch
from small_world import Host, World

from p2peval.core import statements
from p2peval.core.policy import Policy
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import STATEMENT_LIFETIME
from p2peval.wire.envelope import EnvelopeSealer

STRANGE = 5
KNOWN = 3
SOMEBODY = EnvelopeSealer(b"\x01" * 32).peer_id

_names = count(1000)


@pytest.fixture(autouse=True)
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "STATEMENTS_KEPT", STRANGE + KNOWN)
    monkeypatch.setattr(statements, "STRANGE_STATEMENTS", STRANGE)


def rater() -> EnvelopeSealer:
    return EnvelopeSealer(next(_names).to_bytes(32))


def says(host: Host, benchmark: BenchmarkId, who: EnvelopeSealer, at: int | None = None) -> str:
    introduce(host, who, benchmark)
    return tells(host, who, benchmark, {SOMEBODY: (3, 0)}, epoch(host.world) if at is None else at)


def held(host: Host) -> set[PeerId]:
    rows = {row.rater for row in host.node.state.statements}
    objects = {row.signer for row in host.node.state.objects if row.type == "TrustStatement"}
    assert rows == objects
    return rows


def known(world: World, host: Host, benchmark: BenchmarkId, good: int) -> EnvelopeSealer:
    who = rater()
    saw(host, who.peer_id, benchmark, good)
    return who


def test_a_flood_of_new_names_fills_a_few_places_and_is_refused() -> None:
    world, benchmark = settled(2)
    host = world.all[0]
    answers = [says(host, benchmark, rater()) for _ in range(40)]
    assert answers == [""] * STRANGE + ["crowded"] * (40 - STRANGE)
    assert len(held(host)) == STRANGE


def test_a_flood_takes_no_place_of_a_rater_who_is_believed_nor_keeps_one_out() -> None:
    world, benchmark = settled(2)
    host = world.all[0]
    early, late = known(world, host, benchmark, 4), known(world, host, benchmark, 4)
    assert says(host, benchmark, early) == ""
    for _ in range(4):
        for _ in range(20):
            says(host, benchmark, rater())
        to_epoch(world)
    assert says(host, benchmark, late) == ""
    assert {early.peer_id, late.peer_id} <= held(host)
    assert len(held(host)) == STRANGE + 3  # with its own


def test_a_stranger_is_heard_at_one_epochs_end_and_then_makes_room_for_the_next() -> None:
    world, benchmark = settled(2)
    host = world.all[0]
    first = [rater() for _ in range(STRANGE)]
    for who in first:
        says(host, benchmark, who)
    world.run(60.0)
    late = rater()
    assert says(host, benchmark, late) == "crowded"
    to_epoch(world)
    assert says(host, benchmark, late, epoch(world)) == ""
    assert held(host) == {who.peer_id for who in first[1:]} | {late.peer_id}


def test_strangers_that_speak_again_each_epoch_keep_no_place_from_one_that_was_not_heard() -> None:
    world, benchmark = settled(2)
    host = world.all[0]
    first = [rater() for _ in range(STRANGE)]
    for _ in range(2):
        for who in first:
            assert says(host, benchmark, who) == ""
        to_epoch(world)
    for who in first:
        assert says(host, benchmark, who) == ""  # they are always the first
    assert says(host, benchmark, rater()) == ""


def test_where_the_known_are_too_many_the_least_believed_makes_room_for_a_better_one_only() -> None:
    world, benchmark = settled(2)
    host = world.all[0]
    raters = [known(world, host, benchmark, good) for good in (2, 5, 9, 1, 7)]
    assert [says(host, benchmark, who) for who in raters] == ["", "", "", "crowded", ""]
    assert held(host) == {raters[place].peer_id for place in (1, 2, 4)}


def test_a_root_is_never_out_of_place() -> None:
    world, benchmark = settled(2)
    host = world.all[0]
    for good in (9, 9, 9):
        says(host, benchmark, known(world, host, benchmark, good))
    root = rater()
    host.node._ctx.policy = Policy(trust_roots=(root.peer_id,))
    assert says(host, benchmark, root) == ""
    assert root.peer_id in held(host)


def test_a_stranger_that_turns_out_right_leaves_the_strangers() -> None:
    world, benchmark = settled(2)
    host, who = world.all[0], rater()
    rated = [EnvelopeSealer(number.to_bytes(32)).peer_id for number in range(1, 7)]
    truth = {peer: (9, 0) if place % 2 else (0, 9) for place, peer in enumerate(rated)}
    for peer, (good, bad) in truth.items():
        saw(host, peer, benchmark, good, bad)
    introduce(host, who, benchmark)
    tells(host, who, benchmark, truth, epoch(world))
    (row,) = host.node.state.statements
    assert not row.believed
    to_epoch(world)
    assert [row.believed for row in host.node.state.statements if row.rater == who.peer_id] == [True]


def test_what_was_not_renewed_in_time_is_forgotten_and_not_taken_again() -> None:
    world, benchmark = settled(2)
    host, who = world.all[0], rater()
    began = epoch(world)
    says(host, benchmark, who)
    world.now += STATEMENT_LIFETIME
    to_epoch(world)
    assert held(host) == set()
    assert tells(host, who, benchmark, {SOMEBODY: (3, 1)}, began - 1) == "expired"


def test_who_is_no_member_or_speaks_of_itself_or_of_tomorrow_is_not_heard() -> None:
    world, benchmark = settled(2)
    host, who = world.all[0], rater()
    assert tells(host, who, benchmark, {SOMEBODY: (3, 0)}, epoch(world)) == "unknown_rater"
    introduce(host, who, benchmark)
    assert tells(host, who, benchmark, {who.peer_id: (3, 0)}, epoch(world)) == "bad_statement"
    assert tells(host, who, benchmark, {SOMEBODY: (3, 0)}, epoch(world) + 1) == "from_the_future"
    assert tells(host, who, benchmark, {SOMEBODY: (3, 0)}, epoch(world)) == ""
    assert tells(host, who, benchmark, {SOMEBODY: (4, 0)}, epoch(world) - 1) == "superseded"
