"""Python's collector of cycles, made patient while a world is played."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 50_000
"""Objects made and not freed until the youngest are looked through; Python's own default is 700."""

ROUNDS = 1_000
"""Of those, until what outlived them is looked through as well; Python's own default is 10."""


@contextmanager
def patient_collector() -> Iterator[None]:
    """For the block's length.

    A world keeps nearly all that it makes, in ever more rows, and makes few cycles: to look through its rows again and
    again takes a quarter of the time of a world of four thousand.
    """
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG, ROUNDS, usual[2])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
