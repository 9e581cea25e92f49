"""Who evaluates: the best opinion of a few that offered, with a share kept for newcomers (trust.md §4, Whom to ask).

Newcomers are *one* arm: drawing over individuals would hand the tasks to whoever makes most identities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2peval.core import withholding
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.core.ports import Dice
from p2peval.core.rows import OfferRow, ReplicaRow, ReplicaState
from p2peval.core.types import PeerId, Seconds
from p2peval.defaults import CANDIDATES, COMMIT_GRACE, FETCH_RATE, OPEN_COST, OTHER_CLASS_COST, SILENCE_COST

LEAST_WEIGHT = 1e-9
"""In a draw: of who is known by hearsay while no trust comes by it; it is drawn after all others."""


def commit_window(spec: BenchmarkSpec, model: Blob) -> Seconds:
    """How long an evaluator may take from its assignment to its commitment: fetch, run, hash."""
    return spec.limits.seconds + COMMIT_GRACE + (model.size + spec.inputs.size) / FETCH_RATE


def candidates(
    offers: Sequence[OfferRow], replicas: Sequence[ReplicaRow], attempt: int, now: Seconds
) -> list[OfferRow]:
    """Offers that bind, of peers that this task has not tried.

    Who fell silent, or was late with what holds, may be tried in a later attempt.
    """
    tried = {row.peer for row in replicas if row.attempt == attempt or not _may_try_again(row)}
    return [offer for offer in offers if not offer.declined and offer.expires > now and offer.peer not in tried]


def _may_try_again(row: ReplicaRow) -> bool:
    return row.state is ReplicaState.SILENT or withholding.is_made_good(row)


def alike(offers: Sequence[OfferRow], equivalence_class: str) -> list[OfferRow]:
    """Offers of that class, whose outputs can be told from a lie bit by bit; all of them where it has none."""
    return [offer for offer in offers if offer.equivalence_class == equivalence_class] or list(offers)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An evaluator that offered, as this node sees it.

    ``opinion``: its reputation by the rule in force; ``known``: there was something to go by; ``doubted``: it did worse
    than a stranger may. ``available``: how likely it answers at all, 0 to 1. ``open``: assignments of ours that it has
    not finished. ``alike``: it runs models in our equivalence class, where a lie can be told bit by bit.
    ``praises``: of whom it says that they do good work. ``met``: known by an outcome of our own or by the operator's
    word; who is not is known by hearsay, and ``reach``, 0 to 1, is how much of our trust comes by.
    """

    peer: PeerId
    opinion: float
    known: bool
    doubted: bool = False
    available: float = 1.0
    open: int = 0
    alike: bool = True
    praises: frozenset[PeerId] = frozenset()
    met: bool = True
    reach: float = 0.0


def choose(
    candidates: Sequence[Candidate],
    count: int,
    *,
    newcomer_share: float,
    rng: Dice,
    beside: Sequence[Candidate] = (),
) -> list[PeerId]:
    """Up to ``count`` distinct peers, in the order in which their places were given away.

    Each place goes to the newcomers' arm with probability ``newcomer_share`` (or when nobody else is left), uniformly
    within it; else to the best of up to CANDIDATES known ones, drawn at random, so that the best few do not carry the
    whole network; to doubted ones last. Replicas of one task go to peers who do not praise each other, neither among
    the chosen nor those ``beside``, who have it already, as far as there are such in the arm: who belongs to one ring
    praises its own, and a replica that a ring adds is worth nothing.
    """
    rest = sorted(candidates, key=lambda candidate: candidate.peer)
    best = max((candidate.opinion for candidate in rest), default=0.0) or 1.0
    newcomers = [candidate for candidate in rest if not candidate.known]
    trusted = [candidate for candidate in rest if candidate.known and not candidate.doubted]
    doubted = [candidate for candidate in rest if candidate.known and candidate.doubted]
    chosen: list[PeerId] = []
    together = list(beside)
    while len(chosen) < count and (trusted or newcomers or doubted):
        if newcomers and (not trusted or rng.random() < newcomer_share):
            arm, draws = newcomers, 1
        else:
            arm, draws = trusted or doubted, CANDIDATES
        apart = [candidate for candidate in arm if not any(_in_one_ring(candidate, other) for other in together)]
        drawn = _draw(apart or arm, draws, rng)
        taken = max(drawn, key=lambda candidate: _merit(candidate, best))  # of equals, the first drawn
        arm.remove(taken)
        together.append(taken)
        chosen.append(taken.peer)
    return chosen


def _draw(arm: Sequence[Candidate], most: int, rng: Dice) -> list[Candidate]:
    """Up to ``most``, at random: who was met all alike, and who is known by hearsay by the trust that comes by.

    Else one rater with a record could praise a thousand names, and they would be nearly all that is ever drawn. So they
    share what it has.
    """
    if all(candidate.met for candidate in arm) or not any(candidate.known for candidate in arm):
        return rng.sample(arm, min(most, len(arm)))
    met = [candidate.reach for candidate in arm if candidate.met]
    usual = sum(met) / len(met) if any(met) else 1.0
    weights = [1.0 if candidate.met else max(min(candidate.reach / usual, 1.0), LEAST_WEIGHT) for candidate in arm]
    clocks = [rng.expovariate(weight) for weight in weights]  # the first to ring are a weighted draw
    return [arm[place] for place in sorted(range(len(arm)), key=clocks.__getitem__)[:most]]


def _in_one_ring(one: Candidate, other: Candidate) -> bool:
    return one.peer in other.praises and other.peer in one.praises


def _merit(candidate: Candidate, best: float) -> float:
    """Opinion as a share of the best one, less what else speaks against asking this one now."""
    return (
        candidate.opinion / best
        - OTHER_CLASS_COST * (not candidate.alike)
        - OPEN_COST * candidate.open
        - SILENCE_COST * (1.0 - candidate.available)
    )
