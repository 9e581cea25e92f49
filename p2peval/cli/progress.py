"""Follows one task until it is over, and tells its story on stderr while a person looks on.

Events only wake it: what is told comes from the task itself, so a lost event loses no line.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import click

from p2peval.cli.client import Client, path_to
from p2peval.cli.output import Output, clean
from p2peval.daemon.story import OVER
from p2peval.daemon.views import StoryLine, TaskView
from p2peval.errors import DaemonNotRunningError, DeadlineError

REPORT = OVER | {"report"}
"""Steps that are the answer, not progress: they go to stdout."""


def follow(client: Client, out: Output, task: TaskView) -> TaskView:
    """``task`` when it is over. Raises DeadlineError after ``--timeout``, DaemonNotRunningError if it stops."""
    patience = out.options.timeout
    start = time.monotonic()
    told = _Teller(out)
    told.tell(task)
    for _ in _wakes(client, task.id):
        task = client.get(path_to("tasks", task.id), TaskView)
        told.tell(task)
        if task.state in OVER:
            return task
        if patience is not None and time.monotonic() - start > patience:
            break
    hint = f"it goes on; p2peval eval show {task.id}"
    if patience is not None and time.monotonic() - start > patience:
        now = clean(f"{task.story[-1].step} {task.story[-1].text}")
        raise DeadlineError(f"task {task.id} is not over after {patience:g} s ({now})", hint=hint)
    raise DaemonNotRunningError(
        f"the daemon stopped before task {task.id} was over", hint="it goes on at the next start"
    )


def answer_lines(task: TaskView) -> list[str]:
    """The lines of the story that are the answer."""
    answer, taken = [], False
    for line in task.story:
        taken = line.step in REPORT or (taken and not line.step)
        if taken:
            answer.append(formatted(line))
    return answer


def formatted(line: StoryLine) -> str:
    return clean(f"{line.step:<9} {line.text}")


def _wakes(client: Client, task: str) -> Iterator[None]:
    """Once at the start, then at every event about the task and whenever the feed is idle."""
    for event in client.events(None, follow=True):
        if event is None or event.subject == task or event.data.get("task") == task:
            yield


class _Teller:
    """Prints each line that is done once; the line still going on is shown in place."""

    def __init__(self, out: Output) -> None:
        self._shown = sys.stderr.isatty() and not out.options.quiet and not out.options.json
        self._in_place = not out.options.plain
        self._told = 0

    def tell(self, task: TaskView) -> None:
        if not self._shown:
            return
        erase = "\r\x1b[K" if self._in_place else ""
        done = 0
        for line in task.story:
            if not line.done:
                break
            done += 1
            if done > self._told and line.step in ("task", "offers", "committed", "audited"):
                click.echo(erase + formatted(line), err=True)
        self._told = max(done, self._told)
        if self._in_place and done < len(task.story):
            click.echo(erase + formatted(task.story[done]), err=True, nl=False)
