"""Runs jobs in workers that are limited and killed: the only way from the daemon to a stranger's file.

Decides who is next, how long a worker lives, and which zygote it comes from. Must not know what a job does.
Source: evaluation.md, The sandbox.
"""

from __future__ import annotations

import math
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar, cast

import trio

from p2peval.core.types import Seconds
from p2peval.errors import ConfigError, EvaluationError
from p2peval.evaluation import bwrap
from p2peval.evaluation.answers import Answer, AnyAnswer, Failed
from p2peval.evaluation.frames import frame
from p2peval.evaluation.jobs import AnyJob, Job, Order, Prepare
from p2peval.evaluation.turns import OWN, Turns
from p2peval.evaluation.workers import Sight, Zygote

A = TypeVar("A", bound=Answer)

ZYGOTE = (sys.executable, "-P", "-s", "-m", "p2peval.evaluation.zygote")
"""-P and -s: neither the working directory nor the user's own packages are looked at for modules."""


class Sandbox:
    """Runs jobs in fresh processes, at most ``workers`` at a time.

    Inside ``async with`` it keeps a warm zygote, from the first job on; outside, every job has its own.
    ``sight``: where the files of jobs lie. With bubblewrap, a job whose files lie elsewhere has a zygote of its
    own, which sees just those. ``command`` starts a zygote; tests put one with misbehaving workers in its place.
    """

    def __init__(
        self,
        workers: int,
        *,
        sight: Sight = Sight(),  # noqa: B008, it is frozen
        command: Sequence[str] = ZYGOTE,
        bubblewrap: bool = True,
    ) -> None:
        self._turns = Turns(workers)
        self._sight = sight
        self._command = tuple(command)
        self._bubblewrap = bubblewrap
        self._keeps = False
        self._warm: Zygote | None = None
        self._starting = trio.Lock()

    async def __aenter__(self) -> Sandbox:
        self._keeps = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeps = False
        if self._warm is not None:
            await self._warm.close()
            self._warm = None

    async def run(self, job: Job[A], *, deadline: Seconds, queue: str = OWN) -> A:
        """Do ``job`` within ``deadline`` seconds, counted from when a worker is free.

        ``queue``: for whom it is done; those who wait are served in turn. A job that failed or was cancelled
        leaves no product. Raises EvaluationError with the worker's reason, or timeout, out_of_memory, crashed,
        no_answer, no_worker, garbage; ConfigError for a benchmark.toml.
        """
        frame(Order(cast(AnyJob, job), math.ceil(deadline)))  # too large? before it waits
        done = False
        try:
            async with self._turns.place(queue):
                _lay_out(job.products)
                answer = await self._ask(cast(AnyJob, job), deadline)
            if isinstance(answer, Failed):
                raise _raised(answer)
            if not isinstance(answer, job.answers):
                raise EvaluationError("garbage", f"the worker answered {type(answer).__name__}")
            _inspect(job.products)
            done = True
            _remove(job.products, empty=True)
            return cast(A, answer)
        finally:
            if not done:
                _remove(job.products)

    async def _ask(self, job: AnyJob, deadline: Seconds) -> AnyAnswer:
        with trio.move_on_after(deadline):
            async with self._zygote(job) as zygote:
                worker = zygote.worker()
                try:
                    return await worker.ask(frame(Order(job, math.ceil(deadline), zygote.walls)))
                finally:
                    await worker.end()
        raise EvaluationError("timeout", f"it was still running after {deadline:g} s and was killed")

    @asynccontextmanager
    async def _zygote(self, job: AnyJob) -> AsyncIterator[Zygote]:
        walled = self._bubblewrap and not await trio.to_thread.run_sync(bwrap.missing)
        sight = _sight(job)
        if self._keeps and (not walled or self._sight.covers(sight.reads, sight.writes)):
            yield await self._kept(walled)
            return
        own = Sight((*self._sight.reads, *sight.reads), (*self._sight.writes, *sight.writes))
        zygote = await Zygote.start(self._command, own, bubblewrap=walled)
        try:
            yield zygote
        finally:
            await zygote.close()

    async def _kept(self, walled: bool) -> Zygote:
        """The warm one, started where there is none or where it died."""
        async with self._starting:
            if self._warm is not None and not self._warm.alive:
                await self._warm.close()
                self._warm = None
            if self._warm is None:
                self._warm = await Zygote.start(self._command, self._sight, bubblewrap=walled)
            return self._warm


def _sight(job: AnyJob) -> Sight:
    reads = (*job.reads, job.directory) if isinstance(job, Prepare) else job.reads
    return Sight(reads, tuple({os.path.dirname(product) for product in job.products}))


def _lay_out(products: Sequence[str]) -> None:
    """Empty files for a worker to write, since it can make none. Where there is no folder, it will say so."""
    for product in products:
        with suppress(FileNotFoundError):
            os.close(os.open(product, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))


def _inspect(products: Sequence[str]) -> None:
    """Raises EvaluationError for one that is no plain file: a link leads whoever publishes it to the node's own key."""
    for product in products:
        if os.path.lexists(product) and not stat.S_ISREG(os.lstat(product).st_mode):
            raise EvaluationError("garbage", f"the worker left something else than a file at {Path(product).name}")


def _remove(products: Sequence[str], *, empty: bool = False) -> None:
    """All of them, or those plain files that no worker wrote to."""
    for product in products:
        if empty and (not os.path.lexists(product) or os.lstat(product).st_size):
            continue
        if os.path.islink(product) or not os.path.isdir(product):
            Path(product).unlink(missing_ok=True)
        else:  # no worker of ours makes one
            shutil.rmtree(product)


def _raised(failure: Failed) -> EvaluationError | ConfigError:
    if failure.config:
        return ConfigError(failure.detail, hint=failure.hint)
    return EvaluationError(failure.reason, failure.detail, hint=failure.hint)
