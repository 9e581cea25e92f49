"""Of what several peers name, what to take first, when some of them may name a crowd of their own.

Pure: knows neither who names nor what. Used by ``net.discovery`` for providers of a key, and by its twin in the lab.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def most_agreed(words: Sequence[Iterable[Name]], limit: int) -> list[Name]:
    """At most ``limit`` of what ``words``, one collection for each who names, hold; each once, the best first.

    A word counts 1 / (1 + how much of it was taken), so that every group gets its share of the places, however many
    names it has: of h honest and s others who agree among themselves the honest have about h / (h + s). Equal ones are
    taken in the order in which they were named. Sequential proportional approval (Thiele 1895).
    """
    waiting = [list(dict.fromkeys(word)) for word in words]
    taken, found = [0] * len(waiting), list[Name]()
    while len(found) < limit:
        worth: dict[Name, float] = {}
        for word, already in zip(waiting, taken, strict=True):
            for name in word:
                worth[name] = worth.get(name, 0.0) + 1.0 / (1 + already)
        if not worth:
            break
        best = max(worth, key=worth.__getitem__)
        found.append(best)
        for place, word in enumerate(waiting):
            if best in word:
                word.remove(best)
                taken[place] += 1
    return found
