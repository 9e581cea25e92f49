"""How far B altered predictions can move macro-F1: a bound that holds, and is nearly reached.

Decides one optimisation. Must not know outputs, tolerance or reports. Source: trust.md §1 ("F1 by the worst
reassignment of B outputs"); the argument is ours.

**Why it holds.** Change any B of the predictions in any way. For each class c with T hits, n labelled and
P predicted samples, let x be the changed samples that become hits of c, a those that stop being hits, g
those that newly are false alarms of c, z those that no longer are. Then

    F1_c = 2(T + x − a) / (n + P + x − a + g − z),

which grows in x and z and falls in a and g. Over all classes each of Σx, Σz, Σa, Σg is at most B, since a
changed sample has one label, one old and one new prediction. So dropping a and g gives an upper bound,
dropping x and z a lower one, and what is left to solve is

    max Σ_c f(x_c, z_c)    with Σx ≤ B, Σz ≤ B,    0 ≤ x_c ≤ n−T, 0 ≤ z_c ≤ P−T     (upper)
    min Σ_c f(a_c, g_c)    with Σa ≤ B, Σg ≤ B,    0 ≤ a_c ≤ T, 0 ≤ g_c ≤ N−n−(P−T) (lower)

The rest is weak duality: with *any* prices ≥ 0 on the two budgets, every class may be optimised alone, and
the sum plus the price of both budgets bounds the true optimum. One of the two counts enters each class
convexly, so that its best value is an end of its range; the other one concavely, with its best value in
closed form, up or down to an integer. Better prices only tighten the bound: 2-D ellipsoid steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from p2peval.defaults import F1_BOUND_STEPS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Choice = tuple[float, float, float]
"""What the classes make of two prices: payoff less cost, and how much of each budget they take."""

_TINY = 1e-18  # price so low that everything is bought; keeps a division finite


def macro_f1_bounds(hits: Ints, labelled: Ints, said: Ints, altered: int) -> tuple[float, float]:
    """Least and greatest macro-F1 after at most ``altered`` predictions were changed.

    ``hits``, ``labelled``, ``said``: the counts of ``metrics.class_counts``, one element per class. The ends lie
    in 0 to 1 and may be a little wide, never narrow. With ``altered`` 0 both are the value itself.
    """
    samples, classes = int(labelled.sum()), len(hits)
    most = min(altered, samples)
    triples, times = np.unique(np.stack([hits, labelled, said]), axis=1, return_counts=True)
    low = -_cheapest(lambda x, z: _worst_choice(triples, times, samples, most, x, z), most) / classes
    high = _cheapest(lambda x, z: _best_choice(triples, times, most, x, z), most) / classes
    return max(0.0, low), min(1.0, high)


def _best_choice(triples: Ints, times: Ints, most: int, price_x: float, price_z: float) -> Choice:
    """Maximum of Σ f − price_x·x − price_z·z. Concave in x, convex in z."""
    hits, labelled, said = triples[:, triples[1] > 0]  # F1 of a class without samples stays 0
    most_x, most_z = np.minimum(labelled - hits, most), np.minimum(said - hits, most)
    options = []
    for z in (np.zeros_like(most_z), most_z):
        total = labelled + said - z
        peak = np.sqrt(2.0 * (total - hits) / max(price_x, _TINY)) - total
        for x in (np.floor(peak), np.ceil(peak)):
            taken = np.clip(x, 0, most_x)
            payoff = 2.0 * (hits + taken) / (total + taken) - price_x * taken - price_z * z
            options.append((payoff, taken, z))
    return _choose(options, times[triples[1] > 0])


def _worst_choice(triples: Ints, times: Ints, samples: int, most: int, price_g: float, price_a: float) -> Choice:
    """Maximum of Σ −f − price_g·g − price_a·a. Concave in g, convex in a."""
    hits, labelled, said = triples[:, triples[0] > 0]  # F1 of a class without hits stays 0
    most_a, most_g = np.minimum(hits, most), np.minimum(samples - labelled - (said - hits), most)
    options = []
    for a in (np.zeros_like(most_a), most_a):
        left, total = hits - a, labelled + said - a
        peak = np.sqrt(2.0 * left / max(price_g, _TINY)) - total
        for g in (np.floor(peak), np.ceil(peak)):
            taken = np.clip(g, 0, most_g)
            payoff = -2.0 * left / (total + taken) - price_g * taken - price_a * a
            options.append((payoff, taken, a))
    return _choose(options, times[triples[0] > 0])


def _choose(options: list[tuple[Floats, Floats, Ints]], times: Ints) -> Choice:
    """Each class's best option, summed over classes."""
    payoffs = np.stack([payoff for payoff, _, _ in options])
    best, at = payoffs.argmax(axis=0), np.arange(payoffs.shape[1])
    first = np.stack([taken for _, taken, _ in options])[best, at]
    second = np.stack([taken for _, _, taken in options])[best, at]
    return float(payoffs[best, at] @ times), float(first @ times), float(second @ times)


def _cheapest(choice: Callable[[float, float], Choice], most: int) -> float:
    """The least dual bound found: ``choice`` at two prices plus what both budgets of ``most`` cost.

    Ellipsoid method in two dimensions, in a square of prices that no marginal F1 exceeds.
    """
    centre, shape = np.array([1.0, 1.0]), np.eye(2) * 2.0
    least = choice(0.0, 0.0)[0]
    for _ in range(F1_BOUND_STEPS if most else 0):
        if (outside := centre < 0.0).any():
            slope = -outside.astype(np.float64)
        else:
            payoff, first, second = choice(*centre.tolist())
            least = min(least, payoff + float(centre.sum()) * most)
            slope = most - np.array([first, second])
        reach = float(np.sqrt(slope @ shape @ slope))
        if reach <= 1e-15:
            break
        step = shape @ slope / reach
        centre = centre - step / 3.0
        shape = 4.0 / 3.0 * (shape - 2.0 / 3.0 * np.outer(step, step))
    return least
