"""System calls that Python has no word for: prctl, raw syscalls and capset, through the C library.

Decides nothing. Every call here acts on the calling thread, so its callers must be single-threaded.
Source: prctl(2), capset(2), syscall(2).
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_GET_SECCOMP = 21
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

CAP_KILL, CAP_SETGID, CAP_SETUID = 5, 6, 7
_CAPABILITY_VERSION = 0x20080522


def prctl(option: int, value: int = 0) -> int:
    """Raises OSError."""
    return _checked(_libc().prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """Raises OSError. ``arguments``: numbers, buffers that the kernel reads, or None for NULL."""
    words = [word if isinstance(word, bytes) else ctypes.c_long(word or 0) for word in arguments]
    return _checked(_libc().syscall(ctypes.c_long(number), *words))


def set_file_user(user: int) -> None:
    """Whose files this thread may open and makes, whoever it runs as. Raises OSError."""
    _libc().setfsuid(user)
    if _libc().setfsuid(-1) != user:  # an impossible id changes nothing and tells the present one
        raise PermissionError(f"files cannot be opened as user {user}")


def set_capabilities(*kept: int) -> None:
    """Hold ``kept`` and no other capability from now on. Raises OSError."""
    mask = sum(1 << capability for capability in kept)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    _checked(_libc().capset(header, struct.pack("=6I", low, low, 0, high, high, 0)))


def effective_capabilities() -> int:
    """A bit for each, of this process."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))


@functools.cache
def _libc() -> ctypes.CDLL:
    if sys.platform != "linux":
        raise OSError("this needs Linux")
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
