"""One example of every payload and frame, by hand: seeds of the mutation tests, and proto/vectors.json.

``python tests/wire/wire_examples.py > proto/vectors.json`` writes the vectors anew (a new domain
version is due when those of old types change).
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from enum import Enum
from typing import Any

from p2peval.core import checking as c
from p2peval.core import messages as m
from p2peval.core import parts as p
from p2peval.core.merkle import leaf
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, TaskId
from p2peval.wire import frames as f
from p2peval.wire.codec import domain_of, encode, encode_frame
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import cid_of
from p2peval.wire.invitation import encode_invitation
from p2peval.wire.topics import benchmark_topic, blob_key, directory_topic, members_key

NETWORK = "p2peval-1"
SEED = bytes(range(32))
SEALER = EnvelopeSealer(SEED)
ME = SEALER.peer_id
OTHER = EnvelopeSealer(bytes(range(1, 33))).peer_id
T0 = 1_750_000_000_000
DIGEST = bytes(range(100, 132))


def blob(data: bytes) -> p.Blob:
    return p.Blob(cid_of(data), len(data), leaf(data))


SPEC = m.BenchmarkSpec(
    network=NETWORK,
    author=ME,
    name="digits",
    title="Handwritten digits",
    description="1797 images of 8×8 grey values.\n\nFrom UCI.",
    license="CC-BY-4.0",
    version=1,
    parent=BenchmarkId(""),
    task="classification",
    samples=1797,
    inputs=blob(b"inputs"),
    labels=blob(b"labels"),
    labels_commitment=b"",
    model_input=p.Tensor("x", "float32", (64,)),
    model_output=p.Tensor("y", "float32", (10,)),
    metrics=("accuracy", "macro_f1"),
    range=None,
    tolerance=p.Tolerance(10_000, 10_000),
    limits=p.Limits(60, 1024, 64),
    verification=p.Verification(10_000_000, 10_000_000, 1, 3),
    groups=blob(b"groups"),
    group_names=("left-handed", "right-handed"),
    fraud_margin=100,
    profile="all",
    conditions=(),
)
PERTURBED = replace(SPEC, version=2, conditions=(p.Condition("noise-0.1", "gaussian_noise", 10**8, 7),))
BENCHMARK = BenchmarkId(SEALER.seal(SPEC).id)
TASK = m.TaskAnnouncement(NETWORK, ME, BENCHMARK, blob(b"model"), "forest.onnx", 10**7, 10**7, 1, T0, T0 + 86_400_000)
SEALED_TASK = SEALER.seal(TASK)
TASK_ID = TaskId(SEALED_TASK.id)
ASSIGNMENT = m.Assignment(NETWORK, ME, TASK_ID, OTHER, 1, T0 + 60_000, DIGEST)
SEALED_ASSIGNMENT = SEALER.seal(ASSIGNMENT)
ASSIGNMENT_ID = AssignmentId(SEALED_ASSIGNMENT.id)
COMMITMENT = m.Commitment(NETWORK, ME, TASK_ID, ASSIGNMENT_ID, DIGEST)
SEALED_COMMITMENT = SEALER.seal(COMMITMENT)
REVEAL = m.Reveal(
    network=NETWORK,
    author=ME,
    task=TASK_ID,
    assignment=ASSIGNMENT_ID,
    commitment=SEALED_COMMITMENT.id,
    equivalence_class="ort-1.22/x86-64/avx2",
    samples=1797,
    root=DIGEST,
    nonce=DIGEST[::-1],
    outputs=blob(b"outputs"),
    efficiency=p.Efficiency(1234, 96, ("landlock", "seccomp"), 1_500_000, 640, 1_210),
)
SET = m.CommitmentSet(NETWORK, ME, TASK_ID, 1, (SEALED_COMMITMENT.id,))
RECORD = m.ResultRecord(
    network=NETWORK,
    author=ME,
    task=TASK_ID,
    benchmark=BENCHMARK,
    revision=1,
    outcome=p.Outcome.ACCEPTED,
    accepted=ASSIGNMENT_ID,
    metrics=(
        p.MetricReport("accuracy", p.Defined.VALUE, 941_700_000, p.Interval(931_700_000, 951_700_000), None),
        p.MetricReport("accuracy", p.Defined.VALUE, 9 * 10**8, None, None, "left-handed", p.Interval(8 * 10**8, 10**9)),
        p.MetricReport("macro_f1", p.Defined.UNDEFINED, 0, None, None),
        p.MetricReport("rmse", p.Defined.OUT_OF_RANGE, 0, None, p.Interval(-5, 2**62)),
    ),
    certificate=p.Certificate(10_000_000, 10_000_000, 1797, 404, 1),
    checks=(p.Check(ASSIGNMENT_ID, DIGEST, 404, (0, 17, 1796)),),
    announcement=SEALED_TASK.envelope,
    assignments=(SEALED_ASSIGNMENT.envelope,),
    commitments=(SEALED_COMMITMENT.envelope,),
    commitment_sets=(SEALER.seal(SET).envelope,),
    reveals=(SEALER.seal(REVEAL).envelope,),
    audits=(),
    finished_ms=T0 + 90_000,
)

AUDITED = c.AuditCommitment(NETWORK, ME, BENCHMARK, TASK_ID, SEALER.seal(RECORD).id, DIGEST)

PAYLOADS: tuple[m.Payload, ...] = (
    SPEC,
    m.BenchmarkAnnouncement(NETWORK, ME, "digits", "Handwritten digits", BENCHMARK, T0),
    m.PeerProfile(
        network=NETWORK,
        author=ME,
        name="Zoë’s laptop",
        addresses=("/ip4/192.0.2.7/tcp/4001", "/dns4/zoe.example/tcp/4001"),
        classes=("ort-1.22/x86-64/avx2",),
        memberships=(p.Membership(BENCHMARK, True, False),),
        cores=2,
        memory_mb=2048,
        sequence=T0,
    ),
    TASK,
    m.Offer(NETWORK, ME, TASK_ID, "ort-1.22/x86-64/avx2", T0 + 120_000),
    m.Decline(NETWORK, ME, TASK_ID, AssignmentId(""), "busy", T0 + 30_000),
    m.Cancel(NETWORK, ME, TASK_ID),
    ASSIGNMENT,
    COMMITMENT,
    SET,
    REVEAL,
    RECORD,
    PERTURBED,
    AUDITED,
    c.AuditReport(
        network=NETWORK,
        author=ME,
        benchmark=BENCHMARK,
        task=TASK_ID,
        record=SEALER.seal(RECORD).id,
        commitment=SEALER.seal(AUDITED).id,
        equivalence_class="ort-1.22/x86-64/avx2",
        nonce=DIGEST,
        indices=(3, 1796),
        rows=(bytes(40), bytes(range(40))),
        differing=(1796,),
    ),
    c.AuditRequest(NETWORK, ME, BENCHMARK, TASK_ID, SEALED_TASK.envelope, OTHER, 1, (3, 1796), T0 + 60_000),
    c.AuditAnswer(
        NETWORK, ME, BENCHMARK, TASK_ID, ObjectId(ASSIGNMENT_ID), "ort-1.22/x86-64/avx2", (bytes(40), bytes(range(40)))
    ),
    c.FraudProof(
        network=NETWORK,
        author=ME,
        benchmark=BENCHMARK,
        task=TASK_ID,
        assignment=ASSIGNMENT_ID,
        announcement=SEALED_TASK.envelope,
        reveal=SEALER.seal(REVEAL).envelope,
        index=1796,
        row=bytes(range(40)),
        path=(DIGEST, DIGEST[::-1]),
    ),
    c.EquivocationProof(
        network=NETWORK,
        author=ME,
        benchmark=BENCHMARK,
        accused=ME,
        kind="CommitmentSet",
        where=f"{TASK_ID}/1",
        first=SEALER.seal(SET).envelope,
        second=SEALER.seal(replace(SET, commitments=())).envelope,
    ),
    c.LabelsReveal(NETWORK, ME, BENCHMARK, blob(b"labels"), DIGEST),
    c.Scores(NETWORK, ME, BENCHMARK, TASK_ID, SEALER.seal(RECORD).id, RECORD.metrics),
    c.TrustStatement(NETWORK, ME, BENCHMARK, 490_000, (p.TrustEntry(OTHER, 41_250, 1_000),)),
)

INVITATION = f.Invitation(
    NETWORK, BENCHMARK, "digits", ME, (f"/ip4/192.0.2.7/tcp/4001/p2p/{ME}", f"/ip4/192.0.2.8/tcp/4001/p2p/{OTHER}"),
    OTHER, b"",
)  # fmt: skip

FRAMES: tuple[f.Frame, ...] = (
    f.Gossip(SEALED_TASK.envelope),
    f.Gossip(f.Notice("ResultRecord", BENCHMARK, ObjectId(TASK_ID), 20_000)),
    f.Ack(True, ""),
    f.Ack(False, "busy"),
    f.SyncRequest(
        f.Digests((BenchmarkId(""), BENCHMARK), (f.Bucket(BENCHMARK, "TaskAnnouncement", 3, DIGEST),)),
    ),
    f.SyncRequest(f.Get((ObjectId(TASK_ID),))),
    f.SyncReply(f.Missing((ObjectId(TASK_ID), ObjectId(BENCHMARK)), False)),
    f.SyncReply(f.Objects((SEALED_TASK.envelope,))),
    f.BlobRequest(TASK.model.cid, 4, 16, True),
    f.BlobHeader(True, 10_000_000, DIGEST),
    f.BlobHeader(False, 0, b""),
    INVITATION,
)


def vectors() -> dict[str, Any]:
    """What another implementation can check itself against; bytes are hexadecimal."""
    sealed = [SEALER.seal(payload) for payload in PAYLOADS]
    return {
        "network": NETWORK,
        "seed": SEED.hex(),
        "peer_id": ME,
        "objects": [
            {
                "domain": domain_of(one.payload),
                "fields": _plain(asdict(one.payload)),
                "payload": encode(one.payload).hex(),
                "id": one.id,
                "envelope": one.envelope.hex(),
            }
            for one in sealed
        ],
        "frames": [
            {"message": type(one).__name__, "fields": _plain(asdict(one)), "bytes": encode_frame(one).hex()}
            for one in FRAMES
        ],
        "names": {
            "directory_topic": directory_topic(),
            "benchmark_topic": benchmark_topic(ME, "digits"),
            "members_key": members_key(BENCHMARK).hex(),
            "blob_key": blob_key(TASK.model.cid).hex(),
        },
        "invitation": encode_invitation(INVITATION),
    }


def _plain(value: Any) -> Any:
    """As JSON can say it: bytes in hex, enums by name."""
    match value:
        case bytes():
            return value.hex()
        case Enum():
            return value.name
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
    return value


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1, ensure_ascii=False))
