"""Quorum-m: replicas until m of them agree, whoever sent them. What projects of volunteers begin with (trust.md §5).

It looks at nobody's record and re-runs nothing, so m colluders who are drawn together decide. Quorum-1 accepts the
first answer: no checking at all.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from p2peval.trust.checking import Answer, Asked, CheckingRule, Do, Means, Step


def quorum_rule(agreeing: int) -> CheckingRule:
    """Accept what ``agreeing`` ≥ 1 answers say; ask for as many as are missing, up to ``means.most_answers`` in all."""

    def rule(asked: Asked, answers: Sequence[Answer], means: Means, draws: Callable[[], float]) -> Step:
        return accept_or_ask(agreeing, answers, means)

    return rule


def accept_or_ask(agreeing: int, answers: Sequence[Answer], means: Means) -> Step:
    """One step of quorum-``agreeing``. Of what agrees, the first answer is taken."""
    groups: dict[Hashable, list[int]] = {}
    for i, answer in enumerate(answers):
        groups.setdefault(answer.said, []).append(i)
    largest = max(groups.values(), key=len, default=[])
    told = (("agreeing", len(largest)), ("answers", len(answers)), ("wanted", agreeing))
    if len(largest) >= agreeing:
        return Step(Do.ACCEPT, largest[0], why="quorum", numbers=told)
    missing = min(agreeing - len(largest), means.most_answers - len(answers))
    if missing > 0:
        return Step(Do.ASK, missing, why="no_quorum" if answers else "first", numbers=told)
    return Step(Do.GIVE_UP, why="most_answers", numbers=told)
