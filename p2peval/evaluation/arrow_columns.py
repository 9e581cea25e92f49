"""Columns of an Arrow record batch as inputs, labels and groups.

Decides which types a column may have: numbers, one to a column or a list of all of a sample's; for labels and
groups numbers or texts, dictionaries too. Must not know files; the batch is valid. Source: pyarrow, Arrays.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from p2peval.evaluation.data_rows import Rows, Wanted, cast, read_cells
from p2peval.evaluation.labels import Array
from p2peval.evaluation.problems import Problems

_LISTS = (pa.ListArray, pa.LargeListArray, pa.FixedSizeListArray)


def rows_of(batch: pa.RecordBatch, wanted: Wanted, first: int) -> Rows:
    """``first``: the number in the file of the batch's first row. Raises EvaluationError: bad_data."""
    columns = {name: _plain(batch.column(name)) for name in wanted.source.columns}
    labels = _cells(columns[wanted.source.label], wanted.source.label, wanted.problems)
    where = f"column {wanted.source.label!r}"
    read = read_cells(labels, wanted.labels.read, wanted.labels.dtype, first, where, wanted.problems)
    groups = None
    if wanted.groups:
        where, cells = f"column {wanted.source.groups!r}", columns[wanted.source.groups]
        texts = _cells(cells, wanted.source.groups, wanted.problems)
        groups = read_cells(texts, wanted.groups.read, "int64", first, where, wanted.problems)
    return Rows(_inputs(columns, wanted, first), read, groups)


def _inputs(columns: dict[str, pa.Array], wanted: Wanted, first: int) -> Array:
    """(n, *shape)"""
    names = wanted.source.input
    matrix = np.zeros((len(columns[names[0]]), wanted.width), wanted.input.dtype)
    if len(names) == 1:
        matrix[:] = _lists(columns[names[0]], names[0], wanted, first)
    else:
        for at, name in enumerate(names):
            matrix[:, at] = _numbers(columns[name], np.arange(len(matrix) + 1), name, wanted, first)
    return matrix.reshape(len(matrix), *wanted.input.shape)


def _lists(column: pa.Array, name: str, wanted: Wanted, first: int) -> Array:
    """A column whose every cell holds a whole sample: (n, width). Lists may lie in lists."""
    samples = len(column)
    bounds = np.arange(samples + 1)
    while isinstance(column, _LISTS):
        if _missing(column, bounds, name, wanted.problems, first):
            return np.zeros((samples, wanted.width))
        if isinstance(column, pa.FixedSizeListArray):
            bounds = (bounds + column.offset) * column.type.list_size
        else:
            bounds = column.offsets.to_numpy()[bounds]
        column = _plain(column.values.slice(bounds[0], bounds[-1] - bounds[0]))
        bounds = bounds - bounds[0]
    widths = np.diff(bounds)
    wrong = np.flatnonzero(widths != wanted.width)
    for at in wrong.tolist():
        what = f"{widths[at]} numbers, but [model] inputs has {wanted.width} per sample"
        wanted.problems.add(f"column {name!r}, sample {first + at} (counted from 0): {what}")
    if len(wrong):
        return np.zeros((samples, wanted.width))
    return _numbers(column, bounds, name, wanted, first).reshape(samples, wanted.width)


def _numbers(column: pa.Array, bounds: Array, name: str, wanted: Wanted, first: int) -> Array:
    """Of ``column``, of which sample i has those from ``bounds[i]`` to ``bounds[i + 1]``: (n,) or (n, width)."""
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise wanted.problems.fatal(f"column {name!r} holds {kind}, not numbers", "save it as numbers or lists of them")
    samples = len(bounds) - 1
    if _missing(column, bounds, name, wanted.problems, first):
        return np.zeros(len(column))
    values = column.to_numpy(zero_copy_only=False).reshape(samples, -1)
    return cast(values, wanted.input.dtype, first, f"column {name!r}", wanted.problems).reshape(len(column))


def _missing(column: pa.Array, bounds: Array, name: str, problems: Problems, first: int) -> bool:
    """Is a cell empty? Then ``problems`` knows of which samples."""
    if not column.null_count:
        return False
    empty = [at for at, cell in enumerate(column) if not cell.is_valid]
    for sample in sorted({*(np.searchsorted(bounds, empty, "right") - 1).tolist()}):
        what = "there is no number: fill it in or delete the row"
        problems.add(f"column {name!r}, sample {first + sample} (counted from 0): {what}")
    return True


def _cells(column: pa.Array, name: str, problems: Problems) -> list[object]:
    kind, types = column.type, pa.types
    text = types.is_string(kind) or types.is_large_string(kind)
    if not (text or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        raise problems.fatal(f"column {name!r} holds {kind}, neither numbers nor names", "save it as one of these")
    cells: list[object] = column.to_pylist()
    return cells


def _plain(column: pa.Array) -> pa.Array:
    """Without what only wraps the values."""
    while isinstance(column, pa.ExtensionArray | pa.DictionaryArray):
        column = column.storage if isinstance(column, pa.ExtensionArray) else column.dictionary_decode()
    return column
