"""The checking world: what it counts is what happens in it, and what is known on paper comes out."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import pytest

from p2peval.sim.tables.checking_cases import CASES, Case, on_off, sleeper
from p2peval.sim.tables.checking_world import POLICIES, best_liar, run, simulate
from p2peval.trust.rule import samples_for

SMALL = replace(CASES["always, 35 %"], tasks=2_000, compared=2_000)
EPSILON = 0.005


def test_the_same_seed_is_the_same_world():
    assert simulate(SMALL, "boinc", 3) == simulate(SMALL, "boinc", 3)
    assert simulate(SMALL, "boinc", 3).wrong != simulate(SMALL, "boinc", 4).wrong


def test_an_honest_result_costs_itself_and_what_its_streak_asks_for():
    """One worker: its streak is the number of tasks so far."""
    case = Case(liars=0.0, workers=1, tasks=400)
    audited = sum(samples_for(1797, 20_000_000, 5_000_000, k) for k in range(400))
    assert simulate(case, "audit", 1).executions == pytest.approx(400 + audited / 1797)


def test_chances_added_up_agree_with_plain_counts():
    """Whitewashers who lie at once: some 50 000 lies meet an audit, and one in 200 passes."""
    case = replace(CASES["whitewash"], newcomers=1.0, tasks=8_000)
    worlds = [simulate(case, "audit", seed) for seed in range(4)]
    counted, added = sum(world.counted_wrong for world in worlds), sum(world.wrong for world in worlds)
    assert added > 200
    assert abs(counted - added) < 4 * added**0.5


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.liars])
def test_no_behaviour_gets_more_than_epsilon_out_of_ours(name):
    """The bound of trust.md §4 is for the long run; a whole last streak may be owed: ε·k for each liar."""
    case = replace(CASES[name], tasks=6_000)
    world = simulate(case, "audit", 1)
    owed = EPSILON * sum(record.streak + 1 for records in world.records for record in records[: world.liars])
    assert world.wrong <= EPSILON * world.served_by_liars * 1.15 + owed
    assert world.wrong > 0


def test_quorum_two_accepts_what_two_colluders_say():
    """f = ⅓ of many: two of the first two, or of three. Workers are asked without choosing when nobody is known."""
    case = Case(liars=1 / 3, workers=999, compared=6_000, newcomers=1.0)
    found = simulate(case, "quorum-2", 1)
    f = 1 / 3
    assert found.wrong / found.accepted == pytest.approx(f**2 + comb(2, 1) * f**2 * (1 - f), abs=0.02)
    assert found.executions / found.tasks == pytest.approx(2 + 2 * f * (1 - f), abs=0.03)
    assert found.wrong == found.counted_wrong


def test_a_proof_drops_a_liar_everywhere():
    case = Case(sleeper(5), requesters=3, workers=20, tasks=600, newcomers=0.5)
    world = simulate(case, "audit", 1)
    left = [set(fresh) | set(known) for fresh, known in zip(world.fresh, world.known, strict=True)]
    assert left[0] == left[1] == left[2]
    assert len(left[0]) < 20
    assert set(range(world.liars, 20)) <= left[0]


def test_who_refuses_is_never_proven_a_liar_and_starts_anew():
    world = simulate(replace(CASES["refusing"], tasks=3_000), "audit", 1)
    assert len(world.fresh[0]) + len(world.known[0]) == 200
    assert sum(world.withheld[0]) > 0
    assert all(record.streak <= 2 for record in world.records[0][: world.liars])


def test_a_wary_requester_meets_fewer_whitewashers():
    bold, wary = (simulate(replace(CASES[name], tasks=10_000), "audit", 1) for name in ("whitewash", "whitewash, wary"))
    assert wary.served_by_liars < 0.5 * bold.served_by_liars


def test_who_cannot_compute_pays_blind_auditors():
    world = simulate(replace(CASES["cannot compute, whitewash"], tasks=3_000), "audit", 1)
    assert world.accepted == world.tasks
    assert world.wrong <= EPSILON * world.served_by_liars
    assert world.executions > world.tasks


def test_behaviours_lie_when_they_say():
    assert [sleeper(2)(k, None) for k in range(4)] == [False, False, True, True]
    assert [on_off(2, 1)(k, None) for k in range(6)] == [False, False, True] * 2


@pytest.mark.parametrize("policy", POLICIES)
def test_every_rule_plays_every_measure(policy, monkeypatch):
    monkeypatch.setitem(CASES, "small", SMALL)
    found = run("small", policy, 1)
    assert set(found) == {"wrong_accepts", "executions", "given_up", "wrong_per_lie_served"}
    assert found["executions"] >= 1
    assert 0 <= found["wrong_accepts"] <= 1


def test_the_best_liar_gets_epsilon_out_of_ours_and_more_out_of_boinc():
    assert best_liar("audit") == pytest.approx(EPSILON, abs=2e-6)
    assert best_liar("boinc") == pytest.approx(9 / 20)
    assert best_liar("quorum-2") is None
