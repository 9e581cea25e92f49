"""The picking world: what each policy may know, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from p2peval.sim.tables.picking_policies import POLICIES
from p2peval.sim.tables.picking_threats import CASES, Case, cast, statements
from p2peval.sim.tables.picking_world import run, simulate


def mean(case: str, policy: str, measure: str, seeds: int = 3) -> float:
    return float(np.mean([run(case, policy, seed)[measure] for seed in range(seeds)]))


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    assert run("C", "eigentrust", 1) == run("C", "eigentrust", 1)
    assert run("C", "eigentrust", 1) != run("C", "eigentrust", 2)


def test_perfect_knowledge_has_no_regret_and_nobody_does_better() -> None:
    assert run("D", "perfect", 0)["regret"] == 0.0
    for policy in ("none", "eigentrust", "own", "p2peval"):
        assert run("B 40 %", policy, 0)["regret_all"] > 0.0


def test_opinions_come_close_to_perfect_knowledge_where_own_evidence_does_not() -> None:
    assert mean("C", "p2peval", "regret") < mean("C", "own", "regret") < mean("C", "none", "regret")


def test_eigentrust_alone_is_worse_than_no_trust_under_camouflage_and_spies() -> None:
    for case in ("C", "D"):
        assert mean(case, "eigentrust", "bad_picks") > mean(case, "none", "bad_picks")


def test_without_liars_only_honest_errors_and_unanswered_tasks_fail() -> None:
    everybody_can = Case(liars=0, able=1e6)
    assert simulate(everybody_can, POLICIES["none"], 0)["bad_picks"] == pytest.approx(0.05, abs=0.01)


def test_no_trust_fails_as_often_as_liars_are_drawn() -> None:
    case = Case(able=1e6, liars_answer=1.0, honest_error=0.0)
    assert simulate(case, POLICIES["none"], 0)["bad_picks"] == pytest.approx(42 / 104, abs=0.01)


def test_traitors_are_honest_until_they_turn() -> None:
    before, after = cast(CASES["traitors"], Generator(PCG64(0)))
    assert before.honest.all()
    assert (~after.honest).sum() == CASES["traitors"].liars
    assert np.array_equal(before.fitness[after.honest], after.fitness[after.honest])


def test_honest_peers_state_their_own_counts_and_liars_praise_liars_alone() -> None:
    case = Case(bribed=1)
    now, _ = cast(case, Generator(PCG64(0)))
    seen = Generator(PCG64(1)).random((case.size, case.size))
    np.fill_diagonal(seen, 0.0)
    good, bad = statements(case, now, seen, seen)
    assert np.array_equal(good[now.honest], seen[now.honest])
    assert set(np.unique(good[~now.honest][:, ~now.honest])) == {0.0, case.loudness}
    assert not good[~now.honest][:, now.honest].any()
    assert not bad[~now.honest].any()


def test_copying_liars_also_say_what_honest_peers_say() -> None:
    case = CASES["C copying"]
    now, _ = cast(case, Generator(PCG64(0)))
    seen = Generator(PCG64(1)).random((case.size, case.size))
    good, _ = statements(case, now, seen, seen)
    liar, target = np.flatnonzero(~now.honest)[0], np.flatnonzero(now.honest)[0]
    assert good[liar, target] == pytest.approx(seen[now.honest, target].sum())


def test_of_eight_candidates_the_load_is_spread() -> None:
    assert mean("B 40 %, 8", "p2peval", "top5_load", 1) < 0.5 * mean("B 40 %", "p2peval", "top5_load", 1)


def test_proofs_stop_mass_traitors_where_opinions_alone_do_not() -> None:
    with_proofs, without = (mean("traitors", policy, "regret") for policy in ("p2peval + proofs", "p2peval"))
    assert with_proofs <= 0.10 < without


def test_a_proof_that_waits_for_the_cycle_lets_more_lies_through() -> None:
    assert mean("traitors", "proofs, once a cycle", "bad_picks") > mean("traitors", "p2peval + proofs", "bad_picks")


def test_who_was_proven_a_liar_is_never_asked_again() -> None:
    always = replace(CASES["B 40 %"], able=1e6, honest_error=0.0, newcomers=0.0)
    assert simulate(always, POLICIES["p2peval + proofs"], 0)["bad_picks"] == 0.0


def test_slandering_liars_state_that_honest_peers_are_bad() -> None:
    case = CASES["B 40 %, slandering"]
    now, _ = cast(case, Generator(PCG64(0)))
    _, bad = statements(case, now, np.zeros((case.size, case.size)), np.zeros((case.size, case.size)))
    assert (bad[~now.honest][:, now.honest] == case.loudness).all()
    assert not bad[now.honest].any()
