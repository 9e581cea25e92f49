"""Eight daemons, three of which say the same wrong thing, one never reveals, one turns, one is slow (trust.md §4)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from daemons import Peer, classification, peers, save, wait_for
from onnx import helper, numpy_helper

ROWS = 1500
TASKS = int(os.environ.get("P2PEVAL_RING_TASKS", "200"))
ROLES = ("", "", "slow", "sleeper", "refuser", "ring", "ring", "ring")
EPOCH = 20.0


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
    for peer in all_:
        wait_for(
            lambda peer=peer: len(peer.get("benchmarks/flowers")["members"]) == len(all_),  # type: ignore[misc]
            "everybody to know everybody",
        )


def some_model(path: Path, seed: int) -> Path:
    """Softmax over three lines of their own: every task has another answer."""
    drawn = np.random.default_rng(seed)
    tensors = [
        numpy_helper.from_array(drawn.normal(size=(2, 3)).astype(np.float32), "W"),
        numpy_helper.from_array(drawn.normal(size=3).astype(np.float32), "B"),
    ]
    nodes = [
        helper.make_node("MatMul", ["X", "W"], ["S0"]),
        helper.make_node("Add", ["S0", "B"], ["S"]),
        helper.make_node("Softmax", ["S"], ["P"], axis=1),
    ]
    return save(path, nodes, tensors, "P", 3)


def asked(requester: Peer, model: Path) -> dict[str, Any]:
    task = requester.post("tasks", {"benchmark": "flowers", "model": str(model)})
    return requester.finish(task["id"], patience=240)


def executions(task: dict[str, Any]) -> float:
    """Evaluations that this task cost, an audited sample counting 1/n."""
    ran = sum(replica["state"] not in ("silent", "declined") for replica in task["replicas"])
    return float(ran + sum(replica["audited"] for replica in task["replicas"]) / ROWS)


def told(number: int, costs: list[float]) -> None:
    block = costs[-20:]
    print(f"tasks {number - len(block) + 1:3}–{number:3}: {sum(block) / len(block):.3f} executions each")


@pytest.mark.slow
def test_no_wrong_number_is_accepted_and_checking_falls_as_records_grow(tmp_path: Path) -> None:
    with network(tmp_path) as all_:
        ada, bob, slow, sleeper, refuser, *ring = all_
        joined(all_, tmp_path / "flowers")
        costs: list[float] = []
        wrong = 0
        for number, requester in zip(range(1, TASKS + 1), cycle((ada, bob)), strict=False):
            model = some_model(tmp_path / f"m{number}.onnx", number)
            done = asked(requester, model)
            truth = requester.post("benchmarks/flowers/preview", {"model": str(model)})
            assert done["state"] == "accepted", done["reason"]
            wrong += done["metrics"][0]["value"] != truth["metrics"][0]["value"]
            costs.append(executions(done))
            if number % 20 == 0:
                told(number, costs)
        assert wrong == 0
        fifth = max(1, TASKS // 5)
        assert sum(costs[-fifth:]) < sum(costs[:fifth])
        for requester in (ada, bob):
            seen = {row["peer"]: row for row in requester.get("reputation")}
            assert seen[slow.id]["agreed"] in (1.0, None)
            assert not any(flag.startswith(("fraud", "equivocation", "differed")) for flag in seen[slow.id]["flags"])
            assert seen[refuser.id]["agreed"] in (1.0, None)
            assert seen[refuser.id]["streak"] == 0
            for liar in (sleeper, *ring):
                wait_for(
                    lambda who=liar, at=requester: at.run("rep", "show", who.id)["reputation"] == 0.0,  # type: ignore[misc]
                    f"{liar.home.name} to be dropped by {requester.home.name}",
                )
