"""What a node tells of its own evidence at the end of an epoch, and that it never says two things of one epoch."""

from __future__ import annotations

from dataclasses import replace

from hearsay import epoch, saw, settled, tells, to_epoch
from small_world import Host, World

from p2peval.core import epoch as epoch_
from p2peval.core.checking import TrustStatement
from p2peval.core.messages import Sealed
from p2peval.defaults import EPOCH, MAX_ENTRIES, STATEMENT_LIFETIME
from p2peval.wire.envelope import EnvelopeSealer


def said(host: Host) -> list[Sealed[TrustStatement]]:
    """Every statement that ``host`` ever published, in order."""
    opened = [host.sealer.open(envelope) for envelope in host.disk.signed]
    return [sealed for sealed in opened if isinstance(sealed.payload, TrustStatement)]  # type: ignore[misc]


def test_at_the_end_of_an_epoch_everybody_hears_what_was_seen_in_it() -> None:
    world, benchmark = settled(3)
    rater, listener, rated = world.all
    saw(rater, rated.id, benchmark, good=4, bad=1)
    world.run(EPOCH - 10.0)
    assert said(rater) == []
    to_epoch(world)
    (statement,) = said(rater)
    assert statement.payload.epoch == epoch(world) - 1
    assert [entry.peer for entry in statement.payload.entries] == [rated.id]
    assert listener.node.state.statements[f"{benchmark}/{rater.id}"].id == statement.id
    assert "statement.published" in rater.kinds()
    assert "statement.received" in listener.kinds()


def test_counts_are_told_as_they_have_faded_by_then_and_nobody_speaks_of_itself() -> None:
    world, benchmark = settled(2)
    rater, rated = world.all
    saw(rater, rated.id, benchmark, good=4, bad=1)
    saw(rater, rater.id, benchmark, good=9)
    rater.node.state.count("resolved_total", 50)  # a half-life in tasks, and one in days
    world.now += 30 * 86_400.0
    to_epoch(world)
    (statement,) = said(rater)
    (entry,) = statement.payload.entries
    assert entry.peer == rated.id
    assert 1990 < entry.agreed_milli < 2010
    assert 830 < entry.disagreed_milli < 850


def test_nothing_new_is_not_told_again_before_it_would_be_forgotten() -> None:
    world, benchmark = settled(2)
    rater, rated = world.all
    saw(rater, rated.id, benchmark, good=1)
    to_epoch(world)
    world.run(5 * EPOCH)
    assert len(said(rater)) == 1
    saw(rater, rated.id, benchmark, good=2)
    to_epoch(world)
    assert len(said(rater)) == 2
    world.now += STATEMENT_LIFETIME / 2
    to_epoch(world)
    assert len(said(rater)) == 3


def test_a_newer_statement_takes_the_place_of_the_older_with_everybody() -> None:
    world, benchmark = settled(3)
    rater, listener, rated = world.all
    for count in (1, 2):
        saw(rater, rated.id, benchmark, good=count)
        to_epoch(world)
    newest = said(rater)[-1].id
    for host in (rater, listener):
        assert [row.id for row in host.node.state.objects if row.type == "TrustStatement"] == [newest]
        assert [row.id for row in host.node.state.statements] == [newest]


def test_of_very_many_peers_those_of_whom_most_is_known_are_told() -> None:
    world, benchmark = settled(2)
    rater = world.all[0]
    for number in range(MAX_ENTRIES + 10):
        saw(rater, EnvelopeSealer(number.to_bytes(32)).peer_id, benchmark, good=1 + (number >= 10))
    to_epoch(world)
    (statement,) = said(rater)
    assert len(statement.payload.entries) == MAX_ENTRIES
    assert all(entry.agreed_milli > 1500 for entry in statement.payload.entries)


def test_a_node_killed_at_any_moment_of_an_epochs_end_signs_one_statement_for_it() -> None:
    for kill_after in range(1, 12):
        world, benchmark = settled(3)
        rater, rated = world.all[0], world.all[1]
        saw(rater, rated.id, benchmark, good=3)
        world.victim, world.kill_at = rater.id, world.performed + kill_after
        to_epoch(world)
        to_epoch(world)
        assert len({statement.id for statement in said(rater)}) <= 1
        assert rater.node.state.convictions.of(rater.id) == ()


def test_a_restored_backup_signs_nothing_for_an_epoch_that_ended_before_it_woke() -> None:
    world, benchmark = settled(3)
    rater, other, rated = world.all
    saw(rater, rated.id, benchmark, good=3)
    backup = {table: dict(rows) for table, rows in rater.disk.rows.items()}
    to_epoch(world)
    (first,) = said(rater)
    rater.disk.rows = backup
    rater.disk.outbox.clear()
    rater.restart()
    assert f"{benchmark}/{rater.id}" not in rater.node.state.statements
    saw(rater, rated.id, benchmark, good=1, bad=7)
    world.run(EPOCH - 30.0)
    assert said(rater) == [first]
    assert rater.node.state.statements[f"{benchmark}/{rater.id}"].id == first.id  # it came back by sync
    to_epoch(world)
    assert [statement.payload.epoch for statement in said(rater)] == [first.payload.epoch, first.payload.epoch + 1]
    assert not other.node.state.convictions.of(rater.id)


def test_a_clock_set_back_says_nothing_of_epochs_that_were_spoken_of() -> None:
    world, benchmark = settled(2)
    rater, rated = world.all
    for good in range(1, 5):
        saw(rater, rated.id, benchmark, good)
        to_epoch(world)
    told = said(rater)
    assert len(told) == 4
    world.now -= 3 * EPOCH
    saw(rater, rated.id, benchmark, good=1, bad=1)
    rater.restart()
    world.run(3 * EPOCH - 60.0)
    assert said(rater) == told


def test_two_statements_of_one_epoch_are_an_equivocation() -> None:
    world, benchmark = settled(3)
    listener, rater, rated = world.all
    assert tells(listener, rater.sealer, benchmark, {rated.id: (3, 0)}, epoch(world)) == ""
    assert tells(listener, rater.sealer, benchmark, {rated.id: (0, 3)}, epoch(world)) == "slot_taken"


def with_epochs_of(world: World, seconds: float) -> None:
    """Everybody's settings change, and everybody starts again."""
    for host in world.all:
        host.restart()
        host.node._ctx.policy = replace(host.node._ctx.policy, epoch_s=seconds)
        epoch_.arm(host.node._ctx)
        host.perform(host.node._drain())


def test_longer_epochs_are_spoken_of_though_their_numbers_are_lower_and_none_twice() -> None:
    world, benchmark = settled(2)
    rater, listener = world.all
    saw(rater, listener.id, benchmark, good=3)
    to_epoch(world)
    (first,) = said(rater)
    with_epochs_of(world, EPOCH + 1.0)  # 140 numbers lower: they rise over those of before within six days
    for day in range(1, 9):
        saw(rater, listener.id, benchmark, good=3 + day)
        world.run(86_400.0)
    told = said(rater)
    assert len(told) > 5
    assert min(statement.payload.epoch for statement in told[1:]) < first.payload.epoch
    assert len({statement.payload.epoch for statement in told}) == len(told)
    assert listener.node.state.statements[f"{benchmark}/{rater.id}"].id == told[-1].id
    assert not listener.node.state.convictions.of(rater.id)


def test_a_clock_that_was_a_year_ahead_for_a_while_does_not_silence_a_node_for_a_year() -> None:
    world, benchmark = settled(2)
    rater, listener = world.all
    saw(rater, listener.id, benchmark, good=3)
    to_epoch(world)
    year = 365 * 86_400.0
    world.now += year
    rater.restart()
    saw(rater, listener.id, benchmark, good=4)
    to_epoch(world)
    wrong = said(rater)[-1].payload.epoch
    assert wrong > epoch(world) - 3
    world.now -= year
    rater.restart()
    listener.restart()
    to_epoch(world)
    saw(rater, listener.id, benchmark, good=5)
    to_epoch(world)
    assert said(rater)[-1].payload.epoch == epoch(world) - 1
    assert len({statement.payload.epoch for statement in said(rater)}) == len(said(rater))
