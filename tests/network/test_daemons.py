"""The main path on real daemons, and what happens to it when somebody dies in the middle."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from daemons import Failed, Peer, classification, linear_classifier, linear_regressor, peers, regression, wait_for


def slots(peer: Peer) -> list[tuple[str, str, str]]:
    with sqlite3.connect(peer.home / "state.db") as database:
        return database.execute("SELECT signer, type, slot FROM objects").fetchall()


def state_of(peer: Peer) -> str:
    with sqlite3.connect(peer.home / "state.db") as database:
        return str(database.execute("SELECT state FROM tasks").fetchone()[0])


def everybody_joins(publisher: Peer, others: list[Peer], name: str) -> None:
    invite = publisher.run("bench", "invite", name)["invite"]
    for other in others:
        other.run("bench", "join", invite)
    for peer in (publisher, *others):
        wait_for(
            lambda peer=peer: len(peer.get(f"benchmarks/{name}")["members"]) == 1 + len(others),  # type: ignore[misc]
            "everybody to know everybody",
        )


def test_a_classification_and_a_regression_go_from_csv_to_the_board(tmp_path: Path) -> None:
    with peers(tmp_path, 3) as (ada, bob, eve):
        ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        ada.run("bench", "publish", str(regression(tmp_path / "prices")))
        for name in ("flowers", "prices"):
            everybody_joins(ada, [bob, eve], name)
        flowers = bob.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "c.onnx")), "--replicas", "2")
        prices = eve.run("eval", "run", "prices", str(linear_regressor(tmp_path / "r.onnx")))
        assert flowers["state"] == prices["state"] == "accepted"
        accuracy = next(metric for metric in flowers["metrics"] if metric["name"] == "accuracy")
        assert accuracy["audit"]["low"] <= accuracy["value"] <= accuracy["audit"]["high"]
        preview = bob.run("eval", "preview", "flowers", str(tmp_path / "c.onnx"))
        assert accuracy["value"] == preview["metrics"][0]["value"]
        rescored = bob.run("eval", "rescore", flowers["id"])
        assert rescored["metrics"] == flowers["metrics"]
        mae = next(metric for metric in prices["metrics"] if metric["name"] == "mae")
        assert mae["value"] < 0.001
        assert mae["audit"] is not None
        wait_for(lambda: len(ada.get("benchmarks/flowers/board")["lines"]) == 1, "the record to reach everybody")
        (line,) = ada.run("board", "flowers")["lines"]
        assert (line["standing"], line["rank"]) == ("claimed", None)
        assert Path(flowers["report"]).exists()


def test_a_requester_killed_before_acceptance_finishes_and_signs_nothing_twice(tmp_path: Path) -> None:
    with peers(tmp_path, 2) as (ada, bob):
        ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        everybody_joins(ada, [bob], "flowers")
        model = linear_classifier(tmp_path / "m.onnx", work=40)
        before = bob.last_event()
        task = bob.run("eval", "run", "flowers", str(model), "--detach")["id"]
        bob.wait_for_event("task.committed", before)
        bob.kill()
        assert state_of(bob) in ("ASSIGNED", "REVEALING", "AUDITING")
        bob.start()
        assert bob.finish(task)["state"] == "accepted"
        for peer in (ada, bob):
            said = slots(peer)
            assert len(said) == len(set(said))


def test_an_evaluator_killed_in_the_middle_is_replaced_and_not_called_dishonest(tmp_path: Path) -> None:
    with peers(tmp_path, 3) as (ada, bob, eve):
        ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        everybody_joins(ada, [bob, eve], "flowers")
        model = linear_classifier(tmp_path / "m.onnx", work=200)
        before = bob.last_event()
        task = bob.run("eval", "run", "flowers", str(model), "--detach")["id"]
        chosen = bob.wait_for_event("task.assigned", before)["data"]["peer"]
        victim, other = (ada, eve) if chosen == ada.id else (eve, ada)
        victim.wait_for_event("duty.assigned")
        victim.kill()
        done = bob.finish(task, patience=120)
        assert done["state"] == "accepted"
        judged = {replica["evaluator"]["peer"]: replica["state"] for replica in done["replicas"]}
        assert judged == {victim.id: "silent", other.id: "agrees"}
        reputation = bob.run("rep", "show", victim.id)
        assert (reputation["silent"], reputation["resolved"], reputation["flags"]) == (1, 0, [])
        assert reputation["reputation"] >= 0.5  # a stranger's


def test_without_its_publisher_a_benchmark_goes_on(tmp_path: Path) -> None:
    with peers(tmp_path, 3) as (ada, bob, eve):
        ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        everybody_joins(ada, [bob, eve], "flowers")
        for peer in (bob, eve):
            wait_for(
                lambda peer=peer: sum(e["kind"] == "data.ready" for e in peer.told()) == 2,  # type: ignore[misc]
                "inputs and labels to arrive",
            )
        ada.kill()
        done = bob.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "m.onnx")))
        assert done["state"] == "accepted"
        assert [replica["evaluator"]["peer"] for replica in done["replicas"]] == [eve.id]


def test_a_joiner_that_knows_only_a_bootstrap_peer_finds_the_members_through_the_dht(tmp_path: Path) -> None:
    with peers(tmp_path, 4) as (bootstrap, ada, bob, joiner):
        published = ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        everybody_joins(ada, [bob], "flowers")
        joiner.run("bench", "join", published["id"])
        done = joiner.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "m.onnx")))
        assert done["state"] == "accepted"
        assert all(line["joined"] is False for line in bootstrap.run("bench", "ls"))


def test_a_late_joiner_shows_the_same_board(tmp_path: Path) -> None:
    with peers(tmp_path, 3) as (ada, bob, late):
        ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        everybody_joins(ada, [bob], "flowers")
        bob.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "m.onnx")))
        late.run("bench", "join", ada.run("bench", "invite", "flowers")["invite"])
        wait_for(lambda: bool(late.get("benchmarks/flowers/board")["lines"]), "the record to be synced")
        (mine,) = bob.run("board", "flowers")["lines"]
        (theirs,) = late.run("board", "flowers")["lines"]
        assert (theirs["metrics"], theirs["record"]) == (mine["metrics"], mine["record"])


def test_a_member_that_audits_in_the_background_ranks_a_claim_by_its_own_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2PEVAL_EVALUATION__BACKGROUND_AUDITS", "true")
    with peers(tmp_path, 3) as (ada, bob, eve):
        ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
        everybody_joins(ada, [bob, eve], "flowers")
        done = bob.run("eval", "run", "flowers", str(linear_classifier(tmp_path / "m.onnx")))
        evaluator = done["replicas"][0]["evaluator"]["peer"]
        watcher = next(peer for peer in (ada, eve) if peer.id != evaluator)
        assert watcher.wait_for_event("record.audited")["data"]["standing"] == "me"
        (line,) = watcher.run("board", "flowers")["lines"]
        assert (line["standing"], line["rank"], line["certificate"]["audited"]) == ("me", 1, 30)
        assert line["metrics"][0]["value"] == done["metrics"][0]["value"]
        assert watcher.run("rep", "show", evaluator)["reputation"] > 0.5


def test_a_topic_that_two_authors_claim_is_listed_and_not_guessed(tmp_path: Path) -> None:
    with peers(tmp_path, 3) as (ada, bob, eve):
        for number, author in enumerate((ada, bob)):
            author.run("bench", "publish", str(classification(tmp_path / f"{number}", name="flowers")))
        wait_for(lambda: len(eve.get("benchmarks")) == 2, "both claims to arrive")
        with pytest.raises(Failed) as refused:
            eve.run("bench", "join", "flowers")
        assert refused.value.code == 2
        assert ada.id in refused.value.error["message"]
        assert bob.id in refused.value.error["message"]
