"""One table of a TOML file: its values, checked, and a complaint about what nobody asked for.

Must not know what the file is about.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from p2peval import defaults
from p2peval.core.parts import Tensor
from p2peval.core.text import plain
from p2peval.errors import ConfigError

T = TypeVar("T")

REQUIRED: Any = object()


class Section:
    """Hands out a section's values, checked; ``close`` refuses those that nobody asked for."""

    def __init__(self, path: Path, name: str, values: dict[str, Any]) -> None:
        self._path, self._name, self._values = path, name, values
        self._asked: set[str] = set()
        self.sections: list[Section] = []

    def section(self, name: str) -> Section:
        if name not in self._values and (instead := self._instead_of(name)):
            raise self.wrong(instead, f"is no key that p2peval knows here; did you mean {name!r}?")
        return self.table(name, self.get(name, dict, {}))

    def table(self, name: str, values: dict[str, Any]) -> Section:
        inner = Section(self._path, f"{self._name}.{name}" if self._name else name, values)
        self.sections += [inner]
        return inner

    def get(self, key: str, kind: type[T] | type[object], default: Any = REQUIRED) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is REQUIRED:
            instead = self._instead_of(key)
            raise self.wrong(key, f"is missing, but there is {instead!r}" if instead else "is missing")
        if value is not default and not isinstance(value, kind):
            raise self.wrong(key, f"must be {_KINDS[kind]}, not {value!r}")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: Any = REQUIRED) -> str:
        value: str = self.get(key, str, default)
        if value not in allowed:
            raise self.wrong(key, f"{value!r} is none of {', '.join(allowed)}{nearest(value, allowed)}")
        return value

    def text(
        self, key: str, rule: Callable[[str], bool], default: Any = REQUIRED, *, least: int = 0, most: int = 256
    ) -> str:
        value: str = self.get(key, str, default)
        if not least <= len(value.encode()) <= most or not rule(value):
            raise self.wrong(key, f"must be {least} to {most} bytes of proper text, not {value[:100]!r}")
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value: int = self.get(key, int, default)
        if isinstance(value, bool) or not low <= value <= high:
            raise self.wrong(key, f"must be a whole number from {low} to {high}, not {value!r}")
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value: float = self.get(key, object, default)
        if not is_number(value) or not low <= value <= high:
            raise self.wrong(key, f"must be a number from {low:g} to {high:g}, not {value!r}")
        return value

    def tensor(self, dtypes: tuple[str, ...], shape: tuple[int, ...] | None) -> Tensor:
        """``shape``: what it is where the file does not say."""
        sides = self.get("shape", list, REQUIRED if shape is None else ["N", *shape])
        if sides[:1] != ["N"] or len(sides) > 9 or not all(type(side) is int and side > 0 for side in sides[1:]):
            raise self.wrong("shape", 'must start with "N" (samples), then up to 8 whole numbers, as ["N", 8, 8]')
        if math.prod(sides[1:]) > defaults.MAX_WIDTH:
            raise self.wrong("shape", f"has more than {defaults.MAX_WIDTH} numbers per sample")
        name = self.text("name", plain, least=1)
        return Tensor(name, self.choice("dtype", dtypes, "float32"), tuple(sides[1:]))

    def _instead_of(self, key: str) -> str:
        """What ``key`` may be misspelt as: without it only half of the mistake would be named. Or ""."""
        found = difflib.get_close_matches(key, sorted(set(self._values) - self._asked), 1, 0.75)
        return found[0] if found else ""

    def close(self) -> None:
        for section in self.sections:
            section.close()
        for key in self._values:
            if key not in self._asked:
                raise self.wrong(key, f"is no key that p2peval knows here{nearest(key, tuple(self._asked))}")

    def wrong(self, key: str, what: str) -> ConfigError:
        where = f"[{self._name}] {key}" if self._name else key
        return ConfigError(f"{self._path}: {where}: {what}")


_KINDS: dict[type, str] = {str: "text", int: "a whole number", list: "a list", dict: "a table"}


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def nearest(word: str, known: tuple[str, ...]) -> str:
    found = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {found[0]!r}?" if found else ""
