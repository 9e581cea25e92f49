"""A benchmark's data on disk: from the author's file to the two arrays that peers exchange.

Decides the canonical form: ``inputs.npy`` (samples × shape) and ``labels.npy`` (int64 classes or float64
numbers), little-endian, C-order. Must not know models. Runs in the worker only: the file, and the blobs
of a stranger's benchmark, are hostile. Source: evaluation.md, The sandbox; interface.md, benchmark.toml.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from p2peval.core.messages import Tensor
from p2peval.defaults import MAX_DATA_BYTES
from p2peval.errors import EvaluationError
from p2peval.evaluation import benchmark_file
from p2peval.evaluation.data_csv import read_csv
from p2peval.evaluation.data_npz import read_npz
from p2peval.evaluation.jobs import Prepared
from p2peval.evaluation.labels import Array, label_rule
from p2peval.evaluation.problems import Problems

READERS = {"csv": read_csv, "npz": read_npz}


def prepare(directory: Path, out: Path) -> Prepared:
    """Write ``out``/inputs.npy and ``out``/labels.npy from the benchmark in ``directory``.

    Raises ConfigError for the benchmark.toml, EvaluationError bad_data for the data.
    """
    file = benchmark_file.load(directory)
    problems = Problems(file.data.file.name)
    _check_size(file.data.file, problems)
    rule = label_rule(file)
    inputs, labels = READERS[file.data.format](file.data, file.model_input, rule, problems)
    if len(inputs) == 0:
        raise problems.fatal("there is no sample in it")
    np.save(out / "inputs.npy", _canonical(inputs))
    np.save(out / "labels.npy", _canonical(labels))
    per_class = np.bincount(labels, minlength=rule.classes).tolist() if rule.classes else ()
    return Prepared(len(inputs), file.model_input.shape, file.model_input.dtype, rule.dtype, tuple(per_class))


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
    except (ValueError, EOFError, OSError) as error:
        raise EvaluationError("data_mismatch", f"the benchmark's {what} cannot be read: {error}") from None
    array = mapped.view(np.ndarray)  # a memmap's slices cost microseconds each
    if array.dtype != np.dtype(dtype).newbyteorder("<") or array.shape != shape or not array.flags.c_contiguous:
        got = f"{array.dtype}{list(array.shape)}"
        detail = f"the benchmark's {what} are {got}, not {dtype}{list(shape)} as its spec says"
        raise EvaluationError("data_mismatch", detail)
    return array


def _canonical(array: Array) -> Array:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


def _check_size(path: Path, problems: Problems) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise problems.fatal("there is no such file, but benchmark.toml names it") from None
    if size > MAX_DATA_BYTES:
        raise problems.fatal(f"{size} bytes; {MAX_DATA_BYTES} is the most that a dataset may have")
