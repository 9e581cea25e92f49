"""seccomp: which system calls a worker can make at all.

Decides the list: what reading and writing open files, memory and time need. All else fails with EPERM: no
sockets, no processes or threads, no exec, no ptrace, mount, bpf, io_uring, keyctl, userfaultfd, chmod or link.
EPERM and not death, because libraries try harmless things and go on without. Another architecture's calls (and
x32) end the process: their numbers mean something else. Source: seccomp(2); the kernel's unistd.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

from p2peval.evaluation import kernel

# name: (x86_64, aarch64); None where the architecture never had it
_ALLOWED: dict[str, tuple[int, int | None]] = {
    # files that are open or that Landlock lets open
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70), "lseek": (8, 62), "openat": (257, 56),
    "open": (2, None), "close": (3, 57), "close_range": (436, 436), "fstat": (5, 80), "stat": (4, None),
    "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None), "readlinkat": (267, 78),
    "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17), "statfs": (137, 43), "fstatfs": (138, 44),
    "ftruncate": (77, 46), "fallocate": (285, 47), "fadvise64": (221, 223), "fsync": (74, 82), "fdatasync": (75, 83),
    "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "umask": (95, 166), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    "fcntl": (72, 25), "flock": (73, 32), "poll": (7, None), "ppoll": (271, 73), "select": (23, None),
    "pselect6": (270, 72), "pipe2": (293, 59), "eventfd2": (290, 19),
    # memory
    "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216), "madvise": (28, 233),
    "msync": (26, 227), "mincore": (27, 232), "brk": (12, 214),
    # a thread's own affairs, and time
    "futex": (202, 98), "get_robust_list": (274, 100), "set_robust_list": (273, 99), "rseq": (334, 293),
    "membarrier": (324, 283), "set_tid_address": (218, 96), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "getcpu": (309, 168), "nanosleep": (35, 101), "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "times": (100, 153), "pause": (34, None),
    # signals to itself
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    # who and where it is
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148), "getresgid": (120, 150),
    "getgroups": (115, 158), "getpgrp": (111, None), "getpgid": (121, 155), "getsid": (124, 156),
    "getrlimit": (97, 163), "getrusage": (98, 165), "sysinfo": (99, 179), "uname": (63, 160),
    "getrandom": (318, 278), "arch_prctl": (158, None),
    # the end
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""AUDIT_ARCH and the column of the table."""

_KILL, _TGKILL, _PRLIMIT, _IOCTL = (62, 129), (234, 131), (302, 261), (16, 29)
_SECCOMP = (317, 277)
_IOCTLS = (0x5401, 0x5450, 0x5451, 0x5421, 0x541B)  # TCGETS, FIONCLEX, FIOCLEX, FIONBIO, FIONREAD
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
_SET_MODE_FILTER = 1

Line = tuple[int, int, int, int]


def missing() -> str:
    """Why this machine cannot do it, or ""."""
    if sys.platform != "linux":
        return "only Linux has seccomp"
    if platform.machine() not in _MACHINES:
        return f"no list of system calls for {platform.machine()}; known: {', '.join(_MACHINES)}"
    try:
        kernel.prctl(kernel.PR_GET_SECCOMP)
    except OSError:
        return "this kernel has no seccomp"
    return ""


def install() -> None:
    """Bind this thread, for good; it can start no other. PR_SET_NO_NEW_PRIVS must be set. Raises OSError."""
    if why := missing():
        raise OSError(errno.ENOSYS, why)
    lines = program(platform.machine(), os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    head = struct.pack("@HP", len(lines), ctypes.addressof(code))
    kernel.syscall(_SECCOMP[_MACHINES[platform.machine()][1]], _SET_MODE_FILTER, 0, head)


def program(machine: str, pid: int) -> list[Line]:
    """The filter in classic BPF: (code, jump if true, jump if false, constant)."""
    architecture, column = _MACHINES[machine]
    lines: list[Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL_PROCESS),
    ]
    for numbers in _ALLOWED.values():
        if numbers[column] is not None:
            lines += [(_EQUAL, 0, 1, numbers[column] or 0), (_RETURN, 0, 0, _ALLOW)]
    for numbers in (_KILL, _TGKILL):  # abort(3) and the like, to nobody else
        lines += _only_if(numbers[column], [(0, pid)])
    lines += _only_if(_PRLIMIT[column], [(0, 0), (2, 0)])  # its own, to read
    lines += _one_of(_IOCTL[column], 1, _IOCTLS)
    return [*lines, (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _only_if(number: int, arguments: list[tuple[int, int]]) -> list[Line]:
    """Allow ``number`` where each argument (index, value) is exactly that; the accumulator holds the number."""
    checks: list[Line] = []
    for index, value in arguments:
        for word, half in ((_low(index), value & 0xFFFFFFFF), (_high(index), value >> 32)):
            checks += [*word, (_EQUAL, 1, 0, half), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    return [(_EQUAL, 0, len(checks) + 1, number), *checks, (_RETURN, 0, 0, _ALLOW)]


def _one_of(number: int, index: int, values: tuple[int, ...]) -> list[Line]:
    checks = [line for value in values for line in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
    return [
        (_EQUAL, 0, len(checks) + 2, number),
        *_low(index),
        *checks,
        (_RETURN, 0, 0, _ERRNO | errno.ENOTTY),
    ]


def _low(index: int) -> list[Line]:
    """Loads the lower half of an argument; both architectures are little-endian."""
    return [(_LOAD, 0, 0, 16 + 8 * index)]


def _high(index: int) -> list[Line]:
    return [(_LOAD, 0, 0, 20 + 8 * index)]
