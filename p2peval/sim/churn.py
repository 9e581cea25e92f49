"""When hosts come and go: sessions and absences of any law, and a crowd that comes all at once.

Pure: the same seed gives every host the same life, whoever else there is. A population is met as it is after long: of
whoever is up at the start a part of the session has passed, and of all hosts as many are away as would be at any time.
Where a law has no mean (a Pareto of shape 1 or less) there is no such time: all are up then, and all have just come.
Heavy tails are what is measured in open networks (Stutzbach & Rejaie 2006: Weibull sessions, shape 0.4 to 0.6).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from math import exp, gamma, inf, log
from random import Random

from p2peval.core.types import Seconds
from p2peval.sim.scenario import Churn, Lengths

LEAST: Seconds = 1.0
"""Nobody comes or goes for less, whatever the law says."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """``host`` comes up (True) or goes down at the time ``at``."""

    at: Seconds
    host: int
    up: bool


@dataclass(frozen=True, slots=True)
class Law:
    """A law of lengths. ``scale``: seconds; of a Pareto its least length, of a lognormal its median.

    ``shape``: of a Weibull or Pareto; of a lognormal its sigma; of others nothing.
    """

    kind: str
    scale: Seconds
    shape: float

    @classmethod
    def of(cls, lengths: Lengths) -> Law:
        """With the mean or the median that ``lengths`` asks for."""
        unit = cls(lengths.kind, 1.0, lengths.sigma if lengths.kind == "lognormal" else lengths.shape)
        if lengths.median_s is not None:
            return cls(unit.kind, lengths.median_s / unit.median, unit.shape)
        return cls(unit.kind, (lengths.mean_s or 0.0) / unit.mean, unit.shape)

    @property
    def mean(self) -> Seconds:
        """Infinite where there is none."""
        match self.kind:
            case "lognormal":
                return self.scale * exp(self.shape**2 / 2)
            case "weibull":
                return self.scale * gamma(1 + 1 / self.shape)
            case "pareto":
                return self.scale * self.shape / (self.shape - 1) if self.shape > 1 else inf
            case _:
                return self.scale

    @property
    def median(self) -> Seconds:
        match self.kind:
            case "exponential":
                return self.scale * log(2)
            case "weibull":
                return float(self.scale * log(2) ** (1 / self.shape))
            case "pareto":
                return self.scale * 2 ** (1 / self.shape)
            case _:
                return self.scale

    def draw(self, rng: Random) -> Seconds:
        """One whole length."""
        match self.kind:
            case "exponential":
                return rng.expovariate(1 / self.scale)
            case "lognormal":
                return rng.lognormvariate(log(self.scale), self.shape)
            case "weibull":
                return rng.weibullvariate(self.scale, self.shape)
            case "pareto":
                return self.scale * rng.paretovariate(self.shape)
            case _:
                return self.scale

    def rest(self, rng: Random) -> Seconds:
        """What is left of the one that some moment falls into: long ones are met more often (Feller 1971, XI.4)."""
        if self.mean == inf:
            return self.draw(rng)
        return rng.random() * self._met(rng)

    def _met(self, rng: Random) -> Seconds:
        """A whole length, drawn in proportion to itself."""
        match self.kind:
            case "exponential":
                return rng.gammavariate(2.0, self.scale)
            case "lognormal":
                return rng.lognormvariate(log(self.scale) + self.shape**2, self.shape)
            case "weibull":
                return self.scale * float(rng.gammavariate(1 + 1 / self.shape, 1.0) ** (1 / self.shape))
            case "pareto":
                return self.scale * rng.paretovariate(self.shape - 1)
            case _:
                return self.scale


def share_up(churn: Churn) -> float:
    """Of all hosts, how many are up at any time after long; 1 where there is no such time."""
    session, absence = Law.of(churn.session).mean, Law.of(churn.absence).mean
    return session / (session + absence) if session + absence < inf else 1.0


def changes(churn: Churn, hosts: Sequence[int], seed: int, start: Seconds, until: Seconds) -> Iterator[Change]:
    """Who comes and goes from ``start`` to ``until``, in order of time, then of host. All are up before ``start``.

    Whoever is away, and the crowd of ``churn.flash`` until its hour, goes down at ``start`` itself. The crowd is drawn
    from all ``hosts``.
    """
    crowd: set[int] = set()
    if churn.flash is not None:
        crowd = set(Random(f"{seed}/flash").sample(hosts, round(churn.flash.share * len(hosts))))
    lives = (_life(churn, host, host in crowd, seed, start, until) for host in hosts)
    return merge(*lives)


def _life(churn: Churn, host: int, in_crowd: bool, seed: int, start: Seconds, until: Seconds) -> Iterator[Change]:
    rng = Random(f"{seed}/churn/{host}")
    session, absence = Law.of(churn.session), Law.of(churn.absence)
    if in_crowd and churn.flash is not None:
        up, at = False, start + churn.flash.at_s
    elif rng.random() < share_up(churn):
        up, at = True, start + max(LEAST, session.rest(rng))
    else:
        up, at = False, start + max(LEAST, absence.rest(rng))
    if not up:
        yield Change(start, host, False)
    while at < until:
        up = not up
        yield Change(at, host, up)
        at += max(LEAST, (session if up else absence).draw(rng))
