"""A scenario with other values: what ``--set`` and ``--over`` say, and every point of a sweep."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from p2peval.errors import ConfigError
from p2peval.sim.scenario import Scenario, Value
from p2peval.sim.scenario_file import Source

Axis = tuple[str, tuple[Value, ...]]
"""A dotted key and the values that it takes, as ("adversaries.0.count", (0, 10, 20))."""

MOST_POINTS = 10_000  # runs of one sweep; guess


@dataclass(frozen=True, slots=True)
class Point:
    """``settings``: key and value of each axis; ``scenario``: with these, and without a sweep of its own."""

    settings: tuple[tuple[str, Value], ...]
    scenario: Scenario


def setting(flag: str) -> tuple[str, Value]:
    """``population.honest=40``, of --set: the value as TOML writes it; text needs no quotes. Raises ConfigError."""
    key, sign, text = (part.strip() for part in flag.partition("="))
    if not sign or not key:
        raise ConfigError(f"--set {flag}: no key and value", hint="write --set population.honest=40")
    return key, _typed(text)


def axis(flag: str) -> Axis:
    """``adversaries.0.count=0,10,20``, of --over. Raises ConfigError."""
    key, sign, text = (part.strip() for part in flag.partition("="))
    if not sign or not key or not text:
        raise ConfigError(f"--over {flag}: no key and values", hint="write --over adversaries.0.count=0,10,20")
    together = _typed(f"[{text}]")
    return key, together if isinstance(together, tuple) else tuple(_typed(each.strip()) for each in text.split(","))


def _typed(text: str) -> Value:
    """As TOML reads it, or as the text that it is."""
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = document["value"]
    return (
        _frozen(value) if list(document) == ["value"] and isinstance(value, bool | int | float | str | list) else text
    )


def _frozen(value: Any) -> Value:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def points(source: Source, settings: Mapping[str, Value] | None = None, over: Iterable[Axis] = ()) -> tuple[Point, ...]:
    """Every value of each axis with every value of all others, above ``settings``, which --set gave.

    The axes are the scenario's own sweep and ``over``, which beats it; one point without settings where there are
    none. All scenarios are read before the first is played. Raises ConfigError.
    """
    said = dict(settings or {})
    axes = dict(source.scenario(said).sweep) | dict(over)
    count = math.prod(map(len, axes.values()))
    if count > MOST_POINTS:
        raise ConfigError(f"the sweep has {count} points, of at most {MOST_POINTS}", hint="let fewer keys vary")
    each = (tuple(zip(axes, values, strict=True)) for values in product(*axes.values()))
    alone = replace(source, document=source.document.without("sweep"))
    return tuple(Point(one, alone.scenario(said | dict(one))) for one in each)
