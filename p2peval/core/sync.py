"""What two peers compare to find what one of them lacks (protocol.md, Moving them).

Objects fall into buckets by benchmark, type and the first bits of their id's hash, so that both sides
agree on a bucket whatever the time each of them received an object. A digest is the hash over the
sorted ids of a bucket; where digests differ, ids are exchanged, and the missing objects are pulled.
"""

from __future__ import annotations

from base64 import b32decode
from collections.abc import Iterable
from functools import lru_cache

from p2peval.core.state import Bucket, BucketDigest, State
from p2peval.core.types import BenchmarkId, ObjectId
from p2peval.defaults import SYNC_BUCKETS

DIRECTORY = BenchmarkId("")
"""Where announcements of benchmarks and profiles of peers live: every peer holds it."""

SYNCED = (
    "BenchmarkSpec",
    "BenchmarkAnnouncement",
    "PeerProfile",
    "ResultRecord",
    "TaskAnnouncement",
    "CommitmentSet",
    "AuditCommitment",
    "AuditReport",
    "FraudProof",
    "EquivocationProof",
    "LabelsReveal",
    "Scores",
    "TrustStatement",
)
"""Types that everybody may have; what goes over task streams stays between its two sides.

In the order in which they are worth telling: a finished task needs no offers, a set needs its task, a report its
commitment, a proof what it speaks of.
"""


@lru_cache(maxsize=4096)
def bucket_of(object_id: ObjectId) -> int:
    """Bucket number, 0 ≤ b < SYNC_BUCKETS, from the last byte of the id's SHA-256."""
    text = object_id[1:].upper()
    last = text[-(len(text) % 8 or 8) :]  # eight characters are five bytes: the rest need not be decoded
    return b32decode(last + "=" * (-len(last) % 8))[-1] % SYNC_BUCKETS


def digests(state: State, benchmarks: Iterable[BenchmarkId]) -> list[BucketDigest]:
    """Digests of every bucket of these benchmarks that is not empty, sorted."""
    return [state.digest(bucket) for bucket in _buckets(state, benchmarks)]


def offered(state: State, benchmarks: Iterable[BenchmarkId], theirs: Iterable[BucketDigest]) -> list[ObjectId]:
    """Ids that we hold in buckets where ``theirs`` differs from ours, types in order of SYNCED."""
    told = frozenset(theirs)
    differing = (bucket for bucket in _buckets(state, benchmarks) if state.digest(bucket) not in told)
    ids: list[ObjectId] = []
    for bucket in sorted(differing, key=lambda bucket: SYNCED.index(bucket.type)):
        ids += sorted(row.id for row in state.objects.of(bucket))
    return ids


def _buckets(state: State, benchmarks: Iterable[BenchmarkId]) -> tuple[Bucket, ...]:
    """Sorted; those that are not empty."""
    return state.buckets(frozenset(benchmarks), SYNCED)
