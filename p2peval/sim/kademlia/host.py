"""One host of a DHT: whom it knows, which providers it keeps, and what it answers. Knows neither time nor messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from p2peval.core.types import Seconds
from p2peval.sim.kademlia.parameters import Parameters
from p2peval.sim.kademlia.table import Table
from p2peval.sim.kademlia.words import Answer, Question, Verb


class Host:
    """``number``: which; ``ids``: of all hosts. ``grow``: lays out its routing table when it is first asked for."""

    __slots__ = ("_grow", "_ids", "_parameters", "_table", "number", "records")

    def __init__(self, number: int, ids: Sequence[int], parameters: Parameters, grow: Callable[[int], Table]) -> None:
        self.number, self._ids, self._parameters = number, ids, parameters
        self._table: Table | None = None
        self._grow = grow
        self.records: dict[int, dict[int, Seconds]] = {}
        """Of each key, its providers and when they last said so."""

    @property
    def table(self) -> Table:
        if self._table is None:
            self._table = self._grow(self.number)
        return self._table

    def answer(self, asker: int, question: Question, now: Seconds) -> Answer:
        if question.verb is Verb.PROVIDE:
            self.keep(question.key, asker, now)
            return Answer()
        closer = self.table.closest(question.key, max(self._parameters.nearest + 1, self._parameters.siblings))
        sibling = self._is_sibling(question.key, closer)
        told = tuple(host for host in closer if host != asker)[: self._parameters.nearest]
        providers = self.providers(question.key, now) if question.verb is Verb.PROVIDERS else ()
        return Answer(told, providers, sibling)

    def keep(self, key: int, provider: int, now: Seconds) -> None:
        """The first ``kept`` providers of a key are kept, also those whose time is over, until someone asks."""
        kept = self.records.setdefault(key, {})
        if provider in kept or len(kept) < self._parameters.kept:
            kept[provider] = now

    def providers(self, key: int, now: Seconds) -> tuple[int, ...]:
        kept = self.records.get(key)
        if not kept:
            return ()
        for provider in [each for each, since in kept.items() if now - since > self._parameters.lifetime]:
            del kept[provider]
        return tuple(kept)

    def _is_sibling(self, key: int, closer: list[int]) -> bool:
        """It is among the ``siblings`` nearest ``key``, where it knows everybody: beside its own id."""
        if not self.table.is_home(key):
            return False
        if len(closer) < self._parameters.siblings:
            return True
        return self._ids[self.number] ^ key < self._ids[closer[self._parameters.siblings - 1]] ^ key
