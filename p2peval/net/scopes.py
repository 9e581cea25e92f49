"""Two context managers that both networks need: one for time, one for tracebacks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

import trio

from p2peval.errors import NetworkError

T = TypeVar("T")


@contextmanager
def deadline(seconds: float, doing: str) -> Iterator[None]:
    """Raises NetworkError, naming what was being done, when the block takes longer."""
    try:
        with trio.fail_after(seconds):
            yield
    except trio.TooSlowError as error:
        raise NetworkError(f"{doing} took longer than {seconds:g} s") from error


@asynccontextmanager
async def plainly(manager: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter ``manager``; what the block raises leaves as it was, not wrapped once per nursery inside ``manager``."""
    failure: BaseException | None = None
    try:
        async with manager as value:
            try:
                yield value
            except trio.Cancelled:
                raise
            except BaseException as error:
                failure = error
                raise
    except BaseExceptionGroup:
        if failure is None:
            raise
        raise failure from None
