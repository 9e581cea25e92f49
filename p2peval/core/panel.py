"""Which blind auditors are asked, and what their answers weigh (trust.md §4); how many: trust/consulting.py.

Pure arithmetic: no state, no messages. An auditor is honest with probability h at least, for it was drawn by weights
that no single peer and no crowd of newcomers can fill beyond 1−h.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from ipaddress import ip_address, ip_network
from math import ceil, log

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.outputs import differing, from_bytes, unequal
from p2peval.core.types import PeerId
from p2peval.core.verdict import Rules

# ── how far ahead ─────────────────────────────────────────────────────────────────────────────────


def lead(escape: float, honest: float) -> int:
    """By how many answers one side must lead before a disputed sample is settled; 0: nothing can settle it.

    Answers for and against a false claim are a random walk that steps towards it with probability 1−h at most. It ever
    leads by a with probability ((1−h)/h)^a at most (gambler's ruin): the least a for which that is ≤ ``escape``.
    """
    return ceil(log(escape) / log((1.0 - honest) / honest)) if 0.5 < honest < 1.0 else int(honest == 1.0)


# ── which ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Candidate:
    """``weight``: this node's opinion, 0 to 1; ``known``: that rests on something. ``cluster``: see ``prefix``."""

    peer: PeerId
    weight: float
    known: bool
    cluster: str


def order(candidates: Sequence[Candidate], nonce: bytes, auditors: int, honest: float) -> list[PeerId]:
    """All candidates in the order in which they are asked: a weighted draw that nobody without ``nonce`` foresees.

    Newcomers are one arm: together they weigh 1−h of all at most, as long as anybody is known. Nobody weighs more
    than 2/m of all. A cluster fills ⌈(1−h)·m⌉ of any m places in a row at most: those beyond go to the end.
    """
    weights = _clipped(_newcomers_as_one(candidates, honest), 2.0 / max(1, auditors))
    ranked = sorted((peer for peer in weights if weights[peer] > 0.0), key=lambda peer: _clock(nonce, peer, weights))
    cluster = {candidate.peer: candidate.cluster for candidate in candidates}
    most = ceil((1.0 - honest) * auditors)
    taken: dict[str, int] = {}
    early: list[PeerId] = []
    late: list[PeerId] = []
    for peer in ranked:
        taken[cluster[peer]] = taken.get(cluster[peer], 0) + 1
        (early if taken[cluster[peer]] <= most else late).append(peer)
    return early + late


def independent(candidates: Sequence[Candidate], auditors: int, honest: float) -> int:
    """How many of the candidates may be asked, no cluster beyond its share of ``auditors`` places."""
    most, sizes = ceil((1.0 - honest) * auditors), dict[str, int]()
    for candidate in candidates:
        sizes[candidate.cluster] = sizes.get(candidate.cluster, 0) + 1
    return sum(min(size, most) for size in sizes.values())


def prefix(peer: PeerId, addresses: Iterable[str]) -> str:
    """Its cluster: the public /24 (v6: /48), else the peer itself, for neighbours in a private net are no ring."""
    for address in addresses:
        parts = address.split("/")
        if len(parts) > 2 and parts[1] in ("ip4", "ip6"):
            try:
                ip = ip_address(parts[2])
            except ValueError:
                continue
            if ip.is_global:
                return str(ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
    return peer


def _newcomers_as_one(candidates: Sequence[Candidate], honest: float) -> dict[PeerId, float]:
    known = sum(candidate.weight for candidate in candidates if candidate.known)
    strange = sum(candidate.weight for candidate in candidates if not candidate.known)
    share = min(1.0, known * (1.0 - honest) / honest / strange) if known and strange else 1.0
    return {candidate.peer: candidate.weight * (1.0 if candidate.known else share) for candidate in candidates}


def _clipped(weights: dict[PeerId, float], most: float) -> dict[PeerId, float]:
    """None above ``most`` of the sum of all; all alike where there are too few of them for that."""
    if len(weights) * most <= 1.0:
        return dict.fromkeys(weights, 1.0)
    clipped, cut = dict(weights), 0
    ranked = sorted(weights, key=lambda peer: (-weights[peer], peer))
    while cut < len(ranked) and (cut + 1) * most < 1.0:
        rest = sum(weights[peer] for peer in ranked[cut:])
        if weights[ranked[cut]] <= most * rest / (1.0 - cut * most):
            break
        cut += 1
    if cut:
        cap = most * sum(weights[peer] for peer in ranked[cut:]) / (1.0 - cut * most)
        clipped |= dict.fromkeys(ranked[:cut], cap)
    return clipped


def _clock(nonce: bytes, peer: PeerId, weights: dict[PeerId, float]) -> float:
    """When an exponential clock of rate ``weight`` rings: the first to ring are a weighted draw without replacement."""
    word = int.from_bytes(sha256(nonce + peer.encode()).digest()[:8], "big")
    return -log((word + 1) / (2**64 + 1)) / weights[peer]


# ── what an answer says ───────────────────────────────────────────────────────────────────────────


class Said(Enum):
    AGREES = "agrees"
    OBJECTS = "objects"
    ABSTAINS = "abstains"


def word(
    spec: BenchmarkSpec, claimed: tuple[bytes, ...], claimed_class: str, said: tuple[bytes, ...], said_class: str
) -> tuple[Said, tuple[int, ...]]:
    """What an auditor's rows say of claimed ones, and the places of those that are false if it is right.

    Inside a class rows must be equal; across classes within the tolerance. Only what no rounding explains is an
    objection (evaluation.md, rule a); less is no agreement either. All rows are of one length.
    """
    output, rules = spec.model_output, Rules(spec.tolerance, spec.fraud_margin)
    width = 1
    for size in output.shape:
        width *= size
    a, b = (from_bytes(b"".join(rows), len(rows), width, output.dtype) for rows in (claimed, said))
    alike = claimed_class == said_class
    if not (unequal(a, b) if alike else differing(a, b, rules.tolerance)).any():
        return Said.AGREES, ()
    false = differing(a, b, rules.beyond_doubt if alike else rules.margin)
    places = tuple(at for at, wrong in enumerate(false.tolist()) if wrong)
    return (Said.OBJECTS, places) if places else (Said.ABSTAINS, ())
