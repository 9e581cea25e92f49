"""System calls that Python has no word for: prctl and raw syscalls, through the C library.

Decides nothing. Every call here acts on the calling thread, so its callers must be single-threaded.
Source: prctl(2), syscall(2).
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

PR_GET_SECCOMP = 21
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38


def prctl(option: int, value: int = 0) -> int:
    """Raises OSError."""
    return _checked(_libc().prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """Raises OSError. ``arguments``: numbers, buffers that the kernel reads, or None for NULL."""
    words = [word if isinstance(word, bytes) else ctypes.c_long(word or 0) for word in arguments]
    return _checked(_libc().syscall(ctypes.c_long(number), *words))


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
