"""Verifiable credentials of reports: signed with this node's key, and checked by whoever is shown one."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import msgspec
from nacl.signing import SigningKey

from p2peval.core.types import ObjectId
from p2peval.daemon.reports import UNREADABLE, ReportFile, compose
from p2peval.daemon.verification import Checklist, Signed
from p2peval.errors import RemoteProtocolError, UsageError, VerificationError
from p2peval.interop import credential, eddsa_jcs
from p2peval.interop.result import Result, result_of

CARRIED = ("network", "envelope", "benchmark_envelope")
"""Fields of a report file that a credential holds as evidence; the others follow from them."""


def sign(result: Result, file: ReportFile, seed: bytes) -> dict[str, Any]:
    """The result as this key's credential, issued now."""
    issuer = eddsa_jcs.did_key(bytes(SigningKey(seed).verify_key))
    document = credential.credential(result, issuer, evidence_of(file))
    return eddsa_jcs.sign(document, seed, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def evidence_of(file: ReportFile) -> dict[str, str]:
    return {name: getattr(file, name) for name in CARRIED}


def recognise(data: bytes) -> dict[str, Any] | None:
    """The document, where ``data`` is a credential; None for anything else, a report among it."""
    try:
        document = msgspec.json.decode(data)
    except UNREADABLE:
        return None
    kinds = document.get("type") if isinstance(document, dict) else None
    return document if isinstance(kinds, list) and "VerifiableCredential" in kinds else None


def report_in(document: dict[str, Any]) -> ReportFile:
    """The report that the credential carries. Raises UsageError where it carries none, or one that does not open."""
    evidence = document.get("evidence")
    parts = evidence[0] if isinstance(evidence, list) and evidence and isinstance(evidence[0], dict) else {}
    network, *envelopes = (parts.get(name) for name in CARRIED)
    if not all(isinstance(part, str) for part in (network, *envelopes)):
        raise UsageError("this credential carries no p2peval report", hint="p2peval eval export TASK --to vc makes one")
    try:
        record, spec = (b64decode(str(envelope), validate=True) for envelope in envelopes)
        return compose(record, spec, str(network))
    except (ValueError, RemoteProtocolError) as error:
        raise VerificationError(f"the report that the credential carries does not open: {error}") from None


def check(document: dict[str, Any], file: ReportFile, signed: Signed, checklist: Checklist) -> None:
    """That its issuer signed it, and that it says what the record says."""

    def proof() -> str:
        did = eddsa_jcs.signer_of(document)
        if document.get("issuer") != did:
            raise VerificationError(f"issued by {str(document.get('issuer'))[:80]!r}, but signed by {did}")
        return f"{eddsa_jcs.CRYPTOSUITE}, signed by its issuer {did}"

    def claims() -> str:
        if signed.record is None or signed.contents is None:
            raise VerificationError("there is no record to compare with")
        result = result_of(ObjectId(signed.record.id), signed.contents)
        expected = credential.credential(result, str(document.get("issuer")), evidence_of(file))
        shown = {name: value for name, value in document.items() if name != "proof"}
        for name in sorted(set(expected) | set(shown)):
            if eddsa_jcs.canonical({name: shown.get(name)}) != eddsa_jcs.canonical({name: expected.get(name)}):
                raise VerificationError(f"its {name} does not follow from the record that it carries")
        return "it says what the record that it carries says"

    checklist.make("proof", proof)
    checklist.make("claims", claims)
