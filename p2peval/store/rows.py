"""How a frozen row becomes columns and comes back: by its field types, with no code per table.

Plain values are themselves, an enum is its name, anything nested is JSON text, which a person can read
and a migration can rewrite in SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, get_type_hints

import msgspec

Value = str | int | float | bytes | None

_NATIVE: dict[Any, str] = {str: "TEXT", int: "INTEGER", bool: "INTEGER", float: "REAL", bytes: "BLOB"}


@dataclass(frozen=True, slots=True)
class Column:
    """One field: its name, SQLite type (STRICT), and both directions."""

    name: str
    sql_type: str
    encode: Callable[[Any], Value]
    decode: Callable[[Any], Any]


class Layout:
    """The columns of a row type. ``lazy`` fields are written but read back as empty bytes."""

    def __init__(self, row_type: type, lazy: Sequence[str] = ()) -> None:
        hints = get_type_hints(row_type)
        self.row_type = row_type
        self.columns = tuple(_column(field.name, hints[field.name]) for field in fields(row_type))
        self.lazy = frozenset(lazy)
        self.eager = tuple(column for column in self.columns if column.name not in self.lazy)
        self._blank = dict.fromkeys(lazy, b"")

    def values(self, row: Any) -> list[Value]:
        return [column.encode(getattr(row, column.name)) for column in self.columns]

    def row(self, values: Sequence[Any]) -> Any:
        """A row of the values of ``eager``, in order. Raises MsgspecError or LookupError for what never was one."""
        decoded = {column.name: column.decode(value) for column, value in zip(self.eager, values, strict=True)}
        return self.row_type(**decoded, **self._blank)


def _column(name: str, hint: Any) -> Column:
    kind = getattr(hint, "__supertype__", hint)  # a NewType is what it renames
    if kind in _NATIVE:
        return Column(name, _NATIVE[kind], _same, bool if kind is bool else _same)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Column(name, "TEXT", lambda member: str(member.name), lambda text: kind[text])
    return Column(name, "TEXT", lambda value: msgspec.json.encode(value).decode(), msgspec.json.Decoder(hint).decode)


def _same(value: Any) -> Any:
    return value
