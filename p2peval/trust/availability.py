"""Whether a peer answers, apart from whether its answers hold: slow is not dishonest (trust.md §2)."""

from __future__ import annotations


def availability(resolved: int, silent: int, withheld: int = 0) -> float:
    """How likely an assignment to this peer ends in outputs, 0 to 1; ½ for a newcomer.

    Counts ≥ 0 of assignments: that ended in a comparison, without a commitment, and with one that was not opened.
    Mean of Beta(1 + resolved, 1 + silent + withheld). No part of any opinion: it says whom to bother, not to believe.
    """
    return (1.0 + resolved) / (2.0 + resolved + silent + withheld)
