"""Lies that many tell together: each attack does its harm to those whom it is meant for, and what it does to us."""

from __future__ import annotations

from typing import Any

import pytest

from p2peval.core.effects import RunEvaluation
from p2peval.core.rows import ReplicaRow, ReplicaState
from p2peval.core.types import AssignmentId, TaskId
from p2peval.errors import ConfigError
from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.adversary import options
from p2peval.sim.stage import made_up, set_up
from tests.sim.attack_world import Played, ask, attack, play_attack, run_on

UNCHECKED: Any = {"opinion": "none", "checking": "none"}
QUORUM: Any = {"opinion": "none", "checking": "quorum-2"}
SEED = 1  # one in which our own nodes ask the rings, too


@pytest.mark.parametrize("name", ADVERSARIES)
def test_every_attack_says_what_it_does_knows_and_costs_and_takes_plain_options(name: str) -> None:
    kind = ADVERSARIES[name]
    assert kind.name() == name
    assert kind.__doc__
    assert not kind.__doc__.startswith(kind.__name__ + "(")
    assert kind.knows
    assert kind.costs
    assert all(type(default) in (int, float, bool, str) for _, default in options(kind).values())
    kind(**{option: default for option, (_, default) in options(kind).items()})


def false_of(played: Played) -> list[ReplicaRow]:
    return [row for row in played.replicas() if played.is_false(row)]


def test_sybils_fool_who_checks_nothing_and_run_nothing_for_it() -> None:
    played = play_attack(attack("sybils", **UNCHECKED), SEED)
    assert played.measures["wrong_accepts"] > 0.25
    assert played.measures["wrong_accepts"] == played.measures["captured_tasks"]
    honest = sum(duty.outputs is not None for host in played.stage.honest for duty in host.node.state.duties)
    assert played.stage.world.work["RunEvaluation"] == honest


def test_sybils_that_do_not_agree_get_nothing_past_a_quorum_and_cost_us_one_audit_each() -> None:
    quorum = play_attack(attack("sybils", **QUORUM), SEED).measures
    assert quorum["wrong_accepts"] == 0.0
    assert quorum["bad_picks"] > 0.25
    ours = play_attack(attack("sybils"), SEED)
    assert ours.measures["wrong_accepts"] == 0.0
    assert 1 <= len(false_of(ours)) <= 4  # a name lies once, and is known for it everywhere
    assert {row.state for row in false_of(ours)} == {ReplicaState.DIFFERS}


def test_a_collective_says_nothing_but_praise_of_its_own_and_agrees_past_a_quorum() -> None:
    played = play_attack(attack("collective", count=6, **QUORUM), SEED)
    assert played.measures["wrong_accepts"] > 0.1
    ring = {host.id for host in played.dishonest}
    said = [row for row in played.stage.requesters[0].node.state.statements if row.rater in ring]
    assert {row.rater for row in said} == ring
    for row in said:
        assert {entry.peer for entry in row.entries} == ring - {row.rater}
        assert all(entry.agreed_milli == 50_000 and not entry.disagreed_milli for entry in row.entries)


def test_the_praise_of_a_collective_does_not_bring_its_convicts_back() -> None:
    ours = play_attack(attack("collective"), SEED).measures
    assert ours["lies"] > 0
    assert ours["wrong_accepts"] == 0.0
    assert ours["bad_picks"] < 0.1


@pytest.mark.parametrize("kind", ["camouflage", "spies"])
def test_honest_work_buys_praise_that_eigentrust_believes_and_we_do_not(kind: str) -> None:
    hidden: Any = {"also": ("withholding-evaluator",), "always": True, "lying": False}  # else proofs end it at once
    world: Any = {"count": 5, "tasks": 16}
    eigentrust = play_attack(attack(kind, opinion="eigentrust", **world, **hidden), SEED)
    ours = play_attack(attack(kind, **world, **hidden), SEED)
    assert eigentrust.measures["bad_picks"] > 3 * ours.measures["bad_picks"] > 0.0
    assert ours.measures["bad_picks"] < 0.1
    right = [row for row in eigentrust.replicas() if row.state is ReplicaState.AGREES]
    assert any(row.peer in {host.id for host in eigentrust.dishonest} for row in right)


def test_spies_never_lie_and_praise_the_liars_alone() -> None:
    played = play_attack(attack("spies", spies=0.5, **UNCHECKED), SEED)
    spies = {host.id for host in played.dishonest[:2]}
    liars = {host.id for host in played.dishonest[2:]}
    assert false_of(played)
    assert {row.peer for row in false_of(played)} <= liars
    said = {row.rater: row.entries for row in played.stage.requesters[0].node.state.statements}
    assert {entry.peer for spy in spies for entry in said[spy]} == liars


def test_colluders_defeat_a_quorum_and_are_never_outvoted() -> None:
    played = play_attack(attack("colluders", count=6, **QUORUM), SEED)
    assert played.measures["wrong_accepts"] > 0.05
    by_task: dict[str, list[bool]] = {}
    for row in played.replicas():
        by_task.setdefault(row.task, []).append(played.is_false(row))
    assert {tuple(lies) for lies in by_task.values()} == {(True, True), (False, False)}


def test_colluders_who_lie_to_us_are_caught_by_an_audit() -> None:
    ours = play_attack(attack("colluders", together=1), SEED)
    assert ours.measures["wrong_accepts"] == 0.0
    assert false_of(ours)
    assert {row.state for row in false_of(ours)} == {ReplicaState.DIFFERS}


def test_colluders_are_believed_as_blind_auditors_where_most_auditors_are_theirs() -> None:
    """Who cannot compute counts on honest ones for h = .65 of the auditors' weight: here they have .40."""
    played = play_attack(
        attack("colluders", together=1, count=12, honest=8, requesters=8, cannot_compute=4, tasks=2), SEED
    )
    able, unable = [], []
    for host in played.stage.requesters:
        (able if host.policy.computes else unable).append(host)
    assert played.wrong_accepts(able) == 0.0 < played.wrong_accepts(unable)


def lazy(checking: str, *, waits: bool, again: int) -> Played:
    """Eight models, each asked for ``again`` times, by one requester after the other."""
    stage = set_up(attack("lazy-copier", tasks=0, checking=checking, waits=waits), SEED, dict(ADVERSARIES))
    for number in range(8 * again):
        ask(stage, stage.requesters[number % len(stage.requesters)], f"model {number // again}")
        run_on(stage, 60.0)
    return Played(stage, {})


def test_a_lazy_copier_lives_off_models_that_are_asked_for_again_and_runs_nothing() -> None:
    played = lazy("none", waits=False, again=3)
    mine = [row for row in played.replicas() if row.peer in {host.id for host in played.dishonest}]
    copied = [row for row in mine if not played.is_false(row)]
    assert copied
    assert len(copied) <= played.cost("copies")
    honest = sum(duty.outputs is not None for host in played.stage.honest for duty in host.node.state.duties)
    assert played.stage.world.work["RunEvaluation"] == honest


def test_a_copied_lie_is_a_lie() -> None:
    """Where nothing is checked, what the first made up is what the next ones say."""
    played = lazy("none", waits=False, again=3)
    false = [row for row in false_of(played) if row.outputs is not None]
    assert len({row.outputs.cid for row in false if row.outputs}) < len(false)


def test_nothing_of_a_task_can_be_copied_in_time() -> None:
    """Commitments hide what others found until nobody can commit any more."""
    played = lazy("audit", waits=True, again=1)
    ring = {host.id for host in played.dishonest}
    tried = [row for row in played.replicas() if row.peer in ring]
    assert tried
    assert {row.state for row in tried} == {ReplicaState.SILENT}
    assert played.cost("copies") > 0  # they came to it, too late


def test_nobody_copies_what_it_has_not_fetched() -> None:
    stage = set_up(attack("lazy-copier", tasks=0), SEED, dict(ADVERSARIES))
    copier = stage.dishonest[0]
    job = RunEvaluation(
        "run/1",
        TaskId("task"),
        AssignmentId("a"),
        copier.node.state.benchmarks[stage.benchmarks[0]].spec,
        made_up("model"),
    )
    with pytest.raises(ConfigError, match="not on this host"):
        copier.adversaries[0].grip.copy(job, made_up("outputs").cid)


def test_hiding_every_lie_that_would_be_outvoted_gives_a_quorum_to_the_ring() -> None:
    hiding = play_attack(attack("withholding-evaluator", count=6, **QUORUM), SEED)
    telling = play_attack(attack("collective", count=6, **QUORUM), SEED)
    assert hiding.measures["wrong_accepts"] > 2 * telling.measures["wrong_accepts"]
    assert all(row.state is not ReplicaState.WITHHELD or row.outputs is None for row in hiding.replicas())


def test_an_audit_has_no_smell_and_who_always_hides_only_wastes_a_task() -> None:
    ours = play_attack(attack("withholding-evaluator"), SEED)
    assert ours.measures["wrong_accepts"] == 0.0
    assert len(false_of(ours)) >= 1
    hiding: dict[str, Any] = {"always": True, "count": 6}
    wasted = play_attack(attack("withholding-evaluator", **hiding, **QUORUM), SEED).measures
    ours = play_attack(attack("withholding-evaluator", **hiding), SEED)
    assert wasted["bad_picks"] > 0.5
    assert 0.0 < ours.measures["bad_picks"] < 0.2
    assert ours.measures["wrong_accepts"] == 0.0
