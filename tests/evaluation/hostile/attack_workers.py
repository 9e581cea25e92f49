"""Workers that a file has taken over: what runs in them is the attacker's, after the worker has locked itself in.

Each tries one thing and says in msgpack, as any answer, what came of it: the name of the error, or what it got.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
from attack import Attack
from onnx_models import IN, OUT, matmul

from p2peval.core.parts import Limits
from p2peval.evaluation.jobs import AnyJob, Evaluate, Run

SECRET = "the node's secret key"
SMALL = Limits(seconds=30, memory_mb=256, model_mb=8)

OWNED = """
import ctypes, json, os, signal, socket, sys, time
from p2peval.errors import EvaluationError
from p2peval.evaluation import runner, zygote
zygote.serve()
libc = ctypes.CDLL(None, use_errno=True)
def raw(number, *arguments):
    done = libc.syscall(number, *arguments)
    if done < 0:
        raise OSError(ctypes.get_errno(), "raw")
    return done
def perform(job):
    key = os.path.join(os.path.dirname(job.out), "..", "..", "identity.key")
    said = {{}}
    for name, what in tries(job, os.path.normpath(key)).items():
        try:
            said[name] = f"got {{what()!r}}"
        except (OSError, MemoryError, ValueError) as error:
            said[name] = type(error).__name__
    raise EvaluationError("owned", json.dumps(said))
{script}
runner.perform = perform
runner.main()
"""


def owned(script: str) -> tuple[str, ...]:
    """A zygote whose workers do what ``script``'s tries(job, key) holds instead of their job."""
    return (sys.executable, "-P", "-s", "-c", OWNED.format(script=textwrap.dedent(script)))


def job(folder: Path) -> AnyJob:
    np.save(folder / "inputs.npy", np.ones((40, 4), np.float32))
    (folder / "model.onnx").write_bytes(matmul())
    run = Run(str(folder / "model.onnx"), str(folder / "inputs.npy"), 40, IN, OUT, SMALL)
    return Evaluate(run, b"k" * 32, str(folder / "outputs"))


NETWORK = """
def connect(kind, family, address):
    with socket.socket(family, kind) as each:
        each.connect(address)
        return each.send(b"hello")
def tries(job, key):
    return {
        "tcp": lambda: connect(socket.SOCK_STREAM, socket.AF_INET, ("127.0.0.1", 4781)),
        "udp": lambda: connect(socket.SOCK_DGRAM, socket.AF_INET, ("127.0.0.1", 53)),
        "unix": lambda: connect(socket.SOCK_STREAM, socket.AF_UNIX, "/run/p2peval/api.sock"),
        "raw": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "pair": lambda: socket.socketpair(),
        "uring": lambda: raw(425, 8, bytes(120)),
    }
"""

FILES = """
def tries(job, key):
    folder = os.path.dirname(job.out)
    return {
        "key": lambda: open(key).read(),
        "key by another way": lambda: open("/proc/self/root" + key).read(),
        "passwords": lambda: open("/etc/shadow").read(),
        "system": lambda: open("/etc/passwd").read(),
        "list home": lambda: os.listdir(os.path.expanduser("~root")),
        "environment": lambda: open(f"/proc/{os.getppid()}/environ").read(),
        "outside": lambda: open(os.path.dirname(key) + "/new", "w"),
        "temporary": lambda: open("/tmp/p2peval-hostile", "w"),
        "link": lambda: os.symlink(key, folder + "/link"),
        "hard link": lambda: os.link(key, folder + "/hard"),
        "device": lambda: os.mknod(folder + "/null", 0o20666, os.makedev(1, 3)),
        "owner": lambda: os.chmod(job.run.model, 0o777),
        "code": lambda: open(runner.__file__, "a"),
    }
"""

PROCESSES = """
def tries(job, key):
    parent = os.getppid()
    return {
        "fork": os.fork,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "kill parent": lambda: os.kill(parent, signal.SIGKILL),
        "kill all": lambda: os.kill(-1, signal.SIGKILL),
        "ptrace": lambda: raw(101, 16, parent, 0, 0),
        "read memory": lambda: raw(310, parent, bytes(16), 1, bytes(16), 1, 0),
        "write memory": lambda: raw(311, parent, bytes(16), 1, bytes(16), 1, 0),
        "memory file": lambda: open(f"/proc/{parent}/mem", "r+b"),
        "be another": lambda: os.setuid(0 if os.getuid() else 1),
        "new namespace": lambda: raw(272, 0x10000000),
        "mount": lambda: raw(165, b"none", b"/tmp", b"tmpfs", 0, 0),
        "keyring": lambda: raw(248, b"user", b"name", b"data", 4, -3),
        "bpf": lambda: raw(321, 0, bytes(64), 64),
        "raise limit": lambda: __import__("resource").setrlimit(7, (4096, 4096)),
    }
"""

BOMB = """
def tries(job, key):
    def bomb():
        for _ in range(100):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(600)
                time.sleep(600)
        return "100 children"
    return {"bomb": bomb}
"""
UNLOCKED = """
from p2peval.evaluation import landlock, seccomp
seccomp.missing = lambda: "switched off for this test"
"""
LIMITLESS = """
import resource
setrlimit = resource.setrlimit
resource.setrlimit = lambda which, value: None if which == resource.RLIMIT_NPROC else setrlimit(which, value)
"""

DESCRIPTORS = """
def tries(job, key):
    def take():
        held = []
        while True:
            held.append(os.open(job.run.model, os.O_RDONLY))
    return {"descriptors": take}
"""
DISK = """
def tries(job, key):
    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with open(job.out, "wb", buffering=0) as out:
            while True:
                out.write(bytes(1 << 20))
    return {"disk": fill}
"""
MEMORY = """
def tries(job, key):
    return {"memory": lambda: len(bytearray(2 << 30))}
"""
ANSWER = """
def tries(job, key):
    def flood():
        raise EvaluationError("\\x1b[2J" * 1000, "\\x1b]0;owned\\x07" + "x" * 5_000_000, hint="\\u202e" * 100_000)
    return {"answer": flood}
"""
STUBBORN = """
def tries(job, key):
    for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            pass
    while True:
        pass
"""


def tried(name: str, script: str, **expected: str) -> Attack:
    return Attack(name, job, ("owned",), command=owned(script), **expected)


ATTACKS = (
    tried("owned: network", NETWORK),
    tried("owned: files", FILES),
    tried("owned: processes", PROCESSES),
    tried("owned: fork bomb", BOMB),
    tried("owned: fork bomb without seccomp", UNLOCKED + BOMB),
    tried("owned: fork bomb without seccomp and limit", UNLOCKED + LIMITLESS + BOMB, said="100 children"),
    tried("owned: descriptors", DESCRIPTORS, said="OSError"),
    tried("owned: disk", DISK, said="OSError"),
    tried("owned: memory", MEMORY, said="MemoryError"),
    Attack("owned: answer", job, (" [2J" * 16,), command=owned(ANSWER)),
    Attack("owned: deaf to signals", job, ("timeout",), "2 s", 2.0, owned(STUBBORN)),
)
