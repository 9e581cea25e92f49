"""No trick gets names that cost nothing more places than the newcomers' share: not many offers, not mutual praise."""

from __future__ import annotations

from collections import Counter
from random import Random

from hearsay import epoch, introduce, saw, settled, tells, to_epoch
from small_world import Host, World

from p2peval.core import auditors, believing, offers, panel, reputation
from p2peval.core.assignment import choose
from p2peval.core.policy import Policy
from p2peval.core.rows import OfferRow, TaskRow, TaskState
from p2peval.core.trust_rows import JudgementRow
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import MAX_OFFERS, NEWCOMER_SHARE
from p2peval.wire.envelope import EnvelopeSealer

SYBILS = [EnvelopeSealer(number.to_bytes(32)) for number in range(100, 140)]
HONEST = [EnvelopeSealer(number.to_bytes(32)).peer_id for number in range(1, 9)]


def asking() -> tuple[World, Host, BenchmarkId, TaskRow]:
    """A requester that knows eight honest peers, with a task that waits for offers; there is no real evaluator."""
    world, benchmark = settled(1)
    host = world.all[0]
    for peer in HONEST:
        saw(host, peer, benchmark, good=9)
    host.node._ctx.now = world.now
    task = host.node.state.tasks[world.start(host, benchmark, "model")]
    assert task.state is TaskState.ANNOUNCED
    return world, host, benchmark, task


def offer(host: Host, task: TaskRow, peer: PeerId, declined: str = "") -> str:
    ctx = host.node._ctx
    return offers.answer(ctx, OfferRow(task.id, peer, "class", ctx.now + 3600.0, declined))


def of(host: Host, task: TaskRow) -> set[PeerId]:
    return {row.peer for row in host.node.state.offers.of(task.id)}


def test_a_flood_of_offers_keeps_nobody_out_who_is_known() -> None:
    _, host, _, task = asking()
    names = [sealer.peer_id for sealer in SYBILS]
    answers = [offer(host, task, peer, "busy" if place % 2 else "") for place, peer in enumerate(names)]
    assert answers.count("enough_offers") == len(SYBILS) - MAX_OFFERS
    assert [offer(host, task, peer) for peer in HONEST] == [""] * len(HONEST)
    assert set(HONEST) < of(host, task)
    assert len(of(host, task)) == MAX_OFFERS
    declined = [row for row in host.node.state.offers.of(task.id) if row.declined]
    assert len(declined) == MAX_OFFERS // 2 - len(HONEST)  # who does not want it goes first


def test_a_known_peer_that_declines_or_lied_takes_nobodys_place() -> None:
    _, host, benchmark, task = asking()
    for sealer in SYBILS:
        offer(host, task, sealer.peer_id)
    saw(host, HONEST[1], benchmark, good=0, bad=9)
    assert offer(host, task, HONEST[0], "busy") == "enough_offers"
    assert offer(host, task, HONEST[1]) == "enough_offers"


def praised() -> tuple[World, Host, BenchmarkId, TaskRow]:
    """Sybils repeat what this node knows of peers of whom nobody else speaks, and then praise each other."""
    world, host, benchmark, task = asking()
    for sealer in SYBILS:
        introduce(host, sealer, benchmark)
    for place, sealer in enumerate(SYBILS):
        others = {other.peer_id: (50, 0) for other in SYBILS if other is not sealer}
        copied = {HONEST[place % len(HONEST)]: (9 + place, 0)}
        assert tells(host, sealer, benchmark, {**others, **copied}, epoch(world)) == ""
    to_epoch(world)
    host.node._ctx.now = world.now
    return world, host, benchmark, task


def test_names_that_praise_each_other_stay_newcomers_and_share_one_arm() -> None:
    _, host, _, task = praised()
    ctx = host.node._ctx
    assert max(host.node.state.pooled[sealer.peer_id].good for sealer in SYBILS) > 0.0  # they are even believed
    names = [*HONEST, *(sealer.peer_id for sealer in SYBILS)]
    seen = [offers._as_seen(ctx, task, OfferRow(task.id, peer, "class", ctx.now + 1.0, "")) for peer in names]
    share, tasks, rng = believing.newcomer_share(ctx.state, ctx.policy), 2000, Random(1)
    counted = Counter(choose(seen, 1, newcomer_share=share, rng=rng)[0] for _ in range(tasks))
    taken = sum(counted[sealer.peer_id] for sealer in SYBILS)
    assert share <= NEWCOMER_SHARE
    assert taken < tasks * share + 4.5 * (tasks * share) ** 0.5


def betrayed() -> tuple[Host, TaskRow, dict[PeerId, tuple[int, int]]]:
    """A peer with as good a record as the honest ones, that is believed, praises names that nobody has met."""
    world, host, benchmark, task = asking()
    ctx, traitor = host.node._ctx, SYBILS[0]
    saw(host, traitor.peer_id, benchmark, good=9)
    for sealer in SYBILS:
        introduce(host, sealer, benchmark)
    ring = {other.peer_id: (50, 0) for other in SYBILS[1:]}
    tells(host, traitor, benchmark, {**ring, **dict.fromkeys(HONEST, (9, 0))}, epoch(world))
    to_epoch(world)
    ctx.now = world.now
    assert all(believing.is_known(ctx.state, ctx.policy, peer, ctx.now) for peer in ring)
    return host, task, ring


def test_whom_one_traitor_with_a_record_praises_share_the_places_that_it_could_have_itself() -> None:
    host, task, ring = betrayed()
    ctx, rng = host.node._ctx, Random(1)
    rows = [OfferRow(task.id, peer, "class", ctx.now + 1.0, "") for peer in (*HONEST, *ring)]
    seen = [offers._as_seen(ctx, task, row) for row in rows]
    counted = Counter(choose(seen, 1, newcomer_share=0.0, rng=rng)[0] for _ in range(1000))
    assert sum(counted[peer] for peer in ring) / 1000 < 1 / (len(HONEST) + 1)


def test_whom_a_traitor_praises_keeps_nobody_out_who_was_met() -> None:
    host, task, ring = betrayed()
    for peer in ring:
        offer(host, task, peer)
    assert len(of(host, task)) == MAX_OFFERS
    assert [offer(host, task, peer) for peer in HONEST] == [""] * len(HONEST)


def test_one_traitor_with_a_record_makes_no_majority_of_blind_auditors() -> None:
    """Whom it praises weighs as newcomers do: 1−h at most, however many they are."""
    host, _, ring = betrayed()
    ctx = host.node._ctx
    assert not any(believing.is_met(ctx.state, ctx.policy, peer, ctx.now) for peer in ring)
    known = [panel.Candidate(peer, reputation.of(ctx, peer), True, peer) for peer in HONEST]
    strange = [panel.Candidate(peer, 0.5, False, peer) for peer in ring]
    first = Counter(
        panel.order([*known, *strange], number.to_bytes(32), 10, ctx.policy.honest_share)[0] for number in range(2000)
    )
    assert sum(first[peer] for peer in ring) / 2000 < 1.0 - ctx.policy.honest_share + 0.04


def test_a_newcomer_that_the_operator_trusts_is_asked_where_strangers_lied() -> None:
    _, host, _, task = asking()
    ctx, newcomer = host.node._ctx, SYBILS[0].peer_id
    ctx.state.count(believing.STRANGERS, 30)
    row = OfferRow(task.id, newcomer, "class", ctx.now + 1.0, "")
    assert reputation.of(ctx, newcomer) < 0.05
    ctx.state.judgements.put(JudgementRow(newcomer, True, ctx.now, ctx.now + 60.0, ""))
    names = [OfferRow(task.id, peer, "class", ctx.now + 1.0, "") for peer in HONEST]
    seen = [offers._as_seen(ctx, task, each) for each in (row, *names)]
    share, rng = believing.newcomer_share(ctx.state, ctx.policy), Random(1)
    counted = Counter(choose(seen, 1, newcomer_share=share, rng=rng)[0] for _ in range(300))
    assert counted[newcomer] > 100
    ctx.now += 60.0  # to the second
    assert reputation.of(ctx, newcomer) < 0.05
    assert not believing.is_known(ctx.state, ctx.policy, newcomer, ctx.now)


def test_where_the_first_strangers_lied_honest_newcomers_are_asked_for_want_of_others() -> None:
    world, benchmark = settled(1)
    host = world.all[0]
    for sealer in SYBILS[:10]:
        reputation.differed(host.node._ctx, sealer.peer_id, benchmark, "deed")
    host.node._ctx.now = world.now
    task = host.node.state.tasks[world.start(host, benchmark, "model")]
    rows = [OfferRow(task.id, peer, "class", world.now + 1.0, "") for peer in (HONEST[0], SYBILS[0].peer_id)]
    seen = [offers._as_seen(host.node._ctx, task, row) for row in rows]
    share = believing.newcomer_share(host.node.state, Policy())
    assert share < 0.01
    assert {choose(seen, 1, newcomer_share=share, rng=Random(seed))[0] for seed in range(100)} == {HONEST[0]}


def test_candidates_for_blind_audits_are_known_by_own_outcomes_or_the_operators_word_alone() -> None:
    world, benchmark = settled(3)
    host, seen, other = world.all
    saw(host, seen.id, benchmark, good=5)
    task = host.node.state.tasks[world.start(host, benchmark, "model")]
    world.run_until(lambda: bool(host.node.state.replicas.of(task.id)))
    (replica, *_) = host.node.state.replicas.of(task.id)
    ctx = host.node._ctx
    known = {candidate.peer: candidate.known for candidate in auditors.candidates(ctx, task, replica)}
    assert known == {peer: peer == seen.id for peer in (seen.id, other.id) if peer != replica.peer}
