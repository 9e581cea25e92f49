"""Nasrulin, Ishmaev, Pouwelse 2022: what a contributor gains by Sybils, under decays of two kinds, and under our rules.

Their gain: reputation of all Sybils over the attacker's own. Walks that count a peer once (first visits, their "PHT")
are ``trust.meritrank`` without a node's bound on steps; walks that count every visit (their "PPR") are ``trust.
eigentrust`` with the observer alone pre-trusted, solved instead of walked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil, comb, log

import numpy as np
from scipy.sparse import csr_array

from p2peval.defaults import CANDIDATES, PRE_TRUST
from p2peval.sim.papers.community import ATTACKER, OBSERVER, Community, Rule, gain, weeks
from p2peval.sim.papers.paper import Claim, Mark, Panel, Paper, Point
from p2peval.trust.eigentrust import eigentrust, pre_trusted
from p2peval.trust.local_trust import local_trust
from p2peval.trust.meritrank import meritrank
from p2peval.trust.opinions import opinions
from p2peval.trust.reach import reach
from p2peval.trust.testimony import Testimony, Vector

ALPHAS = (0.01, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)  # the notebook's decay_p is 1 − α, .99 … .05
SYBILS = (1, 5, 10, 20, 50)
BETAS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
SHOWN = 0.4  # α of which the notebook keeps every figure
CUT = 0.01  # share of walks that are cut off for their length, at most

FIRST, VISITS = "first visits", "all visits"
PATH, CYCLE = "first visits, a path alone", "first visits, a cycle alone"
BRIDGES = "50 Sybils, α = .4, bridges cut by β"
RULES, OWN, TASKS = "rules as they are set", "the attacker's own part", "tasks by the best of 8 opinions"

PAPER = Paper(
    title="MeritRank: Sybil tolerant reputation for merit-based tokenomics",
    authors="Nasrulin, Ishmaev, Pouwelse",
    year=2022,
    about="what Sybils gain their owner, over transitivity decay, connectivity decay and the number of Sybils",
    panels=(
        Panel(FIRST, "Sybils, path and cycle", "gain: Sybils' reputation / attacker's", "their PHT", "y"),
        Panel(VISITS, "Sybils, path and cycle", "gain: Sybils' reputation / attacker's", "their PPR", "y"),
        Panel(PATH, "Sybils", "gain", logarithmic="y"),
        Panel(CYCLE, "Sybils", "gain", logarithmic="y"),
        Panel(BRIDGES, "β, share of reputation lost behind a bridge", "gain", "their PHT"),
        Panel(RULES, "Sybils, path and cycle", "gain", logarithmic="y"),
        Panel(OWN, "Sybils, path and cycle", "attacker's reputation, with Sybils / without"),
        Panel(TASKS, "Sybils, path and cycle", "share of tasks that Sybils get"),
    ),
    claims=(
        Claim("more transitivity decay, less gain", FIRST, ("α = 0.8", 50.0), ("α = 0.2", 50.0)),
        Claim("and so by all visits", VISITS, ("α = 0.8", 50.0), ("α = 0.2", 50.0)),
        Claim("50 Sybils under decay gain less than 5 without", FIRST, ("α = 0.8", 50.0), ("α = 0.01", 5.0)),
        Claim("more connectivity decay, less gain", BRIDGES, (FIRST, 0.9), (FIRST, 0.25)),
        Claim("a cut of all that stands behind a bridge ends it", BRIDGES, (FIRST, 1.0), (FIRST, 0.9)),
        Claim(
            "by first visits Sybils do not lift their owner",
            OWN,
            ("p2peval, reach", 50.0),
            ("p2peval, mass", 50.0),
            of_paper=False,
        ),
        Claim(
            "our reach gives Sybils less than MeritRank",
            RULES,
            ("p2peval, reach", 50.0),
            ("MeritRank", 50.0),
            of_paper=False,
        ),
        Claim(
            "our opinions give Sybils fewer tasks",
            TASKS,
            ("p2peval, opinions", 50.0),
            ("MeritRank", 50.0),
            of_paper=False,
        ),
    ),
    marks=(
        *(Mark(FIRST, "α = 0.4", x, y) for x, y in zip(SYBILS, (0.182, 0.370, 0.409, 0.375, 0.449), strict=True)),
        *(Mark(VISITS, "α = 0.4", x, y) for x, y in zip(SYBILS, (0.121, 0.277, 0.370, 0.467, 0.571), strict=True)),
        Mark(FIRST, "α = 0.01", 50.0, 7.53),
        Mark(VISITS, "α = 0.01", 50.0, 1.55),
        *(Mark(BRIDGES, FIRST, x, y) for x, y in zip(BETAS, (0.449, 0.384, 0.297, 0.246, 0.136, 0.0), strict=True)),
    ),
)


def points() -> list[Point]:
    """The paper's sweeps, then the rules as they are set."""
    swept = [
        Point(f"α = {alpha}", float(n), partial(swept_gain, panel, kind, n, rule, alpha))
        for panel, kind, rule, alphas in (
            (FIRST, "both", first_visits, ALPHAS),
            (VISITS, "both", all_visits, ALPHAS),
            (PATH, "path", first_visits, ALPHAS[1:]),
            (CYCLE, "cycle", first_visits, ALPHAS[1:]),
        )
        for alpha in alphas
        for n in SYBILS
    ]
    cut = [Point(FIRST, beta, partial(cut_gain, beta)) for beta in BETAS]
    return swept + cut + [Point(name, float(n), partial(as_set, name, n)) for name in AS_SET for n in SYBILS]


def first_visits(alpha: float, testimony: Testimony, draw: int, beta: float = 0.0) -> Vector:
    """MeritRank with walks as long as they get, but for a share CUT of them."""
    return meritrank(testimony, alpha=alpha, beta=beta, steps=ceil(log(CUT) / log(1.0 - alpha)), seed=draw)


def as_a_node(testimony: Testimony, draw: int) -> Vector:
    """MeritRank as a node can be set to it."""
    return meritrank(testimony, seed=draw)


def all_visits(alpha: float, testimony: Testimony, draw: int) -> Vector:
    """n shares of all visits of walks that start at the observer and end with probability ``alpha`` a step."""
    counts = testimony.good.toarray()
    rows = csr_array(counts / np.maximum(counts.sum(1, keepdims=True), 1.0))
    return eigentrust(rows, pre_trusted(testimony.size, OBSERVER), weight=alpha).mass


def mass(testimony: Testimony, draw: int) -> Vector:
    """Our reputation by mass, n values that sum to 1."""
    local = local_trust(testimony.good, testimony.bad)
    return eigentrust(local, pre_trusted(testimony.size, OBSERVER), weight=PRE_TRUST).mass


def first_reach(testimony: Testimony, draw: int) -> Vector:
    """Our reputation by first visits, n probabilities."""
    return reach(local_trust(testimony.good, testimony.bad), pre_trusted(testimony.size, OBSERVER))


def praise(testimony: Testimony, draw: int) -> Vector:
    """What our opinions have for a peer over that of a stranger, n values, 0 to 1."""
    return np.maximum(opinions(testimony) - testimony.prior, 0.0)


AS_SET: dict[str, Rule] = {
    "MeritRank": as_a_node,
    "p2peval, mass": mass,
    "p2peval, reach": first_reach,
    "p2peval, opinions": praise,
}


def swept_gain(
    panel: str, kind: str, sybils: int, rule: Callable[[float, Testimony, int], Vector], alpha: float, seed: int
) -> Mapping[str, float]:
    """The gain, ≥ 0, under one transitivity decay."""
    return {panel: gain(Community(), kind, sybils, partial(rule, alpha), seed)}


def cut_gain(beta: float, seed: int) -> Mapping[str, float]:
    """The gain of most Sybils, ≥ 0, under one connectivity decay."""
    return {BRIDGES: gain(Community(), "both", SYBILS[-1], partial(first_visits, SHOWN, beta=beta), seed)}


def as_set(name: str, sybils: int, seed: int) -> Mapping[str, float]:
    """Gain, ≥ 0; and of the last week the attacker's own reputation over that without Sybils, and the Sybils' tasks."""
    world, rule = Community(), AS_SET[name]
    *_, alone = weeks(world, "both", 0, seed)
    *_, attacked = weeks(world, "both", sybils, seed)
    found = rule(attacked.testimony, attacked.draw)
    return {
        RULES: gain(world, "both", sybils, rule, seed),
        OWN: float(found[ATTACKER] / rule(alone.testimony, alone.draw)[ATTACKER]),
        TASKS: float(shares(np.delete(found, OBSERVER), CANDIDATES)[world.members - 1 :].sum()),
    }


def shares(opinion: Vector, candidates: int) -> Vector:
    """How likely each of n peers is the best of ``candidates`` drawn without replacement; ties go by lot."""
    n = len(opinion)
    best = [comb(below, candidates - 1) / comb(n, candidates) for below in range(n)]  # all others drawn are below
    share = np.empty(n)
    share[np.argsort(opinion, kind="stable")] = best
    _, group = np.unique(opinion, return_inverse=True)
    return np.asarray((np.bincount(group, share) / np.bincount(group))[group])
