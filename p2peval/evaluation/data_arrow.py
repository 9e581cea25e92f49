"""Samples, labels and groups from the columns of a parquet file or an Arrow IPC file or stream.

Decides how such a file is read without threads and some rows at a time, and that every batch is valid before a
value is believed. What columns mean, ``arrow_columns`` knows. pyarrow's exceptions end here. Source: the formats'
own specifications; pyarrow.ipc, pyarrow.parquet.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import pyarrow as pa

from p2peval.evaluation.arrow_columns import rows_of
from p2peval.evaluation.data_rows import Rows, Wanted, place

READ_BYTES = 1 << 20
"""Of a parquet file read at once, for each column."""

_MAGIC = b"ARROW1"
_BROKEN = (pa.ArrowException, OSError, UnicodeDecodeError, ValueError)
"""What pyarrow raises for a damaged file; where memory is short it raises a MemoryError, which is none of these."""


def read_parquet(wanted: Wanted) -> Iterator[Rows]:
    """Raises EvaluationError: bad_data."""
    _one_thread()
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(wanted.source.file, buffer_size=READ_BYTES, pre_buffer=False) as file:
            names = file.schema_arrow.names
            columns = [names[place(name, names, wanted.problems)] for name in wanted.source.columns]
            batches = file.iter_batches(wanted.step(), columns=columns, use_threads=False)
            yield from _rows(batches, wanted)
    except _BROKEN as error:
        raise wanted.problems.fatal(f"not a whole parquet file: {error}") from None


def read_arrow(wanted: Wanted) -> Iterator[Rows]:
    """Raises EvaluationError: bad_data."""
    _one_thread()
    try:
        with open(wanted.source.file, "rb") as file:
            is_file = file.read(len(_MAGIC)) == _MAGIC
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        reader = _ipc(mapped, is_file)
        for name in wanted.source.columns:
            place(name, reader.schema.names, wanted.problems)
        batches = (reader.get_batch(at) for at in range(reader.num_record_batches)) if is_file else iter(reader)
        for rows in _rows(batches, wanted):
            yield rows
            mapped.madvise(mmap.MADV_DONTNEED)  # a batch may be as large as the file
    except _BROKEN as error:
        raise wanted.problems.fatal(f"not a whole arrow file: {error}") from None


def _one_thread() -> None:
    """Workers may start none, and the system's allocator needs fewest addresses."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    pa.set_memory_pool(pa.system_memory_pool())


def _ipc(mapped: mmap.mmap, is_file: bool) -> pa.RecordBatchStreamReader:
    """Batches are views into ``mapped`` where nothing is packed; to ask for some columns would copy them whole."""
    options = pa.ipc.IpcReadOptions(use_threads=False)
    source = pa.BufferReader(pa.py_buffer(mapped))
    return pa.ipc.open_file(source, options=options) if is_file else pa.ipc.open_stream(source, options=options)


def _rows(batches: Iterator[pa.RecordBatch], wanted: Wanted) -> Iterator[Rows]:
    first = 0
    for batch in batches:
        batch.validate(full=True)  # a hostile offset would be followed anywhere
        for start in range(0, batch.num_rows, wanted.step()):
            part = batch.slice(start, wanted.step())
            yield rows_of(part, wanted, first)
            first += part.num_rows
