"""Whom a peer of the picking world believes: every opinion rule of ``trust``, asked as a node asks it.

A newcomer is who gets the opinion that a peer gets of whom nobody has ever heard. Such a peer stands last in each
testimony, so that this means the same to all rules, whatever scale their opinions have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from p2peval.sim.picking_threats import Cast, Mask, Matrix, Places
from p2peval.trust.policies import OPINIONS
from p2peval.trust.testimony import OpinionRule, Testimony

SAME = 1e-9  # opinions closer than this are equal: rounding, not judgement


@dataclass(frozen=True, slots=True)
class Policy:
    """``rule``: testimony -> opinions; None knows who is who. ``everybody``: it says the same to all who ask.

    ``by_share``: picks in proportion to opinions instead of the best.

    ``proofs``: results are audited as their evaluator's streak asks for, and who is caught lying is proven a liar to
    all; without, each peer learns of every answer of its own whether it was right, and nobody proves anything.
    ``reopens``: on a proof, its results that slipped through are looked at again. ``disowns``: what proven liars state
    is dropped. ``keeps_good``, ``keeps_bad``: shares of counts that are left after a cycle.
    """

    rule: OpinionRule | None
    everybody: bool = False
    proofs: bool = False
    reopens: bool = False
    disowns: bool = False
    by_share: bool = False
    keeps_good: float = 1.0
    keeps_bad: float = 1.0


GLOBAL = ("none", "eigentrust", "yuma")  # rules that do not ask who is asking

POLICIES: dict[str, Policy] = {name: Policy(rule, everybody=name in GLOBAL) for name, rule in OPINIONS.items()}
POLICIES["eigentrust"] = Policy(OPINIONS["eigentrust"], everybody=True, by_share=True)  # Kamvar 2003, §4.6
POLICIES["eigentrust best"] = Policy(OPINIONS["eigentrust"], everybody=True)
POLICIES["perfect"] = Policy(None)


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


def spread(counts: Matrix) -> csr_array:
    """Counts of n peers as a testimony holds them, with the peer of whom nobody has heard."""
    return csr_array(np.pad(counts, ((0, 1), (0, 1))))
