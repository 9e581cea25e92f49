"""Metrics of order: AUROC, and how well a model's confidence ranks its own right predictions above its wrong ones.

Each with how far a lie can have moved it (the contract of ``audit_bounds``) and how far the data speak
(``sampling``). All are about pairs or ranks: one altered row touches every pair it is in, so a bound adds up what
each row's pairs have to lose, and takes the rows that have most. Undefined where an output is NaN: it has no rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from p2peval.core.outputs import slack
from p2peval.core.parts import Range, Tolerance
from p2peval.evaluation import metrics, sampling
from p2peval.evaluation.audit_bounds import Bounds, Spread, hits, top
from p2peval.evaluation.metrics import Array, Floats


@dataclass(frozen=True, slots=True)
class Wins:
    """How often each positive ranks above a negative, and each negative below a positive; a tie counts half."""

    of_positives: Floats
    of_negatives: Floats

    @property
    def pairs(self) -> int:
        return len(self.of_positives) * len(self.of_negatives)

    @property
    def area(self) -> float:
        """The share of all pairs that is won."""
        return float(self.of_positives.sum()) / self.pairs

    def rows(self, positive: Array, lost: bool) -> Floats:
        """For each row of the mask ``positive``: the pairs it is in that are won, or ``lost``; elsewhere 0."""
        values = np.zeros(len(positive))
        first, second = len(self.of_positives), len(self.of_negatives)
        values[positive] = second - self.of_positives if lost else self.of_positives
        values[~positive] = first - self.of_negatives if lost else self.of_negatives
        return values


def wins(positives: Floats, negatives: Floats) -> Wins:
    below, above = np.sort(negatives), np.sort(positives)
    won = (np.searchsorted(below, positives, "left") + np.searchsorted(below, positives, "right")) / 2.0
    beaten = (np.searchsorted(above, negatives, "left") + np.searchsorted(above, negatives, "right")) / 2.0
    return Wins(won, len(positives) - beaten)


# ── AUROC, each class against the rest ────────────────────────────────────────────────────────────


def auroc(outputs: Array, labels: Array) -> float | None:
    """Mean over classes of the chance that a sample of it gets a higher output for it than one of another class.

    Over the classes that some labels have and some have not: scikit-learn's roc_auc_score, multi_class="ovr",
    average="macro", for outputs of any scale; Mann & Whitney 1947, ties half. Undefined with fewer than two classes.
    """
    classes = _ranked_classes(outputs, labels)
    areas = [_class_wins(outputs, outputs, labels == each, each).area for each in classes]
    return float(np.mean(areas)) if areas else None


def auroc_spread(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    """Tolerance first: at the most, every positive stands at its highest and every negative at its lowest.

    Then the lies. To replace a row can win at most the pairs that it loses; in its own class's ranking and, as a
    negative, in every other's. So B rows win at most the sum of the B largest such numbers, each pair weighed by
    1 / (n₊ n₋ classes). Pairs of two altered rows are counted twice, which only widens.
    """
    spread, values = slack(outputs, tolerance), outputs.astype(np.float64)
    lowest, highest = values - spread, values + spread
    classes = _ranked_classes(outputs, labels)
    least = most = 0.0
    losable, winnable = np.zeros(len(labels)), np.zeros(len(labels))
    for each in classes:
        positive = labels == each
        worst = _class_wins(lowest, highest, positive, each)
        best = _class_wins(highest, lowest, positive, each)
        weight = 1.0 / (best.pairs * len(classes))
        least, most = least + worst.area / len(classes), most + best.area / len(classes)
        losable += worst.rows(positive, lost=False) * weight
        winnable += best.rows(positive, lost=True) * weight
    return lambda altered: (max(0.0, least - top(losable, altered)), min(1.0, most + top(winnable, altered)))


def auroc_sampling(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    """By the variance of its placements (DeLong, DeLong & Clarke-Pearson 1988), all classes' rankings together."""
    classes, n = _ranked_classes(outputs, labels), len(labels)
    influence, area = np.zeros(n), 0.0
    for each in classes:
        positive = labels == each
        won = _class_wins(outputs, outputs, positive, each)
        influence += _influence(won, positive) / len(classes)
        area += won.area / len(classes)
    return _unit(sampling.normal(area, float(np.square(influence).mean()) / n))


def _ranked_classes(outputs: Array, labels: Array) -> list[int]:
    if not len(labels) or bool(np.isnan(outputs).any()):
        return []
    support = np.bincount(labels, minlength=outputs.shape[1])
    ranked: list[int] = np.flatnonzero((support > 0) & (support < len(labels))).tolist()
    return ranked


def _class_wins(of_positives: Array, of_negatives: Array, positive: Array, each: int) -> Wins:
    return wins(of_positives[positive, each], of_negatives[~positive, each])


def _influence(won: Wins, positive: Array) -> Floats:
    """How much each row moves the area: its placement against the mean, over its side's share of the rows."""
    values, first, second = np.zeros(len(positive)), len(won.of_positives), len(won.of_negatives)
    values[positive] = (won.of_positives / second - won.area) * len(positive) / first
    values[~positive] = (won.of_negatives / first - won.area) * len(positive) / second
    return values


# ── selective prediction ──────────────────────────────────────────────────────────────────────────


def confidence(outputs: Array) -> Floats:
    """A row's largest output."""
    largest: Floats = outputs.max(axis=1).astype(np.float64)
    return largest


def selective_auroc(outputs: Array, labels: Array) -> float | None:
    """The chance that a right prediction is more confident than a wrong one (Hendrycks & Gimpel 2017).

    Undefined where all predictions are right, or all wrong.
    """
    right = _right(outputs, labels)
    if right is None or right.all() or not right.any():
        return None
    ranks = confidence(outputs)
    return wins(ranks[right], ranks[~right]).area


def selective_auroc_spread(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    """A lie also changes who is right. Rows that a near-tie leaves open count as altered anyway, and in no pair.

    The pairs of the others that were lost stay lost but for those of altered rows, and are no smaller a share of all
    pairs than if right and wrong were as even as B rows and the near-ties can make them.
    """
    sure, may = hits(outputs, labels, tolerance)
    lowest, highest = _reach(outputs, tolerance)
    fixed = sure | ~may
    right = sure[fixed]
    worst = wins(lowest[fixed][right], highest[fixed][~right])
    best = wins(highest[fixed][right], lowest[fixed][~right])
    kept, lost = worst.rows(right, lost=False), best.rows(right, lost=True)
    kept_pairs, lost_pairs = float(worst.of_positives.sum()), best.pairs - float(best.of_positives.sum())
    n, open_rows = len(labels), int(len(labels) - fixed.sum())

    def spread(altered: int) -> Bounds:
        fewest, most = max(1, int(right.sum()) - altered), min(n - 1, int(right.sum()) + open_rows + altered)
        middle = min(max(n // 2, fewest), most)
        pairs = max(middle * (n - middle), 1)
        low = max(0.0, kept_pairs - top(kept, altered)) / pairs
        return min(low, 1.0), 1.0 - min(1.0, max(0.0, lost_pairs - top(lost, altered)) / pairs)

    return spread


def selective_auroc_sampling(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds:
    right, ranks = metrics.predictions(outputs) == labels, confidence(outputs)
    won = wins(ranks[right], ranks[~right])
    return _unit(sampling.normal(won.area, float(np.square(_influence(won, right)).mean()) / len(labels)))


def aurc(outputs: Array, labels: Array) -> float | None:
    """Area under the risk–coverage curve: mean over k of the error rate among the k most confident predictions.

    Geifman, Uziel & El-Yaniv 2019; 0 to 1, less is better. Equal confidences share their errors evenly.
    """
    right = _right(outputs, labels)
    return None if right is None else float(_mean_risk(_errors_by_rank(confidence(outputs), right)[None])[0])


def aurc_spread(outputs: Array, labels: Array, limits: Range | None, tolerance: Tolerance) -> Spread:
    """Among the k most confident, B altered rows change at most B errors, whichever rows they push in or out.

    Tolerance first: at the worst every error is as confident as it may be, and ranks before what is right.
    """
    sure, may = hits(outputs, labels, tolerance)
    lowest, highest = _reach(outputs, tolerance)
    right = metrics.predictions(outputs) == labels
    open_rows, ranks = int((may & ~sure).sum()), np.arange(1, len(labels) + 1)
    worst = np.cumsum(~right[np.lexsort((right, -np.where(right, lowest, highest)))])
    best = np.cumsum(~right[np.lexsort((~right, -np.where(right, highest, lowest)))])

    def spread(altered: int) -> Bounds:
        budget = altered + open_rows
        low, high = np.maximum(best - budget, 0), np.minimum(worst + budget, ranks)
        return float((low / ranks).mean()), float((high / ranks).mean())

    return spread


def aurc_sampling(name: str, outputs: Array, labels: Array, limits: Range | None) -> Bounds | None:
    errors = _errors_by_rank(confidence(outputs), metrics.predictions(outputs) == labels)
    return sampling.bootstrap(name, len(labels), lambda drawn: _mean_risk(errors[np.sort(drawn, axis=1)]))


def _right(outputs: Array, labels: Array) -> Array | None:
    if not len(labels) or bool(np.isnan(outputs).any()):
        return None
    right: Array = metrics.predictions(outputs) == labels
    return right


def _reach(outputs: Array, tolerance: Tolerance) -> tuple[Floats, Floats]:
    """Least and most confidence that each row can truly have."""
    spread, values = slack(outputs, tolerance), outputs.astype(np.float64)
    return (values - spread).max(axis=1), (values + spread).max(axis=1)


def _errors_by_rank(ranks: Floats, right: Array) -> Floats:
    """1 for an error, from the most confident on; equals share theirs evenly."""
    _, tied, counts = np.unique(-ranks, return_inverse=True, return_counts=True)
    shared = np.bincount(tied, ~right) / counts
    return np.repeat(shared, counts)


def _mean_risk(errors: Floats) -> Floats:
    """R × n errors in order of rank to R areas."""
    risks: Floats = (np.cumsum(errors, axis=1) / np.arange(1, errors.shape[1] + 1)).mean(axis=1)
    return risks


def _unit(bounds: Bounds) -> Bounds:
    return max(0.0, bounds[0]), min(1.0, bounds[1])
