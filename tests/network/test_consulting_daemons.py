"""A daemon that runs no model has its tasks audited by others, over real connections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
from daemons import Peer, classification, linear_classifier, wait_for

SETTINGS = {
    "P2PEVAL_EVALUATION__COMPUTES": "false",
    "P2PEVAL_REPUTATION__HONEST_SHARE": "0.95",  # of two auditors no less will do
}


@contextmanager
def cast(folder: Path) -> Iterator[tuple[Peer, list[Peer]]]:
    """A phone, and three members that lie about large models and tell the truth of what they audit."""
    program, made = str(Path(__file__).with_name("conspirator.py")), list[Peer]()
    try:
        for number in range(4):
            made.append(Peer(folder / f"peer{number}", bootstrap=made[0].address() if made else ""))
            if number:
                made[-1].program = (sys.executable, program, "turncoat", str(made[-1].home))
            else:
                made[-1].settings = SETTINGS
            made[-1].start()
        yield made[0], made[1:]
    finally:
        for peer in made:
            peer.stop()


def test_a_phone_accepts_what_blind_auditors_see_too_and_has_what_they_do_not_see_proven_to_all(tmp_path: Path) -> None:
    with cast(tmp_path) as (phone, others):
        others[0].run("bench", "publish", str(classification(tmp_path / "flowers")))
        invite = others[0].run("bench", "invite", "flowers")["invite"]
        for peer in (*others[1:], phone):
            peer.run("bench", "join", invite)
        wait_for(lambda: len(phone.get("benchmarks/flowers")["members"]) == 4, "the phone to know the others")
        model = linear_classifier(tmp_path / "m.onnx")
        task = phone.run("eval", "run", "flowers", str(model))
        (replica,) = task["replicas"]
        assert (task["state"], task["standing"], task["certificate"]) == ("accepted", "trusted", None)
        asked = {auditor["peer"] for auditor in replica["auditors"]}
        assert asked == {other.id for other in others} - {replica["evaluator"]["peer"]}
        assert replica["objectors"] == []
        assert replica["undetected"] < 0.005
        own = others[0].run("eval", "preview", "flowers", str(model))
        assert [(m["name"], m["value"]) for m in own["metrics"]] == [(m["name"], m["value"]) for m in task["metrics"]]

        checks = phone.run("eval", "verify", task["report"], "--data", str(phone.home / "blobs"))["checks"]
        assert {check["state"] for check in checks} == {"ok"}
        probed = phone.run("eval", "probe", task["id"])
        (replica,) = probed["replicas"]
        assert (probed["state"], replica["audited"], replica["auditors"]) == ("accepted", 150, [])
        assert probed["model"] != task["model"]
        assert probed["metrics"][0]["value"] == task["metrics"][0]["value"]

        large = onnx.load(model)
        large.doc_string = "x" * 1000
        onnx.save(large, tmp_path / "large.onnx")
        announced = phone.run("eval", "run", "flowers", str(tmp_path / "large.onnx"), "--detach")
        wait_for(lambda: bool(judged(phone, announced["id"])), "the first lie to be judged")
        first = judged(phone, announced["id"])[0]
        assert (first["state"], len(first["objectors"])) == ("differs", 2)
        liar = first["evaluator"]["peer"]
        members = [other for other in others if other.id != liar]
        assert all(member.wait_for_event("fraud.upheld")["data"]["peer"] == liar for member in members)


def judged(peer: Peer, task: str) -> list[dict[str, Any]]:
    return [replica for replica in peer.task(task)["replicas"] if replica["state"] in ("agrees", "differs", "doubtful")]
