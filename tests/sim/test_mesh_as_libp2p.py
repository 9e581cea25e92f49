"""The library that our daemons gossip with, asked itself: does its router do what ``params.OURS`` says of it?"""

from __future__ import annotations

from types import SimpleNamespace

from gossip_world import TOPIC, GossipWorld
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub

from p2peval.sim.gossip.conduct import Conduct
from p2peval.sim.gossip.mesh import Mesh
from p2peval.sim.gossip.params import OURS

PEERS = [ID(bytes([0, 32]) + bytes([number]) * 32) for number in range(40)]
NAME = "topic"


def library() -> GossipSub:
    """Set as net/gossip.py sets it, with forty members of a topic for neighbours, and none of them in its mesh yet."""
    router = GossipSub(
        protocols=[PROTOCOL_ID_V11], degree=OURS.degree, degree_low=OURS.low, degree_high=OURS.high,
        heartbeat_interval=1, spam_protection_enabled=False, eclipse_protection_enabled=False,
        adaptive_gossip_enabled=False,
    )  # fmt: skip
    router.pubsub = SimpleNamespace(peer_topics={NAME: set(PEERS)})
    router.peer_protocol = dict.fromkeys(PEERS, PROTOCOL_ID_V11)
    router.mesh[NAME] = set()
    return router


class Passive(Conduct):
    def beat(self, mesh: Mesh, host: int) -> bool:
        return False


def simulated(beats: int) -> list[int]:
    """Sizes of a host's mesh after each heartbeat, among forty who take every GRAFT and never graft themselves."""
    world = GossipWorld(OURS).hosts(1)
    for host in range(1, 41):
        world.mesh.up(host)
        world.mesh.act(host, Passive())
        world.mesh.subscribe(host, TOPIC)
    world.linked(*((0, host) for host in range(1, 41)))
    sizes = []
    for _ in range(beats):
        world.after(1.0)
        sizes.append(len(world.mesh.mesh_of(0, TOPIC)))
    return sizes


def test_the_librarys_mesh_saws_as_ours_is_said_to() -> None:
    router, sizes = library(), []
    for _ in range(12):
        router.mesh_heartbeat()
        sizes.append(len(router.mesh[NAME]))
    assert sizes == [6, 8, 10, 12, 14, 8, 10, 12, 14, 8, 10, 12]
    assert simulated(12) == sizes


def test_the_library_weighs_nothing() -> None:
    router = library()
    for _ in range(100):
        router.scorer.on_invalid_message(PEERS[0], NAME)
        router.scorer.penalize_behavior(PEERS[0], 10.0)
    assert router.scorer.score(PEERS[0], [NAME]) == 0.0
    assert router.scorer.allow_publish(PEERS[0], [NAME])
    assert OURS.weights is None


def test_the_library_does_not_flood_what_it_publishes() -> None:
    router = library()
    router.mesh_heartbeat()
    to = list(router._get_peers_to_send([NAME], msg_forwarder=ID(b"self"), origin=ID(b"self")))
    assert set(to) == router.mesh[NAME]
    assert not OURS.flood_publish


def test_the_library_announces_to_as_many_as_ours() -> None:
    router = library()
    assert [router._get_adaptive_gossip_peers_count(NAME, total) for total in (8, 40, 400)] == [
        max(OURS.lazy, int(OURS.gossip_factor * total)) for total in (8, 40, 400)
    ]
    assert (router.mcache.window_size, router.mcache.history_size) == (OURS.gossip_window, OURS.history)
    assert (router.prune_back_off, router.unsubscribe_back_off) == (OURS.backoff, OURS.leave_backoff)
