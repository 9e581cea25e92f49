"""Lies that many tell together: each attack does its harm to those whom it is meant for, and what it does to us."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from p2peval.core.effects import RunEvaluation
from p2peval.core.rows import ReplicaRow, ReplicaState
from p2peval.core.types import AssignmentId, TaskId
from p2peval.errors import ConfigError
from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.adversary import options
from p2peval.sim.stage import made_up, set_up
from tests.sim.attack_world import LUCK, Played, ask, attack, play_attack, run_on

UNCHECKED: Any = {"opinion": "none", "checking": "none"}
QUORUM: Any = {"opinion": "none", "checking": "quorum-2"}
SEED = 1


@pytest.mark.parametrize("name", ADVERSARIES)
def test_every_attack_says_what_it_does_knows_and_costs_and_takes_plain_options(name: str) -> None:
    kind = ADVERSARIES[name]
    assert kind.name() == name
    assert kind.__doc__
    assert not kind.__doc__.startswith(kind.__name__ + "(")  # what dataclasses write where nobody did
    assert kind.knows
    assert kind.costs
    assert all(type(default) in (int, float, bool, str) for _, default in options(kind).values())
    kind(**{option: default for option, (_, default) in options(kind).items()})


def false_of(played: Played) -> list[ReplicaRow]:
    return [row for row in played.replicas() if played.is_false(row)]


def ring_of(played: Played) -> set[str]:
    return {host.id for host in played.dishonest}


def honest_runs(played: Played) -> int:
    return sum(duty.outputs is not None for host in played.stage.honest for duty in host.node.state.duties)


def is_caught_at_once(played: Played) -> None:
    """Of each name at most a lie or two, told before the proof was everywhere; and none that an audit did not see."""
    false = false_of(played)
    assert 1 <= len(false) <= 2 * played.cost("identities")
    assert played.measures["wrong_accepts"] <= LUCK
    assert {row.state for row in false} <= {ReplicaState.DIFFERS, ReplicaState.AGREES}


def test_sybils_fool_who_checks_nothing_and_run_nothing_for_it() -> None:
    played = play_attack(attack("sybils", **UNCHECKED), SEED)
    assert played.measures["wrong_accepts"] > 0.25
    assert played.measures["wrong_accepts"] == played.measures["captured_tasks"]
    assert played.stage.world.work["RunEvaluation"] == honest_runs(played)


def test_sybils_that_do_not_agree_get_nothing_past_a_quorum_but_waste_it() -> None:
    quorum = play_attack(attack("sybils", **QUORUM), SEED).measures
    assert quorum["wrong_accepts"] == 0.0
    assert quorum["bad_picks"] > 0.25


def test_a_sybil_lies_to_us_once() -> None:
    is_caught_at_once(play_attack(attack("sybils"), SEED))


def test_a_collective_says_nothing_but_praise_of_its_own_and_agrees_past_a_quorum() -> None:
    played = play_attack(attack("collective", **QUORUM), SEED)
    assert played.measures["wrong_accepts"] > 0.0
    ring = ring_of(played)
    said = [row for row in played.stage.requesters[0].node.state.statements if row.rater in ring]
    assert {row.rater for row in said} == ring
    for row in said:
        assert {entry.peer for entry in row.entries} == ring - {row.rater}
        assert all(entry.agreed_milli == 50_000 and not entry.disagreed_milli for entry in row.entries)


def test_the_praise_of_a_collective_does_not_bring_its_convicts_back() -> None:
    is_caught_at_once(play_attack(attack("collective"), SEED))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "settings"), [("camouflage", {}), ("spies", {"spies": 0.6})])
def test_honest_work_buys_praise_that_eigentrust_believes_and_we_do_not(kind: str, settings: dict[str, Any]) -> None:
    """Their lies stay hidden: else proofs end it at once, whatever the rule for whom to ask."""
    hidden: Any = {"also": ("withholding-evaluator",), "always": True, "lying": False}
    world: Any = {"count": 5, "honest": 8, "requesters": 4, "tasks": 16, "per_hour": 30.0, **settings, **hidden}
    eigentrust = play_attack(attack(kind, opinion="eigentrust", **world), SEED)
    ours = play_attack(attack(kind, **world), SEED)
    right = [row.peer for row in eigentrust.replicas() if row.state is ReplicaState.AGREES]
    assert ring_of(eigentrust) & set(right)
    assert 0.0 < 2 * ours.measures["bad_picks"] < eigentrust.measures["bad_picks"]
    assert ours.measures["bad_picks"] < 0.15


def test_spies_never_lie_and_praise_the_liars_alone() -> None:
    played = play_attack(attack("spies", spies=0.5, **UNCHECKED), SEED)
    spies = {host.id for host in played.dishonest[:3]}
    liars = {host.id for host in played.dishonest[3:]}
    assert false_of(played)
    assert {row.peer for row in false_of(played)} <= liars
    said = {row.rater: row.entries for row in played.stage.requesters[0].node.state.statements}
    assert {entry.peer for spy in spies for entry in said[spy]} == liars


def test_colluders_defeat_a_quorum_and_are_never_outvoted() -> None:
    played = play_attack(attack("colluders", **QUORUM), SEED)
    assert played.measures["wrong_accepts"] > 0.05
    by_task: dict[str, list[bool]] = {}
    for row in played.replicas():
        by_task.setdefault(row.task, []).append(played.is_false(row))
    assert {tuple(lies) for lies in by_task.values()} == {(True, True), (False, False)}


def test_colluders_who_lie_to_us_are_caught_by_an_audit() -> None:
    is_caught_at_once(play_attack(attack("colluders", together=1), SEED))


def test_colluders_are_believed_as_blind_auditors_where_most_auditors_are_theirs() -> None:
    """Who cannot compute counts on honest ones for h = .65 of the auditors' weight: here they have .40."""
    unable: Any = {"count": 12, "honest": 8, "requesters": 8, "cannot_compute": 4, "tasks": 2}
    played = play_attack(attack("colluders", together=1, **unable), SEED)
    hosts = played.stage.requesters
    assert played.wrong_accepts([host for host in hosts if not host.policy.computes]) > 0.1
    assert played.wrong_accepts([host for host in hosts if host.policy.computes]) <= 0.1


@cache
def lazy(checking: str, *, waits: bool, again: int) -> Played:
    """Eight models, each asked for ``again`` times, by one requester after the other."""
    stage = set_up(attack("lazy-copier", tasks=0, checking=checking, waits=waits), SEED, dict(ADVERSARIES))
    for number in range(8 * again):
        ask(stage, stage.requesters[number % len(stage.requesters)], f"model {number // again}")
        run_on(stage, 60.0)
    return Played(stage, {})


def test_a_lazy_copier_lives_off_models_that_are_asked_for_again_and_runs_nothing() -> None:
    played = lazy("none", waits=False, again=3)
    mine = [row for row in played.replicas() if row.peer in ring_of(played)]
    copied = [row for row in mine if not played.is_false(row)]
    assert copied
    assert len(copied) <= played.cost("copies")
    assert played.stage.world.work["RunEvaluation"] == honest_runs(played)


def test_a_copied_lie_is_a_lie() -> None:
    """Where nothing is checked, what the first made up is what the next ones say."""
    false = [row.outputs for row in false_of(lazy("none", waits=False, again=3)) if row.outputs]
    assert len({outputs.cid for outputs in false}) < len(false)


def test_nothing_of_a_task_can_be_copied_in_time() -> None:
    """Commitments hide what others found until nobody can commit any more."""
    played = lazy("none", waits=True, again=1)
    tried = [row for row in played.replicas() if row.peer in ring_of(played)]
    assert tried
    assert {row.state for row in tried} == {ReplicaState.SILENT}
    assert played.cost("copies") > 0  # they came to it, too late


def test_nobody_copies_what_it_has_not_fetched() -> None:
    stage = set_up(attack("lazy-copier", tasks=0), SEED, dict(ADVERSARIES))
    copier = stage.dishonest[0]
    spec = copier.node.state.benchmarks[stage.benchmarks[0]].spec
    job = RunEvaluation("run/1", TaskId("task"), AssignmentId("1"), spec, made_up("model"))
    with pytest.raises(ConfigError, match="not on this host"):
        copier.adversaries[0].grip.copy(job, made_up("outputs").cid)


def test_a_lie_that_would_be_outvoted_is_hidden_and_costs_the_quorum_time() -> None:
    hiding = play_attack(attack("withholding-evaluator", checking="quorum-2"), SEED)
    shown: dict[str, set[bool]] = {}
    for row in hiding.replicas():
        if row.outputs is not None:
            shown.setdefault(row.task, set()).add(hiding.is_false(row))
    assert all(len(said) == 1 for said in shown.values())
    assert {True} in shown.values()
    hidden = [row for row in hiding.replicas() if row.state is ReplicaState.WITHHELD]
    assert {row.peer for row in hidden} <= ring_of(hiding)
    assert len(hidden) > 1
    assert slowest(hiding) > slowest(play_attack(attack("collective", **QUORUM), SEED)) + 10.0


def slowest(played: Played) -> float:
    """Seconds from the beginning of a task to its record."""
    tasks = [(host.node.state, task) for host in played.stage.requesters for task in host.node.state.tasks]
    results = [(state.results.get(task.id), task.created) for state, task in tasks]
    return max(result.finished - created for result, created in results if result is not None)


def test_an_audit_has_no_smell() -> None:
    is_caught_at_once(play_attack(attack("withholding-evaluator"), SEED))


def test_who_always_hides_its_lies_tells_none_and_wastes_a_task_or_two() -> None:
    hiding = play_attack(attack("withholding-evaluator", always=True), SEED)
    assert 0.0 < hiding.measures["bad_picks"] < 0.4
    assert hiding.measures["wrong_accepts"] == 0.0
    assert not false_of(hiding)
