"""What the best liar gets out of a way of checking: wrong accepts per execution it serves, in the long run.

An exact programme over every strategy (trust.md §4, §5). The liar knows its streak k and the rule; at each execution it
is honest, lies, commits and does not reveal, or comes back under a new name, for ever. That is one Markov decision
process for the average reward. Being caught and a new name both lead back to k = 0, so the best
average g is where the best cycle that starts at k = 0, with −g for each execution and +1 for each wrong accept, is
worth nothing (renewal reward; Howard 1960). A cycle's worth falls with g, so g is found by halving.

Refusing is allowed its strongest form, in which the liar knows whether it would be caught before it reveals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from p2peval.trust.checking import Answer, Asked, CheckingRule, Do, Means, Record, Step
from p2peval.trust.hypergeometric import miss_probability
from p2peval.trust.rule import wrong_from

_HALVINGS = 60
"""Enough for an error of 2⁻⁶⁰ in a rate between 0 and 1."""

_COMPUTES = Means()


@dataclass(frozen=True, slots=True)
class Check:
    """How an identity with some streak is checked.

    ``miss``: probability that a lie is accepted. ``grows``: that an honest result lengthens the streak.
    ``lie_grows``: that an accepted lie does. All 0 to 1.
    """

    miss: float
    grows: float = 1.0
    lie_grows: float = 1.0


@dataclass(frozen=True, slots=True)
class Best:
    """``rate``: wrong accepts per execution served. ``lies_from``: the streak from which the best liar lies."""

    rate: float
    lies_from: int


def best_response(check: Callable[[int], Check], longest: int, *, refusing_keeps: bool = False) -> Best:
    """The best that any strategy reaches against ``check``, a function of the streak, which stops at ``longest``.

    ``refusing_keeps``: a commitment that is not revealed leaves the streak as it was, instead of ending it.
    """
    checks = [check(k) for k in range(longest + 1)]
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _worth(checks, middle, refusing_keeps)[0] > 0:
            low = middle
        else:
            high = middle
    return Best((low + high) / 2, _worth(checks, low, refusing_keeps)[1])


def _worth(checks: list[Check], g: float, refusing_keeps: bool) -> tuple[float, int]:
    """Worth of a cycle from k = 0 when each execution costs g, and the least k from which it lies."""
    ahead, lies_from = -inf, len(checks)  # at the longest streak honesty leads nowhere
    for k in range(len(checks) - 1, -1, -1):
        honest = ahead - g / checks[k].grows if checks[k].grows else -inf
        lying = _lying(checks[k], ahead, g, refusing_keeps)
        lies_from = k if lying >= honest else lies_from
        ahead = max(honest, lying)
        if k:
            ahead = max(ahead, 0.0)  # or a new name, at once
    return ahead, lies_from


def _lying(check: Check, ahead: float, g: float, refusing_keeps: bool) -> float:
    """W = −g + miss·(1 + grows·ahead + (1 − grows)·W) + (1 − miss)·(W if refusing keeps the streak, else 0)."""
    grows = 0.0 if ahead == -inf else check.lie_grows
    gain = check.miss * (1.0 + (grows * ahead if grows else 0.0)) - g
    stays = check.miss * (1.0 - grows) + ((1.0 - check.miss) if refusing_keeps else 0.0)
    if stays < 1.0:
        return gain / (1.0 - stays)
    return inf if gain > 0 else -inf


def against(
    rule: CheckingRule, asked: Asked, means: Means = _COMPUTES, *, votes_count: bool = True
) -> Callable[[int], Check]:
    """How ``rule`` checks an identity whose streak is k, where whoever else it asks is honest: a perfect checker.

    A lie alters just as many outputs as make the result wrong; of blind auditors no more are its author's than
    ``means.honest_share`` allows for. ``votes_count``: agreement with others lengthens what
    the rule goes by. The die that the rule may throw is averaged over: it must part [0, 1) at one place at most.
    """

    def check(k: int) -> Check:
        answer = Answer("liar", "lie", Record(streak=k, agreed=k, resolved=k), 0.5)

        def at(draw: float) -> tuple[float, float]:
            return _miss_and_growth(asked, rule(asked, [answer], means, lambda: draw), votes_count)

        first, last = at(0.0), at(1.0 - 2**-53)
        share = 1.0 if first == last else _where_it_parts(at, first)
        miss = share * first[0] + (1.0 - share) * last[0]
        grown = share * first[0] * first[1] + (1.0 - share) * last[0] * last[1]
        return Check(miss, share * first[1] + (1.0 - share) * last[1], grown / miss if miss else 0.0)

    return check


def _miss_and_growth(asked: Asked, step: Step, votes_count: bool) -> tuple[float, float]:
    """Probability that a lie passes this step, and that what passes it lengthens the streak."""
    if step.do is Do.ACCEPT:
        return 1.0, 0.0  # unseen: ``checkings.settled``
    if step.do is Do.AUDIT:
        altered = wrong_from(asked.samples, asked.delta_nano)
        return miss_probability(asked.samples, altered, step.samples[0]), 1.0
    if step.do is Do.CONSULT:
        return dict(step.numbers)["miss"], 1.0
    return 0.0, float(votes_count)  # compared with somebody honest


def _where_it_parts(at: Callable[[float], tuple[float, float]], first: tuple[float, float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if at(middle) == first:
            low = middle
        else:
            high = middle
    return high
