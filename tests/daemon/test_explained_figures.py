"""What is explained is what is shown: for any evidence and any word of others, the parts add up to the figure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2peval.core import believing, pooling
from p2peval.core.conviction import FRAUD, convict
from p2peval.core.parts import TrustEntry
from p2peval.core.rows import PeerRow
from p2peval.core.trust_rows import JudgementRow, StatementRow
from p2peval.core.types import BenchmarkId, ObjectId, PeerId
from p2peval.daemon.present_trust import TrustPresenter

sys.path.append(str(Path(__file__).parent.parent / "core"))
from hearsay import epoch, saw, settled
from small_world import Host, World

NAMES = [PeerId(f"peer-{place}") for place in range(8)]
counts = st.tuples(st.integers(0, 60), st.integers(0, 60))
huge = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))
seen = st.dictionaries(st.sampled_from(NAMES), counts, max_size=8)
said = st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(NAMES), huge, max_size=8), max_size=8)
met = st.tuples(st.integers(0, 20), st.integers(0, 20))

_world, _benchmark = settled(1)


def peopled(
    own: dict[PeerId, tuple[int, int]], word: dict[PeerId, dict[PeerId, tuple[int, int]]], strangers: tuple[int, int]
) -> tuple[World, Host, BenchmarkId]:
    """One node that has seen and heard this, and pooled it. Its tables are emptied first: a world is slow to make."""
    host, ctx = _world.all[0], _world.all[0].node._ctx
    state, ctx.now = ctx.state, _world.now
    tables = (state.evidence, state.local_evidence, state.statements, state.pooled, state.judgements, state.convictions)
    for table in tables:
        for row in table:
            table.delete(row.key)
    state.count(believing.STRANGERS_GOOD, min(strangers))
    state.count(believing.STRANGERS, max(strangers))
    for name in NAMES:
        state.peers.put(PeerRow(name, "", (), (), (), 1, 1.0))
    for peer, (good, bad) in own.items():
        saw(host, peer, _benchmark, good, bad)
    for rater, about in word.items():
        entries = tuple(TrustEntry(peer, *of) for peer, of in sorted(about.items()) if peer != rater)
        state.statements.put(StatementRow(ObjectId(rater), rater, _benchmark, epoch(_world), entries, ctx.now, False))
    pooling.recompute(ctx)
    return _world, host, _benchmark


def present(host: Host) -> TrustPresenter:
    ctx = host.node._ctx
    return TrustPresenter(ctx.state, ctx.me, ctx.now, ctx.policy)


def parts_of(host: Host, peer: PeerId) -> tuple[float, float]:
    """Sum of the parts, and the opinion."""
    told = present(host).explain(peer)
    return told.prior + told.own + sum(rater.share for rater in told.raters) + told.pending, told.opinion


@settings(max_examples=60, deadline=None)
@given(seen, said, met)
def test_parts_add_up_to_the_figure_shown_of_whoever_is_asked_about(
    own: dict[PeerId, tuple[int, int]], word: dict[PeerId, dict[PeerId, tuple[int, int]]], strangers: tuple[int, int]
) -> None:
    _, host, _ = peopled(own, word, strangers)
    for peer in (*NAMES, host.id, PeerId("nobody")):
        told, detail = present(host).explain(peer), present(host).detail(peer)
        total, in_force = parts_of(host, peer)
        assert told.reputation == detail.reputation == in_force == pytest.approx(total, abs=1e-9)
        assert told.pending == pytest.approx(0.0, abs=1e-9)  # nothing has happened since it was pooled
        assert 0.0 <= told.bound.mass <= told.bound.bound + 1e-7
    assert {view.peer: view.reputation for view in present(host).table(None)}.items() >= {
        (peer, present(host).explain(peer).reputation) for peer in own
    }


@settings(max_examples=30, deadline=None)
@given(seen, said, met, seen, *[st.sampled_from(NAMES)] * 3)
def test_what_happened_since_others_were_heard_is_a_part_of_its_own(
    own: dict[PeerId, tuple[int, int]],
    word: dict[PeerId, dict[PeerId, tuple[int, int]]],
    strangers: tuple[int, int],
    later: dict[PeerId, tuple[int, int]],
    liar: PeerId,
    distrusted: PeerId,
    root: PeerId,
) -> None:
    _, host, benchmark = peopled(own, word, strangers)
    ctx = host.node._ctx
    for peer, (good, bad) in later.items():
        saw(host, peer, benchmark, good, bad)
    convict(ctx, ObjectId("proof"), liar, FRAUD, "somewhere")
    for peer, trusted in ((root, True), (distrusted, False)):
        ctx.state.judgements.put(JudgementRow(peer, trusted, ctx.now, ctx.now + 60.0, "note"))
    for peer in (*NAMES, host.id):
        total, opinion = parts_of(host, peer)
        assert opinion == pytest.approx(total, abs=1e-9)
        told = present(host).explain(peer)
        if peer in (liar, distrusted):
            assert told.reputation == 0.0
            assert told.because
        else:
            assert told.reputation == opinion
        assert not {rater.rater.peer for rater in told.raters} & {liar, distrusted}
