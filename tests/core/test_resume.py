"""A node that is killed between any two effects comes back and says the same things."""

from __future__ import annotations

from collections import defaultdict

import pytest
from small_world import World

from p2peval.core.rows import TaskState
from p2peval.core.types import PeerId


def run(kill_at: int, victim: int | None) -> World:
    world = World(2)
    requester = world.all[0]
    benchmark = world.publish(requester)
    world.everybody_joins(benchmark, requester)
    world.performed = 0
    world.kill_at = kill_at
    world.victim = None if victim is None else world.all[victim].id
    task = world.start(requester, benchmark)
    world.run_until(lambda: requester.node.state.tasks[task].state is TaskState.ACCEPTED)
    world.run(5.0)
    return world


def said(world: World) -> dict[tuple[PeerId, str, str], set[bytes]]:
    """Every slot that was ever sent, with the envelopes seen in it; profiles may rightly be newer."""
    slots: dict[tuple[PeerId, str, str], set[bytes]] = defaultdict(set)
    for host in world.all:
        for envelope in host.disk.signed:
            sealed = host.sealer.open(envelope)
            kind = type(sealed.payload).__name__
            slots[(sealed.signer, kind, "/".join(sealed.payload.slot))].add(envelope)
    return slots


UNDISTURBED = run(0, None)
EFFECTS = UNDISTURBED.performed


def test_the_undisturbed_run_has_effects_to_be_killed_between() -> None:
    assert EFFECTS > 30


@pytest.mark.parametrize("victim", [0, 1])
def test_killed_between_any_two_effects_a_node_says_the_same_signed_bytes(victim: int) -> None:
    expected = said(UNDISTURBED)
    for kill_at in range(1, EFFECTS + 1):
        world = run(kill_at, victim)
        slots = said(world)
        twice = {slot for slot, envelopes in slots.items() if len(envelopes) > 1}
        assert not twice, f"killed at {kill_at}: {twice}"
        for slot in ("Assignment", "Commitment", "CommitmentSet", "Reveal", "TaskAnnouncement"):
            for key, envelopes in expected.items():
                if key[1] == slot:
                    assert slots[key] == envelopes, f"killed at {kill_at}: {key}"
        requester = world.all[0]
        assert len(list(requester.node.state.results)) == 1
