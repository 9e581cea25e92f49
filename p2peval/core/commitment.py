"""Commit, open, and the Merkle root over per-sample outputs (evaluation.md, Commitment and proof).

A commitment binds an evaluator to its outputs before it sees others'; its nonce hides them until then.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

import numpy as np
from numpy.typing import NDArray

from p2peval.core import merkle
from p2peval.core.messages import Reveal
from p2peval.core.types import AssignmentId, Cid, PeerId, TaskId

COMMITMENT_DOMAIN = b"p2peval/commitment-digest/v1"
AUDIT_DOMAIN = b"p2peval/audit-nonce/v1"
LABELS_DOMAIN = b"p2peval/labels-commitment/v1"


def output_leaf(public_key: bytes, index: int, row: bytes) -> bytes:
    """Leaf hash of one sample: H(0x00 ‖ public key ‖ index as 8 bytes, big-endian ‖ canonical row)."""
    return merkle.leaf(public_key + index.to_bytes(8, "big") + row)


def output_root(outputs: NDArray[np.generic], public_key: bytes) -> bytes:
    """32-byte root over canonical outputs, N × C. The key makes every evaluator's tree its own."""
    data, width = outputs.tobytes(), outputs.shape[1] * outputs.itemsize
    prefix = b"\x00" + public_key
    leaves = [
        sha256(prefix + index.to_bytes(8, "big") + data[index * width : (index + 1) * width]).digest()
        for index in range(len(outputs))
    ]
    return merkle.root(leaves)


def commitment_digest(
    task: TaskId,
    assignment: AssignmentId,
    peer: PeerId,
    equivalence_class: str,
    samples: int,
    root: bytes,
    nonce: bytes,
) -> bytes:
    """H(domain ‖ task ‖ assignment ‖ peer ‖ class ‖ N ‖ root ‖ nonce), each part behind its 4-byte length."""
    parts = (
        COMMITMENT_DOMAIN,
        task.encode(),
        assignment.encode(),
        peer.encode(),
        equivalence_class.encode(),
        samples.to_bytes(8, "big"),
        root,
        nonce,
    )
    return _hash(parts)


def opens(digest: bytes, reveal: Reveal, peer: PeerId) -> bool:
    """Whether ``reveal``, said by ``peer``, is what ``digest`` bound it to."""
    bound = commitment_digest(
        reveal.task,
        reveal.assignment,
        peer,
        reveal.equivalence_class,
        reveal.samples,
        reveal.root,
        reveal.nonce,
    )
    return compare_digest(digest, bound)


def audit_commitment(nonce: bytes) -> bytes:
    """What an Assignment says of the audit nonce, which is opened in the ResultRecord."""
    return _hash((AUDIT_DOMAIN, nonce))


def labels_commitment(labels: Cid, nonce: bytes) -> bytes:
    """What a BenchmarkSpec says of labels that its author holds back; a LabelsReveal opens it."""
    return _hash((LABELS_DOMAIN, labels.encode(), nonce))


def _hash(parts: tuple[bytes, ...]) -> bytes:
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
