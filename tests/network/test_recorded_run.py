"""The twin test: what five real daemons decided, a fresh node decides again from their records (the seam, rule 2)."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from daemons import Peer, classification, some_model, wait_for

from p2peval.core.types import TaskId
from p2peval.sim.replay import Replayed, replay

NAMES = ("ada", "bob", "cleo", "dan", "eve")
LIAR = "eve"
MOST_TASKS = 8
"""Bob asks until the liar is caught, whom he trusts: whom he does not know he asks for one place in ten."""
BACK = ((Peer.stop, "dan"), (Peer.kill, "cleo"))
"""Who is gone after the first task and after the second, how, and comes back."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Run:
    """``told``: bob's tasks, as his daemon told them at its end."""

    peers: dict[str, Peer]
    told: dict[str, dict[str, Any]]

    def record(self, name: str) -> Path:
        return self.peers[name].home / "record"

    def played(self, name: str) -> Replayed:
        return replay(self.record(name), (self.peers[name].home / "identity.key").read_bytes())


def daemon(folder: Path, name: str, bootstrap: str) -> Peer:
    """It records from its first second."""
    peer = Peer(folder / name, bootstrap=bootstrap)
    peer.settings = {
        "P2PEVAL_NODE__RECORD": "record",
        "P2PEVAL_REPUTATION__EPOCH_S": "15",
        "P2PEVAL_EVALUATION__BACKGROUND_AUDITS": "true",
    }
    if name == LIAR:
        peer.program = (sys.executable, str(Path(__file__).with_name("conspirator.py")), "liar", str(peer.home))
    return peer.start()


def caught(requester: Peer, liar: Peer) -> bool:
    """One of the liar's results was audited, and is false."""
    replicas = [each for task in requester.get("tasks") for each in requester.task(task["id"])["replicas"]]
    return any((each["evaluator"]["peer"], each["state"]) == (liar.id, "differs") for each in replicas)


def live(folder: Path, all_: dict[str, Peer]) -> None:
    """One benchmark, a few tasks, one liar; one daemon is stopped and comes back, one is killed and comes back."""
    ada, bob = all_["ada"], all_["bob"]
    ada.run("bench", "publish", str(classification(folder / "flowers")))
    invite = ada.run("bench", "invite", "flowers")["invite"]
    for peer in all_.values():
        if peer is not ada:
            peer.run("bench", "join", invite)
    for peer in all_.values():
        wait_for(
            lambda peer=peer: len(peer.get("benchmarks/flowers")["members"]) == len(all_),  # type: ignore[misc]
            "everybody to know everybody",
        )
    bob.run("rep", "trust", all_[LIAR].id, "--for", "1d", "--note", "a friend")
    for number in range(MOST_TASKS):
        model = some_model(folder / f"model{number}.onnx", number)
        task = bob.post("tasks", {"benchmark": "flowers", "model": str(model), "replicas": 2})
        assert bob.finish(task["id"])["state"] == "accepted"
        if number < len(BACK):
            leave, name = BACK[number]
            leave(all_[name])
            all_[name].start()
        elif caught(bob, all_[LIAR]):
            return
    pytest.fail("the liar was never asked")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("recorded")
    all_: dict[str, Peer] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("P2PEVAL_HOME", str(folder / "nobody"))
        try:
            for name in NAMES:
                all_[name] = daemon(folder, name, all_["ada"].address() if all_ else "")
            live(folder, all_)
            told = {task["id"]: all_["bob"].task(task["id"]) for task in all_["bob"].get("tasks")}
        finally:
            for peer in all_.values():
                peer.stop()
    return Run(all_, told)


def test_every_daemons_record_is_played_again_without_a_difference(run: Run) -> None:
    events: Counter[str] = Counter()
    for name in NAMES:
        again = run.played(name)
        assert again.same, (name, again.difference, again.gaps)
        assert (again.peer, again.torn) == (run.peers[name].id, False)
        assert again.starts == (2 if name in [back for _, back in BACK] else 1)
        lines = run.record(name).read_bytes().splitlines()
        assert sum(again.events.values()) == sum(json.loads(line)["type"] in ("event", "resumed") for line in lines)
        events += again.events
    print(f"{sum(events.values())} events: {dict(events.most_common())}")
    for kind in ("MessageReceived", "EvaluationFinished", "ComparisonFinished", "BlobReady", "TimerExpired", "PeerUp"):
        assert events[kind] >= 3, kind


def test_the_played_node_ends_where_the_daemon_did(run: Run) -> None:
    bob, eve = run.played("bob").state, run.peers[LIAR].id
    assert {task.id: task.state.name.lower() for task in bob.tasks} == {id_: t["state"] for id_, t in run.told.items()}
    for id_, told in run.told.items():
        replicas = {replica.peer: replica.state.name.lower() for replica in bob.replicas.of(TaskId(id_))}
        assert replicas == {replica["evaluator"]["peer"]: replica["state"] for replica in told["replicas"]}
    assert "differs" in {
        replica["state"]
        for told in run.told.values()
        for replica in told["replicas"]
        if replica["evaluator"]["peer"] == eve
    }


def test_one_altered_event_is_found_at_its_line(run: Run) -> None:
    path = run.record("bob")
    lines = path.read_text().splitlines(keepends=True)
    line = next(number for number, text in enumerate(lines, 1) if '"verdict":"differs"' in text)
    lines[line - 1] = lines[line - 1].replace('"verdict":"differs"', '"verdict":"agrees"')
    altered = path.with_name("altered")
    altered.write_text("".join(lines))
    found = replay(altered, (run.peers["bob"].home / "identity.key").read_bytes()).difference
    assert found is not None
    assert (found.line, found.event) == (line, "ComparisonFinished")
