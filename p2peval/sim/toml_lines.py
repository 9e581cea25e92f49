"""On which line of a TOML text each key stands: tomllib does not say.

The text is known to be valid (tomllib has read it), so this only finds its way through it.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str, ...]
"""Keys from the outermost in; an element of a list is its index in decimal: ("adversaries", "0", "count")."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""\s*(?:(?P<bare>[A-Za-z0-9_-]+)|"(?P<basic>(?:[^"\\]|\\.)*)"|'(?P<literal>[^']*)')\s*""")
_TEXT = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL)
_PLAIN = re.compile(r"[^,\]}#\r\n]*")


def lines(text: str) -> dict[Path, int]:
    """Line, from 1 on, of every key, table and list element."""
    return _Scan(text).found


class _Scan:
    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        self._text, self._at = text, 0
        self._counts: dict[Path, int] = {}
        self._line, self._counted = 1, 0
        table: Path = ()
        while self._skipped() < len(text):
            table = self._statement(table)

    def _statement(self, table: Path) -> Path:
        """One header, which is the table from here on, or one key and its value."""
        if self._text[self._at] != "[":
            self._pair(table)
            return table
        double = self._text.startswith("[[", self._at)
        self._at += 1 + double
        here = self._line_here()
        *outer, last = self._keys()
        self._at += 1 + double
        path: Path = ()
        for key in outer:
            path = self._latest((*path, key))
        path = (*path, last)
        if double:
            self.found.setdefault(path, here)
            self._counts[path] = self._counts.get(path, 0) + 1
            path = self._latest(path)
        self.found[path] = here
        return path

    def _latest(self, path: Path) -> Path:
        """A list of tables means its last element."""
        return (*path, str(self._counts[path] - 1)) if path in self._counts else path

    def _pair(self, table: Path) -> None:
        here = self._line_here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, here)
        self._at += 1  # the equals sign
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            match = self._take(_KEY)
            basic = match["basic"]
            escaped = basic is not None and "\\" in basic
            keys.append(_unescaped(basic) if escaped else next(part for part in match.groups() if part is not None))
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        self._skipped()
        opening = self._text[self._at]
        if opening in "\"'":
            self._take(_TEXT)
        elif opening in "[{":
            self._list(path, opening)
        else:
            self._take(_PLAIN)

    def _list(self, path: Path, opening: str) -> None:
        """A list's elements, or an inline table's pairs."""
        self._at += 1
        index = 0
        while self._text[self._skipped()] not in "]}":
            if opening == "{":
                self._pair(path)
            else:
                self.found[(*path, str(index))] = self._line_here()
                self._value((*path, str(index)))
                index += 1
            if self._text[self._skipped()] == ",":
                self._at += 1
        self._at += 1

    def _take(self, what: re.Pattern[str]) -> re.Match[str]:
        match = what.match(self._text, self._at)
        assert match, f"line {self._line_here()}: tomllib reads what this does not"
        self._at = match.end()
        return match

    def _skipped(self) -> int:
        """Past blanks and comments; where that is."""
        self._take(_BLANK)
        return self._at

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _unescaped(basic: str) -> str:
    return str(tomllib.loads(f'key = "{basic}"')["key"])
