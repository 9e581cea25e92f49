"""An npy file that grows by rows, for arrays whose length nobody knows yet and that memory need not hold.

Its bytes are those that ``numpy.save`` writes for the whole array: numpy leaves room in the header for any
number of rows. Must not know what the rows mean. Source: numpy.lib.format.
"""

from __future__ import annotations

import math
import os
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from p2peval.evaluation.labels import Array

BROKEN = (
    ValueError, TypeError, OverflowError, EOFError, OSError, SyntaxError, tokenize.TokenError, RecursionError,
    MemoryError,
)  # fmt: skip
"""What numpy raises for a header that is none: it reads it as Python, whose parser takes depth for lack of memory,
and a side of True for a number.
"""


class NpyFile:
    """Rows of ``shape`` and ``dtype``, little-endian; complete once left, and gone if by an exception."""

    def __init__(self, path: Path, dtype: str, shape: tuple[int, ...] = ()) -> None:
        self._path = path
        self._file = open(path, "w+b")  # noqa: SIM115 - __exit__ closes it
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._shape = shape
        self._row_bytes = self._dtype.itemsize * math.prod(shape)
        self.rows = 0
        self._head()
        self._start = self._file.tell()

    def __enter__(self) -> NpyFile:
        return self

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        with self._file:
            self._file.seek(0)
            self._head()
        if raised is not None:
            with suppress(PermissionError):  # a worker that is locked in can remove nothing: its parent will
                self._path.unlink()

    @property
    def nbytes(self) -> int:
        """Of its rows."""
        return self.rows * self._row_bytes

    def append(self, rows: Array) -> None:
        self._file.write(self._raw(rows))
        self.rows += len(rows)

    def read(self, rows: int, step: int) -> Iterator[tuple[int, Array]]:
        """The first ``rows``, up to ``step`` at a time, and the number of the first of them."""
        for first in range(0, rows, step):
            count = min(step, rows - first)
            self._file.seek(self._start + first * self._row_bytes)
            data = self._file.read(count * self._row_bytes)
            self._file.seek(0, os.SEEK_END)
            yield first, np.frombuffer(data, self._dtype).reshape(count, *self._shape)

    def replace(self, first: int, rows: Array) -> None:
        """Write ``rows`` over those from number ``first``."""
        self._file.seek(self._start + first * self._row_bytes)
        self._file.write(self._raw(rows))
        self._file.seek(0, os.SEEK_END)

    def _raw(self, rows: Array) -> bytes:
        return rows.astype(self._dtype, "C", copy=False).tobytes()

    def _head(self) -> None:
        shape = (self.rows, *self._shape)
        header = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, header)
