"""GRAFT, PRUNE, IHAVE and IWANT as they are received (v1.0 control messages, v1.1 hardening).

Each takes the mesh, the host that hears and the peer that said it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from p2peval.core.types import Seconds
from p2peval.sim.gossip import upkeep
from p2peval.sim.gossip.router import UNSEEN, Message, Router

if TYPE_CHECKING:
    from p2peval.sim.gossip.mesh import Mesh


def grafted(mesh: Mesh, host: int, peer: int, topic: int) -> None:
    """``peer`` took us into its mesh: it joins ours, or hears a PRUNE. Unknown topics are not answered at all."""
    router = mesh.router(host)
    room = router.rooms.get(topic)
    if room is None or not _hears(router, peer):
        return
    if router.conduct is not None and not router.conduct.grafted(mesh, host, peer, topic):
        return
    if peer in room.mesh:
        return
    now, params, standings = mesh.heap.now, mesh.params, router.standings
    full = params.refuses_above_high and len(room.mesh) >= params.high and not router.links[peer]
    if room.barred(peer, now):
        if standings is not None:
            flood = now < room.pruned.get(peer, now - params.graft_flood) + params.graft_flood
            standings.misbehaved(peer, 2 if flood else 1, now)
        upkeep.refuse(mesh, host, room, topic, peer)
    elif full or (standings is not None and standings.of(peer, now) < 0.0):
        upkeep.refuse(mesh, host, room, topic, peer)
    else:
        upkeep.enters_mesh(mesh, router, room, peer, topic)
        mesh.wake(host)


def pruned(mesh: Mesh, host: int, peer: int, topic: int, backoff: Seconds) -> None:
    """``peer`` dropped us: it leaves our mesh too, and is not grafted before ``backoff`` is over."""
    router = mesh.router(host)
    room = router.rooms.get(topic)
    if room is None or not router.up:
        return
    if peer in room.mesh:
        upkeep.leaves_mesh(mesh, router, room, peer, topic)
    # A heartbeat more than it asks for: to come too early is a misdeed (v1.1).
    room.bar(peer, mesh.heap.now, backoff + mesh.params.heartbeat)
    if router.conduct is not None:
        router.conduct.pruned(mesh, host, peer, topic)
    mesh.wake(host)


def announced(mesh: Mesh, host: int, peer: int, topic: int, messages: Sequence[Message]) -> None:
    """``peer`` has these: what is new is asked for, up to a limit per peer and heartbeat."""
    router, params = mesh.router(host), mesh.params
    if topic not in router.rooms or not _hears(router, peer):
        return
    standings = router.standings
    if standings is not None and standings.of(peer, mesh.heap.now) < standings.weights.gossip_threshold:
        return
    heard = router.heard[peer] = router.heard.get(peer, 0) + 1
    mesh.wake(host)  # the next heartbeat forgets how often
    if heard > params.announcements:
        return
    wanted = [message for message in messages[: params.ids] if not _knows(message, host)]
    if not wanted:
        return
    if standings is not None and standings.weights.behaviour:
        router.promises.append((mesh.heap.now + params.follow_up, mesh.rng.choice(wanted), peer))
    mesh.ask(host, peer, wanted)


def asked(mesh: Mesh, host: int, peer: int, messages: Sequence[Message]) -> None:
    """``peer`` wants these: it gets what is still kept, each a few times at most."""
    router = mesh.router(host)
    if not _hears(router, peer):
        return
    if router.conduct is not None and not router.conduct.answers(mesh, host, peer):
        return
    found = []
    for message in messages:
        if not upkeep.keeps(mesh, router, message):
            continue
        times = message.resent[host, peer] = message.resent.get((host, peer), 0) + 1
        if times <= mesh.params.retransmissions:
            found.append(message)
    mesh.answer(host, router, peer, found)


def _knows(message: Message, host: int) -> bool:
    return host < len(message.seen) and message.seen[host] != UNSEEN


def _hears(router: Router, peer: int) -> bool:
    if not router.up or peer not in router.links:
        return False
    return router.standings is None or peer not in router.standings.gray
