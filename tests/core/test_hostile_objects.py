"""Validly signed nonsense, at every stage of a task: nothing a peer can say raises out of ``Node.handle``.

Who signs is either a stranger or a member that has just played its part honestly. Fields come from the
other objects of the same world, so that most of what is sent almost fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from small_world import START, Host, World, blob

from p2peval.core import messages as m
from p2peval.core import parts as p
from p2peval.core.commitment import commitment_digest
from p2peval.core.effects import Compare, Effect, FetchBlob, Publish, RunEvaluation, Send, SetTimer
from p2peval.core.events import (
    BlobFailed,
    BlobReady,
    CancelTask,
    ComparisonFailed,
    ComparisonFinished,
    EvaluationFailed,
    EvaluationFinished,
    Event,
    JoinBenchmark,
    LeaveBenchmark,
    MessageReceived,
    NoticeReceived,
    PeerDown,
    PeerUp,
    SendFailed,
    StartTask,
    TimerExpired,
)
from p2peval.core.node import Node
from p2peval.core.policy import Policy
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import AssignmentId, BenchmarkId, PeerId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.defaults import NETWORK_ID, UNKNOWN_OBJECTS
from p2peval.errors import LocalProtocolError, RemoteProtocolError
from p2peval.store.database import Database
from p2peval.wire.envelope import EnvelopeSealer

CASES = 1_000
"""Per stage of a task and side: ten times that many in all."""

SAMPLES = 50
OUTPUTS = blob("the truth", SAMPLES * 10 * 4)

LIMITS = (0, 1, 2, 7, 10**9 - 1, 10**9, 2**31, 2**53 - 1, int(START * 1000), int((START + 60) * 1000))


def announced(world: World, requester: Host, task: TaskId) -> bool:
    return task in requester.node.state.tasks


def reaches(state: str) -> Callable[[World, Host, TaskId], bool]:
    return lambda world, requester, task: requester.node.state.tasks[task].state.name == state


STAGES: dict[str, Callable[[World, Host, TaskId], bool]] = {
    "announced": announced,
    **{state.lower(): reaches(state) for state in ("ASSIGNED", "REVEALING", "AUDITING", "ACCEPTED")},
}


@dataclass
class Stage:
    """A world stopped in the middle of a task of ``requester``, and all that was said in it."""

    world: World
    requester: Host
    benchmark: BenchmarkId
    task: TaskId
    said: list[m.Sealed[m.Payload]]


def stage(name: str) -> Stage:
    world = World(4, samples=SAMPLES)
    author, requester = world.all[0], world.all[1]
    benchmark = world.publish(author)
    world.everybody_joins(benchmark, author)
    task = world.start(requester, benchmark, replicas=2)
    world.run_until(lambda: STAGES[name](world, requester, task))
    envelopes = {id_: envelope for host in world.all for id_, envelope in host.disk.envelopes.items()}
    return Stage(world, requester, benchmark, task, [author.sealer.open(envelopes[id_]) for id_ in sorted(envelopes)])


# ── what they say ─────────────────────────────────────────────────────────────────────────────────


class Mouth:
    """Says objects that wire would admit: answers that fit, with fields from everything said before."""

    def __init__(self, rng: Random, stage: Stage, victim: PeerId) -> None:
        self._rng = rng
        strangers = [EnvelopeSealer(rng.randbytes(32)) for _ in range(3)]
        members = [host.sealer for host in stage.world.all if host.id != victim]
        self.strangers = {sealer.peer_id for sealer in strangers}
        self._signers = {sealer.peer_id: sealer for sealer in (*strangers, *members)}
        self._said: dict[type, list[m.Sealed[Any]]] = {}
        self._answers: list[m.Payload] = []
        self._pool: dict[type, list[Any]] = {str: ["", victim], int: [*LIMITS], bytes: []}
        self._pool[str] += [str(blob(f"nobody has {n}").cid) for n in range(3)]
        for sealed in sorted(stage.said, key=lambda said: type(said.payload) is not m.TaskAnnouncement):
            self.hear(sealed)

    def hear(self, sealed: m.Sealed[m.Payload]) -> None:
        """Remember what was said, and what an honest peer would answer."""
        self._collect(sealed.payload)
        self._pool[str].append(sealed.id)
        self._pool[bytes].append(sealed.envelope)
        self._said.setdefault(type(sealed.payload), []).append(sealed)
        self._answers += [answer for answer in self._answer(sealed) if answer.author in self._signers]

    def _answer(self, sealed: m.Sealed[Any]) -> list[m.Payload]:
        said, peers, until = sealed.payload, list(self._signers), int((START + 10**6) * 1000)
        match said:
            case m.TaskAnnouncement():
                return [m.Offer(NETWORK_ID, peer, TaskId(sealed.id), "class", until) for peer in peers]
            case m.Offer(task=task):
                asked = [one.payload for one in self._said.get(m.TaskAnnouncement, ()) if TaskId(one.id) == task]
                return [m.Assignment(NETWORK_ID, a.author, task, said.author, 1, until, bytes(32)) for a in asked]
            case m.Assignment(task=task, evaluator=peer):
                assignment = AssignmentId(sealed.id)
                digest = commitment_digest(task, assignment, peer, "class", SAMPLES, bytes(32), bytes(32))
                return [m.Commitment(NETWORK_ID, peer, task, assignment, digest)]
            case m.Commitment(author=peer, task=task, assignment=assignment):
                asked = [one.payload for one in self._said.get(m.TaskAnnouncement, ()) if TaskId(one.id) == task]
                reveal = m.Reveal(
                    NETWORK_ID, peer, task, assignment, sealed.id, "class", SAMPLES, bytes(32), bytes(32), OUTPUTS,
                    p.Efficiency(1, 1),
                )  # fmt: skip
                return [reveal, *(m.CommitmentSet(NETWORK_ID, a.author, task, 1, (sealed.id,)) for a in asked)]
        return []

    def _collect(self, value: Any) -> None:
        self._pool.setdefault(type(value), []).append(value)
        if is_dataclass(value):
            for each in fields(value):
                self._collect(getattr(value, each.name))
        elif isinstance(value, tuple):
            for element in value:
                self._collect(element)

    def say(self) -> m.Sealed[m.Payload]:
        while True:
            fitting = self._answers and self._rng.random() < 0.6
            if fitting:
                payload = self._answers[-min(len(self._answers), 1 + int(self._rng.expovariate(0.2)))]
            else:
                sealed = self._rng.choice(self._said[self._rng.choice(list(self._said))])
                if self._rng.random() < 0.1:
                    return sealed  # a replay
                payload = sealed.payload
            if not fitting or self._rng.random() < 0.3:
                payload = self._mutated(payload)
            if payload.author not in self._signers or self._rng.random() < 0.2:
                payload = replace(payload, author=self._rng.choice(list(self._signers)))
            signer = self._signers[payload.author]
            try:
                sealed = signer.open(signer.seal(replace(payload, network=NETWORK_ID)).envelope)
            except (LocalProtocolError, RemoteProtocolError):
                continue  # wire refuses it on both sides: the node never hears of it
            self.hear(sealed)
            return sealed

    def _mutated(self, value: Any) -> Any:
        """The same with up to three fields from elsewhere, at any depth."""
        for _ in range(self._rng.randint(0, 3)):
            name = self._rng.choice([each.name for each in fields(value)])
            value = replace(value, **{name: self._other(getattr(value, name))})
        return value

    def _other(self, value: Any) -> Any:
        if is_dataclass(value) and self._rng.random() < 0.7:
            return self._mutated(value)
        if isinstance(value, tuple):
            return tuple(self._rng.choices([*value, self._other(value[0])], k=self._rng.randint(0, 3))) if value else ()
        if isinstance(value, int) and not isinstance(value, bool) and self._rng.random() < 0.5:
            return value + self._rng.choice((-1, 1, 1000, 10**6))
        return self._rng.choice(self._pool.get(type(value), [value]))


# ── whom they say it to ───────────────────────────────────────────────────────────────────────────


@dataclass
class Victim:
    """One node whose effects are answered at random, as a slow or failing world would."""

    node: Node
    rng: Random
    stage: Stage
    now: float
    pending: list[Effect] = field(default_factory=list)
    timers: dict[str, SetTimer] = field(default_factory=dict)
    said: list[bytes] = field(default_factory=list)

    def handle(self, event: Event) -> None:
        self.take(self.node.handle(event, self.now))

    def take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SetTimer):
                self.timers[effect.key] = effect
            elif isinstance(effect, FetchBlob | RunEvaluation | Compare | Send):
                self.pending.append(effect)
            if isinstance(effect, Publish | Send):
                self.said.append(effect.envelope)

    def live(self) -> None:
        """Something of its own happens: an answer, a deadline, a peer, the user."""
        self.now += self.rng.expovariate(1.0)
        if self.pending and self.rng.random() < 0.5:
            return self.handle(self._answer(self.pending.pop(self.rng.randrange(len(self.pending)))))
        due = [timer for timer in self.timers.values() if timer.at <= self.now]
        if due:
            timer = self.timers.pop(due[0].key)
            return self.handle(TimerExpired(timer.key, timer.generation))
        if self.rng.random() < 0.3:
            self.handle(self.rng.choice(self._life())())

    def _life(self) -> list[Callable[[], Event]]:
        peer = self.rng.choice(self.stage.world.all).id
        benchmark, said = self.stage.benchmark, self.rng.choice(self.stage.said)
        tasks = [row.id for row in self.node.state.tasks] or [self.stage.task]
        return [
            lambda: PeerUp(peer),
            lambda: PeerDown(peer),
            lambda: NoticeReceived(peer, self.rng.choice((DIRECTORY, benchmark)), said.id),
            lambda: LeaveBenchmark("l", benchmark),
            lambda: JoinBenchmark("j", benchmark, self.rng.random() < 0.8, self.rng.random() < 0.8, (peer,)),
            lambda: JoinBenchmark("j", benchmark, True, True, (peer,)),
            lambda: JoinBenchmark("j", BenchmarkId(said.id), True, True, ()),
            lambda: StartTask("s", benchmark, blob("model"), "model", 0, 0, self.rng.randint(0, 3)),
            lambda: CancelTask("c", self.rng.choice(tasks)),
        ]

    def _answer(self, effect: Effect) -> Event:
        well = self.rng.random() < 0.8
        match effect:
            case FetchBlob(id=id_, blob=wanted):
                return BlobReady(id_, wanted.cid) if well else BlobFailed(id_, wanted.cid, "nobody has it")
            case RunEvaluation(id=id_, task=task, assignment=assignment):
                if not well:
                    return EvaluationFailed(id_, task, assignment, "node ‘Ünï\ncode’ said no. " * 20)
                return EvaluationFinished(id_, task, assignment, "class", bytes(32), OUTPUTS, p.Efficiency(1, 1))
            case Compare(id=id_, task=task, assignment=assignment, drawn=drawn, spec=spec):
                if self.rng.random() < 0.1:
                    return ComparisonFailed(id_, task, assignment, "no memory")
                metrics = tuple(p.MetricReport(name, p.Defined.VALUE, 10**8, None, None) for name in spec.metrics)
                verdict = Verdict.AGREES if well else Verdict.DIFFERS
                return ComparisonFinished(id_, task, assignment, verdict, drawn, () if well else (1, 2), metrics)
            case Send(id=id_, peer=peer, about=about):
                return SendFailed(id_, peer, about, "" if well else "window_closed")
        raise AssertionError(effect)


def victim_of(stage: Stage, host: Host, rng: Random) -> Victim:
    node = Node(
        state=host.disk.load(),
        sealer=host.sealer,
        secrets=host.secrets,
        rng=rng,
        network=NETWORK_ID,
        policy=Policy(),
    )
    victim = Victim(node, rng, stage, stage.world.now)
    victim.take((*node.resume(victim.now), *host.disk.outbox.values()))
    for other in stage.world.all:
        if other is not host:
            victim.handle(PeerUp(other.id))
    return victim


@pytest.mark.parametrize("side", ["requester", "evaluator"])
@pytest.mark.parametrize("name", STAGES)
def test_nothing_validly_signed_raises_out_of_a_node(name: str, side: str, tmp_path: Path) -> None:
    rng = Random(f"{name} {side}")
    scene = stage(name)
    host = scene.requester if side == "requester" else scene.world.all[2]
    victim, mouth = victim_of(scene, host, rng), Mouth(rng, scene, host.id)
    with Database(tmp_path / "state.db") as database:
        for case in range(CASES):
            via = rng.choice(scene.world.all).id
            victim.handle(MessageReceived(mouth.say(), via, "reply"))
            if rng.random() < 0.5:
                victim.live()
            while victim.said:
                mouth.hear(host.sealer.open(victim.said.pop()))
            if case % 50 == 49:
                database.commit(victim.node.state.drain())  # raises for a value that no disk can hold
    for stranger in mouth.strangers - {row.peer for row in victim.node.state.peers}:
        assert victim.node.state.signed_by(stranger) <= UNKNOWN_OBJECTS
