"""Work that shares nothing, side by side: the order in which it ends changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Work = TypeVar("Work")
Result = TypeVar("Result")


def played(play: Callable[[Work], Result], work: Sequence[Work], jobs: int) -> Iterator[tuple[int, Result]]:
    """Place in ``work`` and result of each piece, as they end, by ``jobs`` processes; by none of its own where it is 1.

    ``play`` is a function of a module, and it and all ``work`` can be pickled. What one piece raises ends the rest.
    """
    if jobs == 1:
        yield from ((place, play(piece)) for place, piece in enumerate(work))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin) as pool:
        try:
            waiting = {pool.submit(play, piece): place for place, piece in enumerate(work)}
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)  # Ctrl-C, or an error: what has not begun never does


def _begin() -> None:
    """Before numpy comes: its own threads, one for each core in every process, would wait for each other."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    Thread(target=_end_with, args=(parent_process(),), daemon=True).start()


def _end_with(parent: BaseProcess | None) -> None:
    """Whoever asked for the work was killed: nobody takes what comes of it, and nobody would end this process."""
    if parent is not None:
        parent.join()
        os._exit(1)
