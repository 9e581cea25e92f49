"""What two peers compare to find what one of them lacks (protocol.md, Moving them).

Objects fall into buckets by benchmark, type and the first bits of their id's hash, so that both sides
agree on a bucket whatever the time each of them received an object. A digest is the hash over the
sorted ids of a bucket; where digests differ, ids are exchanged, and the missing objects are pulled.
"""

from __future__ import annotations

from base64 import b32decode
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from p2peval.core.state import State
from p2peval.core.types import BenchmarkId, ObjectId
from p2peval.defaults import SYNC_BUCKETS

DIRECTORY = BenchmarkId("")
"""Where announcements of benchmarks and profiles of peers live: every peer holds it."""

SYNCED = (
    "BenchmarkAnnouncement",
    "BenchmarkSpec",
    "CommitmentSet",
    "PeerProfile",
    "ResultRecord",
    "TaskAnnouncement",
)
"""Types that everybody may have; what goes over task streams stays between its two sides."""


@dataclass(frozen=True, slots=True)
class BucketDigest:
    benchmark: BenchmarkId
    type: str
    bucket: int
    digest: bytes


def bucket_of(object_id: ObjectId) -> int:
    """Bucket number, 0 ≤ b < SYNC_BUCKETS, from the last byte of the id's SHA-256."""
    text = object_id[1:].upper()
    return b32decode(text + "=" * (-len(text) % 8))[-1] % SYNC_BUCKETS


def digests(state: State, benchmarks: Iterable[BenchmarkId]) -> list[BucketDigest]:
    """Digests of every bucket of these benchmarks that is not empty, sorted."""
    groups = _groups(state, set(benchmarks))
    return [
        BucketDigest(benchmark, kind, bucket, _digest(ids)) for (benchmark, kind, bucket), ids in sorted(groups.items())
    ]


def offered(state: State, benchmarks: Iterable[BenchmarkId], theirs: Iterable[BucketDigest]) -> list[ObjectId]:
    """Ids that we hold in buckets where ``theirs`` differs from ours, sorted."""
    told = {(b.benchmark, b.type, b.bucket): b.digest for b in theirs}
    ids: list[ObjectId] = []
    for group, held in sorted(_groups(state, set(benchmarks)).items()):
        if told.get(group) != _digest(held):
            ids += sorted(held)
    return ids


def _digest(ids: list[ObjectId]) -> bytes:
    return sha256("\n".join(sorted(ids)).encode()).digest()


def _groups(state: State, benchmarks: set[BenchmarkId]) -> dict[tuple[BenchmarkId, str, int], list[ObjectId]]:
    groups: dict[tuple[BenchmarkId, str, int], list[ObjectId]] = defaultdict(list)
    for row in state.objects:
        if row.benchmark in benchmarks and row.type in SYNCED:
            groups[(row.benchmark, row.type, row.bucket)].append(row.id)
    return groups
