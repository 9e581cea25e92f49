"""Whether an ONNX tensor holds as many numbers as its shape says, and what they take in memory.

Decides from the protobuf message alone. Must not know graphs. Source: onnx.proto, TensorProto.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip
"""TensorProto.DataType -> bits of one number; text (8) has no fixed size."""
_TEXT = 8
_FIELDS = {1: "float_data", 14: "float_data", 7: "int64_data", 11: "double_data", 15: "double_data",
           12: "uint64_data", 13: "uint64_data", _TEXT: "string_data"}  # fmt: skip
"""Where numbers stand that are not raw; all other types share int32_data."""
_COMPLEX = (14, 15)


class Unsound(ValueError):
    """What is wrong with a tensor, to be said after its name."""


def unpacked_bytes(tensor: Any, dense: Iterable[int] | None = None) -> int:
    """Bytes that it takes in memory, with the shape ``dense`` where that is not its own. Raises Unsound."""
    bits = _BITS.get(tensor.data_type, 0)
    if not bits and tensor.data_type != _TEXT:
        raise Unsound(f"is of the unknown type {tensor.data_type}")
    count = _count(tensor.dims)
    held = len(tensor.raw_data) if tensor.raw_data and bits else _held(tensor, bits)
    needed = -(-count * bits // 8) if bits else count
    if held != needed:
        raise Unsound(f"has {held} bytes, but its shape needs {needed}" if bits else f"has {held} texts, not {count}")
    if dense is not None:
        return -(-_count(dense) * bits // 8)
    return needed if bits else sum(map(len, tensor.string_data))


def _held(tensor: Any, bits: int) -> int:
    """Bytes (or texts) in the field that its type belongs into."""
    if tensor.data_type == _TEXT:
        return len(tensor.string_data)
    entries = len(getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data")))
    if tensor.data_type in _COMPLEX:
        entries //= 2
    return entries if bits < 8 else entries * bits // 8


def _count(dims: Iterable[int]) -> int:
    sides = list(dims)
    if any(side < 0 for side in sides):
        raise Unsound("has a side of less than 0")
    return math.prod(sides)
