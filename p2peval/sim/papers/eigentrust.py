"""Kamvar, Schlosser, Garcia-Molina 2003, §7: inauthentic downloads under the threat models A, B, C and D.

Played in the picking world (``sim.tables``), whose pre-trusted peers, categories, honest errors and newcomers are those
of the paper's table 1. Who answers which category is fitted there to a reference simulation, where the paper draws
files, up-time and the neighbours that a query reaches within seven hops. Malicious peers join 60 good and 3 pre-trusted
ones; beside what the paper compares stand one's own evidence alone and our own rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from p2peval.sim.papers.paper import Claim, Mark, Panel, Paper, Point
from p2peval.sim.tables.picking_policies import POLICIES
from p2peval.sim.tables.picking_threats import Case
from p2peval.sim.tables.picking_world import played

GOOD, PRE_TRUSTED = 60, 3  # table 1
FRACTIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
LYING = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
CAMOUFLAGED, GOOD_THERE = 20, 50  # malicious peers of model C, and good ones beside the pre-trusted
MALICIOUS_THERE = 40  # of model D, spies included
SPIES = (0, 5, 10, 15, 20, 25, 30, 35)
CURVES = {
    "no trust": "none",
    "EigenTrust": "eigentrust",
    "own evidence": "own",
    "p2peval": "p2peval",
    "perfect knowledge": "perfect",
}

ALONE, TOGETHER, CAMOUFLAGE, SPIED = "A: alone", "B: together", "C: camouflage", "D: spies"
SHARE = "inauthentic share of downloads"

PAPER = Paper(
    title="The EigenTrust algorithm for reputation management in P2P networks",
    authors="Kamvar, Schlosser, Garcia-Molina",
    year=2003,
    about="threat models A to D: the share of downloads that are inauthentic, with and without trust",
    panels=(
        Panel(ALONE, "malicious share of peers", SHARE),
        Panel(TOGETHER, "malicious share of peers", SHARE),
        Panel(CAMOUFLAGE, "inauthentic share of what 20 malicious of 73 peers give", SHARE),
        Panel(SPIED, "spies among 40 malicious of 103 peers", SHARE),
    ),
    claims=(
        Claim("A: trust helps against few", ALONE, ("EigenTrust", 0.1), ("no trust", 0.1)),
        Claim("A: trust helps against most", ALONE, ("EigenTrust", 0.7), ("no trust", 0.7)),
        Claim("B: a collective gains nothing by it", TOGETHER, ("EigenTrust", 0.7), ("no trust", 0.7)),
        Claim("C: lying half of the time hurts more than always", CAMOUFLAGE, ("EigenTrust", 1.0), ("EigenTrust", 0.5)),
        Claim("C: and more than seldom", CAMOUFLAGE, ("EigenTrust", 0.1), ("EigenTrust", 0.5)),
        Claim("D: 15 spies hurt more than none", SPIED, ("EigenTrust", 0.0), ("EigenTrust", 15.0)),
        Claim(
            "C: under camouflage trust alone is worse than none",
            CAMOUFLAGE,
            ("no trust", 0.5),
            ("EigenTrust", 0.5),
            False,
        ),
        Claim("C: our rule is better than both", CAMOUFLAGE, ("p2peval", 0.5), ("no trust", 0.5), of_paper=False),
        Claim("D: with spies trust alone is worse than none", SPIED, ("no trust", 15.0), ("EigenTrust", 15.0), False),
        Claim("D: our rule is better than both", SPIED, ("p2peval", 15.0), ("no trust", 15.0), of_paper=False),
        Claim("B: our rule is better than EigenTrust", TOGETHER, ("p2peval", 0.4), ("EigenTrust", 0.4), of_paper=False),
    ),
    marks=(
        *(Mark(panel, "EigenTrust", x, 0.10) for panel in (ALONE, TOGETHER) for x in FRACTIONS[1:]),
        Mark(CAMOUFLAGE, "EigenTrust", 0.5, 0.28),
    ),
)


def points() -> list[Point]:
    """Four threats, four rules."""
    among = {x: round((GOOD + PRE_TRUSTED) * x / (1.0 - x)) for x in FRACTIONS}
    cases = [
        *((ALONE, x, Case(liars=m, peers=GOOD + m, together=False)) for x, m in among.items()),
        *((TOGETHER, x, Case(liars=m, peers=GOOD + m)) for x, m in among.items()),
        *((CAMOUFLAGE, x, Case(liars=CAMOUFLAGED, peers=GOOD_THERE + CAMOUFLAGED, truthful=1.0 - x)) for x in LYING),
        *((SPIED, float(s), Case(liars=MALICIOUS_THERE, peers=GOOD + MALICIOUS_THERE, spies=s)) for s in SPIES),
    ]
    return [
        Point(curve, x, partial(inauthentic, panel, case, policy))
        for panel, x, case in cases
        for curve, policy in CURVES.items()
    ]


def inauthentic(panel: str, case: Case, policy: str, seed: int) -> Mapping[str, float]:
    """Share of downloads that were inauthentic, 0 to 1, after the first half of the cycles."""
    return {panel: played(case, POLICIES[policy], seed).wrong}
