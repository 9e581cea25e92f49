"""Samples and labels from two arrays of an npz file.

Decides what such a file may hold: plain numbers, no pickles, and no more bytes than it declares. Must not
know any other format. The zip directory and the array's own header are both checked before a byte is
unpacked. Source: numpy.lib.format.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from typing import IO

import numpy as np
from numpy.lib import format as npy

from p2peval.core.messages import Tensor
from p2peval.defaults import MAX_DATA_BYTES
from p2peval.evaluation.benchmark_file import DataSource
from p2peval.evaluation.labels import Array, LabelRule
from p2peval.evaluation.problems import Problems

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(source: DataSource, input: Tensor, rule: LabelRule, problems: Problems) -> tuple[Array, Array]:
    """Inputs (N, *input.shape) and labels (N,). Raises EvaluationError: bad_data."""
    try:
        with zipfile.ZipFile(source.file) as archive:
            samples = _member(archive, source.input[0], "biuf", problems)
            given = _member(archive, source.label, "biufU", problems)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise problems.fatal(f"not a whole npz file: {error}") from None
    if samples.shape[1:] != input.shape:
        want = ", ".join(["N", *map(str, input.shape)])
        detail = f"array {source.input[0]!r} has the shape {samples.shape}, but benchmark.toml wants ({want})"
        raise problems.fatal(detail, "reshape the array, or change [model] inputs shape")
    if given.shape != samples.shape[:1]:
        raise problems.fatal(f"array {source.label!r} has the shape {given.shape}; {len(samples)} labels are needed")
    inputs = _cast(samples, input.dtype, source.input[0], problems)
    labels, wrong = rule.read_array(given)
    for sample, reason in wrong:
        problems.add(f"array {source.label!r}, sample {sample} (counted from 0): {reason}")
    problems.check()
    return inputs, labels


def _member(archive: zipfile.ZipFile, key: str, kinds: str, problems: Problems) -> Array:
    found = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    info = found.get(key)
    if info is None:
        raise problems.fatal(f"there is no array {key!r}", f"it has: {', '.join(found)[:200]}")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise problems.fatal(f"array {key!r} is encrypted or packed in an unusual way", "use numpy.savez_compressed")
    if info.file_size > MAX_DATA_BYTES:
        raise problems.fatal(f"array {key!r} unpacks to {info.file_size} bytes; {MAX_DATA_BYTES} is the most")
    with archive.open(info) as stream:
        return _array(stream, info.file_size, key, kinds, problems)


def _array(stream: IO[bytes], declared: int, key: str, kinds: str, problems: Problems) -> Array:
    try:
        version = npy.read_magic(stream)
        shape, fortran, dtype = _HEADERS[version](stream)
    except (ValueError, KeyError):
        raise problems.fatal(f"array {key!r} has no proper npy header") from None
    if dtype.kind not in kinds:
        raise problems.fatal(f"array {key!r} holds {dtype}, not numbers", "save it with a numeric dtype, unpickled")
    size = math.prod(shape) * dtype.itemsize
    if not shape or stream.tell() + size != declared:
        raise problems.fatal(f"array {key!r} is not as large as its header says")
    values = np.frombuffer(stream.read(size), dtype)
    return values.reshape(shape, order="F" if fortran else "C")


def _cast(values: Array, dtype: str, key: str, problems: Problems) -> Array:
    """As ``dtype``, C-order; samples that do not survive the cast go to ``problems``."""
    with np.errstate(over="ignore", invalid="ignore"):
        cast = np.ascontiguousarray(values, dtype)
    whole = dtype.startswith("int")
    fine = cast == values if whole else np.isfinite(cast)
    for sample in np.flatnonzero(~fine.all(tuple(range(1, fine.ndim)))).tolist():
        kind = f"whole number ({dtype})" if whole else f"finite number ({dtype})"
        problems.add(f"array {key!r}, sample {sample} (counted from 0): a value is no {kind}")
    return cast
