"""Samples, labels and groups from a csv file with a header line.

Decides what is wrong in which row and column, rows counted as an editor counts lines. Strict: nothing is
guessed, skipped or filled in. Must not know any other format. Source: RFC 4180, UTF-8.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from p2peval.evaluation.data_rows import Rows, Wanted, place

if TYPE_CHECKING:
    from _csv import Reader

Column = tuple[int, str]
Line = tuple[int, list[str]]
Parse = Callable[[str], float]
TEXT_BYTES = 64
"""Of a number as Python holds it while a step's rows are text."""


def read_csv(wanted: Wanted) -> Iterator[Rows]:
    """Raises EvaluationError: bad_data."""
    try:
        with wanted.source.file.open(encoding="utf-8-sig", newline="") as text:
            lines = numbered(csv.reader(text, strict=True))
            header = next(lines, (1, []))[1]
            columns = {name: place(name, header, wanted.problems) for name in wanted.source.columns}
            table = _Table(wanted, len(header), columns)
            step = wanted.step(TEXT_BYTES * len(header))
            while some := list(islice(lines, step)):
                yield table.read(some)
    except UnicodeDecodeError as error:
        raise wanted.problems.fatal(f"{error.reason} (not UTF-8)", "save the file as UTF-8") from None
    except csv.Error as error:
        raise wanted.problems.fatal(f"not a csv file: {error}") from None


class _Table:
    """Reads lines of cells; ``columns``: where each stands."""

    def __init__(self, wanted: Wanted, width: int, columns: dict[str, int]) -> None:
        self._wanted = wanted
        self._width = width
        self._inputs: list[Column] = [(columns[name], name) for name in wanted.source.input]
        self._label: Column = (columns[wanted.source.label], wanted.source.label)
        self._group: Column | None = (columns[wanted.source.groups], wanted.source.groups) if wanted.groups else None
        self._number = _parser(wanted.input.dtype)

    def read(self, lines: list[Line]) -> Rows:
        wanted = self._wanted
        whole = [line for line in lines if self._is_whole(line)]
        wide = "int64" if wanted.input.dtype.startswith("int") else "float64"
        numbers = np.zeros((len(whole), len(self._inputs)), wide)
        labels = np.zeros(len(whole), wanted.labels.dtype)
        groups = np.zeros(len(whole), np.int64) if wanted.groups else None
        for at, (row, cells) in enumerate(whole):
            try:
                numbers[at] = [self._number(cells[place]) for place, _ in self._inputs]
            except ValueError:
                self._explain(row, cells)
            labels[at] = self._cell(row, cells, self._label, wanted.labels.read)
            if groups is not None and wanted.groups and self._group:
                groups[at] = self._cell(row, cells, self._group, wanted.groups.read)
        inputs = numbers.astype(wanted.input.dtype).reshape(len(whole), *wanted.input.shape)
        return Rows(inputs, labels, groups)

    def _is_whole(self, line: Line) -> bool:
        row, cells = line
        if len(cells) != self._width:
            self._wanted.problems.add(f"row {row}: {len(cells)} columns, but row 1 has {self._width}")
        return len(cells) == self._width

    def _cell(self, row: int, cells: list[str], column: Column, read: Parse) -> float:
        at, name = column
        try:
            return read(cells[at])
        except ValueError as error:
            self._wanted.problems.add(f"row {row}, column {name!r}: {error}")
            return 0

    def _explain(self, row: int, cells: list[str]) -> None:
        """Say which cells of a bad row are bad, now that speed no longer matters."""
        for at, name in self._inputs:
            try:
                self._number(cells[at])
            except ValueError as error:
                reason = str(error) if cells[at].strip() else "there is no number: fill it in or delete the row"
                self._wanted.problems.add(f"row {row}, column {name!r}: {reason}")


def numbered(reader: Reader) -> Iterator[Line]:
    """Records with the line they start on; lines that are empty at the end of the file do not count."""
    start, empty = 1, 0
    for cells in reader:
        if cells and empty:
            raise csv.Error(f"row {empty} is empty")
        if cells:
            yield start, cells
        else:
            empty = empty or start
        start = reader.line_num + 1


def _parser(dtype: str) -> Parse:
    """Reads one number of ``dtype``. The reader raises ValueError saying what is wrong with the text."""
    whole = dtype.startswith("int")
    read: Callable[[str], float] = int if whole else float
    bounds: Any = np.iinfo(dtype) if whole else np.finfo(dtype)
    low, high = (int(bounds.min), int(bounds.max)) if whole else (float(bounds.min), float(bounds.max))
    kind = f"whole number ({dtype})" if whole else f"finite number ({dtype})"

    def parse(text: str) -> float:
        try:
            value = read(text)
        except ValueError:
            raise ValueError(f"{text!r} is no number") from None
        if not low <= value <= high or "_" in text:
            raise ValueError(f"{text!r} is no {kind}")
        return value

    return parse
