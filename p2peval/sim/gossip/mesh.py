"""The gossip of all hosts: connections, topics, publications, and every message's way through virtual time.

What makes it fast: a copy that comes after an earlier one changes nothing (but, with standings, within a few
milliseconds), and the simulator knows all that is under way. So such a copy is counted as a duplicate when it is
sent, and never becomes an event. The same holds for an announcement of messages that its receiver has.

Left out: bytes on the wire but for what ``delay`` makes of sizes, queues that overflow, subscriptions' own travel (a
peer's are known at once), peer exchange, explicit peers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random

from p2peval.core.types import Seconds
from p2peval.sim.gossip import control, upkeep
from p2peval.sim.gossip.conduct import Conduct
from p2peval.sim.gossip.params import Params
from p2peval.sim.gossip.pulse import SLOTS, Pulse
from p2peval.sim.gossip.router import REFUSED, SEEN, UNSEEN, Census, Message, Room, Router, Ruling
from p2peval.sim.gossip.standing import Standings
from p2peval.sim.heap import Heap

Delay = Callable[[int, int, int], Seconds | None]
"""(sender, receiver, bytes) -> seconds, or None where nothing passes: gossip runs on TCP, so a loss is a delay."""
Deliver = Callable[[int, int, int], Ruling]
"""(host, who brought it, message) -> what the host makes of it. Called once per host and message."""

CONTROL_BYTES = 60
ID_BYTES = 40


class Counts:
    """Since the start. ``delivered``: first copies; ``duplicates``: further ones, carried or not.

    ``lost``: copies to a cut or to a host that was down; ``swallowed``: to who does not want them.
    """

    __slots__ = ("delivered", "duplicates", "grafts", "ihaves", "iwants", "lost", "prunes", "published", "swallowed")

    def __init__(self) -> None:
        self.delivered = self.duplicates = self.lost = self.swallowed = self.published = 0
        self.grafts = self.prunes = self.ihaves = self.iwants = 0

    @property
    def copies(self) -> int:
        """Messages sent, whatever came of them."""
        return self.delivered + self.duplicates + self.lost + self.swallowed


class Mesh:
    """``deliver`` is called for every message that reaches a host in its topic; hosts are ints from 0 on."""

    def __init__(self, heap: Heap, rng: Random, delay: Delay, params: Params, deliver: Deliver) -> None:
        self.heap = heap
        self.rng = rng
        self.params = params
        self.counts = Counts()
        self.addresses: dict[int, int] = {}
        """Where several hosts share an address (part 6): host -> address. A host's own number by default."""
        self.said: Callable[[int, int], float] = lambda host, peer: 0.0
        """What a host's application says of a peer (part 5)."""
        self._delay = delay
        self._deliver = deliver
        self._window = params.weights.rate_window if params.weights else 0.0
        self._routers: list[Router] = []
        self._messages: dict[int, Message] = {}
        self._census: dict[int, Census] = {}
        self._adverse: dict[int, Conduct] = {}
        self._arrived = self._arrive
        self.pulse = Pulse(heap, params.heartbeat, self._routers, self._beat)

    # ── hosts and connections ─────────────────────────────────────────────────────────────────────

    def up(self, host: int) -> None:
        """The host starts, without connections or topics. One that was down remembers what messages it has seen."""
        while len(self._routers) <= host:
            self._routers.append(Router(self.rng.randrange(SLOTS)))
        router, weights, said = self._routers[host], self.params.weights, self.said
        standings = None
        if weights is not None and (router.conduct is None or router.conduct.judges):
            standings = Standings(weights, self.addresses, lambda peer: said(host, peer))
        router.clear(standings)

    def down(self, host: int) -> None:
        """The host stops: its connections break, and what is under way to it is lost."""
        router = self._routers[host]
        for peer in list(router.links):
            self.disconnect(host, peer)
        for topic, room in router.rooms.items():
            self._count(topic, room, False)
        router.up = False

    def act(self, host: int, conduct: Conduct) -> None:
        """The host does as ``conduct`` says from now on."""
        router = self._routers[host]
        router.conduct = self._adverse[host] = conduct
        if not conduct.judges:
            router.standings = None
        for topic, room in router.rooms.items():
            self._count(topic, room, conduct.listens)
        self.wake(host)

    def connect(self, a: int, b: int) -> None:
        """``a`` dials ``b``. Nothing happens where either is down, they are the same or already connected."""
        one, two = self._routers[a], self._routers[b]
        if a == b or b in one.links or not (one.up and two.up):
            return
        one.links[b], two.links[a] = True, False
        for host, router, peer in ((a, one, b), (b, two, a)):
            if router.standings is not None:
                router.standings.met(peer, self.heap.now)
            if router.conduct is not None:
                router.conduct.connected(self, host, peer)
        for host, router, peer, other in ((a, one, b, two), (b, two, a, one)):
            for topic in other.rooms:
                self._learns(host, router, peer, topic)

    def disconnect(self, a: int, b: int) -> None:
        for host, peer in ((a, b), (b, a)):
            router = self._routers[host]
            if router.links.pop(peer, None) is None:
                continue
            for members in router.members.values():
                members.pop(peer, None)
            for topic, room in router.rooms.items():
                if peer in room.mesh:
                    upkeep.leaves_mesh(self, router, room, peer, topic)
            if router.standings is not None:
                router.standings.parted(peer, self.heap.now)
            self.wake(host)

    def subscribe(self, host: int, topic: int) -> None:
        """Join: at most ``degree`` peers who are in the topic are grafted at once, more as heartbeats go by."""
        router = self._routers[host]
        if topic in router.rooms:
            return
        room = router.rooms[topic] = Room(router.backoffs.setdefault(topic, {}))
        self._count(topic, room, router.conduct is None or router.conduct.listens)
        for peer in router.links:
            self._learns(peer, self._routers[peer], host, topic)
        if router.conduct is not None:
            for peer in list(router.members.get(topic, ())):
                router.conduct.joined(self, host, peer, topic)
        else:
            upkeep.fill(self, host, router, topic, room, self.params.degree)
        router.fanout.pop(topic, None)
        self.wake(host)

    def unsubscribe(self, host: int, topic: int) -> None:
        router = self._routers[host]
        room = router.rooms.pop(topic, None)
        if room is None:
            return
        self._count(topic, room, False)
        leave = self.params.leave_backoff
        for peer in room.mesh:
            room.bar(peer, self.heap.now, leave + self.params.heartbeat)
            self._carry(host, peer, CONTROL_BYTES, control.pruned, topic, leave)
            self.counts.prunes += 1
        for peer in router.links:
            self._routers[peer].members.get(topic, {}).pop(host, None)

    def _count(self, topic: int, room: Room, listens: bool) -> None:
        census = self._census_of(topic)
        census.joined += listens - room.counted
        census.left += room.counted and not listens
        room.counted = listens

    def _census_of(self, topic: int) -> Census:
        census = self._census.get(topic)
        if census is None:
            census = self._census[topic] = Census()
        return census

    def _learns(self, host: int, router: Router, peer: int, topic: int) -> None:
        members = router.members.get(topic)
        if members is None:
            members = router.members[topic] = {}
        members[peer] = None
        if router.conduct is not None and topic in router.rooms:
            router.conduct.joined(self, host, peer, topic)
        self.wake(host)

    # ── messages ──────────────────────────────────────────────────────────────────────────────────

    def publish(self, host: int, topic: int, message: int, size_bytes: int) -> None:
        """To all members that the host is connected to, or to its mesh or fanout, as the parameters say."""
        router = self._routers[host]
        if not router.up:
            return
        self.counts.published += 1
        record = self._record(message, topic, size_bytes, host)
        room = router.rooms.get(topic)
        if room is not None and record.seen[host] == UNSEEN:
            record.reached += room.counted
            upkeep.keep(self, router, record)
        record.seen[host] = SEEN
        self._send(host, router, record, upkeep.audience(self, router, topic))
        self.wake(host)

    def send(self, host: int, peer: int, message: int) -> None:
        """One copy to one connected peer, unasked; for adversaries. Raises KeyError for a message long forgotten."""
        router = self._routers[host]
        if peer in router.links:
            self._send(host, router, self._messages[message], (peer,))

    def _record(self, message: int, topic: int, size: int, origin: int) -> Message:
        now, known = self.heap.now, self._messages
        while known:
            oldest = next(iter(known))
            if known[oldest].until > now:
                break
            del known[oldest]
        record = known.get(message)
        if record is None:
            record = known[message] = self._new(message, topic, size, origin)
        return record

    def _new(self, message: int, topic: int, size: int, origin: int) -> Message:
        hosts, timed, until = (
            len(self._routers),
            self.params.weights is not None,
            self.heap.now + self.params.remembered,
        )
        return Message(message, topic, size, origin, hosts, timed, until, self._census_of(topic))

    def _send(self, host: int, router: Router, message: Message, peers: Iterable[int], but: int = -1) -> None:
        """Copies to ``peers`` but one; those that can change nothing are counted and not carried."""
        conduct = router.conduct
        if conduct is not None:
            peers = conduct.relays(self, host, message.id, list(peers))
        if len(message.seen) < len(self._routers):
            message.grow(len(self._routers))
        counts, adverse, seen, due, first = self.counts, self._adverse, message.seen, message.due, message.first
        now, window, size, delay, later = self.heap.now, self._window, message.size, self._delay, self.heap.later
        origin, arrived = message.origin, self._arrived
        for peer in peers:
            if peer in (but, origin):
                continue
            state = seen[peer]
            if state == SEEN and (first is None or now > first[peer] + window):
                counts.duplicates += 1
                continue
            if adverse and peer in adverse and adverse[peer].swallows:
                counts.swallowed += 1
                continue
            lag = delay(host, peer, size)
            if lag is None:
                counts.lost += 1
                continue
            if conduct is None and state != REFUSED:
                at, before = now + lag, due.get(peer)
                if before is not None and at >= before + window:
                    counts.duplicates += 1
                    continue
                if before is None or at < before:
                    due[peer] = at
            later(lag, arrived, peer, host, message)

    def _arrive(self, host: int, sender: int, message: Message) -> None:
        message.due.pop(host, None)
        router = self._routers[host]
        if not router.up:
            self.counts.lost += 1
            return
        standings = router.standings
        if standings is not None and sender in standings.gray:
            self.counts.swallowed += 1
            return
        state = message.seen[host]
        if state != UNSEEN:
            self.counts.duplicates += 1
            if standings is not None:
                self._credit_copy(standings, host, sender, message)
            return
        room = router.rooms.get(message.topic)
        if room is None:
            self.counts.swallowed += 1
            return
        self.counts.delivered += 1
        message.seen[host] = SEEN
        message.reached += room.counted
        if message.first is not None:
            message.first[host] = self.heap.now
        conduct = router.conduct
        if conduct is not None and not conduct.received(self, host, sender, message.id):
            return
        self._ruled(host, sender, router, message, self._deliver(host, sender, message.id))

    def _ruled(self, host: int, sender: int, router: Router, message: Message, ruling: Ruling) -> None:
        standings, topic = router.standings, message.topic
        if ruling is Ruling.REJECT:
            message.seen[host] = REFUSED
            if standings is not None:
                standings.brought_rubbish(sender, topic, self.heap.now)
            return
        if ruling is Ruling.IGNORE and not self.params.forwards_ignored:
            return
        if standings is not None:
            standings.brought(sender, topic, self.heap.now)
        room = router.rooms.get(topic)
        if room is None:
            return  # the application has just left the topic
        upkeep.keep(self, router, message)
        self._send(host, router, message, room.mesh, sender)
        if not router.awake:
            self.wake(host)

    def _credit_copy(self, standings: Standings, host: int, sender: int, message: Message) -> None:
        now = self.heap.now
        if message.seen[host] == REFUSED:
            standings.brought_rubbish(sender, message.topic, now)
        elif message.first is not None and now <= message.first[host] + self._window:
            standings.brought_too(sender, message.topic, now)

    # ── control messages ──────────────────────────────────────────────────────────────────────────

    def send_graft(self, host: int, peer: int, topic: int) -> None:
        """Take the peer into the own mesh and ask it to do likewise."""
        if self.take(host, peer, topic):
            self.counts.grafts += 1
            self._carry(host, peer, CONTROL_BYTES, control.grafted, topic)

    def take(self, host: int, peer: int, topic: int) -> bool:
        """Take the peer into the own mesh without a word. False where it is not connected or the topic not joined."""
        router = self._routers[host]
        room = router.rooms.get(topic)
        if room is None or peer not in router.links:
            return False
        upkeep.enters_mesh(self, router, room, peer, topic)
        return True

    def send_prune(self, host: int, peer: int, topic: int) -> None:
        """Drop the peer from the own mesh, tell it, and leave each other alone for the backoff."""
        room = self._routers[host].rooms.get(topic)
        if room is not None:
            upkeep.prune(self, host, self._routers[host], topic, room, peer)

    def send_ihave(self, host: int, peer: int, topic: int, messages: Sequence[int]) -> None:
        """Announce messages, which need not exist; for adversaries."""
        found = [self._messages.get(message) or self._new(message, topic, 0, host) for message in messages]
        self.announce(host, peer, topic, found)

    def announce(self, host: int, peer: int, topic: int, messages: Sequence[Message]) -> None:
        self.counts.ihaves += 1
        self._carry(host, peer, CONTROL_BYTES + ID_BYTES * len(messages), control.announced, topic, messages)

    def ask(self, host: int, peer: int, messages: Sequence[Message]) -> None:
        self.counts.iwants += 1
        self._carry(host, peer, CONTROL_BYTES + ID_BYTES * len(messages), control.asked, messages)

    def answer(self, host: int, router: Router, peer: int, messages: Iterable[Message]) -> None:
        for message in messages:
            self._send(host, router, message, (peer,))

    def tell_pruned(self, host: int, peer: int, topic: int) -> None:
        self.counts.prunes += 1
        self._carry(host, peer, CONTROL_BYTES, control.pruned, topic, self.params.backoff)

    def _carry(self, host: int, peer: int, size: int, what: Callable[..., None], *args: object) -> None:
        lag = self._delay(host, peer, size)
        if lag is not None:
            self.heap.later(lag, what, self, peer, host, *args)

    def wake(self, host: int) -> None:
        """Something has happened that the host's next heartbeat must look at."""
        self.pulse.wake(host)

    def _beat(self, host: int) -> bool:
        return upkeep.beat(self, host, self._routers[host])

    # ── to look at ────────────────────────────────────────────────────────────────────────────────

    def router(self, host: int) -> Router:
        return self._routers[host]

    def mesh_of(self, host: int, topic: int) -> tuple[int, ...]:
        room = self._routers[host].rooms.get(topic)
        return tuple(room.mesh) if room is not None else ()

    def known_members(self, host: int) -> Iterator[tuple[int, int]]:
        """(peer, topic) of every connected peer in a topic that the host has joined too."""
        router = self._routers[host]
        for topic in list(router.rooms):
            for peer in list(router.members.get(topic, ())):
                yield peer, topic

    def standing(self, host: int, peer: int) -> float:
        standings = self._routers[host].standings
        return standings.of(peer, self.heap.now) if standings is not None else 0.0
