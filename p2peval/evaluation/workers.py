"""The daemon's side of a zygote: starts it, asks it for workers, talks to them, ends them.

Decides how a process is started and what its end without an answer means. Must not know what a job does, and
parses nothing but one bounded frame. One process and one message each way per job. Source: evaluation.md,
The sandbox.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import trio

import p2peval
from p2peval.defaults import WORKER_STDERR, ZYGOTE_GRACE
from p2peval.errors import EvaluationError
from p2peval.evaluation import bwrap
from p2peval.evaluation.answers import AnyAnswer
from p2peval.evaluation.frames import decode_answer, missing
from p2peval.evaluation.zygote import STATUS


@dataclass(frozen=True, slots=True)
class Sight:
    """Folders and files that a zygote's workers may read, and folders they may write in, where it has walls."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def covers(self, reads: Iterable[str], writes: Iterable[str]) -> bool:
        return all(_under(path, (*self.reads, *self.writes)) for path in reads) and all(
            _under(path, self.writes) for path in writes
        )


def _under(path: str, places: Iterable[str]) -> bool:
    """As the names say: a link that leads elsewhere leads nowhere behind walls."""
    return any(Path(path).is_relative_to(place) for place in places)


class Zygote:
    """A zygote that was started; ``close`` it. ``walls``: the layers that are around it."""

    def __init__(
        self,
        process: trio.Process,
        control: socket.socket,
        complaints: IO[bytes],
        walls: tuple[str, ...],
        kept: ExitStack,
    ) -> None:
        self.walls = walls
        self._process = process
        self._control = control
        self._complaints = complaints
        self._kept = kept
        self._lost = False

    @classmethod
    async def start(cls, command: Sequence[str], sight: Sight, *, bubblewrap: bool) -> Zygote:
        """Returns before it is ready: what it is asked waits. Raises EvaluationError where the system has no room."""
        with ExitStack() as kept, _translated():
            folder = kept.enter_context(tempfile.TemporaryDirectory(prefix="p2peval-", ignore_cleanup_errors=True))
            control, its_control = socket.socketpair()
            kept.enter_context(control)
            complaints = kept.enter_context(tempfile.TemporaryFile())
            around = bwrap.command(folder, sight.reads, sight.writes) if bubblewrap else ()
            with its_control:
                process = await trio.lowlevel.open_process(
                    (*around, *command),
                    stdin=its_control.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=complaints.fileno(),
                    cwd=folder,
                    env=_environment(folder),
                    start_new_session=True,
                )
            control.setblocking(False)
            return cls(process, control, complaints, ("bubblewrap",) * bubblewrap, kept.pop_all())

    @property
    def alive(self) -> bool:
        return not self._lost and self._process.returncode is None

    def worker(self) -> Worker:
        """A new worker that waits for its order. Raises EvaluationError where the zygote is gone."""
        with ExitStack() as theirs, ExitStack() as ours, _translated():
            ends = []
            for mine in (1, 0, 0):  # the end we keep of stdin, stdout, stderr
                pipe = os.pipe2(os.O_CLOEXEC)
                ours.callback(os.close, pipe[mine])
                theirs.callback(os.close, pipe[1 - mine])
                ends.append(pipe)
            line, its_line = socket.socketpair()
            ours.enter_context(line)
            theirs.enter_context(its_line)
            handed = [ends[0][0], ends[1][1], ends[2][1], its_line.fileno()]
            try:
                socket.send_fds(self._control, [b"w"], handed)
            except ConnectionError:
                raise OSError(f"its zygote ended: {self._lose() or 'no word'}") from None
            ours.pop_all()
            orders, answers, words = (trio.lowlevel.FdStream(fd) for fd in (ends[0][1], ends[1][0], ends[2][0]))
            to_zygote = trio.SocketStream(trio.socket.from_stdlib_socket(line))
            return Worker(orders, answers, words, to_zygote, self._lose)

    def _lose(self) -> str:
        """A worker found it dead. Returns the last line that it wrote itself, or ""."""
        self._lost = True
        self._complaints.seek(0)
        text = self._complaints.read().decode(errors="replace").strip()
        return text.splitlines()[-1] if text else ""

    async def close(self) -> None:
        """End it and all its workers, even while being cancelled.

        It is asked first: only it can find what fled a worker's group.
        """
        self._control.close()
        with trio.CancelScope(shield=True):
            with trio.move_on_after(ZYGOTE_GRACE):
                await self._process.wait()
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
        self._kept.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvaluationError("no_worker", f"no worker could be started: {error}") from None


class Worker:
    """A worker that lives, for one order; ``end`` it."""

    def __init__(
        self,
        orders: trio.abc.SendStream,
        answers: trio.abc.ReceiveStream,
        complaints: trio.abc.ReceiveStream,
        line: trio.SocketStream,
        lose_zygote: Callable[[], str],
    ) -> None:
        self._orders = orders
        self._answers = answers
        self._complaints = complaints
        self._line = line
        self._lose_zygote = lose_zygote

    async def ask(self, order: bytes) -> AnyAnswer:
        """Raises EvaluationError: what its end without an answer means."""
        complaints = bytearray()
        status: int | None = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_keep_tail, self._complaints, complaints)
            with suppress(trio.BrokenResourceError):  # it died before it read: its status says why
                await self._orders.send_all(order)
            answer = await _read_frame(self._answers)
            if missing(answer):
                status = await self._ended()
            else:
                nursery.cancel_scope.cancel()
        if status is None:
            hint = "workers come from a new one from now on"
            raise EvaluationError("crashed", f"the zygote ended: {self._lose_zygote() or 'no word'}", hint=hint)
        if missing(answer) and (not answer or status):
            raise _epitaph(status, complaints.decode(errors="replace").strip())
        return decode_answer(answer)

    async def end(self) -> None:
        """Kill it and whatever it started, and wait until they are gone, even while being cancelled."""
        with trio.CancelScope(shield=True):
            with suppress(trio.BrokenResourceError):
                await self._line.send_eof()
            await self._ended()
            for end in (self._line, self._orders, self._answers, self._complaints):
                await end.aclose()

    async def _ended(self) -> int | None:
        """Its exit status, or minus the signal; None where its zygote ended, or when it was said before."""
        said = bytearray()
        with suppress(trio.BrokenResourceError):
            while part := await self._line.receive_some(STATUS.size):
                said += part
        status: int | None = STATUS.unpack(said)[0] if len(said) == STATUS.size else None
        return status


async def _read_frame(pipe: trio.abc.ReceiveStream) -> bytearray:
    """One frame, or what came of it."""
    data = bytearray()
    while (need := missing(data)) and (part := await pipe.receive_some(need)):
        data += part
    return data


async def _keep_tail(pipe: trio.abc.ReceiveStream, kept: bytearray) -> None:
    async for part in pipe:
        kept += part
        del kept[:-WORKER_STDERR]


def _environment(folder: str) -> Mapping[str, str]:
    """Nothing of the daemon's own: no tokens, no home, one thread for every library: a worker can start no other."""
    return {
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(p2peval.__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def _epitaph(status: int, complaints: str) -> EvaluationError:
    """What a worker's end without an answer means. ``status``: negative is the signal that ended it."""
    last = complaints.splitlines()[-1] if complaints else ""
    if any(word in complaints for word in ("bad_alloc", "MemoryError", "Cannot allocate memory")):
        return EvaluationError("out_of_memory", f"it ran out of the memory allowed: {last}")
    if status == -signal.SIGXCPU:
        return EvaluationError("timeout", "it used up the CPU time allowed")
    if status < 0:
        hint = "the system may be out of memory" if status == -signal.SIGKILL else ""
        name = signal.Signals(-status).name
        return EvaluationError("crashed", f"the worker was ended by {name} {last}".rstrip(), hint=hint)
    return EvaluationError("no_answer", f"the worker ended with status {status} and no answer {last}".rstrip())
