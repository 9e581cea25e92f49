"""A result as a W3C Verifiable Credential 2.0, to be signed by the node that vouches for it.

Decides what the credential says; the proof is eddsa_jcs's. It carries the signed record and spec as evidence,
so that a reader need not believe its issuer: everything else in it follows from them.
"""

from __future__ import annotations

from typing import Any

from p2peval.core.types import from_nano
from p2peval.interop.result import Measure, Result, ipfs

CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"]
"""The second gives every term of ours a meaning of its own: urn-like, defined nowhere else (VC 2.0, 5.1)."""

TYPE = "ModelEvaluationCredential"
EVIDENCE = "p2pevalReport"


def credential(result: Result, issuer: str, evidence: dict[str, str]) -> dict[str, Any]:
    """The unsigned document. ``issuer``: a DID. ``evidence``: network and envelopes, as a report file has them."""
    return {
        "@context": CONTEXT,
        "type": ["VerifiableCredential", TYPE],
        "issuer": issuer,
        "validFrom": result.finished,
        "credentialSubject": {
            "id": ipfs(result.model.cid),
            "type": "MachineLearningModel",
            "name": result.model_name,
            "evaluation": _evaluation(result),
        },
        "evidence": [{"id": ipfs(result.record), "type": EVIDENCE, **evidence}],
    }


def _evaluation(result: Result) -> dict[str, Any]:
    spec, certificate = result.spec, result.certificate
    return {
        "task": result.said.task,
        "benchmark": {
            "id": ipfs(result.said.benchmark),
            "name": spec.name,
            "title": spec.title,
            "version": spec.version,
            "author": spec.author,
        },
        "metrics": [_metric(measure) for measure in result.measures()],
        "certificate": {
            "epsilon": from_nano(certificate.epsilon_nano),
            "delta": from_nano(certificate.delta_nano),
            "samples": certificate.samples,
            "audited": certificate.audited,
            "attempts": certificate.attempts,
        },
        "requester": result.said.author,
        "evaluator": result.evaluator,
        "equivalenceClass": result.reveal.payload.equivalence_class,
        "finished": result.finished,
    }


def _metric(measure: Measure) -> dict[str, Any]:
    """Without what there is none of."""
    told = {
        "name": measure.name,
        "group": measure.group or None,
        "status": measure.status,
        "value": measure.value,
        "auditInterval": measure.audit,
        "samplingInterval": measure.sampling,
        "ambiguityInterval": measure.ambiguity,
    }
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in told.items() if value is not None
    }
