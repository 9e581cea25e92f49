"""What a label may be: a class, by number or by name, or a number within the declared range.

Decides how one label is read from text and how an array of them is. Must not know files.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class LabelRule:
    """``classes``: how many, 0 for regression; ``names``: theirs, or () for 0…C−1; ``low``, ``high``: the range."""

    classes: int
    names: tuple[str, ...]
    low: float
    high: float

    @property
    def dtype(self) -> str:
        return "int64" if self.classes else "float64"

    def read(self, text: str) -> int | float:
        """One label. Raises ValueError saying what is wrong with it."""
        text = text.strip()
        if not text:
            raise ValueError("there is no label: fill it in or delete the row")
        if self.names:
            return self._named(text)
        if not self.classes:
            return self._number(text)
        if not text.isascii() or not text.isdecimal() or int(text) >= self.classes:
            raise ValueError(f"{text!r} is no class: they are 0 to {self.classes - 1}")
        return int(text)

    def _named(self, text: str) -> int:
        if text in self.names:
            return self.names.index(text)
        nearest = difflib.get_close_matches(text, self.names, 1)
        raise ValueError(f"{text!r} is no class of [model] classes" + (f"; {nearest[0]!r}?" if nearest else ""))

    def _number(self, text: str) -> float:
        try:
            value = math.nan if "_" in text else float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{text!r} is no finite number")
        if not self.low <= value <= self.high:
            raise ValueError(f"{text} lies outside [metrics] range, {self.low:g} to {self.high:g}")
        return value
