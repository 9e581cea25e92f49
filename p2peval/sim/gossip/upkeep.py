"""What a router does of itself: whom it keeps in its mesh, whom it tells of messages, to whom it publishes.

One heartbeat: drop who stands badly, fill up or thin out the mesh, graft better peers now and then, announce recent
messages to some of those outside, forget the oldest (v1.0 heartbeat, v1.1 heartbeat maintenance).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from statistics import median
from typing import TYPE_CHECKING

from p2peval.sim.gossip.router import UNSEEN, Message, Room, Router

if TYPE_CHECKING:
    from p2peval.sim.gossip.mesh import Mesh


def beat(mesh: Mesh, host: int, router: Router) -> bool:
    """One heartbeat. Whether the next may find something to do, even if nothing happens until then."""
    if router.heard:
        router.heard.clear()
    if router.promises:
        _follow_up(mesh, host, router)
    conduct = router.conduct
    restless = conduct is not None
    if conduct is None or conduct.beat(mesh, host):
        for topic, room in list(router.rooms.items()):
            restless |= _maintain(mesh, host, router, topic, room)
        if router.history:
            restless |= _gossip(mesh, host, router)
    if router.fanout:
        now = mesh.heap.now
        router.fanout = {topic: few for topic, few in router.fanout.items() if few[0] > now}
    return restless or bool(router.fanout or router.promises)


def _maintain(mesh: Mesh, host: int, router: Router, topic: int, room: Room) -> bool:
    params, standings, now = mesh.params, router.standings, mesh.heap.now
    if standings is not None:
        for peer in list(standings.gray):
            standings.look(peer, now)
        for peer in list(room.mesh):
            if standings.look(peer, now) < 0.0:
                prune(mesh, host, router, topic, room, peer)
    enough = len(room.mesh) >= params.low
    if not room.settled:
        _resize(mesh, host, router, topic, room)
    ticks = params.opportunistic_ticks
    if not params.opportunistic_equals:
        enough = len(room.mesh) > 1
    if enough and ticks and int(now / params.heartbeat) % ticks == 0:
        _graft_better(mesh, host, router, topic, room)
    if standings is not None or len(room.mesh) > params.high:
        return True
    if room.settled and not params.opportunistic_equals:
        return False
    return _may_graft(mesh, host, router, topic, room)


def _may_graft(mesh: Mesh, host: int, router: Router, topic: int, room: Room) -> bool:
    """Whether anybody can be grafted by the next heartbeat. If only bars are in the way, the first's end is waited for.

    The host is woken a heartbeat before that, so that it does what it would have done without sleep.
    """
    now, inside, until = mesh.heap.now, room.mesh, room.backoff.get
    soonest = min([until(peer, now) for peer in router.members.get(topic, ()) if peer not in inside], default=inf)
    early = soonest - mesh.params.heartbeat
    if early <= now:
        return True
    if early < inf and not now < room.alarm <= early:
        room.alarm = early
        mesh.heap.later(early - now, mesh.wake, host)
    return False


def _resize(mesh: Mesh, host: int, router: Router, topic: int, room: Room) -> None:
    params, size = mesh.params, len(room.mesh)
    if size < params.low:
        fill(mesh, host, router, topic, room, params.degree - size)
    elif size > params.high:
        thin(mesh, host, router, topic, room)
    lacking = 0
    if params.outbound and len(room.mesh) >= params.low:
        lacking = _reach_out(mesh, host, router, topic, room)
    room.settled = lacking <= 0 and params.low <= len(room.mesh) <= params.high


def fill(mesh: Mesh, host: int, router: Router, topic: int, room: Room, lacking: int) -> None:
    found = candidates(mesh, router, topic, room)
    for peer in mesh.rng.sample(found, min(lacking, len(found))):
        mesh.send_graft(host, peer, topic)


def thin(mesh: Mesh, host: int, router: Router, topic: int, room: Room) -> None:
    """Down to ``degree``: the best ``kept`` stay, the rest by lot, ``outbound`` of them dialled by us if possible."""
    params, peers = mesh.params, list(room.mesh)
    mesh.rng.shuffle(peers)
    if router.standings is not None:
        best = sorted(peers, key=lambda peer: -mesh.standing(host, peer))[: params.kept]
        peers = best + [peer for peer in peers if peer not in best]
    stay, go = peers[: params.degree], peers[params.degree :]
    dialled = sum(router.links[peer] for peer in stay)
    for peer in [peer for peer in go if router.links[peer]][: max(0, params.outbound - dialled)]:
        victim = next(other for other in reversed(stay) if not router.links[other])
        stay.remove(victim)
        stay.append(peer)
    for peer in [peer for peer in peers if peer not in stay]:
        prune(mesh, host, router, topic, room, peer)


def _reach_out(mesh: Mesh, host: int, router: Router, topic: int, room: Room) -> int:
    """Some of the mesh must be of our own dialling: those who dial us may all be one attacker's. How many lack."""
    lacking = mesh.params.outbound - sum([router.links[peer] for peer in room.mesh])
    if lacking <= 0:
        return 0
    found = candidates(mesh, router, topic, room, dialled=True)
    chosen = mesh.rng.sample(found, min(lacking, len(found)))
    for peer in chosen:
        mesh.send_graft(host, peer, topic)
    return lacking - len(chosen)


def _graft_better(mesh: Mesh, host: int, router: Router, topic: int, room: Room) -> None:
    """Where the mesh stands poorly by the median, graft who stands better."""
    params, standings, now = mesh.params, router.standings, mesh.heap.now
    found = candidates(mesh, router, topic, room)
    if standings is not None:
        middle = median(standings.of(peer, now) for peer in room.mesh) if room.mesh else 0.0
        if middle >= standings.weights.opportunistic_threshold:
            return
        found = [peer for peer in found if standings.of(peer, now) > middle]
    elif not params.opportunistic_equals:
        return
    for peer in mesh.rng.sample(found, min(params.opportunistic_peers, len(found))):
        mesh.send_graft(host, peer, topic)


def candidates(mesh: Mesh, router: Router, topic: int, room: Room, dialled: bool = False) -> list[int]:
    """Members outside the mesh whom nothing forbids to graft; only those that this host dialled, if so asked."""
    now, standings, inside, until = mesh.heap.now, router.standings, room.mesh, room.backoff.get
    members: Iterable[int] = router.members.get(topic, ())
    if dialled:
        members = [peer for peer in members if router.links[peer]]
    found = [peer for peer in members if peer not in inside and until(peer, now) <= now]
    if standings is not None:
        found = standings.not_below(0.0, found, now)
    return found


def audience(mesh: Mesh, router: Router, topic: int) -> Iterable[int]:
    """To whom an own message goes: all members, or the mesh, or where the topic was not joined a lasting few."""
    params, now = mesh.params, mesh.heap.now
    members = router.members.get(topic, {})
    if params.flood_publish:
        standings = router.standings
        if standings is None:
            return list(members)
        return standings.not_below(standings.weights.publish_threshold, members, now)
    room = router.rooms.get(topic)
    if room is not None:
        return list(room.mesh)
    _, known = router.fanout.get(topic, (now, {}))
    few = {peer: None for peer in known if peer in members}
    others = [peer for peer in members if peer not in few]
    few.update(dict.fromkeys(mesh.rng.sample(others, min(max(0, params.degree - len(few)), len(others)))))
    router.fanout[topic] = (now + params.fanout, few)
    return list(few)


def enters_mesh(mesh: Mesh, router: Router, room: Room, peer: int, topic: int) -> None:
    if peer not in room.mesh:
        room.mesh[peer] = None
        room.settled = False
        if router.standings is not None:
            router.standings.grafted(peer, topic, mesh.heap.now)


def leaves_mesh(mesh: Mesh, router: Router, room: Room, peer: int, topic: int) -> None:
    del room.mesh[peer]
    room.settled = False
    if router.standings is not None:
        router.standings.pruned(peer, topic, mesh.heap.now)


def prune(mesh: Mesh, host: int, router: Router, topic: int, room: Room, peer: int) -> None:
    """Out of the mesh, with notice; neither grafts the other before the backoff is over."""
    if peer in room.mesh:
        leaves_mesh(mesh, router, room, peer, topic)
        refuse(mesh, host, room, topic, peer)


def refuse(mesh: Mesh, host: int, room: Room, topic: int, peer: int) -> None:
    now = mesh.heap.now
    room.bar(peer, now, mesh.params.backoff)
    room.pruned[peer] = now
    mesh.tell_pruned(host, peer, topic)


def keep(mesh: Mesh, router: Router, message: Message) -> None:
    """For gossip, and for who asks. What is too old goes when something new comes."""
    beat, history = mesh.pulse.beats(router), router.history
    oldest = beat - mesh.params.history
    while history and history[0][0] <= oldest:
        del history[0]
    history.append((beat, message))


def keeps(mesh: Mesh, router: Router, message: Message) -> bool:
    oldest = mesh.pulse.beats(router) - mesh.params.history
    return any(kept is message and beat > oldest for beat, kept in router.history)


def _gossip(mesh: Mesh, host: int, router: Router) -> bool:
    """Recent messages, told to a share of the members outside the mesh, unless all have them already.

    Whether there was anything to tell, or may be at the next heartbeat.
    """
    oldest = mesh.pulse.beats(router) - 1 - mesh.params.gossip_window
    recent: dict[int, list[Message]] = {}
    for beat, message in reversed(router.history):
        if beat <= oldest:
            break
        if not message.everywhere:
            recent.setdefault(message.topic, []).append(message)
    for topic, messages in recent.items():
        room = router.rooms.get(topic)
        if room is not None:
            _tell(mesh, host, router, topic, room, messages)
    return bool(recent)


def _tell(mesh: Mesh, host: int, router: Router, topic: int, room: Room, messages: list[Message]) -> None:
    params, now, standings = mesh.params, mesh.heap.now, router.standings
    found = [peer for peer in router.members.get(topic, ()) if peer not in room.mesh]
    if standings is not None:
        found = standings.not_below(standings.weights.gossip_threshold, found, now)
    many = max(params.lazy, int(params.gossip_factor * len(found)))
    told = messages if len(messages) <= params.ids else mesh.rng.sample(messages, params.ids)
    for peer in mesh.rng.sample(found, min(many, len(found))):
        if _would_ask(mesh, peer, told):
            mesh.announce(host, peer, topic, told)


def _would_ask(mesh: Mesh, peer: int, messages: list[Message]) -> bool:
    conduct = mesh.router(peer).conduct
    if conduct is not None and not conduct.listens:
        return False
    for message in messages:
        seen = message.seen
        if peer >= len(seen) or seen[peer] == UNSEEN:
            return True
    return False


def _follow_up(mesh: Mesh, host: int, router: Router) -> None:
    """Who announced a message and did not send it, nor did anybody else, has misbehaved."""
    now, kept = mesh.heap.now, []
    for promise in router.promises:
        due, message, peer = promise
        if host < len(message.seen) and message.seen[host] != UNSEEN:
            continue
        if due > now:
            kept.append(promise)
        elif router.standings is not None:
            router.standings.misbehaved(peer, 1, now)
    router.promises = kept
