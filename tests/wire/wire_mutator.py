"""Broken input from good input, the same for the same seed. Knows protobuf's framing and nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random


def mutations(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` inputs: half with broken bytes, half well-formed protobuf with broken values."""
    rng = Random(seed)
    for number in range(count):
        data = seeds[number % len(seeds)]
        yield _values(data, rng) if number & 1 else broken_bytes(data, seeds, rng)


def broken_bytes(data: bytes, seeds: Sequence[bytes], rng: Random) -> bytes:
    """Up to four bytes or runs of them changed, cut, doubled or taken from another seed."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(7):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(out):
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del out[at:]
            case 3:
                del out[at : at + rng.randrange(1, 9)]
            case 4:
                out[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 5:
                out[at:at] = out[at : at + rng.randrange(1, 65)]
            case _:
                other = rng.choice(seeds)
                out[at:] = other[rng.randrange(len(other) + 1) :]
    return bytes(out)


def _values(data: bytes, rng: Random) -> bytes:
    """One field of the message (or, at random, of a part of it) gets another value; lengths stay right."""
    fields = list(_fields(data))
    if not fields:
        return rng.randbytes(rng.randrange(1, 9))
    index = rng.randrange(len(fields))
    tag, value = fields[index]
    match rng.randrange(8):
        case 0:
            del fields[index]
        case 1:
            fields.insert(index, (tag, value))
        case 2:
            fields[index] = (tag, rng.choice((-1, 0, 1, 2**31, 2**53, 2**63, 2**64 - 1)))
        case 3:
            fields.append((tag & 7 | rng.choice((1, 2, 9, 99, 2**20)) << 3, value))
        case _ if isinstance(value, int):
            fields[index] = (tag, value ^ 1 << rng.randrange(64))
        case 4 | 5:
            fields[index] = (tag, _values(value, rng) if _is_message(value) else rng.randbytes(len(value)))
        case 6:
            fields[index] = (tag, _text(value, rng))
        case _:
            fields[index] = (tag, value * rng.choice((0, 2, 3)))
    return b"".join(_field(tag, value) for tag, value in fields)


def _text(value: bytes, rng: Random) -> bytes:
    """One character changed, still ASCII: what a check of shape must notice."""
    if not value:
        return b"x"
    at = rng.randrange(len(value))
    return value[:at] + bytes([rng.choice(b"Aa0-/ \n\x1b")]) + value[at + 1 :]


def _is_message(value: bytes) -> bool:
    try:
        return bool(list(_fields(value)))
    except IndexError:
        return False


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(tag, value) of a message of varints and length-delimited fields; IndexError if it is none."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        if tag & 7 == 0:
            yield tag, value
        elif tag & 7 == 2 and at + value <= len(data):
            yield tag, data[at : at + value]
            at += value
        else:
            raise IndexError(at)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return number, at


def _field(tag: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _uvarint(tag & ~7) + _uvarint(value & 2**64 - 1)
    return _uvarint(tag & ~7 | 2) + _uvarint(len(value)) + value


def _uvarint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))
