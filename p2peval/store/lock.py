"""One p2peval per home: an advisory lock that the kernel drops when its holder dies, however it dies.

The file stays behind on purpose: unlinking a locked file lets two processes lock two inodes of one name.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from p2peval.errors import LockedError
from p2peval.store.disk import make_private, refusals

_POLL = 0.05  # seconds between tries; flock has no timeout of its own


class Lock:
    """``with Lock(directory):`` holds ``directory/lock``, or raises LockedError after ``wait_s`` seconds."""

    def __init__(self, directory: Path, *, wait_s: float = 0.0) -> None:
        self._directory = directory
        self._wait_s = wait_s
        self._fd = -1

    def __enter__(self) -> Lock:
        make_private(self._directory)
        path = self._directory / "lock"
        with refusals("opening", path):
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._acquire()
            with refusals("writing", path):
                os.ftruncate(self._fd, 0)
                os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(self._fd)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self._fd, 0)
        os.close(self._fd)

    def _acquire(self) -> None:
        give_up = time.monotonic() + self._wait_s
        while not self._try():
            if time.monotonic() >= give_up:
                raise self._refusal()
            time.sleep(_POLL)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _refusal(self) -> LockedError:
        pid = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
        holder = f"another p2peval (pid {pid})" if pid.isdigit() else "another p2peval"
        return LockedError(
            f"{holder} holds the lock in {_shown(self._directory)}",
            hint="p2peval status, or start with --wait-lock 30s",
        )


def _shown(directory: Path) -> str:
    try:
        return str(Path("~") / directory.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # outside the home, or a user without one
        return str(directory)
