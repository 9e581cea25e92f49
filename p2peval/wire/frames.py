"""What peers say to each other without signing it: transport messages, and the envelope itself.

Shapes only, as in core/messages.py; ``proto/p2peval.proto`` says what each field means and
``bounds.py`` how large it may be. Nothing here is kept, trusted or repeated to others.
"""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.types import BenchmarkId, Cid, ObjectId, PeerId

# ── the envelope (libp2p RFC 0002) ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PublicKey:
    """``type``: libp2p's KeyType, 1 is Ed25519."""

    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """``payload_type`` is the domain in ASCII."""

    public_key: PublicKey
    payload_type: bytes
    payload: bytes
    signature: bytes


# ── gossip ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Notice:
    """An object too large for gossip exists; whoever forwards this has it. ``benchmark`` "": directory."""

    type: str
    benchmark: BenchmarkId
    id: ObjectId
    size: int


@dataclass(frozen=True, slots=True)
class Gossip:
    """The data of one GossipSub message: an envelope of up to 4 KiB, or a notice."""

    body: bytes | Notice


# ── /p2peval/task/1 ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Ack:
    """Reply to one envelope; ``reason`` is "" or a short code."""

    accepted: bool
    reason: str


# ── /p2peval/sync/1 ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bucket:
    """``digest`` (32 bytes) over the ids held of this type in this bucket (core/sync.py)."""

    benchmark: BenchmarkId
    type: str
    bucket: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Digests:
    """``benchmarks``: where the client wants to be complete, "" for the directory."""

    benchmarks: tuple[BenchmarkId, ...]
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class Get:
    """Up to 64 ids."""

    ids: tuple[ObjectId, ...]


@dataclass(frozen=True, slots=True)
class SyncRequest:
    body: Digests | Get


@dataclass(frozen=True, slots=True)
class Missing:
    """Ids in every bucket that differs, up to 2048; ``more`` when that was not all."""

    ids: tuple[ObjectId, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Objects:
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SyncReply:
    body: Missing | Objects


# ── /p2peval/blob/1 ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BlobRequest:
    """``count`` chunks from ``first_chunk`` on; 0 asks for the header (and hashes) alone."""

    cid: Cid
    first_chunk: int
    count: int
    want_hashes: bool


@dataclass(frozen=True, slots=True)
class BlobHeader:
    """``size`` 0 and ``root`` empty when not found."""

    found: bool
    size: int
    root: bytes


# ── invitations ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Invitation:
    """All a newcomer needs. ``seed_peer`` may be "", ``network_key`` empty or 32 bytes."""

    network: str
    benchmark: BenchmarkId
    name: str
    author: PeerId
    addresses: tuple[str, ...]
    seed_peer: PeerId
    network_key: bytes


Frame = Envelope | Gossip | Ack | SyncRequest | SyncReply | BlobRequest | BlobHeader | Invitation
