"""The zygote: one process that has imported everything, and forks a worker for each job.

Decides nothing about jobs: it never reads a byte of an order, let alone of a stranger's file, so that no job
can leave anything behind for the next. Its stdin is the control socket: one byte and four descriptors ask for
a worker (its stdin, stdout and stderr, and its line). The line is the worker's life: whoever holds the other
end hangs up to have it killed, and reads there how it ended. It has one thread, because a fork copies the
locks of others as they are. Source: evaluation.md, The sandbox.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from p2peval.evaluation import kernel

STATUS = struct.Struct("=i")
"""What the line says at the end: an exit status, or minus the signal."""

DESCRIPTORS = 4


def main() -> None:
    """``python -m p2peval.evaluation.zygote``: as the daemon starts it; the daemon's end of stdin is its life."""
    preload()
    serve()
    from p2peval.evaluation import runner

    runner.main()


def serve() -> None:
    """Fork workers until the control socket closes, then exit. Returns in the workers only, each its own process."""
    with suppress(OSError):  # elsewhere than on Linux, what leaves its group and its parent escapes
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    gc.collect()
    gc.freeze()  # a collection in a worker would copy every page that it counts in
    _Zygote().run()


def preload() -> None:
    """What jobs import. Not pyarrow nor Pillow: parsing data is rare and slow anyway."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: F401

    from p2peval.core import audit, commitment, outputs  # noqa: F401
    from p2peval.evaluation import dataset, judge, runner, score  # noqa: F401

    _rehearse()


def _rehearse() -> None:
    """Scan and run a model of our own: what libraries build at their first use, workers find built."""
    import numpy as np
    from onnx import TensorProto, helper

    from p2peval.core.parts import Tensor
    from p2peval.evaluation import recipe, scan

    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "rehearsal", [given], [made])
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    scan.scan(data)
    recipe.open_model(data, Tensor("x", "float32", (1,)), Tensor("y", "float32", (1,))).run_all(np.zeros((1, 1), "f4"))
    recipe.equivalence_class()


class _Zygote:
    """``lines``: by the process id of each worker that lives."""

    def __init__(self) -> None:
        self._control = socket.socket(fileno=0)
        self._deaths, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # its number on the pipe is all that is wanted
        signal.set_wakeup_fd(self._wake)
        self._lines: dict[int, socket.socket] = {}
        self._watch = selectors.PollSelector()  # unlike epoll it holds no descriptor that a worker would inherit
        self._watch.register(self._control, selectors.EVENT_READ)
        self._watch.register(self._deaths, selectors.EVENT_READ)

    def run(self) -> None:
        """Returns in the workers."""
        while True:
            for key, _ in self._watch.select():
                if key.fileobj is self._control:
                    if self._is_worker():
                        return
                elif key.fileobj == self._deaths:
                    os.read(self._deaths, 4096)
                    self._bury()
                else:
                    self._watch.unregister(key.fileobj)  # hung up
                    _kill(key.data)

    def _is_worker(self) -> bool:
        """Fork, as asked. True in the worker. Ends the zygote, with all workers, where nobody will ask any more."""
        asked, handed, _, _ = socket.recv_fds(self._control, 1, DESCRIPTORS)
        if not asked:
            self._end()
        line = socket.socket(fileno=handed[3])
        pid = os.fork()
        if pid == 0:
            self._let_go(handed[:3])
            line.close()
            return True
        for descriptor in handed[:3]:
            os.close(descriptor)
        self._lines[pid] = line
        self._watch.register(line, selectors.EVENT_READ, pid)
        return False

    def _let_go(self, standard: list[int]) -> None:
        """In the worker: keep nothing of the zygote's, and lead a group of its own."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._watch.close()
        self._control.detach()  # the worker's stdin takes its place
        for descriptor in (self._deaths, self._wake):
            os.close(descriptor)
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
            os.close(descriptor)

    def _end(self) -> NoReturn:
        """With all workers and all that they left: what it does not bury here outlives it."""
        for pid in self._lines:
            _kill(pid)
        with suppress(ChildProcessError):
            while True:
                for stray in _children():
                    _kill(stray)
                os.waitpid(-1, 0)
        os._exit(0)

    def _bury(self) -> None:
        """Reap who ended, with all they started, and say how they ended."""
        while (pid := _ended()) is not None:
            _kill(pid)  # its group; it keeps the number until it is reaped
            _, status = os.waitpid(pid, 0)
            line = self._lines.pop(pid, None)
            if line is None:
                continue
            with suppress(KeyError):  # it was hung up
                self._watch.unregister(line)
            with line, suppress(BrokenPipeError):
                line.send(STATUS.pack(os.waitstatus_to_exitcode(status)))
        for stray in _children() - self._lines.keys():
            with suppress(ProcessLookupError):
                os.kill(stray, signal.SIGKILL)


def _ended() -> int | None:
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found else None


def _children() -> set[int]:
    """Of this process: its workers, and what a worker left behind that had left the worker's group."""
    with suppress(FileNotFoundError):  # a kernel without CONFIG_PROC_CHILDREN
        return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()))
    return set()


def _kill(pid: int) -> None:
    """A worker and its group, even before it made one."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
