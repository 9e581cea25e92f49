"""Ranges that a dataclass's fields declare in their metadata, and what is said of a value outside of them.

``least``, ``most``: the value itself is allowed. ``above``: it is not. ``choices``: nothing else is. ``key``: what the
field is called in a file, where that is a word of Python's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import Field, fields
from difflib import get_close_matches
from math import isfinite
from typing import Any

from p2peval.errors import ConfigError

SHARE: dict[str, Any] = {"least": 0.0, "most": 1.0}
COUNT: dict[str, Any] = {"least": 0, "most": 10_000_000}  # of hosts or tasks; guess


class ImpossibleError(ConfigError):
    """A value that cannot be, ``key`` of which field; who knows the file adds the line."""

    def __init__(self, key: str, what: str, *, hint: str = "") -> None:
        super().__init__(f"{key} {what}", hint=hint)
        self.key, self.what = key, what


def key_of(of: Field[Any]) -> str:
    """What a field is called in a file."""
    return str(of.metadata.get("key", of.name))


def check(instance: Any) -> None:
    """All fields that declare a range are in it. Raises ImpossibleError."""
    for each in fields(instance):
        value = getattr(instance, each.name)
        if value is not None and (what := _amiss(value, each.metadata)):
            near = nearest(value, each.metadata["choices"]) if isinstance(value, str) else ""
            raise ImpossibleError(key_of(each), f"{what}, not {value!r}{near}")


def whole(key: str, shares: Sequence[float]) -> None:
    """Raises ImpossibleError unless these are shares that add up to 1."""
    if not shares or not all(0.0 <= share <= 1.0 for share in shares) or abs(sum(shares) - 1.0) > 1e-9:
        raise ImpossibleError(key, f"must be shares from 0 to 1 that add up to 1, not {', '.join(map(str, shares))}")


def _amiss(value: Any, rules: Mapping[str, Any]) -> str:
    if isinstance(value, float) and not isfinite(value):
        return "must be a finite number"
    if "least" in rules and value < rules["least"]:
        return f"must be {_range(rules)}"
    if "most" in rules and value > rules["most"]:
        return f"must be {_range(rules)}"
    if "above" in rules and value <= rules["above"]:
        return f"must be {_range(rules)}"
    if "choices" in rules and value not in rules["choices"]:
        return f"must be one of {', '.join(rules['choices'])}"
    return ""


def _range(rules: Mapping[str, Any]) -> str:
    low = f"more than {rules['above']}" if "above" in rules else f"at least {rules.get('least')}"
    if "most" not in rules:
        return low
    return f"{low} and at most {rules['most']}" if "above" in rules else f"from {rules['least']} to {rules['most']}"


def nearest(word: str, known: Collection[str]) -> str:
    """``; did you mean 'x'?`` where one of the known words is near, or ""."""
    found = get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""
