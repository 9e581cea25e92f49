"""Kamvar, Schlosser, Garcia-Molina 2003, §7: inauthentic downloads under the threat models A, B, C and D.

Played in the picking world (``sim.tables``), whose peers and pre-trusted, categories, honest errors and newcomers are
those of the paper's table 1; who answers which category is fitted there, where the paper draws files, up-time and a
query's way of seven hops. Beside what the paper compares stand our own rule and one's own evidence alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from p2peval.sim.papers.paper import Claim, Panel, Paper, Point
from p2peval.sim.tables.picking_policies import POLICIES
from p2peval.sim.tables.picking_threats import Case
from p2peval.sim.tables.picking_world import simulate

FRACTIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
CAMOUFLAGE = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SPIES = (0, 5, 10, 15, 20, 25, 30, 35, 40)
CURVES = {"no trust": "none", "EigenTrust": "eigentrust", "own evidence": "own", "p2peval": "p2peval"}

INDEPENDENT, COLLECTIVE = "A: alone", "B: a collective"
CAMOUFLAGED, SPIED = "C: camouflage", "D: spies"
SHARE = "inauthentic share of downloads"

PAPER = Paper(
    title="The EigenTrust algorithm for reputation management in P2P networks",
    authors="Kamvar, Schlosser, Garcia-Molina",
    year=2003,
    about="threat models A to D: the share of downloads that are inauthentic, with and without trust",
    panels=(
        Panel(INDEPENDENT, "malicious share of peers", SHARE),
        Panel(COLLECTIVE, "malicious share of peers", SHARE),
        Panel(CAMOUFLAGED, "authentic share of the malicious peers' answers, 28 of 102", SHARE),
        Panel(SPIED, "spies among 40 malicious of 100 peers", SHARE),
    ),
    claims=(
        Claim("A: EigenTrust halves at least", INDEPENDENT, ("EigenTrust", 0.7), ("no trust", 0.7)),
        Claim("B: EigenTrust helps against a collective", COLLECTIVE, ("EigenTrust", 0.7), ("no trust", 0.7)),
    ),
)


def points() -> list[Point]:
    """Four threats, four rules; of peers beside the three pre-trusted."""
    cases = [(INDEPENDENT, x, Case(liars=round(102 * x), together=False)) for x in FRACTIONS]
    cases += [(COLLECTIVE, x, Case(liars=round(102 * x))) for x in FRACTIONS]
    cases += [(CAMOUFLAGED, x, replace(Case(liars=28), truthful=x)) for x in CAMOUFLAGE]
    cases += [(SPIED, float(spies), Case(liars=40, peers=100, spies=spies)) for spies in SPIES]
    return [
        Point(curve, x, partial(inauthentic, panel, case, policy))
        for panel, x, case in cases
        for curve, policy in CURVES.items()
    ]


def inauthentic(panel: str, case: Case, policy: str, seed: int) -> Mapping[str, float]:
    """Share of downloads that were inauthentic or failed, 0 to 1, after the first half of all cycles."""
    return {panel: simulate(case, POLICIES[policy], seed)["bad_picks"]}
