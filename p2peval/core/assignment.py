"""Who evaluates: the offers of the most trusted peers, with a share kept for newcomers (trust.md §4).

Newcomers are *one* arm: drawing over individuals would hand the tasks to whoever makes most identities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.core.rows import OfferRow, ReplicaRow, ReplicaState
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import COMMIT_GRACE, FETCH_RATE, NEWCOMER_SHARE
from p2peval.trust.evidence import Evidence


def commit_window(spec: BenchmarkSpec, model: Blob) -> Seconds:
    """How long an evaluator may take from its assignment to its commitment: fetch, run, hash."""
    return spec.limits.seconds + COMMIT_GRACE + (model.size + spec.inputs.size) / FETCH_RATE


def candidates(
    offers: Sequence[OfferRow], replicas: Sequence[ReplicaRow], attempt: int, now: Seconds
) -> list[OfferRow]:
    """Offers that bind, of peers that this task has not tried; who fell silent may be tried in a later attempt."""
    tried = {row.peer for row in replicas if row.attempt == attempt or row.state is not ReplicaState.SILENT}
    return [offer for offer in offers if not offer.declined and offer.expires > now and offer.peer not in tried]


def alike(offers: Sequence[OfferRow], equivalence_class: str) -> list[OfferRow]:
    """Offers of that class, whose outputs can be told from a lie bit by bit; all of them where it has none."""
    return [offer for offer in offers if offer.equivalence_class == equivalence_class] or list(offers)


def choose(
    offers: Sequence[OfferRow],
    evidence: Mapping[PeerId, Evidence],
    count: int,
    *,
    now: Seconds,
    resolved_total: int,
    rng: Random,
) -> list[PeerId]:
    """Up to ``count`` distinct peers of ``offers``, best first.

    Each place goes to the newcomers' arm with probability NEWCOMER_SHARE (or when nobody else is
    left), else to the known peer of highest reputation; among newcomers the draw is uniform.
    """
    known: list[tuple[float, PeerId]] = []
    newcomers: list[PeerId] = []
    for offer in sorted(offers, key=lambda offer: offer.peer):
        seen = evidence.get(offer.peer)
        if seen is None or seen.resolved == 0:
            newcomers.append(offer.peer)
        else:
            known.append((seen.decayed(now, resolved_total).mean, offer.peer))
    known.sort(key=lambda pair: (-pair[0], pair[1]))
    trusted = [peer for reputation, peer in known if reputation >= 0.5]
    doubted = [peer for reputation, peer in known if reputation < 0.5]
    chosen: list[PeerId] = []
    while len(chosen) < count and (trusted or newcomers or doubted):
        if newcomers and (not trusted or rng.random() < NEWCOMER_SHARE):
            chosen.append(newcomers.pop(rng.randrange(len(newcomers))))
        else:
            chosen.append((trusted or doubted).pop(0))
    return chosen
