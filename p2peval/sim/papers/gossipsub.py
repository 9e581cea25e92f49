"""Vyzovitis et al. 2020: gossip when four in five hosts are silent Sybils, from the start or all at once.

Cold boot: Sybils connect as the network starts, and forward nothing. Covert flash: they connect first and forward
for two minutes, then cease. Set-up and weights are the authors' own (``gossip.trial``, ``gossip.params``), but for the
rate: ``RATE`` messages/s instead of 120, with the weights scaled so that standings stay the same (``at_rate``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from p2peval.sim.gossip.params import HARDENED, OURS, PLAIN, Params, Weights, at_rate
from p2peval.sim.gossip.trial import Outcome, Trial, play
from p2peval.sim.papers.paper import Claim, Panel, Paper, Point

RATE = 4.0
SYBILS = 4000
SEEDS = 5
"""Of each point at most: a seed of all points takes minutes, and under attack each has 240 messages to 999 hosts."""
DEADLINE = 6.0
"""Seconds; the time that the paper allows a block in both of its networks."""

V11, V10, OWN = "v1.1 as the paper set it", "v1.0", "p2peval's daemon"
ROUTERS: dict[str, Params] = {
    V11: replace(HARDENED, weights=at_rate(Weights(), RATE)),
    V10: PLAIN,
    OWN: OURS,
}
BASE = Trial(HARDENED, rate=RATE, sybil_dials=20, end=60.0)
"""Twenty connections per Sybil, as in the authors' configuration of both attacks: 80 at each honest host, beside 40."""
ATTACKS: dict[str, Trial] = {
    "cold boot": replace(BASE, sybils=SYBILS, end=90.0),
    "covert flash": replace(BASE, sybils=SYBILS, end=210.0, head_start=10.0, quiet=150.0, judged=150.0),
}
MEASURES = {
    "late": f"deliveries not made within {DEADLINE:g} s, share",
    "half": "median delay, s",
    "p99": "99th percentile of delay, s",
}


def panel(attack: str, measure: str) -> str:
    return f"{attack}: {measure}"


def _faster(attack: str, who: str) -> Claim:
    says = f"{attack}: {who} is faster than v1.0 at the 99th percentile"
    return Claim(says, panel(attack, "p99"), (who, 4.0), (V10, 4.0), of_paper=who == V11)


PAPER = Paper(
    title="GossipSub: attack-resilient message propagation in the Filecoin and ETH2.0 networks",
    authors="Vyzovitis, Napora, McCormick, Dias, Psaras",
    year=2020,
    about="1 000 honest hosts, 4 000 silent Sybils with 20 connections each: what arrives, and how late",
    panels=tuple(
        Panel(panel(attack, measure), "Sybils per honest host", y, logarithmic="" if measure == "late" else "y")
        for attack in ATTACKS
        for measure, y in MEASURES.items()
    ),
    claims=tuple(_faster(attack, who) for attack in ATTACKS for who in (V11, OWN)),
)


def points() -> list[Point]:
    """Three routers, with and without each attack."""
    undisturbed = [Point(router, 0.0, partial(without, router), most=SEEDS) for router in ROUTERS]
    return undisturbed + [
        Point(router, SYBILS / BASE.honest, partial(attacked, attack, router), most=SEEDS)
        for attack in ATTACKS
        for router in ROUTERS
    ]


def without(router: str, seed: int) -> Mapping[str, float]:
    outcome = play(replace(BASE, params=ROUTERS[router]), seed)
    return {name: value for attack in ATTACKS for name, value in _measures(attack, outcome).items()}


def attacked(attack: str, router: str, seed: int) -> Mapping[str, float]:
    return _measures(attack, play(replace(ATTACKS[attack], params=ROUTERS[router]), seed))


def _measures(attack: str, outcome: Outcome) -> dict[str, float]:
    return {
        panel(attack, "late"): outcome.later_than(DEADLINE),
        panel(attack, "half"): outcome.percentile(0.5),
        panel(attack, "p99"): outcome.percentile(0.99),
    }
