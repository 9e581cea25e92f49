"""What is said of others: whom each of these attacks deceives, and what it does to us."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from p2peval.core.rows import ReplicaState
from p2peval.core.trust_rows import StatementRow
from p2peval.sim.own_rules import OWN
from p2peval.sim.scenario import Scenario
from p2peval.trust.policies import OPINIONS
from tests.sim.attack_world import Played, attack, play_attack

SEED = 1
HIDDEN: Any = {"also": ("withholding-evaluator",), "always": True, "lying": False}
"""Lies that are never shown: no proof ends it, and what is said of whom decides."""

WORLD: Any = {"count": 5, "honest": 8, "requesters": 4, "tasks": 14, "per_hour": 30.0, "epoch_s": 240.0}

SUM_OF_WORDS = """
def opinion(testimony):
    good, bad = testimony.good.sum(axis=0), testimony.bad.sum(axis=0)
    return (1.0 + good) / (2.0 + good + bad)
"""


def ring_of(played: Played) -> set[str]:
    return {host.id for host in played.dishonest}


def words_of(played: Played, raters: set[str]) -> list[StatementRow]:
    """What these say, as the last requester has it."""
    return [row for row in played.stage.requesters[-1].node.state.statements if row.rater in raters]


def believing_all(scenario: Scenario, folder: Path) -> Scenario:
    """The same, where everybody's word counts as much as one's own evidence."""
    file = folder / "sum_of_words.py"
    file.write_text(SUM_OF_WORDS, encoding="utf-8")
    return replace(scenario, defence=replace(scenario.defence, file=str(file)))


def test_slander_buries_the_honest_where_all_words_count_alike_and_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No rule of the lab but ours listens to bad word: a sum of all words stands for those that do."""
    monkeypatch.setitem(OPINIONS, OWN, OPINIONS["none"])  # and is gone afterwards: rules belong to the process
    ours = play_attack(attack("slanderer", **WORLD, **HIDDEN), SEED)
    summed = play_attack(believing_all(attack("slanderer", **WORLD, **HIDDEN), tmp_path), SEED)
    said = words_of(ours, ring_of(ours))
    assert {row.rater for row in said} == ring_of(ours)
    for row in said:
        assert not {entry.peer for entry in row.entries} & ring_of(ours)
        assert all((entry.agreed_milli, entry.disagreed_milli) == (0, 50_000) for entry in row.entries)
    assert summed.measures["detection_auc"] < 0.2
    assert ours.measures["detection_auc"] > 0.5
    assert ours.measures["honest_reputation"] > 3 * summed.measures["honest_reputation"]
    assert ours.measures["bad_picks"] < summed.measures["bad_picks"]


def test_a_ballot_stuffer_repeats_what_honest_peers_say_and_adds_praise_of_its_own() -> None:
    seed = 3  # with EigenTrust it depends on whether a liar is among the first whom somebody asks
    eigentrust = play_attack(attack("ballot-stuffer", opinion="eigentrust", **WORLD, **HIDDEN), seed)
    ours = play_attack(attack("ballot-stuffer", **WORLD, **HIDDEN), seed)
    ring = ring_of(ours)
    for row in words_of(ours, ring):
        praised = {entry.peer for entry in row.entries if entry.agreed_milli == 50_000}
        assert praised >= ring - {row.rater}
    assert any({entry.peer for entry in row.entries} - ring for row in words_of(ours, ring))
    assert eigentrust.measures["bad_picks"] > 2 * ours.measures["bad_picks"]
    assert eigentrust.measures["captured"] > 0.5 > ours.measures["captured"]


def test_bribed_seeds_hand_over_trust_that_flows_from_seeds_and_opinions_do_not_flow() -> None:
    world: Any = {**WORLD, "roots": 3, "requesters": 8, "tasks": 5, **HIDDEN}
    eigentrust = play_attack(attack("bribed-seeds", bribed=2, opinion="eigentrust", **world), SEED)
    unbribed = play_attack(attack("bribed-seeds", bribed=0, opinion="eigentrust", **world), SEED)
    ours = play_attack(attack("bribed-seeds", bribed=2, **world), SEED)
    seeds, ring = {host.id for host in ours.stage.honest[:2]}, ring_of(ours)
    assert [{entry.peer for entry in row.entries} for row in words_of(ours, seeds)] == [ring, ring]
    assert ours.cost("bribes") == 2
    assert unbribed.measures["captured"] < 0.1
    assert eigentrust.measures["captured"] > 0.6
    assert ours.measures["captured"] <= 5 / 12  # a share as large as their number: nobody has found out, nor believed
    assert ours.measures["bad_picks"] < eigentrust.measures["bad_picks"] / 1.5


def test_an_equivocator_convicts_itself_under_any_rule() -> None:
    """Two statements in one slot are a proof, and no rule for whom to believe can overlook it: it harms nobody."""
    for opinion in ("none", "eigentrust", "p2peval"):
        played = play_attack(attack("equivocator", opinion=opinion, **{**WORLD, "tasks": 6}), SEED)
        assert played.measures["caught"] == 1.0
        assert played.measures["false_convictions"] == 0.0
        assert played.measures["adversary_reputation"] == 0.0
        ring = ring_of(played)
        rows = [row for host in played.stage.honest for row in host.node.state.statements if row.rater in ring]
        assert {entry.agreed_milli - entry.disagreed_milli for row in rows for entry in row.entries} == {
            50_000,
            -50_000,
        }


def test_forged_proofs_convict_nobody_and_ruin_who_signs_them_and_most_are_not_even_looked_into() -> None:
    world: Any = {**WORLD, "count": 2, "tasks": 8}
    ours = play_attack(attack("fraud-forger", proofs=4, **world), SEED)
    deaf = play_attack(attack("fraud-forger", proofs=4, opinion="none", **world), SEED)
    for played in (ours, deaf):
        assert played.cost("proofs") >= 4 * len(played.dishonest)
        assert played.stage.world.work["Settle"] > 0  # somebody looked
        assert played.measures["false_convictions"] == 0.0
        assert played.measures["wrong_accepts"] == played.measures["failed"] == 0.0
        assert {row.state for row in played.replicas()} == {ReplicaState.AGREES}
    assert ours.measures["adversary_reputation"] < 0.2 < deaf.measures["adversary_reputation"]
    looked = ours.stage.world.work["Settle"]
    assert 0 < looked < ours.cost("proofs")  # of all hosts together: whoever forged once waits with the strangers
