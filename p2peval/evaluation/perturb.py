"""Declared perturbations of a benchmark's inputs: how well does a model bear noise, shifts, missing values?

Decides what each kind does to a number, the same on every machine: a counter-based generator, arithmetic in
float64, no function of a maths library. The author makes the perturbed inputs once and everybody fetches
them; whoever doubts them can make them again. Must not know files. Source: proto/README.md, Conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from p2peval.core.parts import Condition
from p2peval.core.text import plain
from p2peval.core.types import from_nano, to_nano
from p2peval.defaults import MAX_CONDITIONS, MAX_LEVEL
from p2peval.evaluation.labels import Array
from p2peval.evaluation.toml_section import REQUIRED, Section

_DOMAIN = b"p2peval condition v1\x00"
_UNIT = 2.0**-53


@dataclass(frozen=True, slots=True)
class Kind:
    """``whole``: for integer inputs, else for floats. ``words``: 64-bit random words for each value.

    ``apply(values, level, words)``: float64 or int64 (n,) and uint64 (n, words) -> the perturbed values.
    """

    whole: bool
    words: int
    most: float
    apply: Callable[[Array, float, Array], Array]


def _unit(words: Array) -> Array:
    """Uniform in [0, 1): the upper 53 bits of the first word."""
    unit: Array = (words[:, 0] >> np.uint64(11)) * _UNIT
    return unit


def _normal(words: Array) -> Array:
    """Nearly normal, mean 0, variance 1, within ±6: the sum of the twelve 16-bit parts of three words."""
    parts = np.ascontiguousarray(words, "<u8").view("<u2").sum(axis=1, dtype=np.int64)
    normal: Array = (parts - 12 * 65535 // 2) / 65536.0
    return normal


def _zeroed(values: Array, level: float, words: Array) -> Array:
    return np.where(_unit(words) < level, values.dtype.type(0), values)


KINDS: dict[str, Kind] = {
    "gaussian_noise": Kind(False, 3, MAX_LEVEL, lambda values, level, words: values + level * _normal(words)),
    "uniform_noise": Kind(False, 1, MAX_LEVEL, lambda values, level, words: values + level * (2 * _unit(words) - 1)),
    "scale": Kind(False, 0, MAX_LEVEL, lambda values, level, _: values * (1 + level)),
    "shift": Kind(False, 0, MAX_LEVEL, lambda values, level, _: values + level),
    "dropout": Kind(False, 1, 1.0, _zeroed),
    "token_dropout": Kind(True, 1, 1.0, _zeroed),
}
"""By name in benchmark.toml and in the spec; ``level`` runs from 0 to ``most``."""


class Perturbation:
    """One condition on its way through all values of a dataset, in order, some at a time."""

    def __init__(self, condition: Condition) -> None:
        self._kind = KINDS[condition.kind]
        self._level = from_nano(condition.level_nano)
        digest = sha256(_DOMAIN + b"\x00".join((condition.kind.encode(), str(condition.seed).encode()))).digest()
        self._words = np.random.Philox(key=int.from_bytes(digest[:16], "little"))

    def apply(self, rows: Array) -> Array:
        """The next samples, perturbed: shape and dtype as they came. Floats may overflow to infinity."""
        values = rows.reshape(-1).astype(np.int64 if self._kind.whole else np.float64)
        words: Any = self._words.random_raw(len(values) * self._kind.words).reshape(len(values), self._kind.words)
        with np.errstate(over="ignore"):
            return self._kind.apply(values, self._level, words).astype(rows.dtype).reshape(rows.shape)


def read_conditions(top: Section, dtype: str) -> tuple[Condition, ...]:
    """[[perturbations]] of a benchmark.toml whose model takes ``dtype``. Raises ConfigError."""
    tables = top.get("perturbations", list, [])
    if len(tables) > MAX_CONDITIONS or not all(isinstance(table, dict) for table in tables):
        raise top.wrong("perturbations", f"must be up to {MAX_CONDITIONS} tables [[perturbations]]")
    conditions = tuple(
        _condition(top.table(f"perturbations {number}", table), dtype) for number, table in enumerate(tables, 1)
    )
    names = [condition.name for condition in conditions]
    for name in names:
        if names.count(name) > 1:
            raise top.wrong("perturbations", f"two are called {name!r}: give each a name")
    return conditions


def _condition(section: Section, dtype: str) -> Condition:
    kind = section.choice("kind", tuple(KINDS))
    whole = dtype.startswith("int")
    if KINDS[kind].whole != whole:
        fitting = ", ".join(name for name, each in KINDS.items() if each.whole == whole)
        raise section.wrong("kind", f"{kind!r} is not for {dtype} inputs; these are: {fitting}")
    level = section.number("level", REQUIRED, 0, KINDS[kind].most)
    name = section.text("name", plain, f"{kind} {level:g}", least=1, most=64)
    return Condition(name, kind, to_nano(level), section.integer("seed", 0, 0, 2**32 - 1))
