"""A document of tables, lists and single values as TOML text; tomllib reads the same document out of it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDE = 100  # characters of a line beyond which a list stands one element a line


def dumps(document: Mapping[str, Any]) -> str:
    """Values of a table before its tables; text, numbers, truth, lists and tables only."""
    return "\n".join(_table(document, ())).strip("\n") + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, each in table.items():
        if not _is_table(each) and not _is_tables(each):
            yield _pair(key, each)
    for key, inner in table.items():
        at = (*path, key)
        if _is_table(inner):
            yield from ("", f"[{_dotted(at)}]", *_table(inner, at))
        elif _is_tables(inner):
            for each in inner:
                yield from ("", f"[[{_dotted(at)}]]", *_table(each, at))


def _is_table(of: Any) -> bool:
    return isinstance(of, Mapping)


def _is_tables(of: Any) -> bool:
    return isinstance(of, list) and bool(of) and all(map(_is_table, of))


def _pair(key: str, of: Any) -> str:
    line = f"{_key(key)} = {value(of)}"
    if len(line) <= _WIDE or not isinstance(of, list):
        return line
    return "\n".join([f"{_key(key)} = [", *(f"    {value(each)}," for each in of), "]"])


def value(of: Any) -> str:
    """One value as TOML writes it in a line."""
    if isinstance(of, bool):
        return "true" if of else "false"
    if isinstance(of, str):
        return json.dumps(of, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(of, int | float):
        return repr(of)
    return "[" + ", ".join(map(value, of)) + "]"


def plain(of: Any) -> Any:
    """As tomllib would read it: lists for tuples, dicts for mappings."""
    if isinstance(of, Mapping):
        return {key: plain(each) for key, each in of.items()}
    return [plain(each) for each in of] if isinstance(of, list | tuple) else of


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else value(key)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(map(_key, path))
