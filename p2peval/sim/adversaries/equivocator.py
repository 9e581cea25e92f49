"""Equivocator: says one thing to some and another to the rest, in one breath."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from p2peval.core.checking import TrustStatement
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import NETWORK_ID
from p2peval.sim.adversaries.liar import Liar
from p2peval.sim.adversaries.rater import PRAISE, Counts, Rater, as_entries
from p2peval.sim.adversaries.slanderer import SLANDER


@dataclass
class Equivocator(Liar, Rater):
    """Lies; each epoch it states praise of its ring to one half of its neighbours, to the rest slander of all others.

    After everybody at once: whom praise would warn hears slander, and the other way round (Byzantine equivocation;
    protocol.md, Slots). Two objects in one slot are a proof, once any honest peer has both: whatever the rule for whom
    to believe, it convicts itself with its first word, and does no harm but by the lies before that.
    """

    knows: ClassVar[str] = "who belongs to its ring, and to whom it is connected"
    costs: ClassVar[str] = "an evaluation a task; two statements an epoch"

    def word(self, benchmark: BenchmarkId) -> Mapping[PeerId, Counts]:
        return {friend: PRAISE for friend in self.grip.friends if friend != self.grip.me}

    def _speak(self) -> None:
        grip = self.grip
        epoch = int(grip.now // grip.node.policy.epoch_s) - 1
        for row in grip.node.state.benchmarks:
            if not (row.joined and grip.host.up):
                continue
            words = (self.word(row.id), dict.fromkeys(grip.others, SLANDER))
            for half, said in enumerate(words):
                if entries := as_entries(said):
                    sealed = grip.seal(TrustStatement(NETWORK_ID, grip.me, row.id, epoch, entries))
                    grip.whisper(grip.world.neighbours(grip.host.number)[half::2], sealed)
