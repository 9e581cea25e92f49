"""What happens, told while it happens: one line each on stdout, and nothing under ``--json`` or ``--quiet``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from p2peval.cli.client import Client, path_to
from p2peval.cli.output import Output, clean
from p2peval.daemon.story import OVER
from p2peval.daemon.views import TaskView
from p2peval.defaults import DEMO_PATIENCE
from p2peval.errors import DaemonNotRunningError, DeadlineError

T = TypeVar("T")


class Teller:
    """``seconds``: how long each phase took."""

    def __init__(self, out: Output) -> None:
        self.seconds: dict[str, float] = {}
        self._out = out
        self._start = time.monotonic()

    def line(self, step: str, text: str) -> None:
        if not self._out.options.json and not self._out.options.quiet:
            click.echo(clean(f"{self.elapsed():5.1f} s  {step:<9} {text}"))

    def text(self, text: str) -> None:
        """A table, say: as it is."""
        if not self._out.options.json:
            click.echo(text, color=self._out.colored())

    def elapsed(self) -> float:
        return time.monotonic() - self._start

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - start, 2)

    def follow(self, client: Client, task: TaskView) -> TaskView:
        """``task`` when it is over, its story told line by line as the lines become final."""
        told = 0

        def over() -> TaskView | None:
            nonlocal told
            view = client.get(path_to("tasks", task.id), TaskView)
            final = next((at for at, line in enumerate(view.story) if not line.done), len(view.story))
            for line in view.story[told:final]:
                self.line(line.step, line.text)
            told = max(told, final)
            return view if view.state in OVER else None

        return until(client, f"the end of task {task.id}", over)


def until(client: Client, what: str, look: Callable[[], T | None]) -> T:
    """What ``look`` finds, looking now and after every event at ``client``'s daemon.

    Raises DeadlineError after DEMO_PATIENCE, DaemonNotRunningError where the daemon stops first.
    """
    deadline = time.monotonic() + DEMO_PATIENCE
    for _ in client.events(None, follow=True):
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise DeadlineError(f"{what} did not come within {DEMO_PATIENCE:g} s")
    raise DaemonNotRunningError(f"a daemon stopped before {what}")
