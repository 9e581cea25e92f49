"""Who is who in the picking world, and what liars state: EigenTrust's threat models (Kamvar 2003, §7), rebuilt.

A and B: liars always give wrong answers; each for itself, or as a collective that praises its own. C: a collective that
answers rightly half of the time. D: spies who always answer rightly, earn trust by it and lend it to the liars. To
these come pre-trusted peers who were bribed, liars who repeat honest opinions to earn credibility, and honest peers
who turn traitor midway. All that liars state is chosen against the rules: whom they praise, they praise loudly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Case:
    """A threat and the world that it meets. What is not said elsewhere of a figure's source is in its comment."""

    liars: int = 42  # of ``peers``, besides the pre-trusted; Kamvar 2003, table 1
    peers: int = 102  # good and bad together; Kamvar 2003, table 1 (60 + 42)
    roots: int = 3  # pre-trusted; Kamvar 2003, table 1
    categories: int = 20  # Kamvar 2003, table 1
    popularity: float = 1.0  # Zipf exponent of the categories of tasks; Kamvar 2003, §7.1
    able: float = 10.0  # an honest peer can do category r = 1, 2 … with chance min(1, able/r**rarity): fitted, with
    rarity: float = 2.5  # this one, to what trust.md §5 says of perfect knowledge at 32, 63 and 77 honest peers
    liars_answer: float = 0.65  # share of all tasks that a liar answers, able or not; fitted to "no trust" there
    honest_error: float = 0.05  # wrong or lost answers of honest peers; Kamvar 2003, table 1
    newcomers: float = 0.10  # share of tasks that go to a peer of whom nothing is known; Kamvar 2003, table 1
    cycles: int = 20  # epochs: opinions are formed once in each; guess
    tasks: int = 10  # of each honest peer in a cycle, one after the other; guess
    candidates: int = 0  # available peers among which one is picked, drawn at random; 0: all that answer
    together: bool = True  # liars praise each other
    truthful: float = 0.0  # share of right answers of a liar
    spies: int = 0  # of the liars: they answer as honest peers do
    bribed: int = 0  # of the pre-trusted
    copying: bool = False  # liars also state what honest peers say of honest peers
    slander: bool = False  # liars also state that honest peers are bad
    turn: bool = False  # the liars are honest until half of the cycles are over
    loudness: float = 50.0  # outcomes that a liar claims of a peer; the most that own evidence can hold

    @property
    def size(self) -> int:
        return self.peers + self.roots


CASES: dict[str, Case] = {
    "A 40 %": Case(together=False),
    "A 70 %": Case(together=False, liars=73),
    "B 40 %": Case(),
    "B 70 %": Case(liars=73),
    "C": Case(liars=28, truthful=0.5),
    "D": Case(liars=40, peers=100, spies=15),
    "B 40 %, 1 root bribed": Case(bribed=1),
    "B 40 %, 2 roots bribed": Case(bribed=2),
    "C copying": Case(liars=28, truthful=0.5, copying=True),
    "D copying": Case(liars=40, peers=100, spies=15, copying=True),
    "B 40 %, slandering": Case(slander=True),
    "D slandering": Case(liars=40, peers=100, spies=15, slander=True),
    "traitors": Case(turn=True),
}
CASES |= {f"{name}, 8": replace(CASES[name], candidates=8) for name in ("B 40 %", "C", "D", "traitors")}


@dataclass(frozen=True, slots=True)
class Cast:
    """Masks over all peers, the pre-trusted first: who is honest, and who gives wrong answers on purpose.

    ``fitness``: peers × categories, the chance 0 to 1 that a peer answers a task of that category.
    ``wrong``: the chance that its answer is wrong. ``honest``: asks tasks, and states what it saw. ``lying``: praised
    by all who are not honest; its wrong answers are lies that can be proven, others' are mistakes.
    """

    honest: Mask
    lying: Mask
    fitness: Matrix
    wrong: Matrix


def cast(case: Case, rng: Generator) -> tuple[Cast, Cast]:
    """The peers before and after the turn: the same, where nobody turns."""
    ready = _ready(case, rng)
    loyal = replace(case, liars=0, spies=0, bribed=0)
    after = _roles(case, ready)
    return (_roles(loyal, ready) if case.turn else after), after


def _ready(case: Case, rng: Generator) -> Matrix:
    """Chance to answer of honest peers, peers × categories: 1 for what they can do, 0 for what not."""
    rank = np.arange(1, case.categories + 1)
    return (rng.random((case.size, case.categories)) < case.able / rank**case.rarity).astype(np.float64)


def _roles(case: Case, ready: Matrix) -> Cast:
    """Liars stand last, the spies at their end; bribed pre-trusted peers first. Liars answer whatever it is."""
    bad = np.zeros(case.size, bool)
    bad[case.size - case.liars :] = True
    bad[: case.bribed] = True
    spies = np.zeros(case.size, bool)
    spies[case.size - case.spies :] = case.spies > 0
    wrong = np.where(bad & ~spies, 1.0 - case.truthful, case.honest_error)
    return Cast(~bad, bad & ~spies, np.where(bad[:, None], case.liars_answer, ready), wrong)


def statements(case: Case, now: Cast, good: Matrix, bad: Matrix) -> tuple[Matrix, Matrix]:
    """What all peers state, n × n: honest ones their own counts, ``good`` and ``bad``; liars what serves them."""
    stated_good, stated_bad = good.copy(), bad.copy()
    liars, honest = np.flatnonzero(~now.honest), np.flatnonzero(now.honest)
    stated_good[liars] = stated_bad[liars] = 0.0
    if case.together:
        stated_good[np.ix_(liars, now.lying)] = case.loudness
    if case.copying:
        stated_good[np.ix_(liars, honest)] = good[np.ix_(honest, honest)].sum(0)
        stated_bad[np.ix_(liars, honest)] = bad[np.ix_(honest, honest)].sum(0)
    if case.slander:
        stated_bad[np.ix_(liars, honest)] = case.loudness
    np.fill_diagonal(stated_good, 0.0)
    return stated_good, stated_bad
