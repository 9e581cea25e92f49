"""Who signed what: our envelopes against libp2p's own, and every way to forge one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cid import make_cid
from libp2p.crypto.ed25519 import Ed25519PrivateKey, create_new_key_pair
from libp2p.crypto.secp256k1 import create_new_key_pair as new_secp256k1
from libp2p.peer.envelope import Envelope as Libp2pEnvelope
from libp2p.peer.envelope import make_unsigned, unmarshal_envelope
from libp2p.peer.id import ID
from wire_examples import NETWORK, OTHER, PAYLOADS, SEALER, SEED, TASK

from p2peval.core.messages import Payload
from p2peval.defaults import MAX_OBJECT_BYTES
from p2peval.errors import LocalProtocolError, RemoteProtocolError
from p2peval.wire import p2peval_pb2
from p2peval.wire.codec import decode_frame, domain_of, encode
from p2peval.wire.envelope import EnvelopeSealer, open_envelope
from p2peval.wire.frames import Envelope
from p2peval.wire.ids import (
    cid_from_digest,
    cid_of,
    digest_of,
    is_cid,
    is_peer_id,
    object_id,
    peer_id_of,
    public_key_of,
)

SEALED = SEALER.seal(TASK)
DOMAIN = domain_of(TASK)


def refused(envelope: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        SEALER.open(envelope)
    assert caught.value.reason == reason, caught.value


def libp2p_signed(key: Ed25519PrivateKey, payload: bytes, domain: str = DOMAIN, payload_type: str = DOMAIN) -> bytes:
    """An envelope made by libp2p alone."""
    signature = key.sign(make_unsigned(domain, payload_type.encode(), payload))
    return Libp2pEnvelope(key.get_public_key(), payload_type.encode(), payload, signature).marshal_envelope()


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: type(payload).__name__)
def test_sealed_payload_opens_to_itself(payload: Payload) -> None:
    sealed = SEALER.seal(payload)
    assert SEALER.open(sealed.envelope) == sealed
    assert open_envelope(sealed.envelope) == sealed
    assert sealed.signer == SEALER.peer_id
    assert sealed.id == object_id(encode(payload))


def test_same_payload_sealed_again_gives_the_same_bytes() -> None:
    assert EnvelopeSealer(SEED).seal(TASK) == SEALED


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: type(payload).__name__)
def test_libp2p_validates_our_envelope_and_would_write_the_same_bytes(payload: Payload) -> None:
    ours = SEALER.seal(payload).envelope
    theirs = unmarshal_envelope(ours)
    theirs.validate(domain_of(payload))
    assert theirs.raw_payload == encode(payload)
    assert theirs.marshal_envelope() == ours
    key = Ed25519PrivateKey.from_bytes(SEED)
    assert libp2p_signed(key, encode(payload), domain_of(payload), domain_of(payload)) == ours


def test_envelope_that_libp2p_signed_opens() -> None:
    pair = create_new_key_pair()
    payload = replace(TASK, author=ID.from_pubkey(pair.public_key).to_base58())
    assert open_envelope(libp2p_signed(pair.private_key, encode(payload))).payload == payload


def test_peer_ids_are_those_of_libp2p() -> None:
    for _ in range(20):
        key = create_new_key_pair().public_key
        peer = peer_id_of(key.to_bytes())
        assert peer == ID.from_pubkey(key).to_base58()
        assert public_key_of(peer) == key.to_bytes()


@pytest.mark.parametrize("key", [bytes(32), b"\xff" * 32])
def test_extreme_keys_have_well_formed_peer_ids(key: bytes) -> None:
    assert is_peer_id(peer_id_of(key))
    assert public_key_of(peer_id_of(key)) == key


@pytest.mark.parametrize(
    "text", ["", "12D3KooW", SEALER.peer_id + "1", SEALER.peer_id[:-1], "0" * 52, "12D3KooW" + "z" * 44]
)
def test_text_that_is_no_peer_id_is_refused(text: str) -> None:
    assert not is_peer_id(text)
    with pytest.raises(RemoteProtocolError):
        public_key_of(text)


def test_cids_are_those_of_multiformats() -> None:
    for data in (b"", b"x", bytes(1000)):
        cid = cid_of(data)
        assert is_cid(cid)
        assert cid == make_cid(1, "raw", b"\x12\x20" + digest_of(cid)).encode("base32").decode()
        assert cid == cid_from_digest(digest_of(cid))


def test_signature_under_another_domain_is_refused() -> None:
    key = Ed25519PrivateKey.from_bytes(SEED)
    refused(libp2p_signed(key, encode(TASK), domain="libp2p-peer-record"), "signature")
    refused(libp2p_signed(key, encode(TASK), domain="p2peval/Offer/v1"), "signature")


@pytest.mark.parametrize("payload_type", ["p2peval/TaskAnnouncement/v2", "p2peval/Offer", "\x03\x01", "é"])
def test_unknown_domain_is_refused(payload_type: str) -> None:
    key = Ed25519PrivateKey.from_bytes(SEED)
    refused(libp2p_signed(key, encode(TASK), payload_type, payload_type), "domain")


def test_author_who_is_not_the_signer_is_refused() -> None:
    refused(libp2p_signed(Ed25519PrivateKey.from_bytes(SEED), encode(replace(TASK, author=OTHER))), "author")


def test_one_is_not_made_to_sign_for_another() -> None:
    with pytest.raises(LocalProtocolError, match="author"):
        SEALER.seal(replace(TASK, author=OTHER))


def test_key_of_another_kind_is_refused() -> None:
    refused(libp2p_signed(new_secp256k1().private_key, encode(TASK)), "bounds")  # DER: not 64 bytes
    outer = p2peval_pb2.Envelope.FromString(SEALED.envelope)
    outer.public_key.type = 2
    refused(outer.SerializeToString(), "key_type")


@pytest.mark.parametrize("length", [31, 33])
def test_key_of_another_length_is_refused(length: int) -> None:
    outer = p2peval_pb2.Envelope.FromString(SEALED.envelope)
    outer.public_key.data = bytes(length)
    refused(outer.SerializeToString(), "key_type")


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_key_of_low_order_or_off_the_curve_is_refused(key: bytes) -> None:
    """With such keys some implementations accept one signature for many messages."""
    outer = p2peval_pb2.Envelope.FromString(SEALED.envelope)
    outer.public_key.data = key
    outer.signature = b"\x01" + bytes(63)
    refused(outer.SerializeToString(), "signature")


def test_any_flipped_bit_of_the_signature_is_refused() -> None:
    for bit in range(512):
        outer = p2peval_pb2.Envelope.FromString(SEALED.envelope)
        broken = int.from_bytes(outer.signature, "big") ^ 1 << bit
        outer.signature = broken.to_bytes(64, "big")
        refused(outer.SerializeToString(), "signature")


def test_second_spelling_of_a_valid_signature_is_refused() -> None:
    """S + L verifies in implementations that do not reduce; RFC 8032 §5.1.7 forbids it."""
    order = 2**252 + 27742317777372353535851937790883648493
    outer = p2peval_pb2.Envelope.FromString(SEALED.envelope)
    s = int.from_bytes(outer.signature[32:], "little") + order
    outer.signature = outer.signature[:32] + s.to_bytes(32, "little")
    refused(outer.SerializeToString(), "signature")


def test_field_appended_to_the_envelope_is_refused_although_the_signature_holds() -> None:
    longer = SEALED.envelope + bytes.fromhex("a00601")
    unmarshal_envelope(longer).validate(DOMAIN)  # libp2p takes it: envelope bytes are no id
    refused(longer, "not_canonical")


def test_envelope_of_another_network_is_refused() -> None:
    elsewhere = EnvelopeSealer(SEED, "elsewhere").seal(replace(TASK, network="elsewhere"))
    refused(elsewhere.envelope, "network")
    assert open_envelope(elsewhere.envelope, "elsewhere") == elsewhere


def test_oversize_envelope_is_refused() -> None:
    refused(bytes(MAX_OBJECT_BYTES + 1), "size")


def test_object_is_sent_only_if_its_envelope_fits() -> None:
    record = next(payload for payload in PAYLOADS if domain_of(payload) == "p2peval/ResultRecord/v1")
    room = MAX_OBJECT_BYTES - len(SEALER.seal(record).envelope)
    fits = SEALER.seal(replace(record, audits=(b"a" * (room - 16),)))
    assert SEALER.open(fits.envelope) == fits
    with pytest.raises(LocalProtocolError):
        SEALER.seal(replace(record, audits=(b"a" * room,)))


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(64)])
def test_seed_of_another_length_is_refused(seed: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="32 bytes"):
        EnvelopeSealer(seed)


def test_envelope_frame_names_its_domain_in_ascii() -> None:
    assert decode_frame(Envelope, SEALED.envelope).payload_type == f"p2peval/{type(TASK).__name__}/v1".encode()
    assert NETWORK.encode() in SEALED.envelope
