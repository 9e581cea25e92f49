"""A routing table keeps whom libp2p's own keeps, and knows who is nearest."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import pytest
import trio
from libp2p.kad_dht.routing_table import RoutingTable, peer_id_to_key
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo

from p2peval.sim.kademlia.parameters import Parameters
from p2peval.sim.kademlia.settled import Layout
from p2peval.sim.kademlia.table import BITS, Table

NARROW = Parameters(wide=False)


def names(count: int, seed: int = 1) -> list[int]:
    rng = Random(f"{seed}/names")
    return [rng.getrandbits(BITS) for _ in range(count)]


def nearest(ids: list[int], key: int, among: set[int], count: int) -> list[int]:
    return sorted(among, key=lambda host: ids[host] ^ key)[:count]


class _Peers:
    """What libp2p's table asks its host for: nobody's protocols are known, and everybody answers a ping."""

    def get_peerstore(self) -> _Peers:
        return self

    def get_protocols(self, peer: ID) -> list[str]:
        return []


@pytest.mark.parametrize("count", [30, 600, 6_000])
def test_it_holds_the_buckets_that_libp2ps_table_holds(count: int, monkeypatch: pytest.MonkeyPatch):
    async def answers(bucket: object, peer: ID) -> bool:
        return True

    monkeypatch.setattr("libp2p.kad_dht.routing_table.KBucket._ping_peer", answers)
    peers = [ID(b"\x12\x20" + sha256(str(number).encode()).digest()) for number in range(count + 1)]
    ids = [int.from_bytes(peer_id_to_key(peer), "big") for peer in peers]
    theirs, ours = RoutingTable(peers[count], _Peers()), Table(count, ids, Parameters())  # type: ignore[arg-type]

    async def hear() -> None:
        for number, peer in enumerate(peers[:count]):
            await theirs.add_peer(PeerInfo(peer, []))
            oldest = ours.add(number)
            assert oldest is None or oldest in ours

    trio.run(hear)
    place = {peer: number for number, peer in enumerate(peers)}
    assert [[place[peer] for peer in bucket.peer_ids()] for bucket in theirs.buckets] == list(ours.buckets())
    key = b"some key"
    wanted = [place[peer] for peer in theirs.find_local_closest_peers(key, 20)]
    assert ours.closest(int.from_bytes(sha256(key).digest(), "big"), 20) == wanted


@pytest.mark.parametrize("parameters", [Parameters(), NARROW, Parameters(nearest=4, home=9, wide=False)])
def test_whom_it_calls_nearest_nobody_it_knows_is_nearer(parameters: Parameters):
    ids = names(500)
    table = Table(0, ids, parameters)
    for host in range(500):
        table.add(host)
    known = {host for host in range(500) if host in table}
    assert 0 not in known
    assert len(known) == len(table)
    for key in names(40, seed=2):
        assert table.closest(key, 12) == nearest(ids, key, known, 12)


def test_a_full_bucket_turns_newcomers_away_and_names_the_one_not_heard_from_for_longest():
    ids = [0, *(1 << BITS - 1 | number for number in range(1, 30))]
    table = Table(0, ids, NARROW)
    assert [table.add(host) for host in range(1, 21)] == [None] * 20
    assert table.add(21) == 1
    assert table.add(1) is None
    assert table.add(21) == 2
    assert 21 not in table
    table.remove(2)
    assert table.add(21) is None
    assert list(table.buckets()) == [[], [*range(3, 21), 1, 21]]


def test_settled_tables_have_room_for_nobody_else_where_they_are_full():
    ids = names(3_000)
    for parameters in (NARROW, Parameters(), Parameters(nearest=16, home=40, wide=False)):
        layout = Layout(range(3_000), ids, parameters, Random(3))
        for owner in (0, 17, 2_999):
            table = layout.table(owner)
            size = len(table)
            assert owner not in table
            assert table.size == len(list(table.buckets()))
            for host in range(3_000):
                table.add(host)
            assert len(table) - size <= 1  # whose own bucket is one short


def test_a_wide_table_of_a_small_network_knows_everybody():
    ids = names(800)
    assert len(Layout(range(800), ids, Parameters(), Random(1)).table(5)) == 799


def test_the_nearest_of_all_hosts_is_found_without_looking_at_all():
    ids = names(700)
    layout = Layout(range(700), ids, NARROW, Random(1))
    for key in names(60, seed=4):
        assert [layout.nearest(key)] == nearest(ids, key, set(range(700)), 1)
