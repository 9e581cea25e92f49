"""The canonical bytes of what a model said, and when two such sayings are the same.

Decides the encoding under which outputs are hashed and stored, and the comparison of an audit. Must not
know commitments, files or models. Source: evaluation.md, Determinism.

A row is one sample's output: C numbers, little endian, nothing else. Every NaN becomes the one quiet NaN
with sign and payload zero. −0.0 stays −0.0: inside an equivalence class it is reproduced bit for bit, and
across classes 0.0 and −0.0 are equal under any tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from p2peval.core.parts import Tolerance
from p2peval.core.types import from_nano
from p2peval.errors import LocalProtocolError, RemoteProtocolError

DTYPES = frozenset({"float32", "float64"})
"""Element types that outputs may have; the names are those of ``Tensor.dtype``."""

Outputs = NDArray[np.floating[Any]]
"""N × C: what a model said, one row per sample in dataset order."""


def canonical(array: NDArray[Any], dtype: str) -> Outputs:
    """The outputs as N × C of ``dtype``, C-contiguous, little endian, every NaN the same.

    ``array``: N × anything of a real type; a vector of N becomes N × 1. The argument is not changed.
    Raises LocalProtocolError for a dtype outside DTYPES or an array without samples' axis.
    """
    wanted = _element(dtype)
    if array.ndim == 0:
        raise LocalProtocolError("outputs need an axis of samples")
    with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 is inf; a signalling NaN is a NaN
        rows = np.array(array, dtype=wanted, order="C")
    rows = rows.reshape(len(rows), int(np.prod(rows.shape[1:], dtype=np.int64)))
    rows[np.isnan(rows)] = np.nan
    return rows


def row_bytes(width: int, dtype: str) -> int:
    """Bytes of one sample's row of ``width`` numbers. Raises LocalProtocolError for a dtype outside DTYPES."""
    return width * _element(dtype).itemsize


def from_bytes(data: bytes | bytearray | memoryview, samples: int, width: int, dtype: str) -> Outputs:
    """The rows that ``data`` holds: samples × width, read-only, without a copy.

    Raises RemoteProtocolError ``outputs_size`` where ``data`` is not exactly that large.
    """
    size = samples * row_bytes(width, dtype)
    if len(data) != size:
        raise RemoteProtocolError("outputs_size", f"{len(data)} bytes, not {size}")
    rows: Outputs = np.frombuffer(data, _element(dtype)).reshape(samples, width)
    rows.flags.writeable = False
    return rows


def differing(claimed: Outputs, rerun: Outputs, tolerance: Tolerance) -> NDArray[np.bool_]:
    """Which rows hold an element with |a−b| > atol + rtol·|b|; a from ``claimed``, b from ``rerun``.

    Both N × C; the answer has N elements. Infinities must match by position and sign, NaN by position.
    Every element stands for itself: a row-wise maximum would let one huge column excuse any other.
    Raises LocalProtocolError where the shapes differ.
    """
    if claimed.shape != rerun.shape:
        raise LocalProtocolError(f"outputs {claimed.shape} compared with {rerun.shape}")
    a, b = claimed.astype(np.float64), rerun.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    with np.errstate(over="ignore", invalid="ignore"):  # inf − inf is judged by ``same``
        near = np.abs(a - b) <= from_nano(tolerance.atol_nano) + from_nano(tolerance.rtol_nano) * np.abs(b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    held = np.where(finite, near, same)
    rows: NDArray[np.bool_] = np.logical_and.reduce(held, axis=1)
    return ~rows


def unequal(claimed: Outputs, rerun: Outputs) -> NDArray[np.bool_]:
    """Which rows are not the same bytes; both canonical, N × C and of one dtype. The answer has N elements.

    Raises LocalProtocolError where the shapes differ.
    """
    if claimed.shape != rerun.shape or claimed.dtype != rerun.dtype:
        raise LocalProtocolError(f"outputs {claimed.dtype}{claimed.shape} compared with {rerun.dtype}{rerun.shape}")
    patterns = f"u{claimed.itemsize}"
    rows: NDArray[np.bool_] = (claimed.view(patterns) != rerun.view(patterns)).any(axis=1)
    return rows


def slack(claimed: Outputs, tolerance: Tolerance) -> NDArray[np.float64]:
    """How far the true output may lie from a claimed one that passes ``differing``, per element of N × C.

    |a−b| ≤ atol + rtol·|b| with b unknown gives |a−b| ≤ (atol + rtol·|a|) / (1 − rtol). Non-finite: 0.
    """
    size = np.abs(np.where(np.isfinite(claimed), claimed, 0.0).astype(np.float64))
    atol, rtol = from_nano(tolerance.atol_nano), from_nano(tolerance.rtol_nano)
    rounding = 1.0 + 1e-9  # covers what ``differing`` rounds, so that the bound stays one
    bound: NDArray[np.float64] = np.where(np.isfinite(claimed), (atol + rtol * size) / (1.0 - rtol) * rounding, 0.0)
    return bound


def _element(dtype: str) -> np.dtype[Any]:
    if dtype not in DTYPES:
        raise LocalProtocolError(f"outputs of {dtype}: only {', '.join(sorted(DTYPES))}")
    return np.dtype(dtype).newbyteorder("<")
