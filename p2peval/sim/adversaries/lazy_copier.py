"""Lazy copier: says what somebody else has found, and runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.effects import Effect, FetchBlob, RunEvaluation
from p2peval.core.events import BlobFailed, BlobReady, Event, MessageReceived
from p2peval.core.messages import ResultRecord, Reveal, TaskAnnouncement
from p2peval.core.parts import Blob
from p2peval.core.types import BenchmarkId, Cid, PeerId
from p2peval.defaults import OUTPUTS_PATIENCE
from p2peval.sim.adversary import Adversary, Effects, Events

PREFIX = "copied/"
"""Of the effect ids under which it fetches what it copies."""

Known = tuple[BenchmarkId, Cid]


@dataclass
class LazyCopier(Adversary):
    """Commits to outputs that a public record names for the same model; where there is none it makes them up.

    Or, where it ``waits``, holds its commitment back until there is one. Nothing of a task can be copied in time: what
    others found is hidden in their commitments until the window is closed (protocol.md). So it can live off models
    that are asked for again, and off nothing else. After records for work that was not done (a free-rider).
    """

    knows: ClassVar[str] = "all public records"
    costs: ClassVar[str] = "no evaluation is ever run; the transfer of the outputs that it copies"
    waits: bool = False
    _seen: dict[Known, tuple[Blob, PeerId]] = field(default_factory=dict, init=False)
    _waiting: dict[str, tuple[Known, RunEvaluation]] = field(default_factory=dict, init=False)
    _copying: dict[str, RunEvaluation] = field(default_factory=dict, init=False)

    def hear(self, event: Event) -> Events:
        if isinstance(event, MessageReceived) and isinstance(event.sealed.payload, ResultRecord):
            self._read(event.sealed.payload)
        if isinstance(event, BlobReady | BlobFailed) and event.effect_id.startswith(PREFIX):
            self._copy(event)
        else:
            yield event

    def act(self, effect: Effect) -> Effects:
        if not (isinstance(effect, RunEvaluation) and self.grip.serves(effect.task)):
            yield effect
            return
        key = (self.grip.node.state.duties[effect.task].benchmark, effect.model.cid)
        if key in self._seen:
            yield self._fetch(effect, *self._seen[key])
        elif self.waits:
            self._waiting[effect.id] = (key, effect)
        else:
            self.grip.inject(self.grip.make_up(effect, self.grip.me))

    def _read(self, record: ResultRecord) -> None:
        """What was accepted, of which model, and who has the outputs; and whether that was waited for."""
        model = self.grip.open(record.announcement).payload
        reveals = [self.grip.open(envelope).payload for envelope in record.reveals]
        taken = [said for said in reveals if isinstance(said, Reveal) and said.assignment == record.accepted]
        if not taken or not isinstance(model, TaskAnnouncement):
            return
        known = (record.benchmark, model.model.cid)
        self._seen.setdefault(known, (taken[0].outputs, taken[0].author))
        for key, job in list(self._waiting.values()):
            if key == known:
                del self._waiting[job.id]
                self.grip.do(self._fetch(job, *self._seen[known]))

    def _fetch(self, job: RunEvaluation, outputs: Blob, holder: PeerId) -> FetchBlob:
        self._copying[PREFIX + job.id] = job
        return FetchBlob(PREFIX + job.id, outputs, (holder,), self.grip.now + OUTPUTS_PATIENCE)

    def _copy(self, event: BlobReady | BlobFailed) -> None:
        job = self._copying.pop(event.effect_id)
        if isinstance(event, BlobReady):
            self.grip.ring.spend("copies")
            self.grip.inject(self.grip.copy(job, event.cid))
        else:
            self.grip.inject(self.grip.make_up(job, self.grip.me))
