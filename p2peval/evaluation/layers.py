"""The locks that a worker puts on itself once it knows its job: Landlock and seccomp, where the kernel has them.

Decides which files a job may see: what it reads, the folders of its products, and code, which is no secret and
which a late import needs. Must not know what the job does. Source: evaluation.md, The sandbox.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import p2peval
from p2peval.evaluation import kernel, landlock, seccomp
from p2peval.evaluation.jobs import AnyJob, Prepare

OWN_FACTS = ("/proc/self/status", "/proc/cpuinfo")
"""Peak memory and the instruction set, which results name."""
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/sys/devices/system/cpu")


def lock(job: AnyJob) -> tuple[str, ...]:
    """For good, this thread and all it starts: call it before there are others. Returns the layers now on.

    Raises OSError where a lock that the kernel has cannot be put on.
    """
    if sys.platform != "linux":
        return ()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    on = []
    reads = (*job.reads, job.directory) if isinstance(job, Prepare) else job.reads
    folders = {os.path.dirname(product) for product in job.products}
    if _has_landlock():
        landlock.restrict((*reads, *_code(), *OWN_FACTS), sorted(folders))
        on.append("landlock")
    if not seccomp.missing():
        seccomp.install(threads=isinstance(job, Prepare))  # parquet's reader starts some
        on.append("seccomp")
    return tuple(on)


def _has_landlock() -> bool:
    try:
        return landlock.abi() > 0
    except OSError:
        return False


def _code() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    own = str(Path(p2peval.__file__).parent)
    return (*{paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}, own, *LIBRARIES)
