"""How large and how shaped every field may be; ``proto/p2peval.proto`` states the same in its comments.

A bound turns into a check once, when its plan is compiled. A check looks at lengths before it looks
at contents, gives the value back, and raises RemoteProtocolError ``bounds``. What a value *means*
(ε below 1, a deadline that has passed) is not decided here but in core's admission.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from p2peval.core import checking as c
from p2peval.core import messages as m
from p2peval.core import parts as p
from p2peval.core import types as t
from p2peval.core.text import CONTROLS, plain
from p2peval.defaults import (
    FRAUD_MARGIN,
    MAX_AUDIT_ROWS,
    MAX_CONDITIONS,
    MAX_CONSULTED,
    MAX_DIFFERING,
    MAX_ENTRIES,
    MAX_FRAUD_MARGIN,
    MAX_GET_IDS,
    MAX_GOSSIP_ENVELOPE,
    MAX_GROUPS,
    MAX_MEMBERSHIPS,
    MAX_OBJECT_BYTES,
    MAX_PROOF_PATH,
    MAX_PROOF_ROW,
    MAX_REPORTS,
    MAX_ROUNDS,
    MAX_SYNC_IDS,
    MAX_SYNC_REPLY,
    MAX_SYNC_REQUEST,
    PROFILE_ADDRESSES,
)
from p2peval.errors import RemoteProtocolError
from p2peval.wire import frames as f
from p2peval.wire.ids import is_cid, is_peer_id

Check = Callable[[Any], Any]
"""value -> the same value, or RemoteProtocolError."""

MAX_INT = 2**53 - 1
"""Exact in JSON, and fits an SQLite INTEGER."""

NAME = re.compile(r"[a-z0-9-]{2,40}")
"""A topic name."""

_UNPRINTABLE_IN_PROSE = re.compile(f"(?![\n\t])[{CONTROLS}]")


def prose(text: str) -> bool:
    return _UNPRINTABLE_IN_PROSE.search(text) is None


def like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Text:
    """``least`` to ``most`` bytes of UTF-8 that satisfy ``rule``; ``or_empty`` lets "" pass as well."""

    most: int = 256
    least: int = 0
    rule: Callable[[str], bool] = plain
    or_empty: bool = False

    def check(self, where: str) -> Check:
        most, least, rule, or_empty = self.most, self.least, self.rule, self.or_empty

        def check(text: str) -> str:
            size = len(text)
            if size <= most and not text.isascii():
                size = len(text.encode())
            if not least <= size <= most and not (or_empty and not size):
                raise RemoteProtocolError("bounds", f"{where} has {size} bytes, not {least} to {most}")
            if not rule(text) and not (or_empty and not size):
                raise RemoteProtocolError("bounds", f"{where} is malformed")
            return text

        return check


@dataclass(frozen=True, slots=True)
class Bytes:
    """``least`` to ``most`` bytes, or none at all where ``or_empty``."""

    least: int
    most: int
    or_empty: bool = False

    def check(self, where: str) -> Check:
        most, least, or_empty = self.most, self.least, self.or_empty

        def check(data: bytes) -> bytes:
            if not least <= len(data) <= most and not (or_empty and not data):
                raise RemoteProtocolError("bounds", f"{where} has {len(data)} bytes, not {least} to {most}")
            return data

        return check


@dataclass(frozen=True, slots=True)
class Number:
    """``least`` to ``most``, inclusive."""

    least: int = 0
    most: int = MAX_INT

    def check(self, where: str) -> Check:
        least, most = self.least, self.most

        def check(number: int) -> int:
            if not least <= number <= most:
                raise RemoteProtocolError("bounds", f"{where} is {number}, not {least} to {most}")
            return number

        return check


@dataclass(frozen=True, slots=True)
class Many:
    """``least`` to ``most`` elements, each within ``each`` (None: by its own type)."""

    each: Bound | None = None
    most: int = 64
    least: int = 0


Bound = Text | Bytes | Number | Many

DIGEST = Bytes(32, 32)
ENVELOPE = Bytes(1, MAX_OBJECT_BYTES)
CID = Text(59, 59, is_cid)
PEER = Text(52, 52, is_peer_id)
TOPIC = Text(40, 2, lambda text: NAME.fullmatch(text) is not None)
TYPE = Text(40, 1, like("[A-Za-z]+"))
MULTIADDR = Text(256, 1, like(r"(/[!-.0-~]+)+"))  # printable ASCII; dialling finds out the rest
CLASS = Text(256, 1)
SHARE = Number(0, t.NANO)  # 0 to 1
PROBABILITY = Number(1, t.NANO)  # above 0
SIGNED = Number(-(2**63), 2**63 - 1)
REPLICAS = Number(1, 64)
INDEX = Number(0, 2**32 - 1)
ROW = Bytes(1, MAX_PROOF_ROW)
COUNTED = Number(0, 1_000_000_000)


def optional(bound: Text) -> Text:
    return Text(bound.most, bound.least, bound.rule, or_empty=True)


BY_TYPE: dict[object, Bound] = {
    t.PeerId: PEER,
    t.Cid: CID,
    t.ObjectId: CID,
    t.BenchmarkId: CID,
    t.TaskId: CID,
    t.AssignmentId: CID,
    str: Text(),
    int: Number(),
    bytes: DIGEST,
}
"""What holds for a field that BY_FIELD does not name."""

BY_FIELD: dict[type, dict[str, Bound]] = {
    p.Tensor: {
        "name": Text(256, 1),
        "dtype": Text(16, 1, like("[a-z0-9]+")),
        "shape": Many(Number(1, 2**31 - 1), most=8),
    },
    p.Tolerance: {"atol_nano": SHARE, "rtol_nano": SHARE},
    p.Verification: {
        "epsilon_nano": PROBABILITY,
        "delta_nano": PROBABILITY,
        "replicas": REPLICAS,
        "max_attempts": REPLICAS,
    },
    p.Range: {"low_nano": SIGNED, "high_nano": SIGNED},
    p.Interval: {"low_nano": SIGNED, "high_nano": SIGNED},
    p.MetricReport: {"name": Text(64, 1), "value_nano": SIGNED, "group": Text(64)},
    p.Efficiency: {"layers": Many(Text(64, 1), most=16)},
    p.Certificate: {"epsilon_nano": SHARE, "delta_nano": SHARE},
    p.Check: {"differing": Many(INDEX, most=MAX_DIFFERING)},
    m.BenchmarkSpec: {
        "name": TOPIC,
        "description": Text(4096, rule=prose),
        "parent": optional(CID),
        "task": Text(64, 1, like("[a-z0-9_-]+")),
        "labels_commitment": Bytes(32, 32, or_empty=True),
        "metrics": Many(Text(64, 1), least=1),
        "group_names": Many(Text(64, 1), most=MAX_GROUPS),
        "fraud_margin": Number(FRAUD_MARGIN, MAX_FRAUD_MARGIN),
        "profile": Text(16, 1, like("[a-z0-9]+")),
        "conditions": Many(most=MAX_CONDITIONS),
    },
    p.Condition: {
        "name": Text(64, 1),
        "kind": Text(32, 1, like("[a-z0-9_-]+")),
        "level_nano": Number(0, 2**53 - 1),
        "seed": INDEX,
    },
    c.AuditReport: {
        "equivalence_class": CLASS,
        "indices": Many(INDEX, most=MAX_AUDIT_ROWS),
        "rows": Many(ROW, most=MAX_AUDIT_ROWS),
        "differing": Many(INDEX, most=MAX_AUDIT_ROWS),
    },
    c.AuditRequest: {
        "announcement": ENVELOPE,
        "round": Number(1, MAX_ROUNDS),
        "indices": Many(INDEX, most=MAX_CONSULTED, least=1),
    },
    c.AuditAnswer: {"equivalence_class": CLASS, "rows": Many(ROW, most=MAX_CONSULTED, least=1)},
    c.Scores: {"metrics": Many(most=MAX_REPORTS)},
    c.TrustStatement: {"entries": Many(most=MAX_ENTRIES)},
    p.TrustEntry: {"agreed_milli": COUNTED, "disagreed_milli": COUNTED},
    c.FraudProof: {
        "announcement": ENVELOPE,
        "reveal": ENVELOPE,
        "index": INDEX,
        "row": ROW,
        "path": Many(DIGEST, most=MAX_PROOF_PATH),
    },
    c.EquivocationProof: {
        "benchmark": optional(CID),
        "kind": TYPE,
        "where": Text(512, 1),
        "first": ENVELOPE,
        "second": ENVELOPE,
    },
    m.BenchmarkAnnouncement: {"name": TOPIC},
    m.PeerProfile: {
        "name": Text(64),
        "addresses": Many(MULTIADDR, most=PROFILE_ADDRESSES),
        "classes": Many(CLASS, most=16),
        "memberships": Many(most=MAX_MEMBERSHIPS),
    },
    m.TaskAnnouncement: {"epsilon_nano": PROBABILITY, "delta_nano": PROBABILITY, "replicas": REPLICAS},
    m.Offer: {"equivalence_class": CLASS},
    m.Decline: {"assignment": optional(CID)},
    m.Reveal: {"equivalence_class": CLASS},
    m.ResultRecord: {
        "accepted": optional(CID),
        "metrics": Many(most=MAX_REPORTS),
        "announcement": ENVELOPE,
        "assignments": Many(ENVELOPE),
        "commitments": Many(ENVELOPE),
        "commitment_sets": Many(ENVELOPE),
        "reveals": Many(ENVELOPE),
        "audits": Many(ENVELOPE),
    },
    f.PublicKey: {"type": Number(0, 2**31 - 1), "data": Bytes(1, 1024)},
    f.Envelope: {
        "payload_type": Bytes(1, 64),
        "payload": Bytes(1, MAX_OBJECT_BYTES),
        "signature": Bytes(64, 64),
    },
    f.Notice: {"type": TYPE, "benchmark": optional(CID)},
    f.Gossip: {"body": Bytes(1, MAX_GOSSIP_ENVELOPE)},
    f.Bucket: {"benchmark": optional(CID), "type": TYPE},
    f.Digests: {
        "benchmarks": Many(optional(CID), most=MAX_MEMBERSHIPS + 1, least=1),
        "buckets": Many(most=MAX_SYNC_IDS),
    },
    f.Get: {"ids": Many(most=MAX_GET_IDS, least=1)},
    f.Missing: {"ids": Many(most=MAX_SYNC_IDS)},
    f.Objects: {"envelopes": Many(ENVELOPE)},
    f.BlobHeader: {"root": Bytes(32, 32, or_empty=True)},
    f.Invitation: {
        "name": TOPIC,
        "addresses": Many(MULTIADDR, most=16),
        "seed_peer": optional(PEER),
        "network_key": Bytes(32, 32, or_empty=True),
    },
}

FRAME_BYTES: dict[type, int] = {
    f.Envelope: MAX_OBJECT_BYTES,
    f.Gossip: MAX_GOSSIP_ENVELOPE + 64,  # tag and length around it
    f.Ack: 1024,
    f.SyncRequest: MAX_SYNC_REQUEST,
    f.SyncReply: MAX_SYNC_REPLY,
    f.BlobRequest: 256,
    f.BlobHeader: 256,
    f.Invitation: 8192,
}
"""The most bytes of each frame: what a reader asks of the network before it reads."""
