"""A requester and an evaluator who are one person, on real daemons: what others make of their record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from daemons import Peer, classification, linear_classifier, peers, wait_for

NOBODY = '["12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"]'


def restarted(peer: Peer, role: str = "", **settings: str) -> None:
    peer.stop()
    if role:
        program = Path(__file__).with_name("conspirator.py")
        peer.program = (sys.executable, str(program), role, str(peer.home))
    peer.settings = {f"P2PEVAL_EVALUATION__{key.upper()}": value for key, value in settings.items()}
    peer.start()


def line_of(peer: Peer) -> dict[str, Any]:
    (line,) = peer.get("benchmarks/flowers/board")["lines"]
    return dict(line)


def seen_of(peer: Peer, other: Peer) -> dict[str, Any]:
    return dict(peer.run("rep", "show", other.id))


def test_a_fake_record_is_a_claim_then_refuted_by_one_members_audit_and_by_every_other_members_rerun_of_its_proof(
    tmp_path: Path,
) -> None:
    with peers(tmp_path, 4) as (watcher, accomplice, liar, reader):
        restarted(watcher, accept_from=NOBODY, background_audits="true")
        restarted(reader, accept_from=NOBODY, background_audits="false")
        restarted(accomplice, "accomplice", background_audits="false")
        restarted(liar, "liar", background_audits="false")
        watcher.run("bench", "publish", str(classification(tmp_path / "flowers")))
        invite = watcher.run("bench", "invite", "flowers")["invite"]
        for other in (accomplice, liar, reader):
            other.run("bench", "join", invite)
        for peer in (watcher, accomplice, liar, reader):
            wait_for(
                lambda peer=peer: len(peer.get("benchmarks/flowers")["members"]) == 4,  # type: ignore[misc]
                "everybody to know everybody",
            )
        done = accomplice.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "m.onnx")))
        assert done["state"] == "accepted"
        assert [replica["evaluator"]["peer"] for replica in done["replicas"]] == [liar.id]
        reader.wait_for_event("record.received")
        assert (line_of(reader)["standing"], line_of(reader)["rank"]) == ("claimed", None)

        assert watcher.wait_for_event("record.audited")["data"]["standing"] == "refuted"
        proven = watcher.wait_for_event("fraud.proven")
        upheld = reader.wait_for_event("fraud.upheld")
        assert (proven["data"]["peer"], upheld["data"]["by"]) == (liar.id, watcher.id)
        for member in (watcher, reader):
            assert (line_of(member)["standing"], line_of(member)["rank"]) == ("refuted", None)
            seen = seen_of(member, liar)
            assert (seen["reputation"], seen["flags"]) == (0.0, ["fraud-proof(1)", "differed(1)"])
        assert all(row["peer"] != watcher.id for row in reader.get("reputation"))
        assert "fraud.accused" in {event["kind"] for event in liar.told()}
