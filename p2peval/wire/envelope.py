"""Signed envelopes: who said it, and that exactly this was said (libp2p RFC 0002).

The domain stands in the envelope as its payload type and is signed as domain too, so a signature for
one type can never pass for another. Ed25519 through PyNaCl, the hot path of every node; libp2p itself
is not imported (it costs 0.6 s, and its helpers know peer records only) but agrees on every byte.
An envelope with anything more or less than its four fields in canonical form is refused.
"""

from __future__ import annotations

from typing import TypeVar

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from p2peval.core.messages import Payload, Sealed
from p2peval.core.types import PeerId
from p2peval.defaults import NETWORK_ID
from p2peval.errors import LocalProtocolError, RemoteProtocolError
from p2peval.wire import codec
from p2peval.wire.frames import Envelope, PublicKey
from p2peval.wire.ids import object_id, peer_id_of, public_key_of
from p2peval.wire.varint import joined

P = TypeVar("P", bound=Payload)

ED25519 = 1
"""libp2p's KeyType."""


class EnvelopeSealer:
    """core.ports.Sealer over one Ed25519 key."""

    def __init__(self, seed: bytes, network: str = NETWORK_ID) -> None:
        """``seed``: the 32 secret bytes of RFC 8032. Raises LocalProtocolError for any other length."""
        if len(seed) != 32:
            raise LocalProtocolError(f"an Ed25519 seed has 32 bytes, not {len(seed)}")
        self._key = SigningKey(seed)
        self._public = PublicKey(ED25519, bytes(self._key.verify_key))
        self._peer_id = peer_id_of(self._public.data)
        self._network = network

    @property
    def peer_id(self) -> PeerId:
        return self._peer_id

    def key_of(self, peer: PeerId) -> bytes:
        return public_key_of(peer)

    def seal(self, payload: P) -> Sealed[P]:
        """Raises LocalProtocolError for a payload that others would refuse, or of another author."""
        if payload.author != self._peer_id:
            raise LocalProtocolError(f"{payload.author} is the author, but {self._peer_id} would sign")
        domain = codec.domain_of(payload).encode()
        body = codec.encode(payload, self._network)
        signature = self._key.sign(_to_sign(domain, body)).signature
        envelope = codec.encode_frame(Envelope(self._public, domain, body, signature))
        return Sealed(payload, self._peer_id, object_id(body), envelope)

    def open(self, envelope: bytes) -> Sealed[Payload]:
        """Raises RemoteProtocolError: codec's reasons, or key_type, signature, author."""
        return open_envelope(envelope, self._network)


def open_envelope(envelope: bytes, network: str = NETWORK_ID) -> Sealed[Payload]:
    """As ``EnvelopeSealer.open``, for those who have no key."""
    outer = codec.decode_frame(Envelope, envelope)
    if outer.public_key.type != ED25519 or len(outer.public_key.data) != 32:
        raise RemoteProtocolError("key_type", "only Ed25519 keys sign here")
    payload = codec.decode(outer.payload_type.decode("ascii", "replace"), outer.payload, network)
    try:
        VerifyKey(outer.public_key.data).verify(_to_sign(outer.payload_type, outer.payload), outer.signature)
    except BadSignatureError as error:
        raise RemoteProtocolError("signature", outer.payload_type.decode()) from error
    signer = peer_id_of(outer.public_key.data)
    if payload.author != signer:
        raise RemoteProtocolError("author", f"{payload.author} claimed, {signer} signed")
    return Sealed(payload, signer, object_id(outer.payload), envelope)


def _to_sign(domain: bytes, payload: bytes) -> bytes:
    """RFC 0002: domain, payload type and payload, each behind its length."""
    return joined(domain, domain, payload)
