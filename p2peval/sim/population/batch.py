"""Tasks of many askers at once: ask, audit by the rule, remember, prove, and ask on where nothing held (§4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from p2peval.defaults import WITHHELD_BETA
from p2peval.sim.population.acquaintances import LONGEST, Mask, Peers, Places
from p2peval.sim.population.crowd import Crowd
from p2peval.sim.population.groups import Group
from p2peval.sim.population.picks import NEW, pick
from p2peval.trust.checking import Means

MOST_ANSWERS = Means().most_answers


@dataclass(slots=True)
class Tally:
    """What tasks came to. ``wrong``: wrong accepts, by each lie's chance to pass; ``counted_wrong``: lies that passed.

    ``executions``: an answer 1, a re-run sample 1/n. ``bad_picks``: tasks whose first evaluator lied, or for whom there
    was none. ``alone``: tasks that their asker ran itself in the end. ``by_liars``: executions that groups served.
    """

    tasks: int = 0
    wrong: float = 0.0
    counted_wrong: int = 0
    executions: float = 0.0
    bad_picks: int = 0
    alone: int = 0
    by_liars: int = 0
    proofs: int = 0


def serve(crowd: Crowd, askers: Places, epoch: int, tally: Tally, rng: Generator) -> None:
    """One task of each of ``askers``, which are distinct, to its end."""
    tally.tasks += len(askers)
    tried = askers.astype(np.int32)[:, None]
    for attempt in range(MOST_ANSWERS):
        peers, known = pick(crowd, askers, tried, rng)
        found = peers >= 0
        if not found.all():
            _alone(tally, int((~found).sum()), attempt)
            askers, tried, peers, known = askers[found], tried[found], peers[found], known[found]
        lied, failed = _answer(crowd, askers, peers, known, epoch, tally, rng)
        if attempt == 0:
            tally.bad_picks += int(lied.sum())
        askers, tried = askers[failed], np.concatenate([tried, peers[:, None]], axis=1)[failed]
        if not len(askers):
            return
    _alone(tally, len(askers), MOST_ANSWERS)


def _alone(tally: Tally, tasks: int, attempt: int) -> None:
    """Nobody is left to ask: who can compute runs the task itself."""
    tally.alone += tasks
    tally.executions += tasks
    tally.bad_picks += tasks if attempt == 0 else 0


def _answer(
    crowd: Crowd, askers: Places, peers: Peers, known: Places, epoch: int, tally: Tally, rng: Generator
) -> tuple[Mask, Mask]:
    """What these peers answer, and what comes of it: which answers were lies, and which were not accepted."""
    table, places = crowd.known, known.copy()
    new = known == NEW
    places[new] = table.add(askers[new], peers[new], crowd.life)
    served = table.served[places].astype(np.int64)
    lied = _lies(crowd, peers, served, epoch, rng)
    streak = np.minimum(table.streak[places], len(crowd.sizes) - 1)
    audited, miss = crowd.sizes[streak], crowd.misses[streak]
    passed = lied & (rng.random(len(peers)) < miss)
    failed = lied & ~passed
    withheld = failed & crowd.flag(lambda group: group.behaviour.refusing)[crowd.group[peers]]
    caught = failed & ~withheld
    table.served[places] = np.minimum(served, LONGEST - 1) + 1
    table.held(places[~failed])
    table.withheld(places[withheld], WITHHELD_BETA)
    crowd.strangers[1, askers[(served == 0) & ~withheld]] += 1
    crowd.strangers[0, askers[(served == 0) & ~failed]] += 1
    if caught.any():
        crowd.prove(peers[caught], epoch)
    tally.wrong += float(miss[lied].sum())
    tally.counted_wrong += int(passed.sum())
    tally.executions += len(peers) + float(audited[~withheld].sum()) / crowd.population.samples
    tally.by_liars += int((crowd.group[peers] >= 0).sum())
    tally.proofs += int(caught.sum())
    return lied, failed


def _lies(crowd: Crowd, peers: Peers, served: Places, epoch: int, rng: Generator) -> Mask:
    """Which of these answers are lies, by the groups' behaviours."""
    lies = np.zeros(len(peers), bool)
    for number, group in enumerate(crowd.population.groups):
        of = np.flatnonzero(crowd.group[peers] == number) if epoch >= group.turns else np.zeros(0, np.int64)
        if len(of):
            lies[of] = _its_time(group, served[of])
            if group.behaviour.chance < 1.0:
                lies[of] &= rng.random(len(of)) < group.behaviour.chance
    return lies


def _its_time(group: Group, served: Places) -> Mask:
    """Whether a lie is due after so many results."""
    honest, lying = group.behaviour.honest, group.behaviour.lying
    return np.asarray((served % (honest + lying) if lying else served) >= honest)
