"""The other shell: virtual time, links and workers around the very nodes that the daemon runs.

A near-twin of ``daemon/driver.py``: one ``match`` over Effect, no policy. An event is handled, its effects go into the
outbox, and only then are they performed, in order; a host that comes back performs again what its outbox still holds.
What is modelled is said where it is modelled: ``links`` (time and partitions), ``synthetic`` (evaluations), ``flood``
and ``gossip`` (who hears a message, and through whom), ``kademlia`` (who is found). All else is the node's own code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any, Protocol

from p2peval.core.effects import (
    Compare,
    Effect,
    Excerpt,
    External,
    FetchBlob,
    FindMembers,
    Learn,
    Notify,
    Prove,
    Publish,
    Pull,
    Recall,
    Reply,
    RunEvaluation,
    Sample,
    Send,
    SetTimer,
    Settle,
    Stop,
    Subscribe,
    SyncWith,
    Unsubscribe,
)
from p2peval.core.events import (
    Command,
    Event,
    Introduced,
    JoinBenchmark,
    PeerDown,
    PeerUp,
    TimerExpired,
)
from p2peval.core.messages import Payload, Sealed
from p2peval.core.policy import Policy
from p2peval.core.ports import Sealer
from p2peval.core.rows import BenchmarkRow
from p2peval.core.types import BenchmarkId, Cid, PeerId, Seconds
from p2peval.defaults import MAX_CONNECTIONS, REDIAL_FIRST, REDIAL_LAST
from p2peval.sim.courier import Courier
from p2peval.sim.dice import LabDice
from p2peval.sim.exchange import Exchange
from p2peval.sim.heap import Heap
from p2peval.sim.host import Host
from p2peval.sim.links import Cut, Links
from p2peval.sim.seals import Archive, KeptSealer, LabSealer, LabSecrets
from p2peval.sim.trace import Trace
from p2peval.sim.workshop import Workshop

START: Seconds = 1_800_000_000.0
"""When a world begins, unix s: nodes reckon in real dates."""


NOTICED: Seconds = 20.0
"""Until a connection through which nothing passes is given up: TCP's and yamux's keep-alives; guess."""


class Gossip(Protocol):
    """Who hears what is published: ``flood.Flood`` or ``meshed.Meshed``."""

    def up(self, host: int) -> None: ...
    def down(self, host: int) -> None: ...
    def subscribe(self, host: int, topic: BenchmarkId) -> None: ...
    def unsubscribe(self, host: int, topic: BenchmarkId) -> None: ...
    def connect(self, one: int, other: int) -> None: ...
    def disconnect(self, one: int, other: int) -> None: ...
    def publish(self, host: int, topic: BenchmarkId, sealed: Sealed[Payload]) -> None: ...


class Directory(Protocol):
    """Who is said to have what: ``flood.Register`` or ``lookups.Lookups``."""

    def up(self, host: int) -> None: ...
    def down(self, host: int) -> None: ...
    def provide(self, host: int, key: str) -> None: ...
    def find(self, host: int, key: str, done: Callable[[tuple[int, ...]], None]) -> None: ...


class World:
    """``hosts`` by place. ``work``: what was done so far, by kind. ``told``: notices of all hosts, by kind."""

    def __init__(
        self,
        seed: int,
        links: Links,
        make_gossip: Callable[[World], Gossip],
        make_directory: Callable[[World], Directory],
        *,
        real_keys: bool = False,
        near_profiles: bool = False,
        trace: Trace | None = None,
    ) -> None:
        self.seed = seed
        self._real_keys = real_keys
        self.heap = Heap(START)
        self.links = links
        self.archive = Archive()
        self.trace = trace or Trace()
        self.hosts: list[Host] = []
        self.places: dict[PeerId, int] = {}
        self.replies: dict[str, Reply] = {}
        self.work: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.on_notice: Callable[[Host, Notify], None] | None = None
        self.gossip = make_gossip(self)
        self.directory = make_directory(self)
        self.workshop = Workshop(self)
        self._exchange = Exchange(self, near_profiles)
        self._courier = Courier(self)
        self._ticket = 0

    @property
    def now(self) -> Seconds:
        return self.heap.now

    # ── hosts ─────────────────────────────────────────────────────────────────────────────────────

    def add(self, policy: Policy, *, name: str = "", equivalence_class: str = "class", pace: float = 1.0) -> Host:
        """A host that is not up yet. ``name``: what its key is made of; a number of its own where none is given."""
        number = len(self.hosts)
        host = self._host(number, name or f"host-{number}", policy)
        host.equivalence_class, host.pace = equivalence_class, pace
        self.hosts.append(host)
        self.places[host.id] = number
        return host

    def _host(self, number: int, name: str, policy: Policy) -> Host:
        seed = f"{self.seed}/{name}".encode()
        sealer = self._sealer(sha256(seed).digest())
        return Host(number, sealer, LabSecrets(seed), LabDice(f"{self.seed}/{sealer.peer_id}"), policy)

    def _sealer(self, seed: bytes) -> Sealer:
        return KeptSealer(seed, self.archive) if self._real_keys else LabSealer(seed, self.archive)

    def replace_identity(self, host: Host, name: str) -> None:
        """The same machine under a new key, knowing nobody: what a whitewasher does."""
        was_up, neighbours = host.up, self.neighbours(host.number)
        self.down(host)
        fresh = self._host(host.number, name, host.policy)
        host.sealer, host.secrets, host.rng, host.id = fresh.sealer, fresh.secrets, fresh.rng, fresh.id
        host.outbox.clear()
        host.node = fresh.node
        self.places[host.id] = host.number
        if was_up:
            self.up(host)
            for other in neighbours:
                self.connect(host.number, other)

    def up(self, host: Host) -> None:
        """Start its process, or start it again: its state is what it had committed."""
        host.up = True
        self.gossip.up(host.number)
        self.directory.up(host.number)
        host.node = host.reborn(host.node.state)
        self._perform_all(host, host.node.resume(self.now))
        self._perform_all(host, list(host.outbox.values()))
        name = f"h{host.number}"
        classes = (host.equivalence_class, "canonical")
        self.handle(host, Introduced(name, (f"/dns4/{name}.lab/tcp/1",), classes, 1, 1000))

    def down(self, host: Host) -> None:
        """As by SIGKILL; those it was connected to notice."""
        if not host.up:
            return
        host.up = False
        host.life += 1
        host.timers.clear()
        host.performing.clear()
        host.busy_until = 0.0
        for other in self.neighbours(host.number):
            self.disconnect(host.number, other)
        self.gossip.down(host.number)
        self.directory.down(host.number)

    def break_connections(self) -> None:
        """Those that a cut goes through die once somebody notices, and are dialled anew when it has healed."""
        for cut in self.links.cuts:
            self.heap.later(cut.start + NOTICED - self.now, self._break, cut)

    def _break(self, cut: Cut) -> None:
        apart = [(one.number, other) for one in self.hosts for other in one.neighbours if one.number < other]
        for pair in (pair for pair in apart if (pair[0] in cut.apart) != (pair[1] in cut.apart)):
            self.disconnect(*pair)
            self._redial(pair, cut.start + cut.seconds, REDIAL_FIRST)

    def _redial(self, pair: tuple[int, int], healed: Seconds, pause: Seconds) -> None:
        """As ``net/peers.py`` does: in ever longer pauses, until it can be reached."""
        if self.now < healed:
            self.heap.later(pause, self._redial, pair, healed, min(2.0 * pause, REDIAL_LAST))
        else:
            self.connect(*pair)

    def rejoin(self, host: Host, benchmarks: Iterable[BenchmarkRow]) -> None:
        """Join what an earlier identity of this host had joined."""
        for row in benchmarks:
            holders = tuple(self.hosts[number].id for number in self.neighbours(host.number))
            self.answer(host, JoinBenchmark("", row.id, row.evaluates, row.requests, holders))

    def neighbours(self, number: int) -> list[int]:
        """Whom a host is connected to, in the order in which they met."""
        return list(self.hosts[number].neighbours)

    def connect(self, one: int, other: int) -> None:
        """Both learn of it; nothing happens where they are connected, or one is down or has no room."""
        pair = (min(one, other), max(one, other))
        here, there = self.hosts[one], self.hosts[other]
        if one == other or other in here.neighbours or not (here.up and there.up):
            return
        if max(len(here.neighbours), len(there.neighbours)) >= MAX_CONNECTIONS:
            return
        here.neighbours[other] = there.neighbours[one] = None
        self.gossip.connect(*pair)
        for number, peer in (pair, pair[::-1]):
            self.answer(self.hosts[number], PeerUp(self.hosts[peer].id))

    def disconnect(self, one: int, other: int) -> None:
        pair = (min(one, other), max(one, other))
        if other not in self.hosts[one].neighbours:
            return
        del self.hosts[one].neighbours[other], self.hosts[other].neighbours[one]
        self.gossip.disconnect(*pair)
        for number, peer in (pair, pair[::-1]):
            self.answer(self.hosts[number], PeerDown(self.hosts[peer].id))

    # ── time ──────────────────────────────────────────────────────────────────────────────────────

    def after(self, host: Host, delay: Seconds, what: Callable[..., None], *args: Any) -> None:
        """Unless the host goes down before."""
        self.heap.later(delay, self._if_alive, host, host.life, what, args)

    def answer(self, host: Host, event: Event, done: str = "") -> None:
        """Hand an event in, behind what the host is doing right now."""
        self.after(host, 0.0, self.handle, host, event, done)

    def _if_alive(self, host: Host, life: int, what: Callable[..., None], args: tuple[Any, ...]) -> None:
        if host.up and host.life == life:
            what(*args)

    def reach(self, sender: int, receiver: int, size: int, what: Callable[..., None], *args: Any) -> bool:
        """Call ``what`` when ``size`` bytes have got from one host to another; False where they cannot."""
        delay = self.links.delay(sender, receiver, size, self.now)
        if delay is None:
            return False
        self.work["messages"] += 1
        self.heap.later(delay, what, *args)
        return True

    def heard(self, number: int, via: int, sealed: Sealed[Payload]) -> None:
        """Gossip has brought an object to a host for the first time."""
        self._exchange.heard(number, via, sealed)

    def reachable(self, peer: PeerId) -> int | None:
        """The place of a peer that is up under that name."""
        number = self.places.get(peer)
        if number is None or not self.hosts[number].up or self.hosts[number].id != peer:
            return None
        return number

    def find(self, host: Host, key: str, then: Callable[..., None], *args: Any) -> None:
        """``then(host, providers, *args)`` when the look-up is done, unless the host goes down before."""
        life = host.life

        def found(providers: tuple[int, ...]) -> None:
            self._if_alive(host, life, then, (host, providers, *args))

        self.directory.find(host.number, key, found)

    def hold(self, host: Host, cid: Cid) -> None:
        """The host has these bytes, and serves them."""
        host.blobs[cid] = None
        self.directory.provide(host.number, cid)

    # ── the loop ──────────────────────────────────────────────────────────────────────────────────

    def handle(self, host: Host, event: Event, done: str = "") -> None:
        """What the driver does with one event. ``done``: the outbox effect that it answers."""
        if not host.up:
            return
        if done:
            host.done(done)
        events: Iterable[Event] = (event,)
        for adversary in host.adversaries:
            events = [heard for each in events for heard in adversary.hear(each)]
        for each in events:
            effects = host.node.handle(each, self.now)
            host.node.state.settle()
            self.trace.handled(self.now, host.number, each, effects)
            self._perform_all(host, effects)

    def ask(self, host: Host, command: Command) -> Reply:
        """What a user asks of a node, and what it says to that. The ``reply_id`` is the world's to give."""
        self._ticket += 1
        ticket = f"user-{self._ticket}"
        self.handle(host, replace(command, reply_id=ticket))
        return self.replies.pop(ticket)

    def _perform_all(self, host: Host, effects: Iterable[Effect]) -> None:
        for adversary in host.adversaries:
            effects = [done for each in effects for done in adversary.act(each)]
        self.perform(host, tuple(effects))

    def perform(self, host: Host, effects: tuple[Effect, ...]) -> None:
        """Into the outbox first, then in order, as the daemon does after its commit."""
        host.take(effect for effect in effects if isinstance(effect, External))
        for effect in effects:
            self._perform(host, effect)

    def _perform(self, host: Host, effect: Effect) -> None:
        """What nodes do most often stands first: a ``match`` tries its cases in order."""
        if isinstance(effect, External):
            if effect.id in host.performing:
                return
            host.performing[effect.id] = None
        match effect:
            case Notify():
                self.told[effect.kind] += 1
                if self.on_notice is not None:
                    self.on_notice(host, effect)
            case SetTimer():
                self._set_timer(host, effect)
            case Reply():
                self.replies[effect.reply_id] = effect
            case Publish():
                self._exchange.publish(host, effect)
            case Send():
                self._courier.send(host, effect)
            case FetchBlob():
                self._courier.fetch(host, effect)
            case RunEvaluation() | Compare() | Sample() | Excerpt() | Prove() | Settle():
                self.workshop.do(host, effect)
            case Recall():
                self._courier.recall(host, effect)
            case Stop():
                for id_ in effect.effects:
                    host.done(id_)
            case Pull():
                self._exchange.pull(host, effect)
            case SyncWith():
                self._exchange.sync(host, effect)
            case Subscribe():
                self._exchange.subscribe(host, effect)
            case Unsubscribe():
                self._exchange.unsubscribe(host, effect)
            case FindMembers():
                self._exchange.find_members(host, effect)
            case Learn():
                self._exchange.learn(host, effect)

    def _set_timer(self, host: Host, timer: SetTimer) -> None:
        self._ticket += 1
        host.timers[timer.key] = self._ticket
        self.heap.later(timer.at - self.now, self._expire, host, host.life, timer, self._ticket)

    def _expire(self, host: Host, life: int, timer: SetTimer, ticket: int) -> None:
        if host.life == life and host.timers.get(timer.key) == ticket:
            del host.timers[timer.key]
            self.handle(host, TimerExpired(timer.key, timer.generation))
