"""A benchmark whose author holds the labels back, from its folder to figures of everybody's own, on real daemons."""

from __future__ import annotations

from pathlib import Path

from daemons import Peer, classification, linear_classifier, peers, wait_for


def line(daemon: Peer) -> dict:
    lines = daemon.get("benchmarks/flowers/board")["lines"]
    return lines[0] if lines else {"standing": "", "metrics": []}


def test_labels_that_are_held_back_are_scored_by_their_author_and_then_by_everybody(tmp_path: Path) -> None:
    folder = classification(tmp_path / "flowers")
    text = (folder / "benchmark.toml").read_text()
    (folder / "benchmark.toml").write_text(text.replace('label = "label"', 'label = "label"\nlabels = "committed"'))
    model = linear_classifier(tmp_path / "c.onnx")
    with peers(tmp_path, 2) as (ada, bob):
        assert ada.run("bench", "publish", str(folder))["labels"] is None
        bob.run("bench", "join", ada.run("bench", "invite", "flowers")["invite"])
        wait_for(lambda: len(bob.get("benchmarks/flowers")["members"]) == 2, "both to know each other")
        task = bob.run("eval", "run", "flowers", str(model))
        assert (task["state"], task["standing"], task["metrics"]) == ("accepted", "me", [])
        assert task["certificate"]["audited"] > 0
        wait_for(lambda: line(bob)["metrics"], "the author's scores")
        assert line(bob)["standing"] == "claimed"
        scored = {metric["name"]: metric["value"] for metric in line(bob)["metrics"]}

        ada.run("bench", "reveal", "flowers")
        wait_for(lambda: line(bob)["standing"] == "me", "figures of one's own")
        assert {metric["name"]: metric["value"] for metric in line(bob)["metrics"]} == scored
        assert line(bob)["certificate"] == task["certificate"]
        again = bob.run("eval", "run", "flowers", str(model), "--name", "again")
        assert {metric["name"]: metric["value"] for metric in again["metrics"]} == scored
