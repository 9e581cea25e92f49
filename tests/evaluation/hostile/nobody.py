"""Runs a program as the user nobody, with this very Python, even where that lies in root's own folder.

A folder that others may not enter is covered, for the program alone, by an empty one that holds nothing but
Python: a mount namespace of its own, in which nothing is copied and of which nobody else sees a thing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NOBODY = 65534

COVER = """
set -eu
mount --bind "$1" "$2"
mount -t tmpfs -o mode=755 none "$3"
mkdir -p "$1"
mount --move "$2" "$1"
shift 3
"""
BECOME = f'exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups "$@"'


def missing() -> str:
    """Why it cannot be done here, or ""."""
    if sys.platform != "linux" or os.getuid() != 0:
        return "only root on Linux can become uid 65534"
    for tool in ("unshare", "setpriv", "mount"):
        if shutil.which(tool) is None:
            return f"util-linux's {tool} is not installed"
    for needed in (Path(__file__).parent, Path(sys.prefix)):
        if closed := _closed(needed):
            return f"uid 65534 cannot enter {closed}, in which {needed} lies"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return f"root may not make a mount namespace here: {done.stderr.strip()}" if done.returncode else ""


def command(*words: str, spare: Path) -> list[str]:
    """``words``, to be run as nobody. ``spare``: an empty folder to mount something on."""
    base = Path(sys.base_prefix)
    closed = _closed(base)
    script = COVER + BECOME if closed else BECOME
    places = [str(base), str(spare), str(closed)] if closed else []
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *places, *words]


def _closed(path: Path) -> Path | None:
    """The first folder on the way to ``path`` that others may not enter."""
    return next((each for each in reversed((path, *path.parents)) if not each.stat().st_mode & 0o001), None)
