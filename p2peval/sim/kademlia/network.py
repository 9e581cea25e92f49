"""All hosts of a DHT, and the questions and answers between them in virtual time.

Simpler than in life are: a host that finds a bucket full sees whether the oldest in it is up without a ping; who
announces several keys does so at once, and no receiver limits their rate; nobody refreshes its buckets but who joins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random

from p2peval import defaults
from p2peval.core.types import Seconds
from p2peval.sim.heap import Heap
from p2peval.sim.kademlia.disjoint import Disjoint, Trail
from p2peval.sim.kademlia.host import Host
from p2peval.sim.kademlia.parameters import Parameters
from p2peval.sim.kademlia.providers import Announcement, Search
from p2peval.sim.kademlia.settled import Layout
from p2peval.sim.kademlia.table import BITS, Table
from p2peval.sim.kademlia.way import Way
from p2peval.sim.kademlia.words import Answer, Liar, Question

Delay = Callable[[int, int], Seconds | None]
"""Seconds that a message from one host to another takes; None: it is lost."""

Found = Callable[[tuple[int, ...]], None]


class _Call:
    """A question of ``asker`` that waits for its answer."""

    __slots__ = ("asker", "then")

    def __init__(self, asker: Host, then: Callable[[Answer | None], None]) -> None:
        self.asker = asker
        self.then: Callable[[Answer | None], None] | None = then


class Kademlia:
    """Hosts are numbers from 0 on; what a ``done`` gets comes in virtual time, and never to a host that has left.

    ``messages``: questions and answers sent so far. Look-ups of hosts that are not up raise KeyError.
    """

    def __init__(self, heap: Heap, rng: Random, delay: Delay, parameters: Parameters | None = None) -> None:
        self.heap, self.parameters = heap, parameters or Parameters()
        self.messages = 0
        self._rng, self._delay = rng, delay
        self._ids: list[int] = []
        self._hosts: dict[int, Host] = {}
        self._liars: dict[int, Liar] = {}

    # ── who is there ──────────────────────────────────────────────────────────────────────────────

    def settle(self, ids: Mapping[int, int]) -> None:
        """All of ``ids``, host -> id, are up and have long known each other. Tables are laid out when first used."""
        for host, name in ids.items():
            self._name(host, name)
        layout = Layout(ids, self._ids, self.parameters, self._rng)
        for host in ids:
            self._hosts[host] = Host(host, self._ids, self.parameters, layout.table)

    def join(self, host: int, name: int, *, through: Iterable[int] = (), done: Found | None = None) -> None:
        """``host`` comes up with the id ``name``, knowing ``through`` or else one random host, and looks around.

        ``done`` gets the hosts nearest its id once it is through. What it knew before is gone.
        """
        self._name(host, name)
        through = tuple(through) or tuple(self._rng.sample(list(self._hosts), min(1, len(self._hosts))))
        self._hosts[host] = Host(host, self._ids, self.parameters, self._stranger)
        self.learn(host, through)
        self.refresh(host, done)

    def _stranger(self, host: int) -> Table:
        return Table(host, self._ids, self.parameters)

    def leave(self, host: int) -> None:
        """``host`` is gone without a word, with what it kept."""
        del self._hosts[host]

    def lie(self, host: int, liar: Liar) -> None:
        """From now on ``liar`` decides what ``host`` answers."""
        self._liars[host] = liar

    def is_up(self, host: int) -> bool:
        return host in self._hosts

    def _name(self, host: int, name: int) -> None:
        if not 0 <= name < 1 << BITS:
            raise ValueError(f"the id of host {host} is not of {BITS} bits: {name}")
        if host in self._hosts:
            raise ValueError(f"host {host} is up already")
        while len(self._ids) <= host:
            self._ids.append(0)
        self._ids[host] = name

    # ── what a host does ──────────────────────────────────────────────────────────────────────────

    def provide(self, host: int, key: int, done: Found | None = None) -> None:
        """Announce ``key`` now and every ``interval`` while ``host`` is up, every ``retry`` while nobody confirms.

        ``done`` gets the holders that confirmed it, once, when there are any.
        """
        self._hosts[host].keep(key, host, self.heap.now)
        self._announce(self._hosts[host], key, done)

    def find(self, host: int, key: int, done: Found, timeout: Seconds = defaults.FIND_TIMEOUT) -> None:
        """``done`` gets the providers of ``key`` other than ``host`` that were found within ``timeout``."""
        Search(self, host, key, timeout, done).go()

    def nearest_hosts(self, host: int, key: int, done: Found) -> None:
        """``done`` gets at most ``holders`` hosts nearest ``key``, as far as ``host`` can tell."""
        if self.parameters.paths == 1:
            Way(self, host, key, done).go()
        else:
            self.trails(host, key, lambda trails: done(self._joined(key, trails)))

    def trails(self, host: int, key: int, done: Callable[[tuple[Trail, ...]], None]) -> None:
        """S/Kademlia's way: ``done`` gets every one of ``paths`` trails."""
        Disjoint(self, host, key, done).go()

    def refresh(self, host: int, done: Found | None = None) -> None:
        """Look for one's own id, then for a random one at each distance where it knows somebody, one by one."""
        own = self._ids[host]

        def next_one(nearest: tuple[int, ...], keys: list[int]) -> None:
            if keys:
                self.nearest_hosts(host, keys.pop(), lambda _: next_one(nearest, keys))
            elif done is not None:
                done(nearest)

        def looked(nearest: tuple[int, ...]) -> None:
            firsts = [bucket[0] for bucket in self.table(host).buckets() if bucket]
            depths = dict.fromkeys((own ^ self._ids[first]).bit_length() for first in firsts)
            next_one(nearest, [own ^ (1 << depth - 1 | self._rng.getrandbits(depth - 1)) for depth in depths if depth])

        self.nearest_hosts(host, own, looked)

    def _announce(self, host: Host, key: int, done: Found | None) -> None:
        if self._hosts.get(host.number) is not host:
            return

        def announced(holders: tuple[int, ...]) -> None:
            if holders and done is not None:
                done(holders)
            pause = self.parameters.interval if holders else self.parameters.retry
            self.heap.later(pause, self._announce, host, key, None if holders else done)

        Announcement(self, host.number, key, announced).go()

    def _joined(self, key: int, trails: Iterable[Trail]) -> tuple[int, ...]:
        """Of every trail its nearest in turn, so that no liar's list drives out another's."""
        lists = [trail.closest for trail in trails if trail.closest]
        turns = (ends[place] for place in range(max(map(len, lists), default=0)) for ends in lists if place < len(ends))
        return tuple(self.nearest(key, list(dict.fromkeys(turns))[: self.parameters.holders], self.parameters.holders))

    # ── what ways are made of ─────────────────────────────────────────────────────────────────────

    def table(self, host: int) -> Table:
        return self._hosts[host].table

    def kept(self, host: int, key: int) -> tuple[int, ...]:
        """Providers of ``key`` that ``host`` itself keeps."""
        return self._hosts[host].providers(key, self.heap.now)

    def nearest(self, key: int, hosts: Iterable[int], count: int) -> list[int]:
        """At most ``count`` of ``hosts``, nearest ``key`` first."""
        ids = self._ids
        return sorted(hosts, key=lambda host: ids[host] ^ key)[:count]

    def learn(self, host: int, others: Iterable[int]) -> None:
        """``host`` heard of ``others``; who finds no place takes that of who is not up any more."""
        if not self.parameters.learns:
            return
        table = self._hosts[host].table
        for other in others:
            oldest = table.add(other)
            if oldest is not None and oldest not in self._hosts:
                table.remove(oldest)
                table.add(other)

    def ask(
        self, asker: int, asked: int, question: Question, patience: Seconds, then: Callable[[Answer | None], None]
    ) -> None:
        """``then`` gets the answer, or None after ``patience`` seconds; nothing any more once ``asker`` has left."""
        call = _Call(self._hosts[asker], then)
        self._send(asker, asked, self._serve, call, asked, question)
        self.heap.later(patience, self._give_up, call, asked)

    def _send(self, sender: int, receiver: int, what: Callable[..., None], *args: object) -> None:
        self.messages += 1
        delay = self._delay(sender, receiver)
        if delay is not None:
            self.heap.later(delay, what, *args)

    def _serve(self, call: _Call, asked: int, question: Question) -> None:
        host, asker = self._hosts.get(asked), call.asker.number
        if host is None:
            return
        answer = host.answer(asker, question, self.heap.now)
        self.learn(asked, (asker,))
        said = self._liars[asked](asked, asker, question, answer) if asked in self._liars else answer
        if said is not None:
            self._send(asked, asker, self._end, call, said)

    def _give_up(self, call: _Call, asked: int) -> None:
        if call.then is not None and asked not in self._hosts:
            call.asker.table.remove(asked)
        self._end(call, None)

    def _end(self, call: _Call, answer: Answer | None) -> None:
        then, call.then = call.then, None
        if then is not None and self._hosts.get(call.asker.number) is call.asker:
            then(answer)
