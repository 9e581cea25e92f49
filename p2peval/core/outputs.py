"""Canonical outputs and when two of them are the same (evaluation.md, Determinism).

Element by element, never by a row-wise maximum: one Inf, or one huge constant column, would excuse
everything beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from p2peval.core.messages import Tolerance
from p2peval.core.types import from_nano
from p2peval.errors import RemoteProtocolError

Array = NDArray[np.generic]


def canonical(array: Array, dtype: str) -> Array:
    """N × C, C order, little-endian ``dtype`` (a float type), every NaN the one quiet NaN. −0.0 stays −0.0."""
    kind = np.dtype(dtype).newbyteorder("<")
    rows = np.ascontiguousarray(array.reshape(len(array), -1), dtype=kind)
    missing = np.isnan(rows)  # type: ignore[call-overload]
    if missing.any():
        rows = rows.copy()
        rows[missing] = np.array(np.nan, dtype=kind)
    return rows


def from_bytes(data: bytes | memoryview, samples: int, width: int, dtype: str) -> Array:
    """The N × C array of an outputs blob. Raises RemoteProtocolError where its size is not N·C elements."""
    kind = np.dtype(dtype).newbyteorder("<")
    if len(data) != samples * width * kind.itemsize:
        raise RemoteProtocolError("size", f"{len(data)} bytes, not {samples}×{width} of {dtype}")
    return np.frombuffer(data, dtype=kind).reshape(samples, width)


def differing(claimed: Array, rerun: Array, tolerance: Tolerance) -> NDArray[np.bool_]:
    """Per row, whether any element of ``claimed`` is not ``rerun``'s within |a−b| ≤ atol + rtol·|b|.

    Non-finite elements must be the same by position: NaN with NaN, an infinity with the same infinity.
    """
    a, b = claimed.astype(np.float64), rerun.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    allowed = from_nano(tolerance.atol_nano) + from_nano(tolerance.rtol_nano) * np.abs(b)
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(a - b) <= allowed
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    held: NDArray[np.bool_] = np.where(finite, close, same)
    return ~held.reshape(len(held), -1).all(axis=1)
