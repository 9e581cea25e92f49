"""How answers and errors look: data on stdout, everything else on stderr.

Words from the network (names, titles, reasons) lose their control characters before they reach a
terminal. Tables abbreviate ids; ``--plain`` and ``--json`` never do.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from p2peval.cli.options import Options
from p2peval.errors import P2pevalError

_TERMINAL_CODES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?")
_COMMAND = re.compile(
    r"(?<!`)\bp2peval (?=(init|daemon|status|doctor|stop|events|paths|id|peers|bench|eval|board|rep|sim)\b)"
)


class InterruptedByUserError(P2pevalError):
    """Ctrl-C."""

    code = "interrupted"
    exit_code = 130


class Output:
    """Prints one command's answer, in the way its flags ask for."""

    def __init__(self, options: Options) -> None:
        self.options = options

    # ── the answer ────────────────────────────────────────────────────────────────────────────────

    def answer(self, name: str, data: Any, human: Callable[[], str]) -> None:
        """``name``: of the schema, e.g. "rep.ls"; ``human``: the text without ``--json``."""
        text = self.envelope(name, data) if self.options.json else human()
        if text:
            click.echo(text, color=self.colored())

    def envelope(self, name: str, data: Any) -> str:
        import msgspec

        return msgspec.json.encode({"schema": f"p2peval.{name}/1", "data": data}).decode()

    def say(self, message: str) -> None:
        """A message beside the data: on stderr, not under ``--quiet`` or ``--json``."""
        if not self.options.quiet and not self.options.json:
            click.echo(clean(at_home(message, self.options.home)), err=True)

    def tell(self, progress: str) -> None:
        """Progress, for a person who looks on: on stderr if that is a terminal, where ``say`` would speak."""
        if sys.stderr.isatty():
            self.say(progress)

    def colored(self) -> bool:
        if self.options.no_color or self.options.plain or os.environ.get("NO_COLOR"):
            return False
        return sys.stdout.isatty()

    # ── shapes ────────────────────────────────────────────────────────────────────────────────────

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], empty: str = "none") -> str:
        """Aligned columns; tab-separated without headings under ``--plain``."""
        cleaned = [[clean(cell) for cell in row] for row in rows]
        if self.options.plain:
            return "\n".join("\t".join(row) for row in cleaned)
        if not rows:
            self.say(empty)
            return ""
        widths = [max(map(_width, column)) for column in zip(headings, *cleaned, strict=True)]
        head, *lines = [
            "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (list(headings), *cleaned)
        ]
        return "\n".join([click.style(head, bold=True), *lines])

    def fields(self, pairs: Sequence[tuple[str, str]]) -> str:
        """One "name  value" line for each value that is not empty."""
        if self.options.plain:
            return "\n".join(f"{name}\t{clean(value)}" for name, value in pairs)
        width = max(len(name) for name, _ in pairs)
        return "\n".join(f"{name:<{width}}  {clean(value)}" for name, value in pairs if value)

    # ── cells ─────────────────────────────────────────────────────────────────────────────────────

    def peer(self, peer: str, name: str = "", me: bool = False) -> str:
        """A claimed name never stands without the end of the id."""
        if self.options.plain:
            return peer
        return "me" if me else f"{name} …{peer[-4:]}" if name else f"…{peer[-4:]}"

    def id(self, identifier: str) -> str:
        if self.options.plain or len(identifier) <= 12:
            return identifier
        return f"{identifier[:4]}…{identifier[-4:]}"

    def ago(self, when: float | None) -> str:
        """ "3m" since a unix time; the time itself under ``--plain``."""
        if when is None:
            return "-"
        if self.options.plain:
            return f"{when:.3f}"
        passed = max(time.time() - when, 0.0)
        for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60)):
            if passed >= seconds:
                return f"{int(passed // seconds)}{unit}"
        return f"{int(passed)}s"


def clean(text: str) -> str:
    """``text`` without terminal codes, control and direction characters: peers choose some of our words."""
    text = _TERMINAL_CODES.sub("", text)
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))


def at_home(text: str, home: Path | None) -> str:
    """``text`` with ``--home`` in the commands it advises: pasted, they mean this node.

    What stands in `backquotes` is talked about, not advised: somebody else may have run it.
    """
    return text if home is None else _COMMAND.sub(lambda _: f"p2peval --home {shlex.quote(str(home))} ", text)


def number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def size(count: int) -> str:
    """Bytes in decimal units: "1.2 MB"."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def show_error(error: P2pevalError, *, as_json: bool, home: Path | None = None) -> None:
    hint = at_home(error.hint, home)
    if as_json:
        import json

        body = {"code": error.code, "message": error.message, "hint": hint, "retryable": error.retryable}
        click.echo(json.dumps({"error": body}, ensure_ascii=False))
        return
    click.echo(f"{click.style('error:', fg='red')} {clean(error.message)}", err=True)
    if hint:
        click.echo(f"hint: {clean(hint)}", err=True)


def _width(text: str) -> int:
    """Columns on a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)
