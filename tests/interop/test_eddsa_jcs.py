"""Against the vectors that W3C publishes: Data Integrity EdDSA Cryptosuites v1.0 (Recommendation of 15 May 2025),
appendix B, "Representation: eddsa-jcs-2022". https://www.w3.org/TR/vc-di-eddsa/#representation-eddsa-jcs-2022
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import base58
import pytest

from p2peval.errors import VerificationError
from p2peval.interop import eddsa_jcs

PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
CREATED = "2023-02-24T23:36:38Z"
CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
UNSIGNED: dict[str, Any] = {
    "@context": CONTEXT,
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
CANONICAL_CONFIG = (
    '{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],'
    '"created":"2023-02-24T23:36:38Z","cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod",'
    '"type":"DataIntegrityProof","verificationMethod":"did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2'
    '#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"}'
)
CONFIG_HASH = "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
DOCUMENT_HASH = "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
SIGNATURE = (
    "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b803"
    "51da3f253d725c6f00b07c9e5448d50b3ef78012b9ab54255116d069c6dd2808"
)
PROOF_VALUE = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"


def seed() -> bytes:
    secret = base58.b58decode(SECRET[1:])
    assert secret[:2] == bytes.fromhex("8026")
    return secret[2:]


def signed() -> dict[str, Any]:
    return eddsa_jcs.sign(UNSIGNED, seed(), CREATED)


def test_every_intermediate_value_of_the_published_vector_is_reproduced() -> None:
    config = {name: value for name, value in signed()["proof"].items() if name != "proofValue"}
    assert eddsa_jcs.canonical(config).decode() == CANONICAL_CONFIG
    assert eddsa_jcs.hash_data(UNSIGNED, config).hex() == CONFIG_HASH + DOCUMENT_HASH


def test_the_published_proof_is_reproduced() -> None:
    proof = signed()["proof"]
    assert proof["verificationMethod"] == f"did:key:{PUBLIC}#{PUBLIC}"
    assert proof["proofValue"] == PROOF_VALUE
    assert base58.b58decode(PROOF_VALUE[1:]).hex() == SIGNATURE


def test_the_published_credential_verifies_and_names_its_key() -> None:
    assert eddsa_jcs.signer_of(json.loads(json.dumps(signed()))) == f"did:key:{PUBLIC}"


def test_contexts_added_after_signing_do_not_break_the_proof() -> None:
    document = signed()
    document["@context"] = [*CONTEXT, "https://example.org/more"]
    assert eddsa_jcs.signer_of(document) == f"did:key:{PUBLIC}"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("credentialSubject", "alumniOf"), "Another School", "altered"),
        (("proof", "created"), "2024-02-24T23:36:38Z", "altered"),
        (("proof", "proofValue"), "z" + base58.b58encode(bytes(64)).decode(), "altered"),
        (("proof", "proofValue"), "z123", "64 bytes"),
        (("proof", "proofValue"), "z" + "1" * 1000, "64 bytes"),
        (("proof", "proofValue"), None, "64 bytes"),
        (("proof", "cryptosuite"), "eddsa-rdfc-2022", "only eddsa-jcs-2022"),
        (("proof", "proofPurpose"), "authentication", "only assertionMethod"),
        (("proof", "verificationMethod"), "https://vc.example/issuers/5678#key", "only did:key"),
        (("proof", "verificationMethod"), f"did:key:{PUBLIC}#z6Mk", "only did:key"),
        (("@context",), CONTEXT[:1], "does not begin"),
        (("name",), 2**60, "canonical form"),
        (("name",), "\ud800", "canonical form"),
        (("proof",), [], "no proof"),
    ],
)
def test_what_was_altered_is_refused_and_named(path: tuple[str, ...], value: Any, says: str) -> None:
    document = deepcopy(signed())
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(VerificationError, match=says):
        eddsa_jcs.signer_of(document)
