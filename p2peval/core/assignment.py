"""Who evaluates: the best opinion of a few that offered, with a share kept for newcomers (trust.md §4, Whom to ask).

Newcomers are *one* arm: drawing over individuals would hand the tasks to whoever makes most identities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.core.rows import OfferRow, ReplicaRow, ReplicaState
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import CANDIDATES, COMMIT_GRACE, FETCH_RATE, OPEN_COST, OTHER_CLASS_COST, SILENCE_COST


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """An evaluator that offered, as this node sees it.

    ``opinion``: its reputation by the rule in force; ``known``: there was something to go by; ``doubted``: it did worse
    than a stranger may. ``available``: how likely it answers at all, 0 to 1. ``open``: assignments of ours that it has
    not finished. ``alike``: it runs models in our equivalence class, where a lie can be told bit by bit.
    """

    peer: PeerId
    opinion: float
    known: bool
    doubted: bool = False
    available: float = 1.0
    open: int = 0
    alike: bool = True


def choose(candidates: Sequence[Candidate], count: int, *, newcomer_share: float, rng: Random) -> list[PeerId]:
    """Up to ``count`` distinct peers, in the order in which their places were given away.

    Each place goes to the newcomers' arm with probability ``newcomer_share`` (or when nobody else is left), uniformly
    within it; else to the best of up to CANDIDATES known ones, drawn at random, so that the best few do not carry the
    whole network; to doubted ones last.
    """
    rest = sorted(candidates, key=lambda candidate: candidate.peer)
    best = max((candidate.opinion for candidate in rest), default=0.0) or 1.0
    newcomers = [candidate for candidate in rest if not candidate.known]
    trusted = [candidate for candidate in rest if candidate.known and not candidate.doubted]
    doubted = [candidate for candidate in rest if candidate.known and candidate.doubted]
    chosen: list[PeerId] = []
    while len(chosen) < count and (trusted or newcomers or doubted):
        if newcomers and (not trusted or rng.random() < newcomer_share):
            arm, drawn = newcomers, [rng.choice(newcomers)]
        else:
            arm = trusted or doubted
            drawn = rng.sample(arm, min(CANDIDATES, len(arm)))
        taken = max(drawn, key=lambda candidate: _merit(candidate, best))  # of equals, the first drawn
        arm.remove(taken)
        chosen.append(taken.peer)
    return chosen


def _merit(candidate: Candidate, best: float) -> float:
    """Opinion as a share of the best one, less what else speaks against asking this one now."""
    return (
        candidate.opinion / best
        - OTHER_CLASS_COST * (not candidate.alike)
        - OPEN_COST * candidate.open
        - SILENCE_COST * (1.0 - candidate.available)
    )
