"""Whom a node asks: good ones, not always the same few, and newcomers as often as it set, however many they are."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from p2peval.core.assignment import Candidate, choose
from p2peval.core.types import PeerId
from p2peval.defaults import CANDIDATES, NEWCOMER_SHARE

known = st.builds(
    Candidate,
    peer=st.uuids().map(lambda name: PeerId(str(name))),
    opinion=st.floats(0.0, 1.0),
    known=st.booleans(),
    doubted=st.booleans(),
    available=st.floats(0.0, 1.0),
    open=st.integers(0, 5),
    alike=st.booleans(),
)
anybody = st.lists(known, max_size=30, unique_by=lambda candidate: candidate.peer)


def peers(prefix: str, opinions: list[float], **changes: object) -> list[Candidate]:
    return [
        Candidate(PeerId(f"{prefix}-{place}"), opinion, True, **changes)  # type: ignore[arg-type]
        for place, opinion in enumerate(opinions)
    ]


def newcomers(count: int) -> list[Candidate]:
    return [Candidate(PeerId(f"new-{place}"), 0.5, False) for place in range(count)]


def places(candidates: list[Candidate], tasks: int, seed: int = 1) -> Counter[PeerId]:
    rng = Random(seed)
    return Counter(choose(candidates, 1, newcomer_share=NEWCOMER_SHARE, rng=rng)[0] for _ in range(tasks))


@given(anybody, st.integers(0, 12), st.floats(0.0, 1.0), st.integers())
def test_as_many_distinct_peers_are_chosen_as_there_are_and_doubted_ones_last(
    candidates: list[Candidate], count: int, share: float, seed: int
) -> None:
    chosen = choose(candidates, count, newcomer_share=share, rng=Random(seed))
    assert len(chosen) == len(set(chosen)) == min(count, len(candidates))
    assert set(chosen) <= {candidate.peer for candidate in candidates}
    by_peer = {candidate.peer: candidate for candidate in candidates}
    last = [by_peer[peer].known and by_peer[peer].doubted for peer in chosen]
    assert last == sorted(last)


@settings(max_examples=20)
@given(st.integers(1, 20), st.integers(1, 5_000))
def test_fresh_sybils_of_any_number_get_the_newcomers_share_of_the_places_and_no_more(good: int, sybils: int) -> None:
    tasks = 400
    counted = places(peers("known", [0.6] * good) + newcomers(sybils), tasks, seed=good * sybils)
    taken = sum(count for peer, count in counted.items() if peer.startswith("new"))
    deviation = (tasks * NEWCOMER_SHARE * (1.0 - NEWCOMER_SHARE)) ** 0.5
    assert abs(taken - tasks * NEWCOMER_SHARE) < 4.5 * deviation


def test_newcomers_get_every_place_where_nobody_is_known_and_none_where_their_share_is_zero() -> None:
    rng = Random(1)
    assert len(choose(newcomers(5), 3, newcomer_share=0.0, rng=rng)) == 3
    for _ in range(200):
        (peer,) = choose(peers("known", [0.6]) + newcomers(5), 1, newcomer_share=0.0, rng=rng)
        assert peer == "known-0"


def test_the_best_of_eight_spreads_what_the_best_of_all_would_heap_on_one() -> None:
    """Sixty good peers whose opinions differ a little: the five that are asked most, of all that is asked."""
    opinions = [0.90 + 0.09 * Random(place).random() for place in range(60)]
    counted = places(peers("known", opinions), 5_000)
    top = sum(count for _, count in counted.most_common(5)) / 5_000
    assert top < 0.55  # picking the best of all would make it 1
    assert len(counted) > 30
    mean = sum(opinions[int(peer.split("-")[1])] * count for peer, count in counted.items()) / 5_000
    assert mean > max(opinions) - 0.02


def test_bad_ones_among_the_known_are_hardly_ever_the_best_of_eight() -> None:
    counted = places(peers("good", [0.9] * 30) + peers("bad", [0.55] * 30), 5_000)
    bad = sum(count for peer, count in counted.items() if peer.startswith("bad"))
    assert bad / 5_000 < 2 * 0.5**CANDIDATES


def test_of_two_that_are_as_good_the_one_of_our_class_that_is_idle_and_answers_is_asked() -> None:
    (best,) = peers("best", [0.8])
    for worse in (
        peers("other", [0.82], alike=False),
        peers("busy", [0.82], open=1),
        peers("silent", [0.82], available=0.2),
    ):
        assert places([best, *worse], 50).keys() == {best.peer}


def test_neither_class_nor_load_nor_silence_makes_up_for_a_bad_record() -> None:
    bad = peers("bad", [0.5])
    good = peers("good", [0.95], alike=False, open=2, available=0.1)
    assert places(bad + good, 50).keys() == {"good-0"}


def test_a_rule_whose_opinions_are_small_numbers_is_followed_too() -> None:
    counted = places(peers("mass", [0.004, 0.002, 0.001]), 50)
    assert counted.keys() == {"mass-0"}


def ring(size: int, opinion: float = 0.95) -> list[Candidate]:
    names = frozenset(PeerId(f"ring-{place}") for place in range(size))
    return [Candidate(peer, opinion, True, praises=names - {peer}) for peer in sorted(names)]


@given(st.integers(1, 20), st.integers(3, 6), st.integers())
def test_replicas_go_to_one_of_a_ring_at_most_while_others_are_there(size: int, count: int, seed: int) -> None:
    chosen = choose(ring(size) + peers("free", [0.7] * 6), count, newcomer_share=0.0, rng=Random(seed))
    assert sum(peer.startswith("ring") for peer in chosen) <= 1
    alone = choose(ring(size), count, newcomer_share=0.0, rng=Random(seed))
    assert len(alone) == min(size, count)


def test_a_second_replica_is_not_of_the_ring_that_has_the_first() -> None:
    first, *rest = ring(10)
    (second,) = choose(rest + peers("free", [0.6]), 1, newcomer_share=0.0, rng=Random(1), beside=[first])
    assert second == "free-0"


def test_praise_that_is_not_returned_makes_no_ring() -> None:
    """Else a liar could praise a good peer in order to keep it from what the liar evaluates."""
    (good,) = peers("good", [0.9])
    liar = Candidate(PeerId("liar"), 0.8, True, praises=frozenset({good.peer}))
    assert choose([good, liar], 2, newcomer_share=0.0, rng=Random(1)) == ["good-0", "liar"]


def test_who_has_tasks_of_ours_open_leaves_the_next_to_others() -> None:
    """Sixty alike, eight tasks at once: nobody is asked twice while others are idle, as of the first drawn."""
    opinions = {PeerId(f"p-{place}"): 0.95 + 0.04 * Random(place).random() for place in range(60)}
    rng, running, counted = Random(1), [], Counter[PeerId]()
    for _ in range(3_000):
        load = Counter(running)
        seen = [Candidate(peer, opinion, True, open=load[peer]) for peer, opinion in opinions.items()]
        (peer,) = choose(seen, 1, newcomer_share=NEWCOMER_SHARE, rng=rng)
        running = [*running[-15:], peer]
        counted[peer] += 1
    assert sum(count for _, count in counted.most_common(5)) / 3_000 < 0.30
    mean = sum(opinions[peer] * count for peer, count in counted.items()) / 3_000
    assert mean > max(opinions.values()) - 0.02
