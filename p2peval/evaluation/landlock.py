"""Landlock: which files a worker can open, whoever it runs as.

Decides nothing but how the kernel is asked: all file access is denied, then what ``reads`` and ``writes``
name is given back; TCP, abstract sockets and signals to outside are denied where the kernel knows how. It
binds the calling thread and its children only (ABI < 8), and does not stop UDP: ``seccomp`` does. Source:
landlock(7), the kernel's userspace API document, ABI 1 to 7.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from stat import S_ISDIR

from p2peval.evaluation import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, MAKE_DIR, MAKE_REG = (
    1 << bit for bit in range(9)
)
TRUNCATE = 1 << 14
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""ABI -> the rights it added: REFER in 2, TRUNCATE in 3, IOCTL_DEV in 5."""

_TCP, _SCOPES = 0b11, 0b11
READ = READ_FILE | READ_DIR
WRITE = READ_FILE | WRITE_FILE | TRUNCATE
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15


def abi() -> int:
    """What this kernel knows. Raises OSError: ENOSYS where it has none, EOPNOTSUPP where it is switched off."""
    return kernel.syscall(_CREATE_RULESET, None, 0, _VERSION)


def restrict(reads: Iterable[str], writes: Iterable[str]) -> int:
    """Keep this thread to the files and folders ``reads``, and to writing the files ``writes``, which must be there.

    No file can be made, so that a limit on the size of one limits what all take. Paths that do not exist give no
    right. PR_SET_NO_NEW_PRIVS must be set. Returns the ABI. Raises OSError.
    """
    version = abi()
    handled = sum(rights for since, rights in _FILE_RIGHTS.items() if since <= version)
    tcp, scopes = _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = kernel.syscall(_CREATE_RULESET, struct.pack("=QQQ", handled, tcp, scopes)[:size], size, 0)
    try:
        for paths, rights in ((reads, READ), (writes, WRITE)):
            for path in paths:
                with suppress(FileNotFoundError, NotADirectoryError):
                    _allow(ruleset, path, rights & handled)
        kernel.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
