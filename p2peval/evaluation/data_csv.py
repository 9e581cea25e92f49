"""Samples and labels from a csv file with a header line.

Decides what is wrong in which row and column, rows counted as an editor counts lines. Strict: nothing is
guessed, skipped or filled in. Must not know any other format. Source: RFC 4180, UTF-8.
"""

from __future__ import annotations

import csv
import difflib
from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from p2peval.core.messages import Tensor
from p2peval.evaluation.benchmark_file import DataSource
from p2peval.evaluation.labels import Array, LabelRule
from p2peval.evaluation.problems import Problems

if TYPE_CHECKING:
    from _csv import Reader

Column = tuple[int, str]
Rows = Iterator[tuple[int, list[str]]]


def read_csv(source: DataSource, input: Tensor, rule: LabelRule, problems: Problems) -> tuple[Array, Array]:
    """Inputs (N, *input.shape) and labels (N,). Raises EvaluationError: bad_data."""
    try:
        with source.file.open(encoding="utf-8-sig", newline="") as lines:
            rows = _numbered(csv.reader(lines, strict=True))
            header = next(rows, (1, []))[1]
            columns = [_column(name, header, problems) for name in (*source.input, source.label)]
            return _read_rows(rows, len(header), columns, input, rule, problems)
    except UnicodeDecodeError as error:
        raise problems.fatal(f"{error.reason} (not UTF-8)", "save the file as UTF-8") from None
    except csv.Error as error:
        raise problems.fatal(f"not a csv file: {error}") from None


def _numbered(reader: Reader) -> Rows:
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


def _column(name: str, header: list[str], problems: Problems) -> Column:
    if header.count(name) == 1:
        return header.index(name), name
    if name in header:
        raise problems.fatal(f"row 1 names the column {name!r} twice")
    nearest = difflib.get_close_matches(name, header, 1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"row 1 has: {', '.join(header)[:200]}"
    raise problems.fatal(f"there is no column {name!r}, which benchmark.toml names", hint)


def _read_rows(
    rows: Rows, width: int, columns: list[Column], input: Tensor, rule: LabelRule, problems: Problems
) -> tuple[Array, Array]:
    *inputs, (label_at, label_name) = columns
    parse = _parser(input.dtype)
    numbers: array[Any] = array("q" if input.dtype.startswith("int") else "d")
    labels: array[Any] = array("q" if rule.classes else "d")
    for row, cells in rows:
        if len(cells) != width:
            problems.add(f"row {row}: {len(cells)} columns, but row 1 has {width}")
            continue
        try:
            numbers.extend([parse(cells[at]) for at, _ in inputs])
        except ValueError:
            _explain(row, cells, inputs, parse, problems)
        try:
            labels.append(rule.read(cells[label_at]))
        except ValueError as error:
            problems.add(f"row {row}, column {label_name!r}: {error}")
    problems.check()
    matrix = np.frombuffer(numbers, numbers.typecode).astype(input.dtype)
    return matrix.reshape(len(labels), *input.shape), np.frombuffer(labels, rule.dtype)


def _explain(
    row: int, cells: list[str], inputs: list[Column], parse: Callable[[str], float], problems: Problems
) -> None:
    """Say which cells of a bad row are bad, now that speed no longer matters."""
    for at, name in inputs:
        try:
            parse(cells[at])
        except ValueError as error:
            reason = str(error) if cells[at].strip() else "there is no number: fill it in or delete the row"
            problems.add(f"row {row}, column {name!r}: {reason}")


def _parser(dtype: str) -> Callable[[str], float]:
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
