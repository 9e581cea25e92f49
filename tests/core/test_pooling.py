"""What others say moves an opinion as far as they were right before, and what is believed survives a restart."""

from __future__ import annotations

import pytest
from hearsay import epoch, introduce, saw, settled, tells, to_epoch
from small_world import Host, World

from p2peval.core import believing, conviction, due, pooling, reputation
from p2peval.core.policy import Policy
from p2peval.core.types import BenchmarkId, ObjectId, PeerId
from p2peval.defaults import POOL_PAUSE, RATER_CAP, RATER_SHARE
from p2peval.wire.envelope import EnvelopeSealer

SEALERS = [EnvelopeSealer(number.to_bytes(32)) for number in range(1, 12)]
RATED = [sealer.peer_id for sealer in SEALERS[:8]]
STRANGER = SEALERS[8].peer_id
RATER, LIAR = SEALERS[9], SEALERS[10]


def listening() -> tuple[World, Host, BenchmarkId]:
    """A node that knows eight peers, half of them good, and two raters: what one says is true, the other's is not."""
    world, benchmark = settled(2)
    host = world.all[0]
    truth = {peer: (6, 0) if place % 2 else (0, 6) for place, peer in enumerate(RATED)}
    for peer, (good, bad) in truth.items():
        saw(host, peer, benchmark, good, bad)
    for sealer in (SEALERS[8], RATER, LIAR):
        introduce(host, sealer, benchmark)
    turned = {peer: (bad, good) for peer, (good, bad) in truth.items()}
    assert tells(host, RATER, benchmark, {**truth, STRANGER: (50, 0)}, epoch(world) - 1) == ""
    assert tells(host, LIAR, benchmark, {**turned, STRANGER: (0, 50)}, epoch(world) - 1) == ""
    return world, host, benchmark


def of(host: Host, peer: PeerId) -> float:
    return reputation.of(host.node._ctx, peer)


def test_the_word_of_who_was_right_moves_the_figure_and_a_liars_does_not() -> None:
    world, host, _ = listening()
    assert of(host, STRANGER) == 0.5
    to_epoch(world)
    pooled = host.node.state.pooled
    assert pooled[RATER.peer_id].credibility > 0.4
    assert pooled[LIAR.peer_id].credibility == 0.0
    row = pooled[STRANGER]
    assert row.bad == 0.0
    assert 0.0 < row.good <= RATER_CAP * RATER_SHARE
    assert of(host, STRANGER) == pytest.approx((1.0 + row.good) / (2.0 + row.good))
    assert "trust.recomputed" in host.kinds()


def test_own_counts_of_the_moment_are_added_to_what_was_pooled_at_the_epochs_end() -> None:
    world, host, benchmark = listening()
    to_epoch(world)
    heard, before = host.node.state.pooled[STRANGER].good, of(host, STRANGER)
    saw(host, STRANGER, benchmark, good=0, bad=4)
    assert of(host, STRANGER) == pytest.approx((1.0 + heard) / (2.0 + heard + 4.0))
    assert of(host, STRANGER) < before


def test_who_is_convicted_or_distrusted_has_no_reputation_and_no_say() -> None:
    world, host, _ = listening()
    to_epoch(world)
    world.run(POOL_PAUSE)
    ctx = host.node._ctx
    ctx.now = world.now
    conviction.convict(ctx, ObjectId("proof"), RATER.peer_id, conviction.FRAUD, "somewhere")
    host.perform(host.node._drain())
    assert of(host, RATER.peer_id) == 0.0
    world.run(1.0)
    assert host.node.state.pooled[STRANGER].good == 0.0
    assert of(host, STRANGER) == 0.5


def test_a_flood_of_convictions_is_pooled_once() -> None:
    world, host, _ = listening()
    to_epoch(world)
    world.run(POOL_PAUSE)
    before, ctx = host.kinds().count("trust.recomputed"), host.node._ctx
    ctx.now = world.now
    for number in range(20):
        conviction.convict(ctx, ObjectId(f"proof-{number}"), RATER.peer_id, conviction.FRAUD, str(number))
    for number in range(20):
        conviction.convict(ctx, ObjectId(f"other-{number}"), PeerId(f"key-{number}"), conviction.FRAUD, str(number))
    host.perform(host.node._drain())
    world.run(POOL_PAUSE - 1.0)
    assert host.kinds().count("trust.recomputed") == before + 1


def test_after_a_restart_every_reputation_and_its_history_are_what_they_were() -> None:
    world, host, _ = listening()
    to_epoch(world)
    peers = [*RATED, STRANGER, RATER.peer_id, LIAR.peer_id]
    rows = [list(table) for table in (host.node.state.pooled, host.node.state.history, host.node.state.statements)]
    before = [of(host, peer) for peer in peers]
    host.restart()
    host.node._ctx.now = world.now
    assert [of(host, peer) for peer in peers] == before
    assert [
        list(table) for table in (host.node.state.pooled, host.node.state.history, host.node.state.statements)
    ] == rows
    to_epoch(world)
    assert [of(host, peer) for peer in peers] == pytest.approx(before, abs=1e-3)


def test_history_has_a_point_where_a_reputation_moved_and_none_where_it_did_not() -> None:
    world, host, benchmark = listening()
    for _ in range(3):
        to_epoch(world)
    (first,) = host.node.state.history.of(RATED[1])
    assert first.epoch == epoch(world) - 3
    assert first.low < first.reputation < first.high
    saw(host, RATED[1], benchmark, good=2, bad=4)
    to_epoch(world)
    assert [row.epoch for row in host.node.state.history.of(RATED[1])] == [first.epoch, epoch(world) - 1]
    assert host.node.state.history.of(RATED[1])[-1].reputation == of(host, RATED[1])


def test_trust_flows_from_here_to_whom_it_has_seen_and_on_to_whom_they_praise() -> None:
    world, host, benchmark = listening()
    saw(host, RATER.peer_id, benchmark, good=10)
    to_epoch(world)
    pooled = host.node.state.pooled
    assert sum(row.mass for row in pooled) == pytest.approx(1.0)
    assert 0.0 < pooled[STRANGER].reach < pooled[RATER.peer_id].reach < 1.0
    assert pooled[LIAR.peer_id].mass == pooled[LIAR.peer_id].reach == 0.0


def test_a_baseline_ranks_by_its_own_figures_as_soon_as_something_was_seen() -> None:
    world, host, benchmark = listening()
    host.node._ctx.policy = Policy(opinion="own")
    to_epoch(world)
    assert of(host, RATED[1]) == pytest.approx(7 / 8)
    world.run(POOL_PAUSE)
    reputation.agreed(host.node._ctx, RATED[1], benchmark)
    host.perform(host.node._drain())
    world.run(1.0)
    assert of(host, RATED[1]) == pytest.approx(8 / 9, abs=1e-3)


def test_strangers_are_met_as_strangers_did_so_far() -> None:
    world, benchmark = settled(2)
    ctx = world.all[0].node._ctx
    for peer in RATED[:6]:
        reputation.agreed(ctx, peer, benchmark)
        reputation.agreed(ctx, peer, benchmark)
    reputation.differed(ctx, RATED[6], benchmark, "deed")
    reputation.blamed(ctx, RATED[7], benchmark, "deed")  # shown to us: says nothing of strangers at large
    assert believing.prior(ctx.state) == pytest.approx(7 / 9)
    assert reputation.of(ctx, STRANGER) == pytest.approx(7 / 9)


def test_where_strangers_lie_it_is_no_reproach_to_be_unknown() -> None:
    world, benchmark = settled(2)
    ctx = world.all[0].node._ctx
    for peer in RATED[:6]:
        reputation.differed(ctx, peer, benchmark, "deed")

    def doubted(peer: PeerId) -> bool:
        return believing.is_doubted(ctx.state, ctx.policy, peer, ctx.now)

    assert reputation.of(ctx, STRANGER) == pytest.approx(1 / 8)
    assert not doubted(STRANGER)
    assert doubted(RATED[0])


def test_after_a_clock_was_set_back_a_proof_is_pooled_as_soon_as_ever() -> None:
    world, host, _ = listening()
    ctx = host.node._ctx
    ctx.state.count("pooled_ms", int((world.now + 365 * 86_400.0) * 1000))
    before = host.kinds().count("trust.recomputed")
    ctx.now = world.now
    due.soon(ctx)
    host.perform(host.node._drain())
    world.run(POOL_PAUSE + 1.0)
    assert host.kinds().count("trust.recomputed") == before + 1


def test_a_convicted_root_is_no_root_whatever_the_settings_say() -> None:
    world, host, _ = listening()
    ctx = host.node._ctx
    ctx.now, ctx.policy = world.now, Policy(trust_roots=(RATER.peer_id,))
    assert pooling.testimony(ctx.state, ctx.policy, ctx.me, ctx.now).testimony.roots
    assert of(host, RATER.peer_id) > 0.5
    conviction.convict(ctx, ObjectId("proof"), RATER.peer_id, conviction.FRAUD, "somewhere")
    assert not pooling.testimony(ctx.state, ctx.policy, ctx.me, ctx.now).testimony.roots
    assert of(host, RATER.peer_id) == 0.0
    to_epoch(world)
    assert host.node.state.pooled[RATER.peer_id].mass == 0.0
