"""How a host announces a key and finds who provides it: the twin of ``net.discovery``, step by step.

Announcing: the way to the key, PROVIDE to the nearest, then each is asked back whether it names us. Finding: what one
keeps oneself, the way to the key, then all the nearest are asked at once; after the time-out counts what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from p2peval.core.hearsay import most_agreed
from p2peval.core.types import Seconds
from p2peval.sim.kademlia.words import Answer, Question, Verb

if TYPE_CHECKING:
    from p2peval.sim.kademlia.network import Kademlia


class Announcement:
    """One round of announcing; ``done`` gets the holders that confirmed it."""

    def __init__(self, network: Kademlia, host: int, key: int, done: Callable[[tuple[int, ...]], None]) -> None:
        self._network, self._host, self._key, self._done = network, host, key, done
        self._confirmed: list[int] = []
        self._open = 0

    def go(self) -> None:
        self._network.nearest_hosts(self._host, self._key, self._store)

    def _store(self, holders: tuple[int, ...]) -> None:
        self._each(holders, Verb.PROVIDE, lambda holder, answer: None, lambda: self._confirm(holders))

    def _confirm(self, holders: tuple[int, ...]) -> None:
        self._each(holders, Verb.PROVIDERS, self._named, lambda: self._done(tuple(self._confirmed)))

    def _named(self, holder: int, answer: Answer | None) -> None:
        if answer is not None and self._host in answer.providers:
            self._confirmed.append(holder)

    def _each(
        self, holders: tuple[int, ...], verb: Verb, each: Callable[[int, Answer | None], None], then: Callable[[], None]
    ) -> None:
        """Ask ``holders``, ``parallel`` at once, and go on when all are through."""
        waiting, question = list(reversed(holders)), Question(verb, self._key)
        self._open = len(holders)
        if not holders:
            then()

        def answered(holder: int, answer: Answer | None) -> None:
            each(holder, answer)
            self._open -= 1
            if waiting:
                ask(waiting.pop())
            elif not self._open:
                then()

        def ask(holder: int) -> None:
            self._network.ask(
                self._host, holder, question, self._network.parameters.patience, partial(answered, holder)
            )

        for _ in range(min(self._network.parameters.parallel, len(holders))):
            ask(waiting.pop())


class Search:
    """``done`` gets the providers, called once: when all holders are through, or after ``timeout`` seconds."""

    def __init__(
        self, network: Kademlia, host: int, key: int, timeout: Seconds, done: Callable[[tuple[int, ...]], None]
    ) -> None:
        self._network, self._host, self._key, self._timeout = network, host, key, timeout
        self._done: Callable[[tuple[int, ...]], None] | None = done
        self._words: list[list[int]] = []
        self._open = 0

    def go(self) -> None:
        self._collect(self._network.kept(self._host, self._key))
        self._network.heap.later(self._timeout, self._end)
        self._network.nearest_hosts(self._host, self._key, self._ask_all)

    def _ask_all(self, holders: tuple[int, ...]) -> None:
        if self._done is None:
            return
        self._open = len(holders)
        if not holders:
            self._end()
        question = Question(Verb.PROVIDERS, self._key)
        for holder in holders:
            self._network.ask(self._host, holder, question, self._network.parameters.patience, self._answered)

    def _answered(self, answer: Answer | None) -> None:
        if answer is not None:
            self._collect(answer.providers)
        self._open -= 1
        if not self._open:
            self._end()

    def _collect(self, providers: tuple[int, ...]) -> None:
        self._words.append([provider for provider in providers if provider != self._host])

    def _end(self) -> None:
        done, self._done = self._done, None
        if done is None or not self._network.is_up(self._host):
            return
        limit = self._network.parameters.limit
        if self._network.parameters.ranked:
            done(tuple(most_agreed(self._words, limit)))
        else:
            done(tuple(dict.fromkeys(chain.from_iterable(self._words)))[:limit])
