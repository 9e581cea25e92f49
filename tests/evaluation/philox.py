"""Philox4x64-10 in whole numbers of Python alone, as an oracle for what proto/README.md says of conditions.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11.
"""

from __future__ import annotations

from collections.abc import Iterator

_MASK = 2**64 - 1
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)


def words(key: bytes) -> Iterator[int]:
    """The endless stream of 64-bit words of a key of 16 bytes; the counter starts at 1."""
    low, high = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    counter = 0
    while True:
        counter += 1
        yield from _block(counter, low, high)


def _block(counter: int, low: int, high: int) -> tuple[int, int, int, int]:
    x = [counter >> 64 * part & _MASK for part in range(4)]
    for _ in range(10):
        first, second = x[0] * _MULTIPLIERS[0], x[2] * _MULTIPLIERS[1]
        x = [second >> 64 ^ x[1] ^ low, second & _MASK, first >> 64 ^ x[3] ^ high, first & _MASK]
        low, high = low + _WEYL[0] & _MASK, high + _WEYL[1] & _MASK
    return x[0], x[1], x[2], x[3]
