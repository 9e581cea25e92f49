"""What a real daemon saw of another reaches a third by its trust statement, and nobody says it twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from daemons import Peer, classification, linear_classifier, peers, wait_for

EPOCH = 5.0
NOBODY = '["12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"]'


def rows(peer: Peer, query: str) -> list[Any]:
    with sqlite3.connect(peer.home / "state.db") as database:
        return database.execute(query).fetchall()


@pytest.mark.slow
def test_what_one_daemon_saw_another_hears_and_a_restart_forgets_and_repeats_nothing(tmp_path: Path) -> None:
    with peers(tmp_path, 3) as (ada, bob, cleo):
        for peer in (ada, bob, cleo):
            peer.stop()
            peer.settings = {"P2PEVAL_REPUTATION__EPOCH_S": str(EPOCH)}
        cleo.settings["P2PEVAL_EVALUATION__ACCEPT_FROM"] = NOBODY
        ada.start()
        for peer in (bob, cleo):
            peer.bootstrap = ada.address()
            peer.start()
        ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        invite = ada.run("bench", "invite", "flowers")["invite"]
        for other in (bob, cleo):
            other.run("bench", "join", invite)
        for peer in (ada, bob, cleo):
            wait_for(
                lambda peer=peer: len(peer.get("benchmarks/flowers")["members"]) == 3,  # type: ignore[misc]
                "everybody to know everybody",
            )
        done = ada.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "m.onnx")))
        assert done["state"] == "accepted"
        told = cleo.wait_for_event("statement.received")
        assert told["data"]["peer"] == ada.id
        (statement,) = rows(cleo, "SELECT rater, epoch, entries FROM statements")
        assert statement[0] == ada.id
        assert bob.id in statement[2]
        wait_for(lambda: bool(rows(cleo, "SELECT 1 FROM pooled")), "cleo to make something of it")
        believed = "SELECT peer, evidence FROM evidence"
        before = rows(ada, believed), rows(ada, "SELECT id FROM statements")
        ada.kill()
        ada.start()
        start = ada.last_event()
        ada.wait_for_event("trust.recomputed", start)
        assert (rows(ada, believed), rows(ada, "SELECT id FROM statements")) == before
        signed = rows(cleo, "SELECT slot FROM objects WHERE type = 'TrustStatement'")
        assert len(signed) == 1  # nothing new was seen, so nothing was said again
        assert not rows(cleo, "SELECT 1 FROM convictions")
