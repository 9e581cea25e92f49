"""A pool's processes: none outlives whoever asked for the work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

WORK = """
import os, sys, time
from pathlib import Path
from p2peval.sim.pool import played

def busy(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    list(played(busy, [sys.argv[1]] * 2, 2))
"""
PATIENCE = 60.0
"""Seconds for processes to start or to end on a busy machine."""


def test_killed_work_leaves_no_process_behind(tmp_path: Path) -> None:
    script, pids = tmp_path / "work.py", tmp_path / "pids"
    script.write_text(WORK)
    pids.mkdir()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    asked = subprocess.Popen([sys.executable, str(script), str(pids)], env=environment)
    try:
        until(lambda: len(list(pids.iterdir())) == 2)
    finally:
        asked.send_signal(signal.SIGKILL)
        asked.wait()
    workers = [int(file.name) for file in pids.iterdir()]
    until(lambda: not any(map(runs, workers)))


def until(holds) -> None:  # type: ignore[no-untyped-def]
    """Polls: processes that are not our children send us nothing."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "patience is over"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """A zombie that nobody has waited for does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
