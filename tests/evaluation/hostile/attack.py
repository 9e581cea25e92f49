"""What an attack is, what comes of it, and how a process sees what it has left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from p2peval.evaluation.jobs import AnyJob
from p2peval.evaluation.sandbox import ZYGOTE


@dataclass(frozen=True, slots=True)
class Attack:
    """``job`` writes its files into an empty folder. ``reasons``: those allowed, "" for a job that is done;
    ``said``: what its text must name. ``deadline``: seconds. ``command``: another zygote than the real one.
    """

    name: str
    job: Callable[[Path], AnyJob]
    reasons: tuple[str, ...]
    said: str = ""
    deadline: float = 30.0
    command: tuple[str, ...] = ZYGOTE


@dataclass(frozen=True, slots=True)
class Outcome:
    """``left``: command lines of processes; ``products``: files of a job that failed; ``grown_mb``: resident MiB."""

    reason: str
    said: str
    seconds: float
    left: list[str]
    products: list[str]
    descriptors: int
    grown_mb: float
    layers: list[str]


def descendants() -> set[int]:
    """Of this process, at any depth, that live."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                state, parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[:2]
                if state not in "ZX":
                    parents[int(entry)] = int(parent)
    found, pending = set[int](), {os.getpid()}
    while pending:
        pending = {pid for pid, parent in parents.items() if parent in pending}
        found |= pending
    return found


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:200]


def reap() -> None:
    """Bury orphans that became our children; the sandbox has waited for its own."""
    with suppress(ChildProcessError):
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG) is not None:
            pass


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
