"""Who answers falsely in a DHT, each a filter over what an honest host would say.

All know each other and every id, for nothing; what it costs them is an id each, and for Sybils near a key the work of
finding such ids: about N / 20 keys must be tried for one among the twenty nearest of N hosts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from p2peval.sim.kademlia.table import BITS
from p2peval.sim.kademlia.words import Answer, Question, Verb


class Steering:
    """Names those of its own kind that are nearest the key, as Baumgart & Mies 2007 (§5) take for the worst.

    ``ids``: of all liars, by host. ``providers``: as if these provided every key; none: it says that nobody does.
    Takes records and forgets them, but shows the provider who asks back its own.
    """

    def __init__(self, ids: dict[int, int], nearest: int, providers: Sequence[int] = ()) -> None:
        self._ids, self._nearest, self._providers = ids, nearest, tuple(providers)
        self._told: dict[int, tuple[int, ...]] = {}
        self._took: set[tuple[int, int]] = set()

    def __call__(self, asked: int, asker: int, question: Question, honest: Answer) -> Answer | None:
        key = question.key
        if question.verb is Verb.PROVIDE:
            self._took.add((asker, key))
            return honest
        if key not in self._told:
            ordered = sorted(self._ids, key=lambda host: self._ids[host] ^ key)
            self._told[key] = tuple(ordered[: self._nearest])
        own = (asker,) if (asker, key) in self._took else ()
        return Answer(self._told[key], own or self._providers, sibling=True)


def mute(asked: int, asker: int, question: Question, honest: Answer) -> Answer | None:
    """Says nothing at all, and holds up who waits for it."""
    return None


def forgetful(asked: int, asker: int, question: Question, honest: Answer) -> Answer | None:
    """Shows the right way, and knows of no provider but who asks."""
    own = (asker,) if asker in honest.providers else ()
    return Answer(honest.closer, own, honest.sibling)


def ids_near(key: int, others: Iterable[int], count: int, rng: Random) -> list[int]:
    """``count`` ids nearer ``key`` than all of ``others``, as who tries many keys would find them."""
    bits = min((other ^ key for other in others), default=1 << BITS).bit_length() - 1
    return [key ^ rng.getrandbits(bits) for _ in range(count)]
