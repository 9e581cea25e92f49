"""What a reader of data is asked for, what it hands on, and how numbers become canonical.

Readers hand on some rows at a time, so that no dataset lies in memory whole. A wrong cell is told to
``problems`` and reading goes on; the rows that come then are no use, but the author sees all mistakes at once.
Must not know any format.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2peval.core.benchmark import DTYPES
from p2peval.core.parts import Tensor
from p2peval.defaults import DATA_STEP
from p2peval.evaluation.data_source import DataSource
from p2peval.evaluation.groups import GroupNames
from p2peval.evaluation.labels import Array, LabelRule
from p2peval.evaluation.problems import Problems


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read, and what each part of it may be. ``groups``: None where the file declares none."""

    source: DataSource
    input: Tensor
    labels: LabelRule
    groups: GroupNames | None
    problems: Problems

    @property
    def width(self) -> int:
        """Numbers of a sample's input."""
        return math.prod(self.input.shape)

    def step(self, row_bytes: int = 0) -> int:
        """How many rows to take at once, where one has ``row_bytes`` in the file; at least 1."""
        return max(1, DATA_STEP // max(1, row_bytes, self.width * DTYPES[self.input.dtype]))


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples in the file's order: inputs (n, *shape), labels (n,), and groups (n,), None where there are none."""

    inputs: Array
    labels: Array
    groups: Array | None


def cast(values: Array, dtype: str, first: int, where: str, problems: Problems) -> Array:
    """As ``dtype``, C-order. ``values``: a sample each, the first of them is number ``first`` of the file."""
    with np.errstate(over="ignore", invalid="ignore"):
        cast = np.ascontiguousarray(values, dtype)
    whole = dtype.startswith("int")
    fine = cast == values if whole else np.isfinite(cast)
    for sample in np.flatnonzero(~fine.all(tuple(range(1, fine.ndim)))).tolist():
        kind = f"whole number ({dtype})" if whole else f"finite number ({dtype})"
        problems.add(f"{where}, sample {first + sample} (counted from 0): a value is no {kind}")
    return cast


def read_cells(
    values: Sequence[Any], read: Callable[[str], float], dtype: str, first: int, where: str, problems: Problems
) -> Array:
    """Each of ``values``, None for a missing one, as ``read`` reads its text: (n,) of ``dtype``."""
    found = np.zeros(len(values), dtype)
    for at, value in enumerate(values):
        try:
            found[at] = read("" if value is None else str(value))
        except ValueError as error:
            problems.add(f"{where}, sample {first + at} (counted from 0): {error}")
    return found


def place(name: str, names: Sequence[str], problems: Problems) -> int:
    """Where the column ``name`` is among ``names``. Raises EvaluationError: bad_data."""
    found = [at for at, each in enumerate(names) if each == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise problems.fatal(f"it has the column {name!r} twice")
    nearest = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"it has: {', '.join(names)[:200]}"
    raise problems.fatal(f"there is no column {name!r}, which benchmark.toml names", hint)
