"""How far a lie can have moved macro-F1, which is neither a count nor a mean of terms: see ``_most``.

The contract is that of ``audit_bounds``. Source: trust.md §1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log

import numpy as np

from p2peval.core.parts import Range, Tolerance
from p2peval.evaluation import metrics
from p2peval.evaluation.audit_bounds import Bounds, Spread, possible
from p2peval.evaluation.metrics import Array, Floats

DUAL_STEPS = 30
"""Golden-section steps for each price; the bound holds after any number of them."""

LEAST_PRICE, MOST_PRICE = 1e-12, 4.0
"""F1 lost or won by one row: from nothing (n beyond 10⁹) to more than all."""

GOLDEN = (5.0**0.5 - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Per class: its support, and its hits and false alarms at the least (``sure``) and at the most (``may``).

    A hit is sure, as is a false alarm, where a row can truly predict nothing else.
    """

    support: Floats
    sure_hits: Floats
    sure_alarms: Floats
    may_hits: Floats
    may_alarms: Floats


def _standing(outputs: Array, labels: Array, tolerance: Tolerance) -> Standing:
    width = outputs.shape[1]
    sure_hits, sure, may_hits, may = (np.zeros(width) for _ in range(4))
    for rows in metrics.blocks(outputs):
        wins, own = possible(outputs[rows], tolerance), labels[rows]
        hit, alone = wins[np.arange(len(own)), own], wins.sum(axis=1) == 1
        sure_hits += np.bincount(own[hit & alone], minlength=width)
        may_hits += np.bincount(own[hit], minlength=width)
        sure += wins[alone].sum(axis=0)
        may += wins.sum(axis=0)
    support = np.bincount(labels, minlength=width).astype(np.float64)
    return Standing(support, sure_hits, sure - sure_hits, may_hits, may - may_hits)


def macro_f1(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    """Near-ties first, which every class sees at its best (worst); then at most ``altered`` lies.

    F1 of a class falls with each hit lost and each false alarm, in any context. So its most takes every hit
    that is possible and only the false alarms that are certain, its least the reverse.
    """
    standing = _standing(outputs, labels, tolerance)
    return lambda altered: _bounds(standing, len(labels), altered)


def _bounds(standing: Standing, samples: int, altered: int) -> Bounds:
    occurs = standing.support > 0
    n, hits, alarms = standing.support[occurs], standing.sure_hits[occurs], standing.may_alarms[occurs]
    low = -_most(hits, n + hits + alarms, hits, samples - n - alarms, altered)
    hits, alarms = standing.may_hits[occurs], standing.sure_alarms[occurs]
    high = 2.0 * len(n) + _most(n + alarms, n + hits + alarms, alarms, n - hits, altered)
    return max(0.0, low / len(n)), min(1.0, high / len(n))


def _most(a: Floats, b: Floats, ends: Floats, smooth: Floats, budget: int) -> float:
    """An upper bound of Σ_c −2(a_c − e_c) / (b_c − e_c + s_c), over 0 ≤ e ≤ ends, 0 ≤ s ≤ smooth, Σe, Σs ≤ budget.

    Why this is macro-F1, with h hits, f false alarms, n support, F1 = 2h / (n + h + f):

    - Least: each lie takes a hit of one class (e) and gives a false alarm to one (s), at most:
      −F1 = −2(h − e) / (n + h + f − e + s).
    - Most: each lie is best a wrong row set right, which takes a false alarm (e) and gives a hit (s):
      F1 = 2(h + s) / (n + h + f − e + s) = 2 − 2(n + f − e) / (n + h + f − e + s).

    That the e and s of one lie belong to one row is forgotten, which only widens. By weak duality, for any
    prices p, q ≥ 0 the bound is (p + q)·budget + Σ_c max [… − p·e − q·s]. A class's term is convex in e,
    so e is 0 or its end; concave in s, so s is a neighbour of √(2(a−e)/q) − (b−e), clipped. Any prices are
    sound; the best ones (a convex problem) leave a gap only for what was forgotten.
    """
    most_e, most_s = np.minimum(ends, budget), np.minimum(smooth, budget)
    e = np.stack([np.zeros_like(most_e), most_e])
    rest, size = a - e, b - e

    def bound(p: float, q: float) -> float:
        peak = np.sqrt(2.0 * rest / q) - size
        s = np.clip(np.stack([np.floor(peak), np.ceil(peak)]), 0.0, most_s)
        return (p + q) * budget + float((-2.0 * rest / (size + s) - p * e - q * s).max(axis=(0, 1)).sum())

    unpriced = float((-2.0 * rest / (size + most_s)).max(axis=0).sum())
    if max(most_e.sum(), most_s.sum()) <= budget:
        return unpriced  # the budget binds nobody
    return min(unpriced, _least(lambda p: _least(lambda q: bound(p, q))))


def _least(value: Callable[[float], float]) -> float:
    """The smallest of a convex function of a price: golden section over its logarithm."""
    low, high = log(LEAST_PRICE), log(MOST_PRICE)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = value(exp(left)), value(exp(right))
    least = min(at_left, at_right)
    for _ in range(DUAL_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = value(exp(left))
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = value(exp(right))
        least = min(least, at_left, at_right)
    return least
