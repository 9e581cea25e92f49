"""The part that attacks on others' word share: trust statements that say what the adversary wants, each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from p2peval.core.checking import TrustStatement
from p2peval.core.effects import Effect, Publish
from p2peval.core.events import Event, TimerExpired
from p2peval.core.parts import TrustEntry
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.defaults import ALPHA_CAP, MAX_ENTRIES, NETWORK_ID
from p2peval.sim.adversary import Adversary, Effects, Events

Counts = tuple[float, float]
"""Outcomes that are claimed of a peer: good, bad."""

PRAISE: Counts = (ALPHA_CAP, 0.0)
"""The most that an honest rater could say of anybody."""


@dataclass
class Rater(Adversary):
    """Says ``word`` of each benchmark at the end of every epoch, instead of what its node has seen."""

    def word(self, benchmark: BenchmarkId) -> Mapping[PeerId, Counts]:
        """What to say of whom; nobody says anything of itself."""
        return {friend: PRAISE for friend in self.grip.friends if friend != self.grip.me}

    def hear(self, event: Event) -> Events:
        if isinstance(event, TimerExpired) and event.key == "epoch/":
            self.grip.later(0.0, self._speak)  # once its node has said what it would
        yield from super().hear(event)

    def act(self, effect: Effect) -> Effects:
        if isinstance(effect, Publish) and effect.type == TrustStatement.__name__:
            self.grip.node.state.forget(effect.object)
        else:
            yield from super().act(effect)

    def _speak(self) -> None:
        grip = self.grip
        epoch = int(grip.now // grip.node.policy.epoch_s) - 1
        for row in grip.node.state.benchmarks:
            said = self.word(row.id) if row.joined and grip.host.up else {}
            entries = as_entries(said)
            if entries:
                sealed = grip.seal(TrustStatement(NETWORK_ID, grip.me, row.id, epoch, entries))
                grip.keep(sealed, row.id)
                grip.do(grip.publish(sealed, row.id))


def as_entries(said: Mapping[PeerId, Counts]) -> tuple[TrustEntry, ...]:
    """As many as a statement can hold, sorted by peer."""
    entries = (TrustEntry(peer, round(good * 1000), round(bad * 1000)) for peer, (good, bad) in sorted(said.items()))
    return tuple(entries)[:MAX_ENTRIES]
