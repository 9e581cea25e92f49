"""What the certificate of an accepted result says of its number, exactly (trust.md §1, §4).

Two kinds, told apart by nothing but integers that a record holds: *certified*, where the accepted outputs were audited
at as many samples as the asked ε takes, its looks and the replicas of one look sharing it; else *by record*, where the
requester audited less because this evaluator's results had held before. Then the long run bounds its wrong accepts at
ε, and the certificate states what this task's own audits would have let through. How long the evaluator's record is,
is the requester's own business and stands in no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2peval.core import audit
from p2peval.core.parts import Certificate
from p2peval.core.types import NANO


@dataclass(frozen=True, slots=True)
class Looked:
    """One replica that the requester audited: in which attempt, and at how many samples."""

    attempt: int
    drawn: int


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: ``samples`` n, the task's ε and δ in 1e-9, and how many looks were taken in all."""

    samples: int
    epsilon_nano: int
    delta_nano: int
    looks: int


def certified_size(asked: Question, sharing: int) -> int:
    """Samples that the last look takes to certify the number, where ``sharing`` replicas share its ε."""
    epsilon = max(1, audit.look_epsilon(asked.epsilon_nano, asked.looks) // sharing)
    return audit.sample_size(asked.samples, epsilon, asked.delta_nano)


def is_certified(asked: Question, accepted: Looked, all_looked: Sequence[Looked]) -> bool:
    """Whether ``accepted``, one of ``all_looked``, was audited at as many samples as a certificate takes."""
    sharing = sum(looked.attempt == accepted.attempt for looked in all_looked)
    return accepted.drawn >= certified_size(asked, sharing)


def certificate(asked: Question, accepted: Looked, all_looked: Sequence[Looked]) -> Certificate:
    """Of ``accepted``; by record, its ε is what all audits of this task together might have missed (union bound)."""
    if is_certified(asked, accepted, all_looked):
        epsilon = audit.spent_epsilon(asked.epsilon_nano, asked.looks)
    else:
        altered = asked.delta_nano * asked.samples // NANO + 1
        epsilon = sum(audit.missed_nano(asked.samples, altered, looked.drawn) for looked in all_looked)
    return Certificate(min(NANO, epsilon), asked.delta_nano, asked.samples, accepted.drawn, asked.looks)
