"""What a worker does to itself before it touches a stranger's bytes.

Decides the limits of the process and that it does not outlive its parent. Must not know jobs beyond
their numbers. Source: evaluation.md, The sandbox.

The leash is the pipe that jobs come through: the kernel sends SIGKILL to the whole process group when
its other end closes. PR_SET_PDEATHSIG would not do: it fires when the *thread* that spawned the worker
ends, and trio spawns from threads that it retires after 10 s.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import sys
import threading
from pathlib import Path

from p2peval.defaults import WORKER_FILES, WORKER_SLACK_MB


def leash(fd: int) -> None:
    """Die, with all children, when the other end of the pipe ``fd`` closes. Call it after the last read."""
    if sys.platform == "linux":
        fcntl.fcntl(fd, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
        if _hung_up(fd):  # it closed before we asked to be told
            os.killpg(0, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(fd,), daemon=True).start()


def limit(*, memory_mb: int, mapped: int, cpu_seconds: int, file_bytes: int) -> None:
    """Cap this process. ``mapped``: bytes of the files it maps, which count as addresses but not as memory.

    NPROC is per user and ignored for root: there, the process group's end is what stops a fork bomb.
    """
    addresses = _addresses() + ((memory_mb + WORKER_SLACK_MB) << 20) + mapped
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_AS, addresses)
    _cap(resource.RLIMIT_CPU, cpu_seconds)
    _cap(resource.RLIMIT_FSIZE, file_bytes)
    _cap(resource.RLIMIT_NOFILE, WORKER_FILES)
    _cap(resource.RLIMIT_NPROC, 0)
    if sys.platform == "linux":  # where the machine runs out of memory, workers go before anything else
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def peak_memory_mb() -> int:
    """Peak resident MiB of this process since its fork, with what it shares (rusage may count the parent's)."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except FileNotFoundError:
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # bytes on macOS
    return -(-kib // 1024)


def _addresses() -> int:
    """Bytes that are mapped already: the code, above all."""
    try:
        with open("/proc/self/statm", encoding="ascii") as sizes:
            return int(sizes.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:
        return 0


def _cap(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _hung_up(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, 0)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def _watch(fd: int) -> None:
    os.read(fd, 1)
    os.killpg(0, signal.SIGKILL)
