"""Groups of samples, whose metrics are told apart: names in the data, places in a sorted list in the blob.

Decides what a group's name may be and how many there are. Must not know files. Source: evaluation.md, Metrics.
"""

from __future__ import annotations

import numpy as np

from p2peval.core.text import plain
from p2peval.defaults import MAX_GROUPS
from p2peval.evaluation.labels import Array

NAME_BYTES = 64
"""Of a group's name, as the spec allows (proto/p2peval.proto)."""


class GroupNames:
    """Gives each name a number in order of appearance; ``order`` is the sorted list that peers see."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def read(self, text: str) -> int:
        """The number of the group called ``text``. Raises ValueError saying what is wrong with it."""
        name = text.strip()
        number = self._numbers.get(name)
        if number is not None:
            return number
        if not name:
            raise ValueError("there is no group: fill it in or delete the row")
        if len(name.encode()) > NAME_BYTES or not plain(name):
            raise ValueError(f"{name[:100]!r} is no group: a name has at most {NAME_BYTES} bytes of proper text")
        if len(self._numbers) == MAX_GROUPS:
            raise ValueError(f"{name!r} would be group {MAX_GROUPS + 1}, and {MAX_GROUPS} is the most")
        self._numbers[name] = len(self._numbers)
        return self._numbers[name]

    def order(self) -> tuple[tuple[str, ...], Array]:
        """The sorted names, and the place in them of each number that ``read`` gave."""
        names = tuple(sorted(self._numbers))
        places = np.zeros(len(names), "<i8")
        for place, name in enumerate(names):
            places[self._numbers[name]] = place
        return names, places
