"""Eight daemons, three of which say the same wrong thing, one never reveals, one turns, one is slow (trust.md §4)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from daemons import Peer, classification, peers, some_model, wait_for

ROWS = 1500
ROUND = 20
ROUNDS = 10
"""200 tasks in all, a round at a time: no single test is long enough to be taken for one that hangs."""
ROLES = ("", "", "slow", "sleeper", "refuser", "ring", "ring", "ring")
EPOCH = 20.0

pytestmark = pytest.mark.slow


@contextmanager
def network(folder: Path) -> Iterator[list[Peer]]:
    with peers(folder, len(ROLES)) as all_:
        for peer, role in zip(all_, ROLES, strict=True):
            peer.stop()
            peer.settings = {"P2PEVAL_REPUTATION__EPOCH_S": str(EPOCH)}
            if role:
                program = Path(__file__).with_name("ring.py")
                peer.program = (sys.executable, str(program), role, str(peer.home))
        all_[0].start()
        for peer in all_[1:]:
            peer.bootstrap = all_[0].address()
            peer.start()
        yield all_


def joined(all_: list[Peer], folder: Path) -> None:
    all_[0].run("bench", "publish", str(classification(folder, rows=ROWS)))
    invite = all_[0].run("bench", "invite", "flowers")["invite"]
    for peer in all_[1:]:
        peer.run("bench", "join", invite)
    for requester in all_[:2]:  # who asks does not answer: one slow peer is all the honesty that is on offer
        requester.run("bench", "join", "flowers", "--no-evaluate")
    for peer in all_:
        wait_for(
            lambda peer=peer: len(peer.get("benchmarks/flowers")["members"]) == len(all_),  # type: ignore[misc]
            "everybody to know everybody",
        )


def asked(requester: Peer, model: Path) -> dict[str, Any]:
    task = requester.post("tasks", {"benchmark": "flowers", "model": str(model)})
    return requester.finish(task["id"], patience=240)


def executions(task: dict[str, Any]) -> float:
    """Evaluations that this task cost, an audited sample counting 1/n."""
    ran = sum(replica["state"] not in ("silent", "declined") for replica in task["replicas"])
    return float(ran + sum(replica["audited"] for replica in task["replicas"]) / ROWS)


class Rounds:
    """The network, and what each of its tasks has cost so far; two requesters ask at the same time."""

    def __init__(self, all_: list[Peer], folder: Path) -> None:
        self.all = all_
        self.requesters = all_[:2]
        self.folder = folder
        self.costs: list[float] = []

    def play(self, number: int) -> None:
        with ThreadPoolExecutor(len(self.requesters)) as pool:
            halves = pool.map(lambda half: self._ask(number, half), range(len(self.requesters)))
            self.costs += [cost for costs in halves for cost in costs]
        block = self.costs[-ROUND:]
        print(f"round {number + 1}: {sum(block) / len(block):.3f} executions a task")

    def _ask(self, number: int, half: int) -> list[float]:
        """Every other task of a round. Each result is held against a run of the same model by the requester itself."""
        requester, costs = self.requesters[half], []
        for place in range(half, ROUND, len(self.requesters)):
            seed = number * ROUND + place
            model = some_model(self.folder / f"m{seed}.onnx", seed)
            done = asked(requester, model)
            truth = requester.post("benchmarks/flowers/preview", {"model": str(model)})
            assert done["state"] == "accepted", done["reason"]
            assert done["metrics"][0]["value"] == truth["metrics"][0]["value"], "a wrong number was accepted"
            costs.append(executions(done))
        return costs


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    folder = tmp_path_factory.mktemp("ring")
    with pytest.MonkeyPatch.context() as patch, network(folder) as all_:
        patch.setenv("P2PEVAL_HOME", str(folder / "nobody"))
        joined(all_, folder / "flowers")
        yield Rounds(all_, folder)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_no_wrong_number_is_accepted(rounds: Rounds, number: int) -> None:
    rounds.play(number)


def test_checking_falls_as_records_grow(rounds: Rounds) -> None:
    assert len(rounds.costs) == ROUNDS * ROUND
    assert sum(rounds.costs[-ROUND:]) < sum(rounds.costs[:ROUND])


def test_nobody_honest_is_called_a_liar_and_no_liar_is_asked_again(rounds: Rounds) -> None:
    ada, bob, slow, sleeper, refuser, *ring = rounds.all
    for requester in (ada, bob):
        seen = {row["peer"]: row for row in requester.get("reputation")}
        for honest in {ada, bob, slow, refuser} - {requester}:
            if honest.id in seen:
                assert seen[honest.id]["agreed"] in (1.0, None)
                assert seen[honest.id]["flags"] == []
        assert seen[refuser.id]["streak"] == 0
        for liar in (sleeper, *ring):
            wait_for(
                lambda who=liar, at=requester: at.run("rep", "show", who.id)["reputation"] == 0.0,  # type: ignore[misc]
                f"{liar.home.name} to be dropped by {requester.home.name}",
            )
