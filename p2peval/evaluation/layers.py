"""The locks that a worker puts on itself once it knows its job: Landlock and seccomp, where the kernel has them.

Decides which files a job may see: what it reads, its products, and code, which is no secret and
which a late import needs. Must not know what the job does. Source: evaluation.md, The sandbox.
"""

from __future__ import annotations

import errno
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import p2peval
from p2peval.evaluation import bwrap, kernel, landlock, seccomp
from p2peval.evaluation.bwrap import LIBRARIES
from p2peval.evaluation.jobs import AnyJob, Prepare

ALL = ("rlimits", "landlock", "seccomp", "bubblewrap")
"""Every layer, as results name them; the first is never missing."""

OWN_FACTS = ("/proc/self/status", "/proc/cpuinfo")
"""Peak memory and the instruction set, which results name."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A layer that this machine cannot put on, why, and what its operator may do."""

    layer: str
    why: str
    hint: str


def missing() -> tuple[Missing, ...]:
    """The layers that a worker here would have to do without."""
    newer = "run it on Linux 5.13 or newer, with Landlock among the security modules (lsm=landlock,... at boot)"
    tries = (
        ("landlock", landlock_missing(), newer),
        ("seccomp", seccomp.missing(), "run it on Linux on x86_64 or aarch64, with CONFIG_SECCOMP_FILTER"),
        ("bubblewrap", bwrap.missing(), "install bubblewrap, and let it make user namespaces (in a container too)"),
    )
    return tuple(Missing(layer, why, hint) for layer, why, hint in tries if why)


def landlock_missing() -> str:
    """Why this machine has no Landlock, or ""."""
    try:
        landlock.abi()
    except OSError as error:
        return "it is switched off in this kernel" if error.errno == errno.EOPNOTSUPP else "this kernel has none"
    return ""


def lock(job: AnyJob) -> tuple[str, ...]:
    """For good, this thread and all it starts: call it before there are others. Returns the layers now on.

    Raises OSError where a lock that the kernel has cannot be put on.
    """
    if sys.platform != "linux":
        return ()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    on = []
    reads = (*job.reads, job.directory) if isinstance(job, Prepare) else job.reads
    if not landlock_missing():
        landlock.restrict((*reads, *_code(), *OWN_FACTS), job.products)
        on.append("landlock")
    if not seccomp.missing():
        seccomp.install()
        on.append("seccomp")
    return tuple(on)


def _code() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    own = str(Path(p2peval.__file__).parent)
    return (*{paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}, own, *LIBRARIES)
