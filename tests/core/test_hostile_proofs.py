"""Validly signed nonsense about others: proofs, audits and reveals, told to a node that audits what it shows.

As test_hostile_objects.py; who is told here looks at everybody's records, trusts some who report on them, and has
workers that answer at random, twice where they can. Reveals are of rows that proofs can open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from belief_world import path_of
from small_world import Host
from test_hostile_objects import CASES, OUTPUTS, SAMPLES, STAGES, Mouth, Stage, Victim, stage

from p2peval.core import blind
from p2peval.core import messages as m
from p2peval.core.commitment import commitment_digest, output_root
from p2peval.core.effects import Effect, Prove, Recall, Sample, Settle
from p2peval.core.events import Event, JobFailed, MessageReceived, Proven, Recalled, Sampled, Settled
from p2peval.core.node import Node
from p2peval.core.parts import Efficiency
from p2peval.core.policy import Policy
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import PeerId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.defaults import MAX_REVISIONS, NETWORK_ID
from p2peval.store.database import Database
from p2peval.wire.ids import public_key_of

ROWS = np.zeros((SAMPLES, 10), np.float32)
NONCE = bytes(32)


class Gossip(Mouth):
    """Answers to what was said about tasks: reveals that open, proofs against them, audits, records anew."""

    def _answer(self, sealed: m.Sealed[Any]) -> list[m.Payload]:
        said = sealed.payload
        answers: list[m.Payload] = self._twice(sealed)
        match said:
            case m.Commitment(author=peer, task=task, assignment=assignment):
                root = output_root(ROWS, public_key_of(peer))
                digest = commitment_digest(task, assignment, peer, "class", SAMPLES, root, NONCE)
                reveal = m.Reveal(
                    NETWORK_ID, peer, task, assignment, sealed.id, "class", SAMPLES, root, NONCE, OUTPUTS,
                    Efficiency(1, 1),
                )  # fmt: skip
                answers += [reveal, m.Commitment(NETWORK_ID, peer, task, assignment, digest)]
            case m.Reveal():
                answers += self._proofs(sealed)
            case m.ResultRecord():
                answers += [*self._audits(said, sealed), replace(said, revision=said.revision % MAX_REVISIONS + 1)]
        return [*answers, *super()._answer(sealed)]

    def _proofs(self, reveal: m.Sealed[m.Reveal]) -> list[m.Payload]:
        said = reveal.payload
        asked = [one for one in self._said.get(m.TaskAnnouncement, ()) if TaskId(one.id) == said.task]
        index = self._rng.randrange(SAMPLES)
        return [
            m.FraudProof(
                NETWORK_ID, peer, one.payload.benchmark, said.task, said.assignment, one.envelope, reveal.envelope,
                index, ROWS[index].tobytes(), path_of(reveal.signer, ROWS, index),
            )
            for one in asked
            for peer in self._signers
        ]  # fmt: skip

    def _audits(self, record: m.ResultRecord, sealed: m.Sealed[Any]) -> list[m.Payload]:
        answers: list[m.Payload] = []
        for peer in self._signers:
            indices = tuple(sorted(self._rng.sample(range(SAMPLES), 3)))
            rows = tuple(ROWS[index].tobytes() for index in indices)
            digest = blind.digest(peer, sealed.id, "class", indices, rows, NONCE)
            about = (NETWORK_ID, peer, record.benchmark, record.task, sealed.id)
            committed = m.AuditCommitment(*about, digest)
            bound = self._signers[peer].seal(committed).id
            report = m.AuditReport(*about, bound, "class", NONCE, indices, rows, indices[: self._rng.randint(0, 2)])
            answers += [committed, report]
        return answers

    def _twice(self, sealed: m.Sealed[Any]) -> list[m.Payload]:
        slot, kind = sealed.payload.slot, type(sealed.payload)
        for other in self._said.get(kind, ()):
            if other.id != sealed.id and (other.signer, other.payload.slot) == (sealed.signer, slot):
                first, second = sorted((other, sealed), key=lambda one: one.id)
                where = (sealed.signer, kind.__name__, "/".join(slot), first.envelope, second.envelope)
                return [m.EquivocationProof(NETWORK_ID, peer, DIRECTORY, *where) for peer in self._signers]
        return []


@dataclass
class Watcher(Victim):
    """One that looks into all it hears, and whose workers and disk answer at random. ``asked``: them, for what."""

    asked: Counter[str] = field(default_factory=Counter)

    def take(self, effects: Iterable[Effect]) -> None:
        effects = list(effects)
        theirs = [one for one in effects if isinstance(one, Prove | Recall | Sample | Settle)]
        self.pending += theirs
        self.asked.update(type(one).__name__ for one in theirs)
        super().take(effects)

    def live(self) -> None:
        super().live()
        if self.pending and self.rng.random() < 0.2:  # the same again: it was performed before a crash, and after it
            self.handle(self._answer(self.rng.choice(self.pending)))

    def _answer(self, effect: Effect) -> Event:
        if isinstance(effect, Prove | Sample | Settle) and self.rng.random() < 0.2:
            return JobFailed(effect.id, "no memory")
        match effect:
            case Prove(id=id_, benchmark=benchmark, task=task, assignment=assignment):
                row, path = ROWS[3].tobytes(), path_of(effect.evaluator, ROWS, 3)
                return Proven(id_, benchmark, task, assignment, effect.announcement, effect.reveal, 3, row, path)
            case Sample(id=id_, indices=indices):
                return Sampled(id_, "class", tuple(ROWS[index].tobytes() for index in indices))
            case Settle(id=id_):
                return Settled(id_, self.rng.choice(list(Verdict)), self.rng.choice(("class", "other")))
            case Recall(id=id_, object=wanted, beside=beside):
                held = [one.envelope for one in self.stage.said if one.id == wanted]
                return Recalled(id_, held[0] if held else b"", beside)
        return super()._answer(effect)


def watcher_of(scene: Stage, host: Host, rng: Random) -> Watcher:
    roots = tuple(other.id for other in scene.world.all if other is not host)[:1]
    policy = Policy(background_audits=True, trust_roots=(*roots, PeerId("nobody")))
    node = Node(
        state=host.disk.load(), sealer=host.sealer, secrets=host.secrets, rng=rng, network=NETWORK_ID, policy=policy
    )
    watcher = Watcher(node, rng, scene, scene.world.now)
    watcher.take((*node.resume(watcher.now), *host.disk.outbox.values()))
    return watcher


@pytest.mark.parametrize("side", ["requester", "evaluator"])
@pytest.mark.parametrize("name", STAGES)
def test_nothing_said_of_others_raises_out_of_a_node_that_looks_into_it(name: str, side: str, tmp_path: Path) -> None:
    rng = Random(f"{name} {side} proofs said")
    scene = stage(name)
    host = scene.requester if side == "requester" else scene.world.all[2]
    proves = (name, side) == ("accepted", "evaluator")  # one case in 1500: only where a claim it audits seems false
    wanted = {"Recall", "Prove"} if proves else {"Recall"}
    watcher, gossip = watcher_of(scene, host, rng), Gossip(rng, scene, host.id)
    with Database(tmp_path / "state.db") as database:
        for case in range(20 * CASES):
            if case >= CASES and wanted <= watcher.asked.keys():
                break
            sealed = gossip.say()
            scene.said.append(sealed)
            watcher.handle(MessageReceived(sealed, rng.choice(scene.world.all).id, "reply"))
            if rng.random() < 0.5:
                watcher.live()
            while watcher.said:
                gossip.hear(host.sealer.open(watcher.said.pop()))
            if case % 50 == 49:
                database.commit(watcher.node.state.drain())
    assert wanted <= watcher.asked.keys()
    assert not watcher.node.state.convictions.of(host.id)  # whatever it was told, it signed no slot twice
