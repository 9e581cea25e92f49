"""Samples, labels and groups from the arrays of an npz file.

Decides what such a file may hold: plain numbers, no pickles, and no more bytes than it declares. Must not
know any other format. The zip directory and the array's own header are both checked before a byte is
unpacked, and then it is unpacked some rows at a time. Source: numpy.lib.format.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from p2peval.defaults import DATA_STEP, FORTRAN_BYTES, MAX_DATA_BYTES
from p2peval.evaluation import npy_file
from p2peval.evaluation.data_rows import Rows, Wanted, cast, read_cells
from p2peval.evaluation.labels import Array
from p2peval.evaluation.problems import Problems

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
"""What zipfile and numpy raise for a damaged file."""


@dataclass(frozen=True, slots=True)
class _Member:
    """An array in the archive, its header read."""

    stream: IO[bytes]
    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_columns: bool

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape[1:])

    def blocks(self, step: int) -> Iterator[Array]:
        """All rows, ``step`` at a time. Raises what _BROKEN names."""
        if self.by_columns:
            whole = self._take(self.shape[0]).reshape(self.shape, order="F")
            for first in range(0, len(whole), step):
                yield whole[first : first + step]
        else:
            for first in range(0, self.shape[0], step):
                count = min(step, self.shape[0] - first)
                yield self._take(count).reshape(count, *self.shape[1:])
        if self.stream.read(1):  # the checksum is looked at here
            raise EOFError("there is more than the header says")

    def _take(self, rows: int) -> Array:
        data = self.stream.read(rows * self.row_bytes)
        if len(data) < rows * self.row_bytes:
            raise EOFError("it breaks off")
        return np.frombuffer(data, self.dtype)


def read_npz(wanted: Wanted) -> Iterator[Rows]:
    """Raises EvaluationError: bad_data."""
    source, problems = wanted.source, wanted.problems
    try:
        with zipfile.ZipFile(source.file) as archive, ExitStack() as streams:
            samples = _open(archive, source.input[0], "biuf", problems, streams)
            others = [_open(archive, source.label, "biufU", problems, streams)]
            if wanted.groups:
                others.append(_open(archive, source.groups, "biuU", problems, streams))
            _check_shapes(samples, others, wanted)
            yield from _read(samples, others, wanted)
    except _BROKEN as error:
        raise problems.fatal(f"not a whole npz file: {error}") from None


def _read(samples: _Member, others: list[_Member], wanted: Wanted) -> Iterator[Rows]:
    labels, groups, problems, first = wanted.labels, wanted.groups, wanted.problems, 0
    step = wanted.step(sum(member.row_bytes for member in (samples, *others)))
    for values, *rest in zip(*(member.blocks(step) for member in (samples, *others)), strict=True):
        inputs = cast(values, wanted.input.dtype, first, f"array {samples.key!r}", problems)
        read = [(labels.read, labels.dtype), *([(groups.read, "int64")] if groups else [])]
        cells = [
            read_cells(cell.tolist(), *how, first, f"array {member.key!r}", problems)
            for cell, how, member in zip(rest, read, others, strict=True)
        ]
        yield Rows(inputs, cells[0], cells[1] if groups else None)
        first += len(inputs)


def _check_shapes(samples: _Member, others: list[_Member], wanted: Wanted) -> None:
    shape, problems = wanted.input.shape, wanted.problems
    if samples.shape[1:] != shape:
        want = ", ".join(["N", *map(str, shape)])
        detail = f"array {samples.key!r} has the shape {samples.shape}, but benchmark.toml wants ({want})"
        raise problems.fatal(detail, "reshape the array, or change [model] inputs shape")
    for member, what in zip(others, ("labels", "groups"), strict=False):
        if member.shape != samples.shape[:1]:
            detail = f"array {member.key!r} has the shape {member.shape}; {samples.shape[0]} {what} are needed"
            raise problems.fatal(detail)


def _open(archive: zipfile.ZipFile, key: str, kinds: str, problems: Problems, streams: ExitStack) -> _Member:
    found = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    info = found.get(key)
    if info is None:
        raise problems.fatal(f"there is no array {key!r}", f"it has: {', '.join(found)[:200]}")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise problems.fatal(f"array {key!r} is encrypted or packed in an unusual way", "use numpy.savez_compressed")
    if info.file_size > MAX_DATA_BYTES:
        raise problems.fatal(f"array {key!r} unpacks to {info.file_size} bytes; {MAX_DATA_BYTES} is the most")
    member = _header(streams.enter_context(archive.open(info)), info.file_size, key, kinds, problems)
    if member.row_bytes > DATA_STEP and member.dtype.kind == "U":
        raise problems.fatal(f"array {key!r} has texts of {member.row_bytes} bytes; no name is that long")
    return member


def _header(stream: IO[bytes], declared: int, key: str, kinds: str, problems: Problems) -> _Member:
    try:
        version = npy.read_magic(stream)
        shape, by_columns, dtype = _HEADERS[version](stream)
    except (*npy_file.BROKEN, KeyError):
        raise problems.fatal(f"array {key!r} has no proper npy header") from None
    if dtype.kind not in kinds:
        raise problems.fatal(f"array {key!r} holds {dtype}, not numbers", "save it with a numeric dtype, unpickled")
    size = math.prod(shape) * dtype.itemsize
    if not shape or stream.tell() + size != declared:
        raise problems.fatal(f"array {key!r} is not as large as its header says")
    if by_columns and size > FORTRAN_BYTES:
        detail = f"array {key!r} lies column by column and is too large to turn around in memory"
        raise problems.fatal(detail, "save numpy.ascontiguousarray of it")
    return _Member(stream, key, shape, dtype, by_columns)
