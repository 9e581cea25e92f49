"""S/Kademlia's way to a key: d trails that share no host, each of one question at a time.

A trail ends at the first host that says it is one of the siblings nearest the key, or when nobody is left to ask.
Paper: Baumgart & Mies 2007, §4.4 and §5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from p2peval.sim.kademlia.words import Answer, Question, Verb

if TYPE_CHECKING:
    from p2peval.sim.kademlia.network import Kademlia


@dataclass(frozen=True, slots=True)
class Trail:
    """``asked``: hosts in order. ``closest``: what the last of them said, and itself; empty for a trail that ended
    nowhere."""

    asked: tuple[int, ...]
    closest: tuple[int, ...]


class Disjoint:
    """``done``: called once, with every trail; never if its host leaves."""

    def __init__(self, network: Kademlia, host: int, key: int, done: Callable[[tuple[Trail, ...]], None]) -> None:
        self._network, self._host, self._key, self._done = network, host, key, done
        self._question = Question(Verb.NEAREST, key)
        first = network.table(host).closest(key, network.parameters.nearest)
        paths = network.parameters.paths
        self._waiting: list[dict[int, None]] = [dict.fromkeys(first[path::paths]) for path in range(paths)]
        self._asked: list[list[int]] = [[] for _ in range(paths)]
        self._used: set[int] = {host}
        self._trails: dict[int, Trail] = {}

    def go(self) -> None:
        for path in range(len(self._waiting)):
            self._step(path)

    def _step(self, path: int) -> None:
        waiting = self._waiting[path]
        for host in [host for host in waiting if host in self._used]:
            del waiting[host]
        if not waiting:
            self._end(path, ())
            return
        (host,) = self._network.nearest(self._key, waiting, 1)
        self._used.add(host)
        self._asked[path].append(host)
        patience = self._network.parameters.hop_patience
        self._network.ask(self._host, host, self._question, patience, partial(self._answered, path, host))

    def _answered(self, path: int, asked: int, answer: Answer | None) -> None:
        if answer is None:
            self._step(path)
            return
        self._network.learn(self._host, (asked, *answer.closer))
        if answer.sibling:
            self._end(path, self._network.nearest(self._key, (asked, *answer.closer), len(answer.closer) + 1))
        else:
            self._waiting[path].update(dict.fromkeys(answer.closer))
            self._step(path)

    def _end(self, path: int, closest: Iterable[int]) -> None:
        self._trails[path] = Trail(tuple(self._asked[path]), tuple(closest))
        if len(self._trails) == len(self._waiting):
            self._done(tuple(self._trails[path] for path in range(len(self._waiting))))
