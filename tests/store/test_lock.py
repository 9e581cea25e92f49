from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from p2peval.errors import LockedError
from p2peval.store.lock import Lock

HOLDER = """
import sys
from pathlib import Path
from p2peval.store.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def other_process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of ``directory`` until its stdin says otherwise."""
    command = [sys.executable, "-c", HOLDER, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_p2peval_is_told_who_holds_the_lock_and_where(tmp_path: Path) -> None:
    with other_process(tmp_path) as holder, pytest.raises(LockedError) as refusal, Lock(tmp_path):
        pytest.fail("two hold one lock")
    assert refusal.value.message == f"another p2peval (pid {holder.pid}) holds the lock in {tmp_path}"
    assert "--wait-lock" in refusal.value.hint


def test_folder_in_the_home_is_shown_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Lock(tmp_path / "state"), pytest.raises(LockedError, match=r"in ~/state$"), Lock(tmp_path / "state"):
        pytest.fail("two hold one lock")


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with other_process(tmp_path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with Lock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_waiting_gets_the_lock_once_it_is_free(tmp_path: Path) -> None:
    with other_process(tmp_path) as holder:
        assert holder.stdin is not None
        holder.stdin.write("go\n")
        holder.stdin.flush()
        with Lock(tmp_path, wait_s=30.0):
            assert holder.wait() == 0


def test_waiting_ends(tmp_path: Path) -> None:
    with Lock(tmp_path), pytest.raises(LockedError), Lock(tmp_path, wait_s=0.1):
        pytest.fail("two hold one lock")


def test_released_lock_can_be_taken_again_in_a_private_folder(tmp_path: Path) -> None:
    for _ in range(3):
        with Lock(tmp_path / "new"):
            pass
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "lock").stat().st_mode & 0o777 == 0o600
