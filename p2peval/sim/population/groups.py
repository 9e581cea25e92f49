"""Who there is, and who lies when: a population as data."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.defaults import DELTA, EPOCH, EPSILON, MAX_ATTEMPTS, MAX_OFFERS, NEWCOMER_SHARE
from p2peval.trust.checking import Asked
from p2peval.trust.hypergeometric import NANO

OUTCOMES = 10
"""Right results by which who is acquainted from the start is known: local trust begins at three of them; guess."""


def _at_least(least: int, **counts: int) -> None:
    for name, count in counts.items():
        if count < least:
            raise ValueError(f"{name} must be at least {least}, not {count!r}")


def _share(**shares: float) -> None:
    for name, share in shares.items():
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} is a share and must be from 0 to 1, not {share!r}")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """When a peer lies to an asker, by the results that it has given it before.

    ``honest`` right ones first, then ``lying`` lies and so on in turn; 0: lies for ever. ``chance``: 0 to 1, of a lie
    when it is time for one. ``refusing``: what an audit would catch is not revealed, the strongest form of it.
    ``fresh``: who is caught comes back under a new name; else a proof drops it everywhere, for ever.
    """

    honest: int = 0
    lying: int = 0
    chance: float = 1.0
    refusing: bool = False
    fresh: bool = False

    def __post_init__(self) -> None:
        _at_least(0, honest=self.honest, lying=self.lying)
        _share(chance=self.chance)


@dataclass(frozen=True, slots=True)
class Group:
    """``peers`` identities of one mind. They ask nothing.

    ``joins``: epoch before which they are not there. ``turns``: epoch before which they are honest. ``praises``: how
    many of its own each calls good, ``ALPHA_CAP`` times over. ``edges``: attack edges from the start, askers of whom
    each has had ``OUTCOMES`` good results of one of them.
    """

    name: str
    peers: int
    behaviour: Behaviour = Behaviour()
    joins: int = 0
    turns: int = 0
    praises: int = 8  # a group that sends walks round among many cannot keep more than one that does among few; guess
    edges: int = 0

    def __post_init__(self) -> None:
        _at_least(0, peers=self.peers, joins=self.joins, turns=self.turns, praises=self.praises, edges=self.edges)
        if self.edges and not self.peers:
            raise ValueError(f"{self.edges} attack edges lead to nobody: the group {self.name!r} has no peers")


@dataclass(frozen=True, slots=True)
class Population:
    """``honest`` peers, of whom the first ``askers`` ask (all, where that is None), and groups of others.

    In an epoch of ``epoch_s`` seconds every asker gives ``tasks`` tasks, in ``batches`` of askers one after the other.
    ``observers``: askers whose trust, on average, is reckoned at an epoch's end; 0: nobody's. ``met``: in a network
    that has been there for long, honest peers that each asker knows from the start, by ``OUTCOMES`` results. ``free``:
    chance that an acquaintance can take a task, 0 to 1. ``attempts``: lies caught after which a task has failed.
    """

    honest: int
    groups: tuple[Group, ...] = ()
    askers: int | None = None
    epochs: int = 20  # guess
    tasks: int = 1  # guess
    batches: int = 8  # a proof is known everywhere within an eighth of an epoch: 8 minutes; guess (seconds, in truth)
    acquaintances: int = MAX_OFFERS  # a node never chooses among more
    observers: int = 64  # guess
    met: int = 0
    samples: int = 1797  # n; trust.md §5
    epsilon: float = EPSILON
    delta: float = DELTA
    attempts: int = MAX_ATTEMPTS
    free: float = 1.0
    newcomers: float = NEWCOMER_SHARE  # of picks, times p₀, as one arm
    epoch_s: float = EPOCH

    def __post_init__(self) -> None:
        _at_least(1, epochs=self.epochs, tasks=self.tasks, batches=self.batches, samples=self.samples)
        _at_least(1, acquaintances=self.acquaintances, asking=self.asking, attempts=self.attempts)
        _at_least(0, observers=self.observers, met=self.met)
        _share(epsilon=self.epsilon, delta=self.delta, newcomers=self.newcomers, free=self.free)
        if self.asking > self.honest:
            raise ValueError(f"askers are honest peers: of {self.honest} there cannot be {self.asking}")
        if self.met > min(self.acquaintances, self.honest - 1):
            raise ValueError(f"met is at most the acquaintances and the other honest peers, not {self.met}")
        for group in self.groups:
            if group.edges > self.asking:
                raise ValueError(f"attack edges of {group.name!r} are askers: at most {self.asking}, not {group.edges}")
        if self.epoch_s <= 0.0:
            raise ValueError(f"an epoch takes more than 0 seconds, not {self.epoch_s!r}")
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names):
            raise ValueError(f"groups need a name each: {', '.join(names)}")

    @property
    def asking(self) -> int:
        return self.honest if self.askers is None else self.askers

    @property
    def size(self) -> int:
        """All peers: the askers first, the other honest ones, then the groups in their order."""
        return self.honest + sum(group.peers for group in self.groups)

    @property
    def asked(self) -> Asked:
        return Asked(self.samples, round(self.epsilon * NANO), round(self.delta * NANO))
