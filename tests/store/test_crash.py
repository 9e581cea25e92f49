"""SIGKILL at any moment loses nothing that was acknowledged (reliability, row 4)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from p2peval.core.rows import CounterRow
from p2peval.store.blobs import BlobStore
from p2peval.store.database import Database
from p2peval.wire.ids import cid_of

COMMITTER = """
import os, sys
from pathlib import Path
from p2peval.core.effects import Send
from p2peval.core.state import Change, CounterRow
from p2peval.store.database import Database

db = Database(Path(sys.argv[1]))
number = max((row.value for row in db.load()["counters"]), default=0)
while True:
    number += 1
    effect = Send(f"send/{number}", "peer", "task", b"e" * 500, 0.0)
    rows = [Change("counters", name, CounterRow(name, number)) for name in ("left", "right")]
    db.commit(rows, [(effect.id, effect)], [f"send/{number - 10}"])
    os.write(1, b"%d\\n" % number)
"""

ADDER = """
import os, sys
from pathlib import Path
from p2peval.store.blobs import BlobStore

store = BlobStore(Path(sys.argv[1]), 1 << 40)
number = 0
while True:
    number += 1
    blob = store.add_bytes(b"%d " % number * 100_000)
    os.write(1, blob.cid.encode() + b"\\n")
    if number > 1:
        store.delete(previous)
    previous = blob.cid
"""


def run_and_kill(script: str, argument: Path, rng: random.Random) -> list[str]:
    """Lines that a child printed until it was killed, in the midst of its work."""
    with subprocess.Popen([sys.executable, "-c", script, str(argument)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]  # it is at work now
        time.sleep(rng.uniform(0.0, 0.1))  # where the blow falls is the point of the test
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    return [line.decode().strip() for line in lines if line.endswith(b"\n")]


THOUSAND = [pytest.param(250, seed, marks=pytest.mark.slow) for seed in range(4)]  # in parts that end in time


@pytest.mark.parametrize(("kills", "seed"), [(20, 4), *THOUSAND])
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path, kills: int, seed: int) -> None:
    rng, path, last = random.Random(seed), tmp_path / "state.db", 0
    for _ in range(kills):
        lines = run_and_kill(COMMITTER, path, rng)
        acknowledged = int(lines[-1])
        assert acknowledged > last
        with Database(path) as db:
            counters = {row.key: row for row in db.load()["counters"]}
            left = counters["left"]
            assert isinstance(left, CounterRow)
            assert left.value in (acknowledged, acknowledged + 1)  # the last may be written and not yet told
            assert counters["right"] == CounterRow("right", left.value)
            waiting = range(max(1, left.value - 9), left.value + 1)
            assert [id_ for id_, _ in db.pending()] == [f"send/{number}" for number in waiting]
            assert db.check() == []
        last = left.value


def test_blob_is_whole_or_not_there_when_the_process_is_killed(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(10):
        lines = run_and_kill(ADDER, tmp_path / "blobs", rng)
        store = BlobStore(tmp_path / "blobs", 1 << 40)
        assert lines[-1] in store.stored()
        for cid in store.stored():
            assert cid_of(store.path(cid).read_bytes()) == cid
            store.delete(cid)
        assert store.total_bytes() == 0
