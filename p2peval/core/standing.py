"""What auditors whom this node trusts say of a record that it has not audited itself (trust.md §1).

Their word moves a line above the claims and gives the probability that a lie escaped them all; it never ranks.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import prod

from p2peval.core import audit
from p2peval.core.belief_rows import AuditRow
from p2peval.core.believing import evidence, is_out
from p2peval.core.consult_rows import ConsultState
from p2peval.core.rows import ResultRow
from p2peval.core.state import State
from p2peval.core.types import NANO, PeerId, Seconds
from p2peval.defaults import ROOT_HONESTY


@dataclass(frozen=True, slots=True)
class Word:
    """``auditors`` re-ran samples and found nothing; ``undetected``: how probably a lie beyond δ escaped them all."""

    auditors: tuple[PeerId, ...]
    undetected: float


def word_on(state: State, row: ResultRow, me: PeerId, roots: Collection[PeerId], now: Seconds) -> Word | None:
    """None where nobody trusted has spoken, or where one of them objects: only a re-run settles that.

    Undetected = Π (1 − h + h·miss) over the auditors, taken as independent; h: how likely each is honest.
    """
    panel = next((panel for panel in state.panels.of(row.task) if panel.accepted), None)
    if panel is not None and row.requester == me:  # we asked them ourselves (core/consult.py)
        asked = state.consults.of(panel.assignment)
        agreed = {told.auditor for told in asked if told.state is ConsultState.AGREES}
        return Word(tuple(sorted(agreed)), panel.undetected)
    heard = [
        (told, h)
        for told in state.audits.of(row.record)
        if told.report and told.auditor not in (me, row.requester, row.evaluator)
        if (h := honesty(state, told.auditor, roots, now)) > 0.0
    ]
    if not heard or row.certificate is None or any(told.differing for told, _ in heard):
        return None
    samples = row.certificate.samples
    altered = samples * row.certificate.delta_nano // NANO + 1
    undetected = prod(1.0 - h + h * _missed(samples, altered, told) for told, h in heard)
    return Word(tuple(sorted(told.auditor for told, _ in heard)), undetected)


def _missed(samples: int, altered: int, told: AuditRow) -> float:
    return audit.miss_probability(samples, min(altered, samples), min(told.audited, samples))


def honesty(state: State, peer: PeerId, roots: Collection[PeerId], now: Seconds) -> float:
    """How far we count on ``peer``, 0 to 1: a root's is set, others earn theirs as evaluators; 0: not at all."""
    if is_out(state, peer, now):
        return 0.0
    weight = evidence(state, peer, now).weight
    earned = 0.5 + weight if weight > 0.0 else 0.0  # the lower quantile itself
    return max(earned, ROOT_HONESTY) if peer in roots else earned
