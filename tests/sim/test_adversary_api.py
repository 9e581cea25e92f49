"""What an adversary may do: filter all that its node hears and does, speak in its own name, and change that name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from p2peval.core.checking import TrustStatement
from p2peval.core.effects import Effect, Publish
from p2peval.core.events import Event, PeerDown
from p2peval.core.parts import TrustEntry
from p2peval.core.types import PeerId
from p2peval.defaults import NETWORK_ID
from p2peval.errors import ConfigError, LocalProtocolError
from p2peval.sim.adversary import Adversary, Effects, Events, Grip, load
from p2peval.sim.host import Host
from p2peval.sim.stage import Stage, set_up
from tests.sim.attack_world import attack, run_on


@dataclass
class First(Adversary):
    """Says of all that passes that it saw it, and lets it pass."""

    def hear(self, event: Event) -> Events:
        self.grip.ring.memory.setdefault("heard", []).append((self.name(), event))
        yield event

    def act(self, effect: Effect) -> Effects:
        self.grip.ring.memory.setdefault("done", []).append((self.name(), effect))
        yield effect


@dataclass
class Deaf(Adversary):
    """Hears nothing of peers that go."""

    def hear(self, event: Event) -> Events:
        return () if isinstance(event, PeerDown) else (event,)


@dataclass
class Second(First):
    """The same, behind another."""


def stage_of(*chain: type[Adversary]) -> Stage:
    """A small world with one host that has this chain of filters."""
    kinds = {kind.name(): kind for kind in chain}
    first, *others = kinds
    return set_up(attack(first, count=1, also=tuple(others), honest=4, requesters=4, tasks=0), 1, kinds)


def liar_of(stage: Stage) -> tuple[Host, Grip]:
    host = stage.dishonest[0]
    return host, host.adversaries[0].grip


def statement(grip: Grip, author: PeerId, epoch: int, praised: PeerId) -> TrustStatement:
    benchmark = next(iter(grip.node.state.benchmarks)).id
    return TrustStatement(NETWORK_ID, author, benchmark, epoch, (TrustEntry(praised, 1000, 0),))


def test_events_pass_all_filters_in_order_and_what_one_swallows_nobody_hears() -> None:
    stage = stage_of(First, Deaf, Second)
    host, grip = liar_of(stage)
    gone = PeerDown(stage.honest[0].id)
    stage.world.handle(host, gone)
    assert ("first", gone) in grip.ring.memory["heard"]
    assert ("second", gone) not in grip.ring.memory["heard"]
    assert gone.peer in host.node.connected


def test_effects_pass_all_filters_and_what_an_adversary_does_itself_passes_none() -> None:
    stage = stage_of(First, Second)
    _host, grip = liar_of(stage)
    run_on(stage, 200.0)
    by = [name for name, _ in grip.ring.memory["done"]]
    assert by.count("first") == by.count("second") > 0
    said = grip.seal(statement(grip, grip.me, 1, stage.honest[0].id))
    grip.do(grip.publish(said, said.payload.benchmark))  # type: ignore[union-attr]
    assert all(effect.object != said.id for _, effect in grip.ring.memory["done"] if isinstance(effect, Publish))


def test_it_signs_in_its_own_name_only() -> None:
    stage = stage_of(First)
    _, grip = liar_of(stage)
    with pytest.raises(LocalProtocolError, match="would sign"):
        grip.seal(statement(grip, stage.honest[0].id, 1, grip.me))


def test_what_is_said_instead_is_all_that_anybody_gets_to_see() -> None:
    stage = stage_of(First)
    host, grip = liar_of(stage)
    epoch = int(stage.world.now // host.policy.epoch_s) - 1
    meant = statement(grip, grip.me, epoch, stage.honest[0].id)
    sealed = grip.seal(meant)
    grip.keep(sealed, meant.benchmark)
    said = grip.say_instead(grip.publish(sealed, meant.benchmark), statement(grip, grip.me, epoch, stage.honest[1].id))
    grip.do(said)
    run_on(stage, 400.0)  # long enough for everybody to have synced with it
    for other in stage.honest:
        assert said.object in other.node.state.objects
        assert sealed.id not in other.node.state.objects
        assert not list(other.node.state.convictions)


def test_a_new_name_is_known_to_nobody_and_has_the_machine_and_the_benchmarks_of_the_old() -> None:
    stage = stage_of(First)
    host, grip = liar_of(stage)
    old, blobs = grip.me, set(host.blobs)
    grip.become_new()
    run_on(stage, 60.0)
    assert grip.me != old
    assert grip.friends == (grip.me,)
    assert set(host.blobs) >= blobs
    assert grip.ring.cost["identities"] == 2
    assert [row.joined for row in host.node.state.benchmarks] == [True]
    assert {other.id for other in stage.honest} <= host.node.connected
    for other in stage.honest:
        assert grip.me in other.node.state.peers
        assert grip.me not in other.node.state.evidence


def test_an_adversary_on_no_host_has_no_grip() -> None:
    with pytest.raises(ConfigError, match="Deaf is not on a host"):
        _ = Deaf().grip


HEAD = "from dataclasses import dataclass\nfrom p2peval.sim.adversary import Adversary\n"
ONE = "@dataclass\nclass SlyFox(Adversary):\n    cunning: float = 0.5\n"


def test_a_users_file_gives_its_one_adversary(tmp_path: Path) -> None:
    file = tmp_path / "fox.py"
    file.write_text(HEAD + ONE)
    assert load(file).name() == "sly-fox"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (HEAD, "defines 0 adversaries"),
        (HEAD + ONE + ONE.replace("SlyFox", "Other"), r"defines 2 adversaries \(Other, SlyFox\)"),
        (HEAD + ONE.replace("@dataclass\n", ""), "SlyFox is no dataclass"),
        (HEAD + ONE.replace("0.5", "half"), "half"),
        (HEAD + "class :", "SyntaxError"),
    ],
)
def test_a_users_file_without_one_is_refused_with_what_is_wrong(tmp_path: Path, text: str, error: str) -> None:
    file = tmp_path / "fox.py"
    file.write_text(text)
    with pytest.raises(ConfigError, match=error):
        load(file)


@pytest.mark.slow
def test_every_attack_is_played_the_same_under_two_hash_seeds() -> None:
    told = [dict(digests(seed)) for seed in ("1", "2")]
    assert len(told[0]) > 10
    assert told[0] == told[1]


def digests(hash_seed: str) -> Iterator[tuple[str, str]]:
    """Attack -> digest of its trace, in a process of its own with that PYTHONHASHSEED."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run([sys.executable, "-c", PLAY], capture_output=True, text=True, check=True, env=environment)
    yield from json.loads(ran.stdout).items()


PLAY = """
import json
from p2peval.sim.adversaries import ADVERSARIES
from tests.sim.attack_world import attack, play_attack
kinds = sorted(ADVERSARIES)
print(json.dumps({k: play_attack(attack(k, tasks=3, checking="boinc")).stage.world.trace.digest for k in kinds}))
"""
