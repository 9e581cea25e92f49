"""A disk that fills up under a running daemon: it says so, writes nothing by halves, and goes on when it can."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import Failed, Peer, classification, linear_classifier, peers, wait_for


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def fill(disk: Path) -> Path:
    """To the last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 1_024, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def test_full_disk_makes_the_node_read_only_until_there_is_room_and_costs_no_task(
    tmp_path: Path, small_disk: Path
) -> None:
    with peers(tmp_path, 1) as (ada,):
        bob = Peer(small_disk / "bob", bootstrap=ada.address()).start()
        try:
            ada.run("bench", "publish", str(classification(tmp_path / "flowers")))
            bob.run("bench", "join", ada.run("bench", "invite", "flowers")["invite"])
            wait_for(lambda: sum(e["kind"] == "data.ready" for e in bob.told()) == 2, "the data to arrive")
            before = bob.last_event()
            slow = linear_classifier(tmp_path / "slow.onnx", work=100)
            task = bob.run("eval", "run", "flowers", str(slow), "--detach")["id"]
            bob.wait_for_event("task.assigned", before)
            filler = fill(small_disk)
            wait_for(lambda: bool(bob.get("status")["read_only"]), "the full disk to be noticed")
            assert "full" in bob.get("status")["read_only"]
            assert not bob._answers()
            for words in (("eval", "cancel", task), ("bench", "leave", "flowers")):
                with pytest.raises(Failed) as refused:
                    bob.run(*words)
                assert refused.value.code == 1
                assert refused.value.error["code"] == "store"
                assert "full" in refused.value.error["message"]
                assert "space" in refused.value.error["hint"]
            assert bob.task(task)["state"] not in ("accepted", "failed")
            filler.unlink()
            wait_for(lambda: not bob.get("status")["read_only"], "the node to go on")
            done = bob.finish(task)
            assert (done["state"], [replica["state"] for replica in done["replicas"]]) == ("accepted", ["agrees"])
            reputation = bob.run("rep", "show", ada.id)
            assert (reputation["agreed"], reputation["silent"], reputation["withheld"]) == (1.0, 0, 0)
        finally:
            bob.stop()
        with sqlite3.connect(bob.home / "state.db") as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            said = database.execute("SELECT signer, type, slot FROM objects").fetchall()
        assert len(said) == len(set(said))
