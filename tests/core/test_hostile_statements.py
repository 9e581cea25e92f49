"""Statements at the edge of what the wire lets in: figures stay finite, and names that cost nothing cost us nothing."""

from __future__ import annotations

from math import isfinite

import pytest
from hearsay import epoch, introduce, saw, settled, tells, to_epoch
from small_world import Host, World

from p2peval.core import pooling, reputation
from p2peval.core.conviction import FRAUD, convict
from p2peval.core.parts import TrustEntry
from p2peval.core.policy import Policy
from p2peval.core.trust_rows import StatementRow
from p2peval.core.types import BenchmarkId, ObjectId, PeerId
from p2peval.defaults import MAX_ENTRIES
from p2peval.defaults import OPINIONS as RULES
from p2peval.wire.envelope import EnvelopeSealer

MOST = 1_000_000  # outcomes: what an entry can say (wire/bounds.py)
SEALERS = [EnvelopeSealer(number.to_bytes(32)) for number in range(1, 10)]


def figures(host: Host) -> list[float]:
    rows = list(host.node.state.pooled)
    return [
        value
        for row in rows
        for value in (
            row.good,
            row.bad,
            row.credibility,
            row.opinion,
            row.mass,
            row.reach,
            reputation.of(host.node._ctx, row.peer),
        )
    ]


def boasting(rule: str) -> tuple[World, Host, BenchmarkId]:
    """A node that three raters tell of six others, as much as can be said: all good, all bad, both, and nothing."""
    world, benchmark = settled(2)
    host = world.all[0]
    host.node._ctx.policy = Policy(opinion=rule)
    for sealer in SEALERS:
        introduce(host, sealer, benchmark)
    raters, rated = SEALERS[:3], SEALERS[3:]
    for rater, said in zip(raters, [(MOST, 0), (0, MOST), (MOST, MOST)], strict=True):
        entries = {peer.peer_id: said for peer in rated[:-1]} | {rated[-1].peer_id: (0, 0)}
        assert tells(host, rater, benchmark, entries, epoch(world)) == ""
    return world, host, benchmark


@pytest.mark.parametrize("rule", RULES)
def test_the_largest_counts_and_empty_ones_give_finite_figures_by_every_rule(rule: str) -> None:
    world, host, benchmark = boasting(rule)
    to_epoch(world)
    saw(host, SEALERS[3].peer_id, benchmark, good=3)
    saw(host, SEALERS[4].peer_id, benchmark, good=0, bad=3)
    to_epoch(world)
    assert len(figures(host)) > 7 * len(SEALERS)
    assert all(isfinite(value) and value >= 0.0 for value in figures(host))


@pytest.mark.parametrize("rule", RULES)
def test_where_everybody_is_convicted_there_is_nobody_to_listen_to_and_nothing_breaks(rule: str) -> None:
    world, host, _ = boasting(rule)
    ctx = host.node._ctx
    ctx.now = world.now
    for number, sealer in enumerate(SEALERS):
        convict(ctx, ObjectId(f"proof-{number}"), sealer.peer_id, FRAUD, "somewhere")
    to_epoch(world)
    assert [reputation.of(ctx, sealer.peer_id) for sealer in SEALERS] == [0.0] * len(SEALERS)
    assert all(isfinite(value) for value in figures(host))
    assert pooling.testimony(ctx.state, ctx.policy, ctx.me, ctx.now).testimony.good.sum() == 0.0


def test_a_node_of_which_nobody_speaks_and_that_knows_nobody_reckons_nothing() -> None:
    world, _ = settled(1)
    to_epoch(world)
    assert not list(world.all[0].node.state.pooled)
    assert "trust.recomputed" not in world.all[0].kinds()


def test_word_of_peers_that_do_not_exist_leaves_no_trace() -> None:
    """Five hundred raters could name 130 000: rows to be written anew at each epoch's end, and again at each proof."""
    world, benchmark = settled(2)
    host = world.all[0]
    ctx = host.node._ctx
    saw(host, SEALERS[0].peer_id, benchmark, good=4)
    for number in range(20):
        invented = tuple(TrustEntry(PeerId(f"made-up-{number}-{place}"), 9000, 0) for place in range(MAX_ENTRIES))
        name = PeerId(f"rater-{number}")
        row = StatementRow(ObjectId(name), name, benchmark, epoch(world), invented, world.now, False)
        ctx.state.statements.put(row)
    ctx.now = world.now
    pooling.recompute(ctx)
    assert not [row.peer for row in ctx.state.pooled if row.peer.startswith("made-up")]
    assert ctx.state.pooled[SEALERS[0].peer_id].mass > 0.0


def test_who_introduces_himself_later_is_spoken_of_from_the_next_epochs_end() -> None:
    world, benchmark = settled(2)
    host, rater, late = world.all[0], SEALERS[0], SEALERS[1]
    introduce(host, rater, benchmark)
    tells(host, rater, benchmark, {late.peer_id: (9, 0)}, epoch(world))
    to_epoch(world)
    assert late.peer_id not in host.node.state.pooled
    introduce(host, late, benchmark)
    to_epoch(world)
    assert late.peer_id in host.node.state.pooled
