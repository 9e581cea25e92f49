"""Data Integrity proofs of the cryptosuite eddsa-jcs-2022, with keys named by did:key.

Decides how a JSON document is signed and when a proof of it holds. Must not know what the document says. Source:
W3C, Data Integrity EdDSA Cryptosuites v1.0, section 3.3, and Verifiable Credential Data Integrity 1.0; RFC 8785.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import base58
import rfc8785
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from p2peval.errors import VerificationError

CRYPTOSUITE = "eddsa-jcs-2022"
PURPOSE = "assertionMethod"

_ED25519_PUB = b"\xed\x01"
"""Multicodec prefix of an Ed25519 public key (Controlled Identifiers 1.0, Multikey)."""


def did_key(public_key: bytes) -> str:
    """did:key of a 32-byte Ed25519 public key."""
    return "did:key:" + _multibase(_ED25519_PUB + public_key)


def sign(document: Mapping[str, Any], seed: bytes, created: str) -> dict[str, Any]:
    """``document`` with a proof by the key of ``seed`` (32 bytes). ``created``: XML Schema dateTime stamp, UTC."""
    key = SigningKey(seed)
    did = did_key(bytes(key.verify_key))
    config = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": created,
        "verificationMethod": f"{did}#{did.removeprefix('did:key:')}",
        "proofPurpose": PURPOSE,
        "@context": document["@context"],
    }
    signature = key.sign(hash_data(document, config)).signature
    return {**document, "proof": {**config, "proofValue": _multibase(signature)}}


def signer_of(document: Mapping[str, Any]) -> str:
    """The did:key whose proof ``document`` carries. Raises VerificationError that says what does not hold."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise VerificationError("the document has no proof, or several")
    expected = {"type": "DataIntegrityProof", "cryptosuite": CRYPTOSUITE, "proofPurpose": PURPOSE}
    for name, value in expected.items():
        if proof.get(name) != value:
            raise VerificationError(f"proof.{name} is {str(proof.get(name))[:64]!r}; only {value} can be checked here")
    did, public_key = _key_of(proof.get("verificationMethod"))
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in config:
        unsecured["@context"] = _context(unsecured.get("@context"), config["@context"])
    try:
        VerifyKey(public_key).verify(hash_data(unsecured, config), _decoded(proof.get("proofValue"), "proofValue", 64))
    except BadSignatureError:
        raise VerificationError("the proof's signature does not fit the document: one of them was altered") from None
    return did


def hash_data(document: Mapping[str, Any], config: Mapping[str, Any]) -> bytes:
    """The 64 bytes that are signed: SHA-256 of the canonical proof configuration, then that of the document."""
    return sha256(canonical(config)).digest() + sha256(canonical(document)).digest()


def canonical(value: Mapping[str, Any]) -> bytes:
    """RFC 8785. Raises VerificationError for what has no canonical form."""
    try:
        return rfc8785.dumps(dict(value))
    except (rfc8785.CanonicalizationError, ValueError, RecursionError) as error:
        raise VerificationError(f"the document has no canonical form: {error}") from None


def _context(document: Any, proof: Any) -> Any:
    """The proof's contexts, with which the document's must begin."""
    begins = (
        document[: len(proof)] == proof if isinstance(document, list) and isinstance(proof, list) else document == proof
    )
    if not begins:
        raise VerificationError("the document's @context does not begin with that of its proof")
    return proof


def _key_of(method: Any) -> tuple[str, bytes]:
    did, _, fragment = method.partition("#") if isinstance(method, str) else ("", "", "")
    if not did.startswith("did:key:") or fragment != did.removeprefix("did:key:"):
        raise VerificationError(
            f"proof.verificationMethod is {str(method)[:80]!r}; only did:key can be checked offline"
        )
    data = _decoded(fragment, "verificationMethod", 34)
    if not data.startswith(_ED25519_PUB):
        raise VerificationError("proof.verificationMethod is no Ed25519 key")
    return did, data[len(_ED25519_PUB) :]


def _multibase(data: bytes) -> str:
    return "z" + base58.b58encode(data).decode()


def _decoded(text: Any, what: str, size: int) -> bytes:
    """Base58 of exactly ``size`` bytes; the length is looked at first, since decoding is quadratic."""
    if not isinstance(text, str) or not text.startswith("z") or len(text) > 2 * size:
        raise VerificationError(f"proof.{what} is not {size} bytes in base58")
    try:
        data = base58.b58decode(text[1:])
    except ValueError:
        data = b""
    if len(data) != size:
        raise VerificationError(f"proof.{what} is not {size} bytes in base58")
    return data
