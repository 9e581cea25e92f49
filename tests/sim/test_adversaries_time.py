"""Lies at the right time, or to the right victim: what it brings where nobody looks, and where everybody is audited."""

from __future__ import annotations

from typing import Any

import pytest

from p2peval.core.rows import ReplicaState
from tests.sim.attack_world import LUCK, Played, attack, play_attack

UNCHECKED: Any = {"opinion": "none", "checking": "none"}
SEED = 1


def answers(played: Played) -> dict[str, list[bool]]:
    """Dishonest peer -> which of its answers were lies, in order of time."""
    ring = {host.id for host in played.dishonest}
    told: dict[str, list[tuple[float, bool]]] = {}
    for host in played.stage.requesters:
        for row in host.node.state.replicas:
            if row.peer in ring and row.outputs is not None:
                at = host.node.state.tasks[row.task].created
                told.setdefault(row.peer, []).append((at, played.is_false(row)))
    return {peer: [lie for _, lie in sorted(each)] for peer, each in told.items()}


def test_a_sleeper_is_honest_first_and_never_again() -> None:
    told = answers(play_attack(attack("sleeper", wakes_after=1, **UNCHECKED), SEED))
    assert any(len(each) > 2 for each in told.values())
    for each in told.values():
        assert each == [number >= 1 for number in range(len(each))]


def test_traitors_turn_at_one_time_whatever_they_have_done() -> None:
    played = play_attack(attack("sleeper", wakes_after=1000, wakes_s=450.0, **UNCHECKED), SEED)  # half of the time
    assert all(each == sorted(each) for each in answers(played).values())
    assert 0.0 < played.measures["wrong_accepts"] < played.measures["captured_tasks"]


def test_on_off_goes_round() -> None:
    told = answers(play_attack(attack("on-off", right=1, wrong=1, **UNCHECKED), SEED))
    assert any(len(each) > 2 for each in told.values())
    for each in told.values():
        assert each == [number % 2 == 1 for number in range(len(each))]


@pytest.mark.parametrize(("kind", "settings"), [("sleeper", {"wakes_after": 1}), ("on-off", {"right": 1, "wrong": 1})])
def test_a_good_record_buys_no_lie_from_an_auditor(kind: str, settings: dict[str, Any]) -> None:
    trusting = play_attack(attack(kind, **settings, **UNCHECKED), SEED).measures
    ours = play_attack(attack(kind, tasks=8, **settings), SEED)
    assert trusting["wrong_accepts"] > 0.05
    assert ours.measures["lies"] > 0
    assert ours.measures["wrong_accepts"] <= LUCK
    assert all(sum(each) <= 2 for each in answers(ours).values())  # none after the first was proven


def test_a_whitewasher_comes_back_and_is_a_newcomer_again() -> None:
    sarmenta = play_attack(attack("whitewasher", checking="sarmenta"), SEED)
    ours = play_attack(attack("whitewasher"), SEED)
    for played in (sarmenta, ours):
        born = played.cost("identities") - len(played.dishonest)
        assert 1 <= born <= played.cost("lies")
        assert [host.number for host in played.dishonest] == [6, 7, 8, 9, 10, 11]
        assert all(len(host.node.state.benchmarks) == 1 for host in played.dishonest)  # joined again
    assert ours.measures["bad_picks"] < sarmenta.measures["bad_picks"] / 1.5
    assert ours.measures["wrong_accepts"] <= LUCK


def test_a_whitewasher_whom_nobody_asks_takes_another_name() -> None:
    played = play_attack(attack("whitewasher", tasks=0, patience_s=50.0), SEED)
    assert played.cost("lies") == 0
    assert played.cost("identities") >= 2 * len(played.dishonest)


def test_targeting_lies_to_every_second_who_asks_and_to_nobody_else() -> None:
    trusting = play_attack(attack("targeting", **UNCHECKED), SEED)
    asked = list(trusting.stage.rings[0].memory["asked"])  # in the order in which they came
    hosts = {host.id: host for host in trusting.stage.requesters}
    assert len(asked) > 2
    assert all(trusting.wrong_accepts([hosts[peer]]) > 0.0 for peer in asked[::2])
    assert trusting.wrong_accepts([hosts[peer] for peer in asked[1::2]]) == 0.0


def test_a_single_victim_is_the_least() -> None:
    played = play_attack(attack("targeting", victims=0.0, **UNCHECKED), SEED)
    hit = [host.id for host in played.stage.requesters if played.wrong_accepts([host]) > 0.0]
    assert hit == list(played.stage.rings[0].memory["asked"])[:1]


def test_what_it_earns_with_others_buys_no_lie_to_us() -> None:
    ours = play_attack(attack("targeting"), SEED)
    lies = [row for row in ours.replicas() if ours.is_false(row)]
    assert lies
    assert {row.state for row in lies} <= {ReplicaState.DIFFERS, ReplicaState.AGREES}
    assert ours.measures["wrong_accepts"] <= LUCK
