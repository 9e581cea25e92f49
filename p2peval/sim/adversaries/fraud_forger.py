"""Fraud-proof forger: accuses honest peers of lies that they did not tell, and makes everybody look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from p2peval.core.checking import FraudProof
from p2peval.core.events import Event, MessageReceived
from p2peval.core.messages import ResultRecord, Reveal
from p2peval.defaults import NETWORK_ID
from p2peval.sim.adversary import Adversary, Events
from p2peval.sim.synthetic import path
from p2peval.wire.ids import public_key_of


@dataclass
class FraudForger(Adversary):
    """For every record that it hears of, ``proofs`` proofs against whoever it accepts: rows that are there, and true.

    After honest peers' standing, and all members' time: a proof hangs together, and only a re-run shows that it is
    none (protocol.md, Fraud proofs; the verdict is always the reader's own). Nobody is convicted by it; every member
    re-runs one sample, and serves whoever forged as it serves strangers from then on.
    """

    knows: ClassVar[str] = "records and outputs, which are public"
    costs: ClassVar[str] = "a message a proof, and its own name once they are read"
    proofs: int = field(default=1, metadata={"least": 1})

    def hear(self, event: Event) -> Events:
        said = event.sealed.payload if isinstance(event, MessageReceived) else None
        if isinstance(said, ResultRecord) and said.author not in self.grip.friends:
            self.grip.later(0.0, self._accuse, said)
        yield event

    def _accuse(self, record: ResultRecord) -> None:
        grip = self.grip
        if not grip.host.up:
            return
        for envelope, reveal in self._reveals(record):
            outputs = grip.world.workshop.laboratory[reveal.outputs.cid]
            for index in grip.rng.sample(range(reveal.samples), min(self.proofs, reveal.samples)):
                proof = FraudProof(
                    network=NETWORK_ID,
                    author=grip.me,
                    benchmark=record.benchmark,
                    task=record.task,
                    assignment=reveal.assignment,
                    announcement=record.announcement,
                    reveal=envelope,
                    index=index,
                    row=outputs.rows[index].tobytes(),
                    path=path(outputs, public_key_of(reveal.author), index),
                )
                grip.ring.spend("proofs")
                grip.do(grip.publish(grip.seal(proof), record.benchmark))

    def _reveals(self, record: ResultRecord) -> Iterator[tuple[bytes, Reveal]]:
        """Of those outside the ring."""
        for envelope in record.reveals:
            said = self.grip.open(envelope).payload
            if isinstance(said, Reveal) and said.author not in self.grip.friends:
                yield envelope, said
