"""Whom a peer of the picking world believes: every opinion rule of ``trust``, asked as a node asks it.

A newcomer is who gets the opinion that a peer gets of whom nobody has ever heard. Such a peer stands last in each
testimony, so that this means the same to all rules, whatever scale their opinions have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from p2peval.sim.tables.picking_threats import Cast, Mask, Matrix, Places
from p2peval.trust.meritrank import meritrank
from p2peval.trust.policies import OPINIONS
from p2peval.trust.testimony import OpinionRule, Testimony

SAME = 1e-9  # opinions closer than this are equal: rounding, not judgement


@dataclass(frozen=True, slots=True)
class Policy:
    """``rule``: testimony -> opinions; None knows who is who. ``everybody``: it says the same to all who ask.

    ``by_share``: picks in proportion to opinions instead of the best.

    ``proofs``: results are audited as their evaluator's streak asks for, and who is caught lying is proven a liar to
    all; without, each peer learns of every answer of its own whether it was right, and nobody proves anything.
    ``prompt``: a proof binds before the next task, not at the end of a cycle.
    ``reopens``: on a proof, its results that slipped through are looked at again. ``disowns``: what proven liars state
    is dropped. ``keeps_good``, ``keeps_bad``: shares of counts that are left after a cycle.
    """

    rule: OpinionRule | None
    everybody: bool = False
    proofs: bool = False
    prompt: bool = True
    reopens: bool = False
    disowns: bool = False
    by_share: bool = False
    keeps_good: float = 1.0
    keeps_bad: float = 1.0


WALKS = 200  # of MeritRank, a tenth of a node's, for speed: standard error <= 0.036
GLOBAL = ("none", "eigentrust", "yuma")  # rules that do not ask who is asking

POLICIES: dict[str, Policy] = {name: Policy(rule, everybody=name in GLOBAL) for name, rule in OPINIONS.items()}
POLICIES["eigentrust"] = Policy(OPINIONS["eigentrust"], everybody=True, by_share=True)  # Kamvar 2003, §4.6
POLICIES["eigentrust best"] = Policy(OPINIONS["eigentrust"], everybody=True)
POLICIES["meritrank"] = Policy(partial(meritrank, walks=WALKS))
POLICIES["perfect"] = Policy(None)
POLICIES["p2peval + proofs"] = Policy(OPINIONS["p2peval"], proofs=True)

OURS = OPINIONS["p2peval"]
ABLATIONS: dict[str, Policy] = {
    "fading .7": Policy(OURS, keeps_good=0.7, keeps_bad=0.7),
    "good fades .7": Policy(OURS, keeps_good=0.7),
    "as a node fades": Policy(OURS, keeps_good=0.5**0.2, keeps_bad=0.5**0.05),  # 10 tasks a cycle, 50 a half-life
    "proofs, once a cycle": Policy(OURS, proofs=True, prompt=False),
    "proofs, once a cycle, disowning": Policy(OURS, proofs=True, prompt=False, disowns=True),
    "proofs, fading .7": Policy(OURS, proofs=True, keeps_good=0.7, keeps_bad=0.7),
    "proofs, bad fades .7": Policy(OURS, proofs=True, keeps_bad=0.7),
    "proofs, disowning": Policy(OURS, proofs=True, disowns=True),
    "proofs, reopening": Policy(OURS, proofs=True, reopens=True),
    "proofs, own": Policy(OPINIONS["own"], proofs=True),
    "proofs, eigentrust": Policy(OPINIONS["eigentrust"], everybody=True, by_share=True, proofs=True),
}
"""What else was tried against mass traitors, one thing at a time."""


@dataclass(frozen=True, slots=True)
class Views:
    """What each of r asking peers makes of each of n peers: opinions, r × n, and who is a newcomer to it."""

    opinions: Matrix
    newcomers: Mask


def views(policy: Policy, cast: Cast, askers: Places, testimony: Callable[[int], Testimony]) -> Views:
    """Opinions of all ``askers``, which are places; ``testimony(i)`` is what peer i has to go by."""
    size = len(cast.honest)
    if policy.rule is None:
        return Views(np.tile(1.0 - cast.wrong, (len(askers), 1)), np.zeros((len(askers), size), bool))
    asking = askers[:1] if policy.everybody else askers
    told = np.array([policy.rule(testimony(int(me))) for me in asking])
    told = np.repeat(told, len(askers), 0) if policy.everybody else told
    stranger = told[:, -1:]
    return Views(told[:, :-1], np.abs(told[:, :-1] - stranger) < SAME)


def testimony_parts(good: Matrix, bad: Matrix) -> tuple[csr_array, csr_array]:
    """Counts of n peers as a testimony holds them, on the same entries, with the peer of whom nobody has heard."""
    rows, places = np.nonzero(good + bad)
    size = len(good) + 1
    indptr = np.searchsorted(rows, np.arange(size + 1))
    return tuple(csr_array((counts[rows, places], places, indptr), shape=(size, size)) for counts in (good, bad))
