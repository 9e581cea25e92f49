"""The demo's daemons: processes of their own, waited for without guessing, and never left behind.

A daemon says that it is ready as it would to systemd (sd_notify); its end is seen on its pidfd. Both are
waited for together, so nothing here sleeps and no death goes unseen.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from p2peval.cli.client import Client
from p2peval.cli.demo.cast import Player
from p2peval.config import PREFIX
from p2peval.defaults import DEMO_START, STOP_PATIENCE
from p2peval.errors import DeadlineError, P2pevalError

TAIL = 15
"""Lines of a dead daemon's log that its error shows."""

PR_SET_PDEATHSIG = 1  # prctl(2)

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends the demo early."""


class DaemonDiedError(P2pevalError):
    """A daemon of the demo ended by itself."""

    code = "daemon_died"


@dataclass(slots=True)
class Actor:
    """A player on the stage: its process, what it says of itself, and the way to its API once it is ready."""

    player: Player
    process: subprocess.Popen[bytes]
    notices: socket.socket
    log: Path
    client: Client | None = None

    @property
    def name(self) -> str:
        return self.player.name

    @property
    def api(self) -> Client:
        """Raises P2pevalError before ``Stage.ready``."""
        if self.client is None:
            raise P2pevalError(f"{self.name} is not ready yet")
        return self.client


class Stage:
    """A context: whoever was started in it has ended when it is left, however it is left."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []

    def start(self, player: Player) -> Actor:
        """Start a daemon in the player's home; returns at once."""
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notices.bind("")  # the kernel picks a free abstract name
        environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environ["NOTIFY_SOCKET"] = notices.getsockname().decode().replace("\0", "@", 1)
        environ[f"{PREFIX}EVALUATION__BACKGROUND_AUDITS"] = "false"  # what others claim is to be seen as a claim
        program = ["p2peval.cli.demo.liar", str(player.home)] if player.lies else _honest(player)
        log = player.home / "daemon.log"
        with log.open("wb") as output, _uninterrupted():
            process = subprocess.Popen(
                [sys.executable, "-m", *program],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environ,
                start_new_session=True,  # Ctrl-C is ours alone; we stop them in our own way
                preexec_fn=_ends_with_us(),
            )
            actor = Actor(player, process, notices, log)
            self.actors.append(actor)
        return actor

    def ready(self, actor: Actor) -> Actor:
        """Returns once its API answers. Raises DaemonDiedError and DeadlineError."""
        ended = os.pidfd_open(actor.process.pid)
        try:
            waiting = select.poll()
            waiting.register(actor.notices, select.POLLIN)
            waiting.register(ended, select.POLLIN)
            deadline = time.monotonic() + DEMO_START
            while True:
                happened = dict(waiting.poll(max(0.0, deadline - time.monotonic()) * 1000))
                if ended in happened:
                    raise self.obituary(actor)
                if not happened:
                    raise DeadlineError(f"{actor.name} is not ready after {DEMO_START:g} s:\n{tail(actor.log)}")
                if b"READY=1" in actor.notices.recv(4096):
                    break
        finally:
            os.close(ended)
        actor.client = Client(actor.player.options)
        return actor

    def obituary(self, actor: Actor) -> DaemonDiedError:
        code = actor.process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return DaemonDiedError(
            f"{actor.name}'s daemon {how}; its log ends:\n{tail(actor.log)}", hint=f"all of it: {actor.log}"
        )

    def dead(self) -> Actor | None:
        return next((actor for actor in self.actors if actor.process.poll() is not None), None)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> dict[str, int]:
        """Stop everybody as systemd would; who does not go in time is killed. Exit code by name."""
        try:
            for actor in self.actors:
                if actor.client:
                    actor.client.close()
                actor.process.terminate()
            deadline = time.monotonic() + STOP_PATIENCE
            with suppress(subprocess.TimeoutExpired):  # it is killed then, and its exit code tells
                for actor in self.actors:
                    actor.process.wait(max(0.0, deadline - time.monotonic()))
        finally:
            for actor in self.actors:
                actor.process.kill()
                actor.process.wait()
                actor.notices.close()
        codes = {actor.name: actor.process.returncode for actor in self.actors}
        self.actors = []
        return codes


def tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]) or "(empty)"


def _honest(player: Player) -> list[str]:
    return ["p2peval", "--home", str(player.home), "daemon"]


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold signals back: raised in a callback around fork, KeyboardInterrupt would be dropped or lose a daemon."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def _ends_with_us() -> Callable[[], None]:
    """For between fork and exec: a daemon gets SIGTERM even if this process is killed outright."""
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)

    return ask
