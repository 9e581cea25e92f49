"""The operator's own word: it goes before all else, ends by itself, and is nobody else's business."""

from __future__ import annotations

from hearsay import saw, settled, to_epoch
from small_world import Host, World

from p2peval.core import believing, reputation
from p2peval.core.effects import Reply
from p2peval.core.events import JudgePeer, NamePeer
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import LONGEST_JUDGEMENT


def three() -> tuple[World, Host, Host, Host, BenchmarkId]:
    world, benchmark = settled(3)
    me, peer, other = world.all
    saw(me, peer.id, benchmark, good=5)
    return world, me, peer, other, benchmark


def judge(me: Host, peer: PeerId, trusted: bool | None, seconds: float = 7200.0) -> Reply:
    me.handle(JudgePeer("judge", peer, trusted, seconds, "as a colleague"))
    return me.replies.pop("judge")


def name(me: Host, peer: PeerId, called: str) -> Reply:
    me.handle(NamePeer("name", peer, called))
    return me.replies.pop("name")


def roots(me: Host) -> tuple[PeerId, ...]:
    return believing.roots(me.node.state, me.node._ctx.policy, me.world.now)


def of(me: Host, peer: PeerId) -> float:
    me.node._ctx.now = me.world.now
    return reputation.of(me.node._ctx, peer)


def test_who_is_distrusted_has_no_reputation_until_the_time_is_over() -> None:
    world, me, peer, _, _ = three()
    before = of(me, peer.id)
    assert judge(me, peer.id, False).error == ""
    assert of(me, peer.id) == 0.0
    world.run(7201.0)
    assert of(me, peer.id) == before
    to_epoch(world)
    assert not list(me.node.state.judgements)


def test_who_is_trusted_is_a_root_until_the_time_is_over_and_gets_trust_before_it_has_done_anything() -> None:
    world, me, _, other, _ = three()
    judge(me, other.id, True)
    assert roots(me) == (other.id,)
    world.run(20.0)
    assert me.node.state.pooled[other.id].mass > 0.0
    world.run(7200.0)
    assert roots(me) == ()


def test_a_word_taken_back_counts_no_more() -> None:
    _, me, peer, _, _ = three()
    before = of(me, peer.id)
    judge(me, peer.id, False)
    assert judge(me, peer.id, None).error == ""
    assert of(me, peer.id) == before
    assert judge(me, peer.id, None).error == "not_found"


def test_a_word_survives_a_restart_and_is_never_told() -> None:
    world, me, peer, _, _ = three()
    judge(me, peer.id, False)
    name(me, peer.id, "Ada")
    to_epoch(world)
    me.restart()
    assert of(me, peer.id) == 0.0
    assert [row.name for row in me.node.state.pet_names] == ["Ada"]
    assert not any(b"Ada" in envelope or b"colleague" in envelope for envelope in me.disk.signed)


def test_a_word_on_oneself_or_without_an_end_is_refused_with_what_to_do() -> None:
    _, me, peer, _, _ = three()
    assert judge(me, me.id, True).error == "usage"
    for seconds in (0.0, -1.0, LONGEST_JUDGEMENT + 1.0, float("inf"), float("nan")):
        answer = judge(me, peer.id, True, seconds)
        assert answer.error == "usage"
        assert "3650 days" in answer.detail
    assert not list(me.node.state.judgements)


def test_one_pet_name_means_one_peer_and_can_be_given_on() -> None:
    _, me, peer, other, _ = three()
    assert name(me, peer.id, " Ada\n").error == ""
    answer = name(me, other.id, "Ada")
    assert answer.error == "usage"
    assert peer.id in answer.detail
    assert name(me, peer.id, "").error == ""
    assert name(me, other.id, "Ada").error == ""
    assert [(row.peer, row.name) for row in me.node.state.pet_names] == [(other.id, "Ada")]


def test_a_pet_name_is_not_what_another_peers_id_may_be_called() -> None:
    _, me, peer, other, _ = three()
    for called in (other.id, other.id[-6:], f"…{other.id[-4:]}"):
        answer = name(me, peer.id, called)
        assert answer.error == "usage"
        assert other.id in answer.detail
    assert name(me, peer.id, peer.id[-4:]).error == ""
    assert name(me, peer.id, "\x1b[31mAda\u202e").error == ""
    assert [row.name for row in me.node.state.pet_names] == ["[31mAda"]
