"""Durable files, and what a disk says when it refuses: the errno of every room of ``store``.

Decides how a file becomes visible: whole and on the platter, or not at all. Knows no blob and no key.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from p2peval.errors import StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskFullError(StoreError):
    """No space left. Nothing was lost; the same call succeeds once there is space."""

    code = "disk_full"
    retryable = True


class DamagedError(StoreError):
    """Stored bytes are not what was written. They are removed; fetch them again."""

    code = "damaged"
    retryable = True


@contextmanager
def refusals(doing: str, path: Path) -> Iterator[None]:
    """Turn an OSError into a StoreError that says what was done, to which path, and the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise full(doing, path) from error
        raise StoreError(f"{doing} {path}: {error.strerror or error}", hint=f"check {path.parent}") from error


def full(doing: str, path: Path) -> DiskFullError:
    return DiskFullError(
        f"{doing} {path}: the disk is full", hint=f"free space under {path.parent}; what was stored before is intact"
    )


def make_private(directory: Path) -> None:
    """Create ``directory`` and its parents, readable by their owner only. An existing one is left as it is."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    with refusals("creating", directory):
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Make renames in ``directory`` survive a power cut."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
