"""From a task on real daemons to a folder that a stranger's machine checks without any."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from daemons import P2PEVAL, linear_regressor, peers, regression, wait_for


def verified(*words: str, home: Path) -> tuple[int, dict[str, str]]:
    """Exit code, and the state of each check, on a machine without a node."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("P2PEVAL", "XDG"))}
    command = (*P2PEVAL, "eval", "verify", "--json", *words)
    done = subprocess.run(command, capture_output=True, env={**environment, "HOME": str(home)}, check=False)
    data: dict[str, Any] = json.loads(done.stdout)["data"]
    return done.returncode, {check["name"]: check["state"] for check in data["checks"]}


def test_requester_and_a_member_that_only_heard_of_it_bundle_the_same_task(tmp_path: Path) -> None:
    with peers(tmp_path, 3) as (ada, bob, eve):
        ada.run("bench", "publish", str(regression(tmp_path / "prices")))
        invite = ada.run("bench", "invite", "prices")["invite"]
        bob.run("bench", "join", invite)
        eve.run("bench", "join", invite, "--no-evaluate")
        task = bob.run("eval", "run", "prices", str(linear_regressor(tmp_path / "r.onnx")))
        _, alone = verified(task["report"], home=tmp_path)
        assert (alone["certificate"], alone["metrics"], alone["audit"]) == ("ok", "not checked", "not checked")
        _, held = verified(task["report"], "--data", str(bob.home / "blobs"), home=tmp_path)
        assert set(held.values()) == {"ok"}, "a node's own blobs are as good as a bundle"
        wait_for(lambda: len(eve.get("benchmarks/prices/board")["lines"]) == 1, "the record to reach eve")
        for peer in (bob, eve):
            made = peer.run("eval", "export", task["id"], "--to", "bundle", "--out", str(tmp_path / peer.id))
            assert (made["record"], made["missing"]) == (task["record"], [])
            code, states = verified(str(tmp_path / peer.id), home=tmp_path)
            assert code == 0
            assert set(states.values()) == {"ok"}, states
        csv = eve.run("eval", "export", task["id"], "--to", "csv")["text"]
        assert [line.split(",")[4] for line in csv.splitlines()[1:]] == ["mae", "rmse"]
