"""Credibility-based fault tolerance: vote, weigh each voter by the spot-checks it survived (Sarmenta 2002).

A worker that survived k spot-checks is credible to 1 − f/k, a newcomer to 1 − f, where f is the share of faulty workers
that is assumed: his formula for where blacklisting cannot be enforced, as here, where a caught one may come back under
a new name. Answers that agree form a group; Bayes over "this group is right, all others wrong" and "all are wrong"
gives its credibility, and it is accepted at θ = 1 − ε. Each answer is spot-checked with probability q; who fails is
blacklisted, and what it says no longer counts.

Taken over with a difference: his spot-check is a task whose answer is known, extra work beside the task. Here the
requester re-runs the task in hand, at the same cost, and learns its answer too, which only helps him.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import prod

from p2peval.defaults import SARMENTA_FAULTY, SARMENTA_SPOT_CHECKS
from p2peval.trust.checking import Answer, Asked, Do, Finding, Means, Record, Step
from p2peval.trust.hypergeometric import NANO


def sarmenta_rule(asked: Asked, answers: Sequence[Answer], means: Means, draws: Callable[[], float]) -> Step:
    """Spot-check the newest answer by chance; else accept the most credible group at θ, or ask one more."""
    held = [i for i, answer in enumerate(answers) if answer.finding is Finding.HELD]
    if held:
        return Step(Do.ACCEPT, held[0], why="held")
    if answers and answers[-1].finding is Finding.UNCHECKED and means.computes and draws() < SARMENTA_SPOT_CHECKS:
        samples = (0,) * (len(answers) - 1) + (asked.samples,)
        return Step(Do.AUDIT, samples=samples, why="spot_check", numbers=(("share", SARMENTA_SPOT_CHECKS),))
    threshold = 1.0 - asked.epsilon_nano / NANO
    groups = credibilities(answers)
    first, most = max(groups.items(), key=lambda group: group[1], default=(0, 0.0))
    told = (("credibility", most), ("threshold", threshold), ("answers", len(answers)))
    if most >= threshold:
        return Step(Do.ACCEPT, first, why="credible", numbers=told)
    if len(answers) < means.most_answers:
        return Step(Do.ASK, 1, why="not_credible" if answers else "first", numbers=told if answers else ())
    return Step(Do.GIVE_UP, why="most_answers", numbers=told)


def credibility(record: Record) -> float:
    """Of a worker, 0 to 1: ``record.agreed`` spot-checks survived, blacklisted where ``record.caught``."""
    return 0.0 if record.caught else 1.0 - SARMENTA_FAULTY / max(record.agreed, 1)


def credibilities(answers: Sequence[Answer], of: Callable[[Record], float] = credibility) -> dict[int, float]:
    """Credibility of each group of answers that agree, by its first answer's number; blacklisted voices left out.

    ``of``: a worker's record -> its credibility, 0 to 1.
    """
    groups: dict[Hashable, list[int]] = {}
    for i, answer in enumerate(answers):
        if answer.finding is not Finding.DIFFERED and not answer.record.caught:
            groups.setdefault(answer.said, []).append(i)
    voices = {said: [of(answers[i].record) for i in members] for said, members in groups.items()}
    good = {said: prod(each) for said, each in voices.items()}
    bad = {said: prod(1.0 - one for one in each) for said, each in voices.items()}
    right = {said: good[said] * prod(bad[other] for other in groups if other != said) for said in groups}
    total = sum(right.values()) + prod(bad.values())
    return {groups[said][0]: right[said] / total for said in groups}
