"""Who lies when, in the checking world (trust.md §5, table 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from p2peval.defaults import DELTA, EPSILON, NEWCOMER_SHARE
from p2peval.trust.checking import Asked
from p2peval.trust.hypergeometric import NANO

Behaviour = Callable[[int, Random], bool]
"""(results that this identity has given this requester, die) -> whether the next one is a lie."""


def always(served: int, die: Random) -> bool:
    return True


def now_and_then(served: int, die: Random) -> bool:
    """One task in ten."""
    return die.random() < 0.1


def sleeper(honest: int) -> Behaviour:
    """Honest for so long, then never again."""
    return lambda served, die: served >= honest


def on_off(honest: int, lying: int) -> Behaviour:
    """Honest for a while, lying for a while, and again; with ``lying`` 1 a single lie each time."""
    return lambda served, die: served % (honest + lying) >= honest


@dataclass(frozen=True, slots=True)
class Case:
    """A threat and the world that it meets; liars give one and the same wrong answer, on exactly ⌈Δn⌉ samples.

    ``refusing``: a liar that an audit would catch does not reveal, the strongest form of it. ``fresh``: who is caught
    comes back at once under a new name; else a proof drops it everywhere. ``wary``: the newcomers' share is multiplied
    by the requester's own rate of success with strangers. ``tasks``: of each requester, by the rules that audit;
    ``compared``: by those that ask others, whose rates settle sooner and cost more to play.
    """

    lies: Behaviour = always
    liars: float = 0.35  # share of workers; trust.md §5
    samples: int = 1797  # n; trust.md §5
    delta: float = DELTA
    computes: bool = True
    refusing: bool = False
    fresh: bool = False
    wary: bool = False
    workers: int = 200  # trust.md §5
    requesters: int = 1
    newcomers: float = NEWCOMER_SHARE
    tasks: int = 50_000  # 250 of each worker; guess (at fewer, streaks are too short to show their use)
    compared: int = 4_000  # 20 of each worker; guess

    @property
    def asked(self) -> Asked:
        return Asked(self.samples, round(EPSILON * NANO), round(self.delta * NANO))


CASES: dict[str, Case] = {
    "always, 20 %": Case(liars=0.20),
    "always, 35 %": Case(),
    "one in ten": Case(now_and_then),
    "sleeper 30": Case(sleeper(30), compared=10_000),
    "sleeper 30, 4 requesters": Case(sleeper(30), requesters=4, tasks=25_000, compared=10_000),
    "sleeper 300": Case(sleeper(300), tasks=100_000, compared=60_000),
    "on-off 50/10": Case(on_off(50, 10), compared=15_000),
    "refusing": Case(refusing=True),
    "whitewash": Case(fresh=True),
    "whitewash, wary": Case(fresh=True, wary=True),
    "whitewash, one lie at 30": Case(on_off(30, 1), fresh=True, compared=10_000),
    "honest, n=200": Case(liars=0.0, samples=200),
    "honest, n=1797": Case(liars=0.0),
    "honest, n=10000": Case(liars=0.0, samples=10_000, delta=0.01),
    "cannot compute, whitewash": Case(fresh=True, wary=True, computes=False),
}
