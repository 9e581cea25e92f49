"""Sarmenta 2002, with BOINC's adaptive replication: error against redundancy, by the share and the zeal of saboteurs.

Three of his results: voting alone (exact), spot-checks alone (exact), and both together as credibility, in a batch
(``batch``). Beside them, on the checking world of ``sim.tables``, what projects use today (quorum of two, BOINC's
adaptive replication), his rule as a node of ours could be set to it, task by task, and our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import comb
from random import Random

from p2peval.sim.papers.batch import Batch
from p2peval.sim.papers.batch import simulate as play_batch
from p2peval.sim.papers.paper import Claim, Mark, Panel, Paper, Point
from p2peval.sim.tables.checking_cases import Case
from p2peval.sim.tables.checking_world import simulate as play_world

FAULTY = 0.2  # share of saboteurs; guess (his largest example)
FEW_AND_MANY = (0.01, 0.05, 0.1, 0.2, 0.35)
NEEDED = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 29)  # identical results that a task needs
WORK = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  # tasks of each worker
ZEAL = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # share of a saboteur's answers that are wrong
CHECKED = 0.1  # q, spot-checks as a share of all work; Sarmenta 2002
THRESHOLDS = (0.99, 0.999, 0.9999)
AS_MANY = Case(liars=FAULTY, workers=Batch().workers, tasks=Batch().tasks, compared=Batch().tasks)
RULES = ("quorum-2", "boinc", "sarmenta", "audit")

VOTING, SPOTS = "voting alone", "spot-checks alone, who fails is shut out"
ERRORS, COST = "errors by zeal, 20 % saboteurs", "cost by zeal, 20 % saboteurs"
ERRORS_BY_SHARE, COST_BY_SHARE = "errors by saboteurs who always lie", "cost by saboteurs who always lie"
WORST = "worst zeal"


def _batch(threshold: float) -> str:
    return f"batch, θ = {threshold}"


def _allowed(threshold: float) -> str:
    return f"1 − θ, θ = {threshold}"


PAPER = Paper(
    title="Sabotage-tolerance mechanisms for volunteer computing systems",
    authors="Sarmenta",
    year=2002,
    about="wrong results and redundancy by voting, spot-checks and credibility; and BOINC's adaptive replication",
    panels=(
        Panel(VOTING, "identical results needed, m", "share of wrong results", logarithmic="y"),
        Panel(SPOTS, "tasks of each worker, n", "share of wrong results", logarithmic="xy"),
        Panel(ERRORS, "wrong share of saboteurs' answers", "share of wrong results", logarithmic="xy"),
        Panel(COST, "wrong share of saboteurs' answers", "executions per task", logarithmic="x"),
        Panel(ERRORS_BY_SHARE, "saboteurs among workers", "share of wrong results", logarithmic="y"),
        Panel(COST_BY_SHARE, "saboteurs among workers", "executions per task"),
    ),
    claims=(
        Claim("voting: errors shrink by redundancy", VOTING, ("f = 0.05", 3.0), ("f = 0.05", 2.0)),
        Claim("but not where saboteurs are many", VOTING, ("f = 0.05", 2.0), ("f = 0.35", 10.0)),
        Claim("spot-checks: errors shrink by work done", SPOTS, (WORST, 1000.0), (WORST, 100.0)),
        *(
            Claim(f"credibility keeps θ = {theta}, s = {zeal}", ERRORS, (_batch(theta), zeal), (_allowed(theta), zeal))
            for theta in THRESHOLDS[:2]
            for zeal in ZEAL
        ),
        Claim("credibility beats a quorum of two", ERRORS, (_batch(0.999), 1.0), ("quorum-2", 1.0)),
        Claim("adaptive replication costs less than a quorum", COST, ("boinc", 0.02), ("quorum-2", 0.02)),
        Claim("our rule costs least", COST, ("audit", 0.02), ("boinc", 0.02), of_paper=False),
        Claim("and where all liars always lie", COST, ("audit", 1.0), ("boinc", 1.0), of_paper=False),
        Claim("with fewer errors than adaptive replication", ERRORS, ("audit", 0.1), ("boinc", 0.1), of_paper=False),
    ),
    marks=(Mark(VOTING, "f = 0.35", 15.0, 0.05), Mark(VOTING, "f = 0.35", 29.0, 0.01)),
)


def points() -> list[Point]:
    """Exact curves first, then what is played."""
    voted = [Point(f"f = {f}", float(m), partial(voting, f, m), exact=True) for f in FEW_AND_MANY for m in NEEDED]
    spotted = [
        Point(name, float(n), partial(spot_checked, zeal, n), exact=True)
        for name, zeal in {"s = 1": 1.0, "s = 0.1": 0.1, "s = 0.01": 0.01, WORST: None}.items()
        for n in WORK
    ]
    batches = [Point(_batch(theta), zeal, partial(batch, theta, zeal)) for theta in THRESHOLDS for zeal in ZEAL]
    limits = [Point(_allowed(t), zeal, partial(allowed, t), exact=True) for t in THRESHOLDS[:2] for zeal in ZEAL]
    played = [Point(rule, zeal, partial(by_zeal, rule, zeal)) for rule in RULES for zeal in ZEAL]
    shares = [Point(rule, f, partial(by_share, rule, f)) for rule in RULES for f in FEW_AND_MANY]
    return voted + spotted + limits + batches + played + shares


def wrong_votes(faulty: float, needed: int) -> float:
    """Share of tasks that ``needed`` equal wrong answers decide before as many right ones are in.

    That is ``needed`` or more of 2·``needed`` − 1 answers, each wrong with probability ``faulty``, all wrong alike.
    """
    votes = 2 * needed - 1
    return sum(comb(votes, j) * faulty**j * (1.0 - faulty) ** (votes - j) for j in range(needed, votes + 1))


def wrong_unspotted(faulty: float, zeal: float, checked: float, work: int) -> float:
    """Share of wrong results where a saboteur stays only if no check of ``work`` tasks caught it, and none is kept of
    who was caught: f·s·(1 − qs)ⁿ / ((1 − f) + f·(1 − qs)ⁿ)."""
    stays = faulty * (1.0 - checked * zeal) ** work
    return zeal * stays / (1.0 - faulty + stays)


def voting(faulty: float, needed: int, seed: int) -> Mapping[str, float]:
    return {VOTING: wrong_votes(faulty, needed)}


def spot_checked(zeal: float | None, work: int, seed: int) -> Mapping[str, float]:
    """``zeal`` None: the one that does most harm, of 1 000."""
    zeals = [i / 1000 for i in range(1, 1001)] if zeal is None else [zeal]
    return {SPOTS: max(wrong_unspotted(FAULTY, each, CHECKED, work) for each in zeals)}


def batch(threshold: float, zeal: float, seed: int) -> Mapping[str, float]:
    """Credibility at θ = ``threshold`` in a batch of so many tasks for each worker as elsewhere."""
    outcome = play_batch(Batch(faulty=FAULTY, sabotage=zeal, checked=CHECKED, threshold=threshold), seed)
    return {ERRORS: outcome.wrong, COST: outcome.executions}


def allowed(threshold: float, seed: int) -> Mapping[str, float]:
    """What credibility at θ = ``threshold`` lets pass at most."""
    return {ERRORS: 1.0 - threshold}


def zealous(zeal: float, served: int, die: Random) -> bool:
    return die.random() < zeal


def by_zeal(rule: str, zeal: float, seed: int) -> Mapping[str, float]:
    """A rule that a node can be set to, against saboteurs who lie now and then."""
    wrong, cost = _met(rule, replace(AS_MANY, lies=partial(zealous, zeal)), seed)
    return {ERRORS: wrong, COST: cost}


def by_share(rule: str, faulty: float, seed: int) -> Mapping[str, float]:
    """The same against more and more saboteurs, who always lie."""
    wrong, cost = _met(rule, replace(AS_MANY, liars=faulty), seed)
    return {ERRORS_BY_SHARE: wrong, COST_BY_SHARE: cost}


def _met(rule: str, case: Case, seed: int) -> tuple[float, float]:
    """Wrong results per accepted one, and executions per task."""
    world = play_world(case, rule, seed)
    return world.wrong / max(world.accepted, 1), world.executions / world.tasks
