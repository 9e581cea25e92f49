"""Announcing and finding keys, among liars and behind Sybils; reliability.md, row 16."""

from __future__ import annotations

from random import Random

import pytest

from p2peval.sim.heap import Heap
from p2peval.sim.kademlia.liars import Steering, forgetful, ids_near, mute
from p2peval.sim.kademlia.network import Kademlia
from p2peval.sim.kademlia.parameters import Parameters
from p2peval.sim.kademlia.table import BITS
from p2peval.sim.kademlia.words import Answer, Question, Verb
from p2peval.sim.papers.skademlia import BEFORE, ECLIPSED, LIED, eclipsed, searched

KEY = Random("key").getrandbits(BITS)


def network(hosts: int = 200, parameters: Parameters | None = None, seed: int = 1) -> tuple[Kademlia, dict[int, int]]:
    rng = Random(f"{seed}/providers")
    ids = {host: rng.getrandbits(BITS) for host in range(hosts)}
    dht = Kademlia(Heap(), rng, lambda sender, receiver: rng.choice((0.05, 0.1)), parameters)
    dht.settle(ids)
    return dht, ids


def found(dht: Kademlia, seeker: int, key: int = KEY, timeout: float = 8.0) -> tuple[int, ...]:
    heard: list[tuple[int, ...]] = []
    dht.find(seeker, key, heard.append, timeout)
    dht.heap.run(dht.heap.now + timeout)
    assert len(heard) == 1
    return heard[0]


def test_what_one_announces_the_forty_nearest_hold_and_others_find():
    dht, ids = network()
    confirmed: list[tuple[int, ...]] = []
    dht.provide(7, KEY, confirmed.append)
    dht.heap.run(10.0)
    nearest = sorted(ids, key=lambda host: ids[host] ^ KEY)
    around = [host for host in nearest if host != 7][:40]
    assert len(set(confirmed[0]) & set(around)) >= 38
    assert all(dht.kept(host, KEY) == (7,) for host in confirmed[0])
    assert found(dht, 150) == (7,)
    assert found(dht, 7) == ()  # of itself one hears nothing


def test_what_nobody_provides_is_not_found():
    dht, _ = network()
    assert found(dht, 3) == ()


def test_a_key_is_announced_again_every_hour_and_to_who_came_meanwhile():
    dht, ids = network(60)
    dht.provide(0, KEY)
    dht.heap.run(30.0)
    (newcomer,) = ids_near(KEY, ids.values(), 1, Random(2))
    dht.join(60, newcomer)
    dht.heap.run(3_500.0)
    assert dht.kept(60, KEY) == ()
    dht.heap.run(3_700.0)
    assert dht.kept(60, KEY) == (0,)


def test_who_is_alone_announces_until_somebody_is_there():
    heap, confirmed = Heap(), list[tuple[int, ...]]()
    dht = Kademlia(heap, Random(1), lambda sender, receiver: 0.05)
    dht.join(0, 5)
    dht.provide(0, KEY, confirmed.append)
    heap.run(50.0)
    assert confirmed == []
    dht.join(1, 9)
    heap.run(75.0)
    assert confirmed == [(1,)]


def test_who_left_is_forgotten_after_two_days_and_announces_nothing():
    dht, _ = network(60)
    dht.provide(0, KEY)
    dht.heap.run(30.0)
    dht.leave(0)
    assert found(dht, 1) == (0,)
    dht.heap.run(48 * 3600.0 + 100.0)
    assert found(dht, 1) == ()


def test_a_holder_keeps_the_first_twenty_providers_of_a_key():
    dht, _ = network(25)
    for host in range(24):
        dht.provide(host, KEY)
        dht.heap.run(dht.heap.now + 20.0)
    kept = [dht.kept(host, KEY) for host in range(25)]
    assert max(map(len, kept)) == 20
    assert set(kept[24]) == set(range(20))


def test_a_search_ends_at_its_time_with_what_it_has():
    dht, ids = network()
    dht.provide(7, KEY)
    dht.heap.run(10.0)
    late: list[float] = []
    for host in sorted(ids, key=lambda host: ids[host] ^ KEY)[3:6]:
        dht.lie(host, mute)
    began = dht.heap.now
    dht.find(100, KEY, lambda providers: late.append(dht.heap.now), 4.0)
    dht.heap.run(began + 60.0)
    assert late == [pytest.approx(began + 4.0)]
    assert found(dht, 100, timeout=4.0) == (7,)
    assert found(dht, 101, timeout=0.05) == ()


def test_false_providers_stand_behind_true_ones_whoever_names_them_first():
    dht, ids = network(100)
    dht.provide(0, KEY)
    dht.heap.run(10.0)
    holders = sorted(ids, key=lambda host: ids[host] ^ KEY)[:8]

    def liar(asked: int, asker: int, question: Question, honest: Answer) -> Answer:
        false = tuple(range(50, 90)) if question.verb is Verb.PROVIDERS else ()
        return Answer(honest.closer, false, honest.sibling)

    for host in holders:
        dht.lie(host, liar)
    providers = found(dht, 99)
    assert providers[0] == 0
    assert len(providers) == 20


def test_a_lost_message_is_a_question_without_an_answer():
    rng = Random(4)
    heap = Heap()
    dht = Kademlia(heap, Random(5), lambda sender, receiver: None if rng.random() < 0.05 else 0.05)
    dht.settle({host: rng.getrandbits(BITS) for host in range(200)})
    hits = 0
    for key in range(20):
        place = rng.getrandbits(BITS)
        dht.provide(key, place)
        heap.run(heap.now + 60.0)
        hits += found(dht, 199 - key, place) == (key,)
    assert hits == 20


def test_the_same_seed_plays_the_same_messages_also_where_times_tie():
    def played(seed: int) -> list[tuple[object, ...]]:
        rng, heap = Random(f"{seed}/tied"), Heap()
        sent: list[tuple[object, ...]] = []

        def delay(sender: int, receiver: int) -> float:
            sent.append((heap.now, sender, receiver))
            return rng.choice((0.05, 0.1))

        dht, ids = Kademlia(heap, rng, delay), {host: rng.getrandbits(BITS) for host in range(120)}
        dht.settle(ids)
        bad = range(0, 120, 6)
        liar = Steering({host: ids[host] for host in bad}, 20, (0, 6, 12))
        for host in bad:
            dht.lie(host, liar)
        dht.provide(1, KEY)
        heap.run(20.0)
        return [*sent, found(dht, 100)]

    first = played(1)
    assert len(first) > 150
    assert first == played(1) != played(2)


@pytest.mark.parametrize("kind", ["forgetful", "steering", "false", "mute"])
def test_with_a_fifth_of_liars_99_of_100_searches_find(kind: str):
    right = [searched(kind, Parameters(), 0.2, seed)[LIED] for seed in range(3)]
    assert sum(right) / len(right) >= 0.99


@pytest.mark.parametrize(("kind", "most"), [("false", 0.95), ("mute", 0.5)])
def test_with_a_fifth_of_liars_our_node_of_before_did_not_find(kind: str, most: float):
    right = [searched(kind, BEFORE, 0.2, seed)[LIED] for seed in range(2)]
    assert sum(right) / len(right) <= most


def test_twenty_sybils_nearest_a_key_do_not_hide_it_any_more():
    assert sum(eclipsed(Parameters(), 20, seed)[ECLIPSED] for seed in range(4)) / 4 >= 0.99
    assert sum(eclipsed(BEFORE, 20, seed)[ECLIPSED] for seed in range(2)) == 0.0


def test_ids_near_a_key_are_nearer_than_all_others():
    _, ids = network(50)
    near = ids_near(KEY, ids.values(), 30, Random(3))
    assert len(set(near)) == 30
    assert max(each ^ KEY for each in near) < min(each ^ KEY for each in ids.values())


def test_who_forgets_still_shows_the_way_and_confirms_to_who_asks():
    honest = Answer((1, 2), (3, 4))
    assert forgetful(9, 3, Question(Verb.PROVIDERS, KEY), honest) == Answer((1, 2), (3,))
    assert forgetful(9, 5, Question(Verb.PROVIDERS, KEY), honest) == Answer((1, 2), ())
