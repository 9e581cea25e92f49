"""A benchmark's data on disk: from the author's file to the arrays that peers exchange.

Decides the canonical form: ``inputs.npy`` (samples × shape, then as much again for each perturbation),
``labels.npy`` (int64 classes or float64 numbers) and ``groups.npy`` (int64 places in the groups' sorted names),
little-endian, C-order. Must not know models. Runs in the worker only: the file, and the blobs of a stranger's
benchmark, are hostile. Source: evaluation.md, The sandbox; interface.md, benchmark.toml.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from p2peval.core.parts import Condition, Tensor
from p2peval.core.types import from_nano
from p2peval.defaults import DATA_STEP, MAX_DATA_BYTES
from p2peval.errors import EvaluationError
from p2peval.evaluation import benchmark_file
from p2peval.evaluation.answers import Prepared
from p2peval.evaluation.data_rows import Rows, Wanted
from p2peval.evaluation.groups import GroupNames
from p2peval.evaluation.labels import Array, LabelRule
from p2peval.evaluation.npy_file import BROKEN, NpyFile
from p2peval.evaluation.perturb import Perturbation
from p2peval.evaluation.problems import Problems

READERS = {
    "arrow": "data_arrow:read_arrow",
    "csv": "data_csv:read_csv",
    "images": "data_images:read_images",
    "npz": "data_npz:read_npz",
    "parquet": "data_arrow:read_parquet",
}
"""Imported when a file of that format comes: evaluations need none of their libraries, and some start threads."""


PERTURBED_COPIES = 8
"""How often a row lies in memory while it is perturbed: as float64, as random words, and what becomes of both."""


def prepare(directory: Path, out: Path) -> Prepared:
    """Write inputs.npy, labels.npy and, where there are groups, groups.npy of the benchmark in ``directory``.

    Some rows at a time, so that memory does not grow with the data. Raises ConfigError for the benchmark.toml,
    EvaluationError bad_data for the data; nothing is left in ``out`` then.
    """
    file = benchmark_file.load(directory)
    problems = Problems(file.data.file.name)
    _check_size(file.data.file, problems)
    groups = GroupNames() if file.data.groups else None
    wanted = Wanted(file.data, file.model_input, _label_rule(file), groups, problems)
    with ExitStack() as files:
        writer = _Writer(wanted, out, 1 + len(file.conditions), files)
        for rows in _reader(file.data.format)(wanted):
            writer.append(rows)
        problems.check()
        if writer.samples == 0:
            raise problems.fatal("there is no sample in it")
        for condition in file.conditions:
            writer.perturb(condition)
        return writer.finish()


class _Writer:
    """The arrays as they grow. ``blocks``: the clean inputs and each perturbation of them."""

    def __init__(self, wanted: Wanted, out: Path, blocks: int, files: ExitStack) -> None:
        self._wanted = wanted
        self._blocks = blocks
        self._inputs = files.enter_context(NpyFile(out / "inputs.npy", wanted.input.dtype, wanted.input.shape))
        self._labels = files.enter_context(NpyFile(out / "labels.npy", wanted.labels.dtype))
        self._groups = files.enter_context(NpyFile(out / "groups.npy", "int64")) if wanted.groups else None
        self._per_class = np.zeros(wanted.labels.classes, np.int64)

    @property
    def samples(self) -> int:
        """Clean ones."""
        return self._labels.rows

    def append(self, rows: Rows) -> None:
        if (self._inputs.nbytes + rows.inputs.nbytes) * self._blocks > MAX_DATA_BYTES:
            times = f", {self._blocks} times with its perturbations," if self._blocks > 1 else ""
            detail = f"its inputs{times} have more than {MAX_DATA_BYTES} bytes, the most that a dataset may have"
            raise self._wanted.problems.fatal(detail)
        self._inputs.append(rows.inputs)
        self._labels.append(rows.labels)
        if self._groups is not None and rows.groups is not None:
            self._groups.append(rows.groups)
        if self._wanted.labels.classes:
            self._per_class += np.bincount(rows.labels, minlength=len(self._per_class))

    def perturb(self, condition: Condition) -> None:
        """Add the clean inputs once more, perturbed. Raises EvaluationError: bad_data."""
        perturbation = Perturbation(condition)
        for first, rows in self._inputs.read(self.samples, max(1, self._wanted.step() // PERTURBED_COPIES)):
            perturbed = perturbation.apply(rows)
            bad = ~np.isfinite(perturbed).reshape(len(rows), -1).all(axis=1)
            if bad.any():
                sample = first + int(np.argmax(bad))
                detail = f"perturbation {condition.name!r} leaves {rows.dtype} at sample {sample} (counted from 0)"
                raise self._wanted.problems.fatal(detail, "choose a smaller level")
            self._inputs.append(perturbed)

    def finish(self) -> Prepared:
        input, labels = self._wanted.input, self._wanted.labels
        per_class = tuple(self._per_class.tolist())
        names, per_group = self._sort_groups()
        return Prepared(self.samples, input.shape, input.dtype, labels.dtype, per_class, names, per_group)

    def _sort_groups(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Number the groups by their names' order, not by the samples'; the names and how many samples each has."""
        if self._groups is None or self._wanted.groups is None:
            return (), ()
        names, places = self._wanted.groups.order()
        counts = np.zeros(len(names), np.int64)
        for first, numbers in self._groups.read(self.samples, DATA_STEP):
            self._groups.replace(first, places[numbers])
            counts += np.bincount(places[numbers], minlength=len(names))
        return names, tuple(counts.tolist())


def map_inputs(path: Path, samples: int, input: Tensor) -> Array:
    """The inputs blob, mapped read-only: (samples, *input.shape). Raises EvaluationError: data_mismatch."""
    return _map(path, "inputs", input.dtype, (samples, *input.shape))


def map_labels(path: Path, samples: int, task: str) -> Array:
    """The labels blob, mapped read-only: (samples,). Raises EvaluationError: data_mismatch."""
    return _map(path, "labels", "int64" if task == "classification" else "float64", (samples,))


def map_groups(path: Path, samples: int, groups: int) -> Array:
    """The groups blob, mapped read-only: (samples,), each 0 … groups−1. Raises EvaluationError: data_mismatch."""
    array = _map(path, "groups", "int64", (samples,))
    if not ((array >= 0) & (array < groups)).all():
        raise EvaluationError("data_mismatch", f"the benchmark's groups name others than its {groups}")
    return array


def _map(path: Path, what: str, dtype: str, shape: tuple[int, ...]) -> Array:
    try:
        mapped = npy.open_memmap(path, mode="r")
    except BROKEN as error:
        raise EvaluationError("data_mismatch", f"the benchmark's {what} cannot be read: {error}") from None
    array = mapped.view(np.ndarray)  # a memmap's slices cost microseconds each
    if array.dtype != np.dtype(dtype).newbyteorder("<") or array.shape != shape or not array.flags.c_contiguous:
        got = f"{array.dtype}{list(array.shape)}"
        detail = f"the benchmark's {what} are {got}, not {dtype}{list(shape)} as its spec says"
        raise EvaluationError("data_mismatch", detail)
    return array


def _label_rule(file: benchmark_file.BenchmarkFile) -> LabelRule:
    """The rule that a benchmark.toml sets."""
    low, high = (file.range.low_nano, file.range.high_nano) if file.range else (-math.inf, math.inf)
    classes = file.model_output.shape[0] if file.task == "classification" else 0
    return LabelRule(classes, file.data.classes, from_nano(low), from_nano(high))  # type: ignore[arg-type]


def _reader(format: str) -> Callable[[Wanted], Iterator[Rows]]:
    module, name = READERS[format].split(":")
    reader: Callable[[Wanted], Iterator[Rows]] = getattr(import_module(f"p2peval.evaluation.{module}"), name)
    return reader


def _check_size(path: Path, problems: Problems) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise problems.fatal("there is no such file, but benchmark.toml names it") from None
    if size > MAX_DATA_BYTES:
        raise problems.fatal(f"{size} bytes; {MAX_DATA_BYTES} is the most that a dataset may have")
