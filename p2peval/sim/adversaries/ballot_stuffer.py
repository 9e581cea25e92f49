"""Ballot-stuffer: repeats what honest peers say, so as to be believed, and adds praise for its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from p2peval.core.types import BenchmarkId, PeerId
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversaries.rater import PRAISE, Counts, Rater


@dataclass
class BallotStuffer(Liar, Rater):
    """Lies; states of each honest peer the mean of what others state of it, and of its ring that it is the best.

    After credibility by agreement: whoever says what all say is believed, and then says something else besides
    (Hoffman, Zage & Nita-Rotaru 2009, "self-promoting"; trust.md §5, "copying").
    """

    knows: ClassVar[str] = "who belongs to its ring; all statements, which are public"
    costs: ClassVar[str] = "an evaluation a task; a statement an epoch"

    def word(self, benchmark: BenchmarkId) -> Mapping[PeerId, Counts]:
        friends = set(self.grip.friends)
        heard: dict[PeerId, list[Counts]] = {}
        for row in self.grip.node.state.statements:
            if row.benchmark != benchmark or row.rater in friends:
                continue
            for entry in row.entries:
                heard.setdefault(entry.peer, []).append((entry.agreed_milli / 1000, entry.disagreed_milli / 1000))
        said = {peer: _mean(counts) for peer, counts in heard.items() if peer not in friends}
        return said | {friend: PRAISE for friend in self.grip.friends if friend != self.grip.me}


def _mean(counts: list[Counts]) -> Counts:
    return sum(good for good, _ in counts) / len(counts), sum(bad for _, bad in counts) / len(counts)
