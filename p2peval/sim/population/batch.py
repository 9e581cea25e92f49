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

    ``failed``: tasks without a result. ``assigned``: answers asked for, ``by_liars`` of them of groups; ``lies`` among
    those, and ``proofs`` among these. ``executions``: an answer 1, a re-run sample 1/n. ``settled``: what everybody
    re-runs of the proofs, likewise.
    """

    tasks: int = 0
    failed: int = 0
    assigned: int = 0
    by_liars: int = 0
    lies: int = 0
    proofs: int = 0
    wrong: float = 0.0
    counted_wrong: int = 0
    executions: float = 0.0
    settled: float = 0.0


def serve(crowd: Crowd, askers: Places, epoch: int, tally: Tally, rng: Generator) -> None:
    """One task of each of ``askers``, which are distinct, to its end: accepted, or failed after so many lies caught."""
    tally.tasks += len(askers)
    tried, looks = askers.astype(np.int32)[:, None], np.zeros(len(askers), np.int64)
    for _ in range(MOST_ANSWERS):
        peers, known = pick(crowd, askers, tried, rng)
        found = peers >= 0
        if not found.all():
            tally.failed += int((~found).sum())
            askers, tried, looks = askers[found], tried[found], looks[found]
            peers, known = peers[found], known[found]
        open_, caught = _answer(crowd, askers, peers, known, epoch, tally, rng)
        looks += caught
        again = open_ & (looks < crowd.population.attempts)
        tally.failed += int((open_ & ~again).sum())
        askers, looks = askers[again], looks[again]
        tried = np.concatenate([tried, peers[:, None]], axis=1)[again]
        if not len(askers):
            return
    tally.failed += len(askers)


def _answer(
    crowd: Crowd, askers: Places, peers: Peers, known: Places, epoch: int, tally: Tally, rng: Generator
) -> tuple[Mask, Mask]:
    """What these peers answer, and what comes of it: which tasks are still open, and in which a lie was caught."""
    table, places = crowd.known, known.copy()
    new = known == NEW
    places[new] = table.add(askers[new], peers[new], crowd.life)
    served = table.served[places].astype(np.int64)
    lied = _lies(crowd, peers, served, epoch, rng)
    streak = np.minimum(table.streak[places], len(crowd.sizes) - 1)
    audited, miss = crowd.sizes[streak], crowd.misses[streak]
    passed = lied & (rng.random(len(peers)) < miss)
    open_ = lied & ~passed
    withheld = open_ & crowd.flag(lambda group: group.behaviour.refusing)[crowd.group[peers]]
    caught = open_ & ~withheld
    table.served[places] = np.minimum(served, LONGEST - 1) + 1
    table.held(places[~open_])
    table.withheld(places[withheld], WITHHELD_BETA)
    crowd.strangers[1, askers[(served == 0) & ~withheld]] += 1
    crowd.strangers[0, askers[(served == 0) & ~open_]] += 1
    if caught.any():
        table.drop(places[caught])
        tally.settled += crowd.prove(peers[caught], epoch) / crowd.population.samples
    tally.assigned += len(peers)
    tally.by_liars += int((crowd.group[peers] >= 0).sum())
    tally.lies += int(lied.sum())
    tally.proofs += int(caught.sum())
    tally.wrong += float(miss[lied].sum())
    tally.counted_wrong += int(passed.sum())
    tally.executions += len(peers) + float(audited[~withheld].sum()) / crowd.population.samples
    return open_, caught


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
