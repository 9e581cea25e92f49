"""bubblewrap: a zygote, and so all its workers, in namespaces of their own, where it is installed and works.

Decides what such a process can name at all: code, the folders of its jobs, its own processes; no network, no
other process, no other file. Must not know jobs. Its ``--die-with-parent`` is not used: it means the thread
that spawned, and trio retires those; the zygote ends when its control socket does. Source: bwrap(1).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import p2peval
from p2peval.defaults import BWRAP_PROBE

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/sys/devices/system/cpu")


def command(folder: str, reads: Iterable[str], writes: Iterable[str]) -> tuple[str, ...]:
    """What to put before a command. ``folder``: an empty one to work in, where nothing can be written."""
    words = ["bwrap", "--unshare-all", "--cap-drop", "ALL"]
    for path in (*_code(), *reads):
        words += ["--ro-bind-try", path, path]
    for path in writes:
        words += ["--bind-try", path, path]
    words += ["--proc", "/proc", "--dev", "/dev", "--dir", folder, "--chdir", folder]
    return (*words, "--remount-ro", "/dev", "--remount-ro", "/", "--")


@functools.cache
def missing() -> str:
    """Why it cannot be used here, or "": it is tried, once."""
    if sys.platform != "linux":
        return "only Linux has it"
    if shutil.which("bwrap") is None:
        return "it is not installed"
    with tempfile.TemporaryDirectory(prefix="p2peval-") as folder:
        tried = (*command(folder, (), ()), sys.executable, "-I", "-c", "")
        try:
            done = subprocess.run(tried, capture_output=True, timeout=BWRAP_PROBE, check=False, cwd="/")
        except subprocess.TimeoutExpired:
            return f"it did not start within {BWRAP_PROBE:g} s"
    complaint = done.stderr.decode(errors="replace").strip().splitlines() or [f"status {done.returncode}"]
    return f"it cannot start: {complaint[-1]}" if done.returncode else ""


def _code() -> tuple[str, ...]:
    """Python, this package and its libraries: no secrets."""
    prefixes = {os.path.abspath(prefix) for prefix in (sys.base_prefix, sys.prefix)}
    return (*LIBRARIES, *sorted(prefixes), str(Path(p2peval.__file__).parent))
