"""A scenario's text before it means anything: its values, where each was said, and a flag's word above the file's.

Knows tables and dataclasses, and nothing of scenarios.
"""

from __future__ import annotations

import copy
import re
import tomllib
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from p2peval.errors import ConfigError
from p2peval.sim.checked import ImpossibleError, check, key_of, nearest
from p2peval.sim.toml_lines import Path, lines

T = TypeVar("T")
Reader = Callable[[Any, Path], Any]
"""(what the document says, where) -> what it means; raises ConfigError."""

KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
_PLACE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)")


@dataclass(frozen=True, slots=True)
class Document:
    """``places``: path -> who said so: "simulations/x.toml:12", or a flag as it was typed."""

    name: str
    values: Mapping[str, Any]
    places: Mapping[Path, str] = field(default_factory=dict)

    def place(self, path: Path) -> str:
        """Where that stands, or what it would stand in."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.name

    def wrong(self, path: Path, what: str, *, hint: str = "") -> ConfigError:
        return ConfigError(f"{self.place(path)}: {what}", hint=hint)

    def without(self, key: str) -> Document:
        """Less one key of the top level."""
        return Document(self.name, {at: value for at, value in self.values.items() if at != key}, self.places)

    def replaced(self, key: str, value: Any, said: str) -> Document:
        """With another value at a dotted key; ``said``: the flag's own words. Raises ConfigError."""
        path = tuple(key.split("."))
        values = copy.deepcopy(dict(self.values))
        inner: Any = values
        for depth, part in enumerate(path[:-1]):
            inner = self._entered(inner, part, path[:depth], said)
        if isinstance(inner, list):
            inner[self._index(inner, path[-1], path[:-1], said)] = value
        elif isinstance(inner, dict):
            inner[path[-1]] = value
        else:
            raise ConfigError(f"{said}: {'.'.join(path[:-1])} is no table and no list, but {inner!r}")
        places = {at: place for at, place in self.places.items() if at[: len(path)] != path}
        return Document(self.name, values, places | {path: said})

    def _entered(self, inner: Any, part: str, path: Path, said: str) -> Any:
        if isinstance(inner, list):
            return inner[self._index(inner, part, path, said)]
        if isinstance(inner, dict):
            return inner.setdefault(part, {})
        raise ConfigError(f"{said}: {'.'.join(path)} is no table and no list, but {inner!r}")

    def _index(self, inner: list[Any], part: str, path: Path, said: str) -> int:
        if not part.isdecimal() or int(part) >= len(inner):
            last = f"counted from 0 to {len(inner) - 1}" if inner else "of which there are none"
            raise ConfigError(f"{said}: {part!r} is none of {'.'.join(path)}, {last}")
        return int(part)

    def build(self, cls: type[T], table: Any, path: Path = (), readers: Mapping[str, Reader] | None = None) -> T:
        """The dataclass that a table means; ``readers`` for keys that mean more than their type says.

        Raises ConfigError with the place: an unknown key, a missing one, a wrong type, a value that cannot be.
        """
        if not isinstance(table, Mapping):
            raise self.wrong(path, f"{'.'.join(path)} must be a table, not {table!r}")
        known = {key_of(each): each for each in fields(cls) if each.init}  # type: ignore[arg-type]
        hints = get_type_hints(cls)
        for key in table:
            if key not in known:
                raise self.unknown((*path, key), known)
        given = {}
        for key, each in known.items():
            at = (*path, key)
            if key in table:
                read = (readers or {}).get(key)
                given[each.name] = read(table[key], at) if read else self.convert(table[key], hints[each.name], at)
            elif each.default is MISSING and each.default_factory is MISSING:
                raise self.wrong(path, f"{'.'.join(at)} is missing")
        return self.made(cls, given, path)

    def made(self, cls: type[T], given: Mapping[str, Any], path: Path) -> T:
        try:
            instance = cls(**given)
            check(instance)
        except ImpossibleError as error:
            at = (*path, error.key)
            raise self.wrong(at, f"{'.'.join(at)} {error.what}", hint=error.hint) from None
        except ConfigError as error:
            raise self.wrong(path, error.message, hint=error.hint) from None
        return instance

    def unknown(self, path: Path, known: Mapping[str, Any]) -> ConfigError:
        where = f"[{'.'.join(path[:-1])}]" if len(path) > 1 else "the top level"
        near = nearest(path[-1], known)
        hint = "" if near else "known: " + ", ".join(known)
        return self.wrong(path, f"unknown key {path[-1]!r} in {where}{near}", hint=hint)

    def convert(self, value: Any, hint: Any, path: Path) -> Any:
        """The value as its type; whole numbers are numbers, lists are tuples. Raises ConfigError."""
        if get_origin(hint) in (Union, types.UnionType):
            (hint,) = (each for each in get_args(hint) if each is not type(None))
        if is_dataclass(hint) and isinstance(hint, type):
            return self.build(hint, value, path)
        if get_origin(hint) is tuple:
            if not isinstance(value, list | tuple):
                raise self.wrong(path, f"{'.'.join(path)} must be a list, not {value!r}")
            of = get_args(hint)[0]
            return tuple(self.convert(each, of, (*path, str(index))) for index, each in enumerate(value))
        if hint is float and type(value) is int and abs(value) < 2**53:
            return float(value)
        if type(value) is not hint:
            raise self.wrong(path, f"{'.'.join(path)} must be {KINDS.get(hint, hint)}, not {value!r}")
        return value


def parsed(text: str, name: str) -> Document:
    """The document of a TOML text; ``name``: its file. Raises ConfigError with the line."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.fullmatch(str(error))
        place = f"{name}:{found['line'] or text.count(chr(10)) + 1}" if found else name
        raise ConfigError(f"{place}: not valid TOML: {found['what'] if found else error}") from None
    except RecursionError:
        raise ConfigError(f"{name}: it nests lists or tables deeper than can be read") from None
    return Document(name, values, {path: f"{name}:{line}" for path, line in lines(text).items()})
