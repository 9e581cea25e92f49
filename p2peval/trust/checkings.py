"""Rules for how much to check, by the names that config.toml uses (``defaults.CHECKINGS``; trust.md §4, §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from p2peval.trust.boinc import boinc_rule
from p2peval.trust.checking import Answer, CheckingRule, Finding, Record
from p2peval.trust.quorum import quorum_rule
from p2peval.trust.rule import audit_rule
from p2peval.trust.sarmenta import sarmenta_rule

CHECKINGS: dict[str, CheckingRule] = {
    "audit": audit_rule,
    "quorum-2": quorum_rule(2),
    "quorum-3": quorum_rule(3),
    "boinc": boinc_rule,
    "sarmenta": sarmenta_rule,
    "none": quorum_rule(1),
}


def settled(answers: Sequence[Answer], accepted: int | None) -> tuple[Record, ...]:
    """The records of those who answered once a task is over, for every rule; ``accepted``: number of that answer.

    What was re-run counts by what it showed. Where two or more were compared unseen and one was accepted, those who
    said the same are confirmed and the others' streaks end: that is all that BOINC's rule counts. ``agreed``,
    ``resolved`` and ``caught`` come from one's own re-run alone (trust.md §2), and that is all that Sarmenta's counts.
    An answer accepted alone and unseen changes nothing.
    """
    unseen = [answer for answer in answers if answer.finding is Finding.UNCHECKED]
    compared = accepted is not None and len(unseen) > 1
    said = answers[accepted].said if accepted is not None else None
    return tuple(_after(answer, compared, answer.said == said) for answer in answers)


def _after(answer: Answer, compared: bool, confirmed: bool) -> Record:
    old = answer.record
    match answer.finding:
        case Finding.HELD:
            return replace(old, streak=old.streak + 1, agreed=old.agreed + 1, resolved=old.resolved + 1)
        case Finding.DIFFERED:
            return replace(old, streak=0, resolved=old.resolved + 1, caught=True)
        case Finding.UNCHECKED if compared:
            return replace(old, streak=old.streak + 1 if confirmed else 0)
        case Finding.UNCHECKED:
            return old
