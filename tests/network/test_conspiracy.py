"""Peers that lie to real daemons, and are proven to have: a faked record, and two objects in one slot."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from attacker import attacker
from daemons import Peer, classification, linear_classifier, peers, wait_for

from p2peval.core.messages import TaskAnnouncement
from p2peval.core.parts import Blob
from p2peval.core.types import BenchmarkId
from p2peval.defaults import NETWORK_ID
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import cid_of
from p2peval.wire.topics import TASK_PROTOCOL

STRANGER = EnvelopeSealer(b"e" * 32)
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


class Victim:
    """What an attacker dials."""

    def __init__(self, peer: Peer) -> None:
        self._address = peer.address()

    def addresses(self) -> list[str]:
        return [self._address]


async def test_two_announcements_in_one_slot_are_proven_by_who_sees_both_to_who_saw_neither(tmp_path: Path) -> None:
    with peers(tmp_path, 2) as (ada, bob):
        benchmark = ada.run("bench", "publish", str(classification(tmp_path / "flowers")))["id"]
        bob.run("bench", "join", ada.run("bench", "invite", "flowers")["invite"])
        wait_for(lambda: len(ada.get("benchmarks/flowers")["members"]) == 2, "Ada to know Bob")
        now = int(time.time() * 1000)
        model = Blob(cid_of(b"model"), 5, bytes(32))
        one = TaskAnnouncement(
            NETWORK_ID, STRANGER.peer_id, BenchmarkId(benchmark), model, "one", 10**7, 10**7, 1, now, now + 60_000
        )
        async with attacker(Victim(ada)) as villain:
            for said in (one, replace(one, model_name="two")):
                envelope = STRANGER.seal(said).envelope
                await villain.say(TASK_PROTOCOL, len(envelope).to_bytes(4, "big") + envelope)
        assert ada.wait_for_event("equivocation.proven")["subject"] == STRANGER.peer_id
        assert bob.wait_for_event("equivocation.upheld")["data"]["by"] == ada.id
        for member in (ada, bob):
            (seen,) = member.get("reputation")
            assert (seen["peer"], seen["reputation"], seen["flags"]) == (STRANGER.peer_id, 0.0, ["equivocation(1)"])
