"""Plain data as YAML 1.2 in block style: enough for metadata, nothing that a reader could take for another type.

Strings are double-quoted whatever they hold, so that no ``no``, ``1.10`` or ``2026-01-31`` turns into something else.
"""

from __future__ import annotations

import json
from typing import Any

ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def dump(value: Any) -> str:
    """A document of dicts with plain keys, lists, strings, finite numbers, booleans and None; ends in a newline."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        return [line for key, each in value.items() for line in _under(f"{key}:", each)]
    if isinstance(value, list) and value:
        return [line for each in value for line in _item(each)]
    return [_scalar(value)]


def _under(key: str, value: Any) -> list[str]:
    if isinstance(value, dict | list) and value:
        return [key, *(f"  {line}" for line in _lines(value))]
    return [f"{key} {_scalar(value)}"]


def _item(value: Any) -> list[str]:
    first, *rest = _lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return '"' + "".join(map(_character, value)) + '"'
    text = json.dumps(value, allow_nan=False)  # JSON's true, null, [] and {} are YAML's, and its numbers nearly
    return text if not isinstance(value, float) or "." in text else text.replace("e", ".0e")


def _character(c: str) -> str:
    if c in ESCAPES:
        return ESCAPES[c]
    if " " <= c <= "~" or c.isalnum():
        return c
    number = ord(c)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
