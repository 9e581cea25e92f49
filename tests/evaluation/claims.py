"""Metrics by name, as the tests ask for them."""

from __future__ import annotations

from p2peval.evaluation.metric_table import METRICS


def audit(name, outputs, labels, limits, tolerance, altered):
    """Bounds of the true metric if at most ``altered`` rows are lies; None where there is no bound."""
    spread = METRICS[name].audit(outputs, labels, limits, tolerance)
    return spread(altered) if spread else None


def sampling(name, outputs, labels, limits=None):
    return METRICS[name].sampling(name, outputs, labels, limits)


def measure(name, outputs, labels, limits=None):
    return METRICS[name].measure(outputs, labels, limits)
