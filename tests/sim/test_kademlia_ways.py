"""Ways to a key: libp2p's own and S/Kademlia's, among hosts that answer, lie, are silent or gone."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from types import SimpleNamespace

import pytest
import trio
from libp2p.kad_dht.peer_routing import PeerRouting
from libp2p.kad_dht.routing_table import peer_id_to_key
from libp2p.peer.id import ID

from p2peval.sim.heap import Heap
from p2peval.sim.kademlia.disjoint import Trail
from p2peval.sim.kademlia.liars import Steering, mute
from p2peval.sim.kademlia.network import Kademlia
from p2peval.sim.kademlia.parameters import Parameters
from p2peval.sim.kademlia.table import BITS
from p2peval.sim.kademlia.words import Answer, Question

SLOW = 0.05  # seconds that each message takes


def names(count: int, seed: int = 1) -> dict[int, int]:
    rng = Random(f"{seed}/names")
    return {host: rng.getrandbits(BITS) for host in range(count)}


def network(ids: dict[int, int], parameters: Parameters, seed: int = 1) -> Kademlia:
    made = Kademlia(Heap(), Random(f"{seed}/network"), lambda sender, receiver: SLOW, parameters)
    made.settle(ids)
    return made


def named(dht: Kademlia, host: int, key: int) -> tuple[int, ...]:
    found: list[tuple[int, ...]] = []
    dht.nearest_hosts(host, key, found.append)
    dht.heap.run(dht.heap.now + 300.0)
    assert len(found) == 1
    return found[0]


def nearest(ids: dict[int, int], key: int, count: int) -> list[int]:
    return sorted(ids, key=lambda host: ids[host] ^ key)[:count]


class _Noting:
    """Answers as if it were honest, and remembers who was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, asked: int, asker: int, question: Question, honest: Answer) -> Answer:
        self.asked.append(asked)
        return honest


@pytest.mark.parametrize(("share", "holders"), [(0.0, 20), (0.0, 40), (0.3, 20), (0.3, 40)])
def test_the_way_asks_whom_libp2p_asks_and_ends_where_it_ends(share: float, holders: int):
    """libp2p's own look-up, with our hosts behind its questions; a share of them are silent."""
    peers = [ID(b"\x12\x20" + sha256(str(number).encode()).digest()) for number in range(400)]
    place = {peer: number for number, peer in enumerate(peers)}
    ids = {number: int.from_bytes(peer_id_to_key(peer), "big") for number, peer in enumerate(peers)}
    dht = network(ids, Parameters(wide=False, learns=False, holders=holders))
    noting, silent = _Noting(), set(Random(5).sample(range(1, 400), round(share * 400)))
    for number in ids:
        dht.lie(number, mute if number in silent else noting)

    class Theirs(PeerRouting):
        asked: list[int]

        async def _query_peer_for_closest(self, peer: ID, target_key: bytes) -> list[ID]:
            number = place[peer]
            if number in silent:
                return []
            self.asked.append(number)
            key = int.from_bytes(sha256(target_key).digest(), "big")
            # unlike libp2p, ours also names who answered; here it has asked it already
            return [peers[other] for other in dht.table(number).closest(key, 20) if other]

    def local(target: bytes, count: int) -> list[ID]:
        return [peers[other] for other in dht.table(0).closest(int.from_bytes(sha256(target).digest(), "big"), count)]

    host = SimpleNamespace(get_id=lambda: peers[0])
    for number in range(12):
        theirs = Theirs(host, SimpleNamespace(find_local_closest_peers=local))  # type: ignore[arg-type]
        theirs.asked, noting.asked = [], []
        target = f"key {number}".encode()
        ended = trio.run(theirs.find_closest_peers_network, target, holders)
        ours = named(dht, 0, int.from_bytes(sha256(target).digest(), "big"))
        assert [place[peer] for peer in ended] == list(ours)
        assert sorted(theirs.asked) == sorted(noting.asked)


@pytest.mark.parametrize("wide", [True, False])
def test_among_honest_hosts_the_nearest_are_found_in_a_few_hops(wide: bool):
    ids = names(2_000)
    dht = network(ids, Parameters(wide=wide, holders=20))
    for seed in range(10):
        key = Random(f"{seed}/key").getrandbits(BITS)
        began = dht.messages
        found = named(dht, seed, key)
        assert len(set(nearest(ids, key, 20)) & {*found, seed}) >= 19
        assert dht.messages - began <= 160  # 80 questions


def test_one_silent_host_holds_up_its_round_as_long_as_patience_lasts():
    ids = names(60)
    took: list[float] = []
    for parameters in (Parameters(), Parameters(hop_patience=10.0)):
        for silent in (False, True):
            dht = network(ids, parameters)
            if silent:
                dht.lie(nearest(ids, ids[0], 2)[1], mute)
            dht.nearest_hosts(0, ids[0], lambda found, dht=dht: took.append(dht.heap.now))
            dht.heap.run(100.0)
    assert took[0] == took[2] < 1.0
    assert took[1] - took[0] == pytest.approx(2.0 - 2 * SLOW)
    assert took[3] - took[2] == pytest.approx(10.0 - 2 * SLOW)


def trails(dht: Kademlia, host: int, key: int) -> tuple[Trail, ...]:
    found: list[tuple[Trail, ...]] = []
    dht.trails(host, key, found.append)
    dht.heap.run(dht.heap.now + 300.0)
    assert len(found) == 1
    return found[0]


SECURE = Parameters(
    nearest=16, home=40, wide=False, learns=False, holders=16, siblings=16, paths=8, parallel=1, hop_patience=1.0
)


def test_trails_share_no_host_and_each_ends_beside_the_key():
    ids = names(2_000)
    dht = network(ids, SECURE)
    for seed in range(10):
        key = Random(f"{seed}/key").getrandbits(BITS)
        found = trails(dht, seed, key)
        asked = [host for trail in found for host in trail.asked]
        assert len(asked) == len(set(asked))
        assert seed not in asked
        arrived = [trail for trail in found if trail.closest]
        assert len(arrived) >= 7  # at the end there may be nobody left for one
        assert all(trail.asked[-1] in nearest(ids, key, 20) for trail in arrived)


def test_a_trail_that_meets_a_liar_ends_among_liars_and_the_others_do_not():
    ids = names(2_000)
    dht = network(ids, SECURE)
    bad = set(range(0, 2_000, 5))
    liar = Steering({host: ids[host] for host in sorted(bad)}, 16)
    for host in sorted(bad):
        dht.lie(host, liar)
    lost = free = 0
    for seed in range(20):
        key = Random(f"{seed}/key").getrandbits(BITS)
        for trail in trails(dht, 5 * seed + 1, key):
            if bad.intersection(trail.asked):
                assert set(trail.closest) <= bad
                lost += 1
            elif trail.closest:
                assert set(nearest(ids, key, 8)) <= set(trail.closest)
                free += 1
    assert lost > 20 < free


def test_over_trails_the_honest_nearest_are_found_where_one_trail_often_fails():
    ids = names(2_000)
    bad = set(range(0, 2_000, 3))
    right = {}
    for paths in (1, 8):
        secure = Parameters(nearest=16, home=40, wide=False, learns=False, holders=16, siblings=16, paths=paths)
        dht = network(ids, secure)
        liar = Steering({host: ids[host] for host in sorted(bad)}, 16)
        for host in sorted(bad):
            dht.lie(host, liar)
        found = [trails(dht, 1, Random(f"{seed}/key").getrandbits(BITS)) for seed in range(40)]
        right[paths] = sum(any(not bad.intersection(trail.asked) for trail in each) for each in found)
    assert right[1] < 30
    assert right[8] >= 37


def test_who_left_hears_nothing_more_not_even_when_it_comes_back_at_once():
    ids = names(100)
    dht = network(ids, Parameters())
    heard: list[tuple[int, ...]] = []
    dht.nearest_hosts(0, ids[1], heard.append)
    dht.heap.run(0.01)
    dht.leave(0)
    dht.join(0, ids[0])
    dht.heap.run(200.0)
    assert heard == []
    assert dht.is_up(0)


def test_a_full_bucket_keeps_who_is_up_and_gives_the_place_of_who_is_gone():
    far = 1 << BITS - 1
    dht = network({0: 0} | {host: far | host for host in range(1, 21)}, Parameters(wide=False))
    dht.join(21, far | 21, through=(0,))
    dht.heap.run(60.0)
    assert 21 not in dht.table(0)
    (oldest,) = [bucket[0] for bucket in dht.table(0).buckets() if bucket]
    dht.leave(oldest)
    dht.learn(0, (21,))
    assert 21 in dht.table(0)
    assert oldest not in dht.table(0)


def test_a_newcomer_knows_its_neighbours_and_they_know_it():
    ids = names(300)
    dht = network(ids, Parameters(wide=False, hop_patience=1.0))
    name, told = Random("new").getrandbits(BITS), list[tuple[int, ...]]()
    dht.join(300, name, done=told.append)
    dht.heap.run(300.0)
    around = nearest(ids, name, 20)
    assert set(around[:15]) <= set(told[0])
    assert sum(300 in dht.table(host) for host in around) >= 15
    assert len(dht.table(300)) > 60


def test_ids_of_more_than_256_bits_and_hosts_twice_are_refused():
    dht = network(names(3), Parameters())
    with pytest.raises(ValueError, match="256 bits"):
        dht.join(3, 1 << BITS)
    with pytest.raises(ValueError, match="up already"):
        dht.join(2, 5)
    with pytest.raises(ValueError, match="at least 1"):
        Parameters(paths=0)
