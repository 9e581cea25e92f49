"""Claims: what a scenario says will be found, as ``METRIC.STAT OP NUMBER``, such as ``bad_picks.p95 <= 0.10``.

A metric has one value for each seed. STAT says what is taken of them: ``mean``, its 95 % interval's ``low`` and
``high`` (Student 1908), ``median``, ``p05`` and ``p95`` (linear between order statistics: Hyndman & Fan 1996, type 7),
``min`` and ``max``. A claim on a metric that no seed has a value of does not hold.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import floor, isfinite
from statistics import fmean, median

from p2peval.errors import ConfigError
from p2peval.sim.checked import nearest
from p2peval.sim.estimate import estimate

Values = Sequence[float]


def quantile(values: Values, share: float) -> float:
    """The value below which ``share`` of them lie, linear between the two nearest."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


STATS: dict[str, Callable[[Values], float]] = {
    "mean": fmean,
    "median": median,
    "p05": lambda values: quantile(values, 0.05),
    "p95": lambda values: quantile(values, 0.95),
    "min": min,
    "max": max,
    "low": lambda values: estimate(values).low,
    "high": lambda values: estimate(values).high,
}
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
FORM = re.compile(r"\s*(?P<metric>\w+)\.(?P<stat>\w+)\s*(?P<operator>[<>=!]+)\s*(?P<limit>[^\s<>=!]\S*)\s*")


class ClaimError(ConfigError):
    """No claim, or one on what nobody measures."""


@dataclass(frozen=True, slots=True)
class Claim:
    """``str`` of it is the line again."""

    metric: str
    stat: str
    operator: str
    limit: float

    def __str__(self) -> str:
        short = f"{self.limit:g}"
        limit = short if float(short) == self.limit else repr(self.limit)
        return f"{self.metric}.{self.stat} {self.operator} {limit}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``value`` of the claim's statistic over ``seeds`` seeds in which the metric has a value; None: in none has it."""

    claim: Claim
    value: float | None
    seeds: int
    held: bool


def parse(text: str, metrics: Collection[str] | None = None) -> Claim:
    """The claim that a line makes; ``metrics``: those that are measured, None where that is not known yet.

    Raises ClaimError.
    """
    found = FORM.fullmatch(text)
    if not found:
        raise ClaimError(f"{text!r} is no claim", hint='write METRIC.STAT OP NUMBER, as "bad_picks.p95 <= 0.10"')
    metric, stat, sign, limit = found.group("metric", "stat", "operator", "limit")
    if stat not in STATS:
        raise ClaimError(f"claim {text!r}: no statistic {stat!r}{nearest(stat, STATS)}", hint=_known(STATS))
    if sign not in OPERATORS:
        raise ClaimError(f"claim {text!r}: no comparison {sign!r}", hint=_known(OPERATORS))
    claim = Claim(metric, stat, sign, _number(limit, text))
    if metrics is not None:
        measured(claim, metrics)
    return claim


def _number(limit: str, text: str) -> float:
    try:
        number = float(limit)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ClaimError(f"claim {text!r}: {limit!r} is no number")
    return number


def measured(claim: Claim, metrics: Collection[str]) -> None:
    """Raises ClaimError, with the nearest metric that there is, where nobody measures what the claim is about."""
    if claim.metric not in metrics:
        near = get_close_matches(claim.metric, sorted(metrics), n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else _known(metrics)
        raise ClaimError(f"claim '{claim}': nothing measures {claim.metric!r}", hint=hint)


def judge(claims: Sequence[Claim], found: Mapping[str, Sequence[float | None]]) -> tuple[Verdict, ...]:
    """Each claim held against ``found``: metric -> its value in each seed, None (or NaN) where it has none.

    Raises ClaimError where a claim is on a metric that ``found`` lacks.
    """
    verdicts = []
    for claim in claims:
        measured(claim, found)
        values = [value for value in found[claim.metric] if value is not None and isfinite(value)]
        value = STATS[claim.stat](values) if values else None
        held = value is not None and OPERATORS[claim.operator](value, claim.limit)
        verdicts.append(Verdict(claim, value, len(values), held))
    return tuple(verdicts)


def _known(words: Collection[str]) -> str:
    return "known: " + ", ".join(sorted(words))
