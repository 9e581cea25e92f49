"""The way to a key as py-libp2p 0.8.1 goes it: rounds of alpha questions, until one brings nobody nearer.

A round ends when its last question is answered or given up, so one host that is silent holds up all of it. Who does
not answer stays in the list of the nearest. Model: libp2p's ``PeerRouting.find_closest_peers_network``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from p2peval.sim.kademlia.words import Answer, Question, Verb

if TYPE_CHECKING:
    from p2peval.sim.kademlia.network import Kademlia


class Way:
    """``done``: called once, with at most ``holders`` hosts, nearest the key first; never if its host leaves."""

    def __init__(self, network: Kademlia, host: int, key: int, done: Callable[[tuple[int, ...]], None]) -> None:
        self._network, self._host, self._key, self._done = network, host, key, done
        self._question = Question(Verb.NEAREST, key)
        self._closest = network.table(host).closest(key, network.parameters.holders)
        self._asked: set[int] = set()
        self._heard: dict[int, None] = {}
        self._rounds = self._open = 0
        self._began = network.heap.now

    def go(self) -> None:
        """One more round, or the end."""
        parameters = self._network.parameters
        late = self._network.heap.now - self._began > parameters.way
        next_ones = [host for host in self._closest if host not in self._asked][: parameters.parallel]
        if late or self._rounds == parameters.rounds or not next_ones:
            self._done(tuple(self._closest))
            return
        self._rounds += 1
        self._open = len(next_ones)
        self._asked.update(next_ones)
        for host in next_ones:
            self._network.ask(self._host, host, self._question, parameters.hop_patience, partial(self._answered, host))

    def _answered(self, asked: int, answer: Answer | None) -> None:
        if answer is not None:
            self._heard[asked] = None
            self._heard.update(dict.fromkeys(answer.closer))
        self._open -= 1
        if not self._open:
            self._judge()

    def _judge(self) -> None:
        heard, self._heard = self._heard, {}
        heard.pop(self._host, None)
        if not heard:
            self.go()
            return
        self._network.learn(self._host, heard)
        old = self._closest
        both = dict.fromkeys(old) | heard
        self._closest = self._network.nearest(self._key, both, self._network.parameters.holders)
        if self._closest == old:
            self._done(tuple(old))
        else:
            self.go()
