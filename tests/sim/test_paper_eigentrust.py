"""EigenTrust's threat models, small: who is played, and the orderings that the paper reports."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from p2peval.sim.papers.eigentrust import ALONE, CAMOUFLAGE, CURVES, SPIED, inauthentic, points
from p2peval.sim.tables.picking_threats import Case


def case(panel: str, x: float) -> Case:
    (found,) = [p.play.args[1] for p in points() if p.play.args[0] == panel and (p.curve, p.x) == ("no trust", x)]
    return found


def share(panel: str, x: float, curve: str) -> float:
    short = replace(case(panel, x), cycles=8)
    return fmean(inauthentic(panel, short, CURVES[curve], seed)[panel] for seed in range(2))


def test_peers_are_those_of_the_papers_table() -> None:
    assert (case(ALONE, 0.4).liars, case(ALONE, 0.4).peers, case(ALONE, 0.4).roots) == (42, 102, 3)
    for x in (0.1, 0.7):
        played = case(ALONE, x)
        assert round(played.liars / played.size, 2) == x
        assert played.peers - played.liars == 60
    assert (case(CAMOUFLAGE, 0.5).size, case(SPIED, 15.0).size, case(SPIED, 15.0).spies) == (73, 103, 15)


def test_without_malicious_peers_only_honest_mistakes_are_inauthentic() -> None:
    assert 0.03 < share(ALONE, 0.0, "no trust") < 0.07


def test_trust_keeps_out_who_lies_alone_and_no_trust_does_not() -> None:
    assert share(ALONE, 0.4, "EigenTrust") < 0.5 * share(ALONE, 0.4, "no trust")


def test_lying_half_of_the_time_hurts_eigentrust_more_than_lying_always() -> None:
    assert share(CAMOUFLAGE, 1.0, "EigenTrust") < share(CAMOUFLAGE, 0.5, "EigenTrust")


def test_spies_lend_their_trust_to_liars_but_not_by_our_rule() -> None:
    assert share(SPIED, 0.0, "EigenTrust") < share(SPIED, 15.0, "EigenTrust")
    assert share(SPIED, 15.0, "p2peval") < 0.5 * share(SPIED, 15.0, "EigenTrust")
