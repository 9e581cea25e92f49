"""Slanderer: says of every honest peer that it lied, as loudly as a statement can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import ALPHA_CAP
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversaries.rater import Counts, Rater

SLANDER: Counts = (0.0, ALPHA_CAP)


@dataclass
class Slanderer(Liar, Rater):
    """Lies, and states each epoch that everybody outside its ring does.

    After rules that take the word of many against one: honest peers lose what they are asked for (Hoffman, Zage &
    Nita-Rotaru 2009, "slandering"). A plain sum of all words falls to it. EigenTrust, MeritRank and Yuma hear no bad
    word, and with them, as with ours, it does no more harm than its lies.
    """

    knows: ClassVar[str] = "who belongs to its ring"
    costs: ClassVar[str] = "an evaluation a task; a statement an epoch"

    def word(self, benchmark: BenchmarkId) -> Mapping[PeerId, Counts]:
        return dict.fromkeys(self.grip.others, SLANDER)
