"""Names for the plain values that everything else is made of."""

from __future__ import annotations

from typing import NewType

PeerId = NewType("PeerId", str)
"""libp2p peer id, base58btc text (``12D3KooW…``): the identity multihash of an Ed25519 public key."""

Cid = NewType("Cid", str)
"""CIDv1, raw codec, sha2-256, base32 lower case (``bafkrei…``)."""

ObjectId = NewType("ObjectId", str)
"""The CID of a signed object's payload bytes."""

BenchmarkId = NewType("BenchmarkId", str)
"""The ObjectId of a BenchmarkSpec."""

TaskId = NewType("TaskId", str)
"""The ObjectId of a TaskAnnouncement."""

AssignmentId = NewType("AssignmentId", str)
"""The ObjectId of an Assignment."""

Seconds = float
"""Unix time or a duration, in seconds."""

NANO = 1_000_000_000
"""Numbers that are signed travel as integers in units of 1e-9: no floats on the wire."""


def to_nano(value: float) -> int:
    """Nearest integer multiple of 1e-9."""
    return round(value * NANO)


def from_nano(value: int) -> float:
    return value / NANO
