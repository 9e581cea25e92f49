"""Unsigned varints (multiformats), and parts joined so that no two lists of parts look the same."""

from __future__ import annotations


def uvarint(number: int) -> bytes:
    """Seven bits a byte, least significant first, the top bit on all bytes but the last."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def joined(*parts: bytes) -> bytes:
    """Each part behind its length as an uvarint."""
    return b"".join([uvarint(len(part)) + part for part in parts])
