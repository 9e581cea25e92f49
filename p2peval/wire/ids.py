"""How keys and bytes are named: peer ids and CIDs.

Peer id: base58btc of the identity multihash of a protobuf PublicKey (libp2p peer-ids spec; Ed25519
only). CID: version 1, raw codec, sha2-256, base32 (multiformats). Both have one spelling only.
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from functools import lru_cache
from hashlib import sha256

import base58

from p2peval.core.types import Cid, ObjectId, PeerId
from p2peval.errors import RemoteProtocolError

# identity multihash (0x00) of 36 bytes: PublicKey { type = Ed25519, data = 32 bytes }
_PEER_PREFIX = bytes.fromhex("002408011220")
# CIDv1, raw, then the sha2-256 multihash of 32 bytes
_CID_PREFIX = bytes.fromhex("01551220")
_PEER_ID = re.compile(r"12D3KooW[1-9A-HJ-NP-Za-km-z]{44}")
# 36 bytes in base32 with the fixed prefix; the last character carries two zero bits
_CID = re.compile(r"bafkrei[a-h][a-z2-7]{50}[aeimquy4]")


@lru_cache(maxsize=4096)
def peer_id_of(public_key: bytes) -> PeerId:
    """Peer id of a 32-byte Ed25519 public key."""
    if len(public_key) != 32:
        raise RemoteProtocolError("key_type", f"an Ed25519 key has 32 bytes, not {len(public_key)}")
    return PeerId(base58.b58encode(_PEER_PREFIX + public_key).decode())


def is_peer_id(text: str) -> bool:
    """Whether ``text`` is the one spelling of an Ed25519 peer id (the key may still be no curve point)."""
    return _PEER_ID.fullmatch(text) is not None and _peer_bytes(text).startswith(_PEER_PREFIX)


def public_key_of(peer_id: PeerId) -> bytes:
    """The 32-byte public key inside a peer id. Raises RemoteProtocolError ``bounds``."""
    if not is_peer_id(peer_id):
        raise RemoteProtocolError("bounds", "not an Ed25519 peer id")
    return _peer_bytes(peer_id)[len(_PEER_PREFIX) :]


@lru_cache(maxsize=4096)
def _peer_bytes(text: str) -> bytes:
    return base58.b58decode(text)


def cid_from_digest(digest: bytes) -> Cid:
    """CID of the bytes whose SHA-256 is ``digest`` (32 bytes); for those who hash as they read."""
    return Cid("b" + b32encode(_CID_PREFIX + digest).decode().rstrip("=").lower())


def cid_of(data: bytes) -> Cid:
    return cid_from_digest(sha256(data).digest())


def object_id(payload: bytes) -> ObjectId:
    """Id of a signed object: the CID of its payload bytes, never of its envelope."""
    return ObjectId(cid_of(payload))


def is_cid(text: str) -> bool:
    return _CID.fullmatch(text) is not None


def digest_of(cid: Cid) -> bytes:
    """The 32-byte SHA-256 inside a CID. Raises RemoteProtocolError ``bounds``."""
    if not is_cid(cid):
        raise RemoteProtocolError("bounds", "not a raw sha2-256 CIDv1 in base32")
    return b32decode(cid[1:].upper() + "======")[len(_CID_PREFIX) :]
