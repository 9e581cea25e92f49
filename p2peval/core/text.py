"""Text that peers show to each other: what may stand in it, and how any text becomes such.

Reasons and names come from models, files and exceptions; an object that holds them must still be sayable.
"""

from __future__ import annotations

import re

CONTROLS = "\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
"""As in a regular expression's brackets: what could steer a terminal or turn text around."""

_UNPRINTABLE = re.compile(f"[{CONTROLS}]")


def plain(text: str) -> bool:
    """Without characters that could steer a terminal or turn text around."""
    return _UNPRINTABLE.search(text) is None


def one_line(text: str, most: int = 256) -> str:
    """``text`` made plain, in at most ``most`` bytes of UTF-8."""
    data = _UNPRINTABLE.sub(" ", text).encode("utf-8", "replace")
    return data[:most].decode("utf-8", "ignore")


def lines(text: str, most: int) -> str:
    """``text`` made plain but for its line breaks, in at most ``most`` characters."""
    return "\n".join(one_line(line, 4 * most) for line in text[:most].split("\n"))
