"""Nodes without any I/O: a heap of virtual time, links that deliver at once, and a disk in dictionaries.

A near-twin of the daemon's driver for tests of ``core``: same commit-then-perform order, same outbox,
same at-least-once delivery. A node can be killed between any two effects and comes back from its disk.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from random import Random

from p2peval.core import audit, sync
from p2peval.core.benchmark import output_bytes
from p2peval.core.effects import (
    Compare,
    Effect,
    External,
    FetchBlob,
    Notify,
    Publish,
    Pull,
    Reply,
    RunEvaluation,
    Send,
    SetTimer,
    SyncWith,
)
from p2peval.core.events import (
    BlobFailed,
    BlobReady,
    ComparisonFinished,
    EvaluationFinished,
    Event,
    Introduced,
    JoinBenchmark,
    MessageReceived,
    PeerDown,
    PeerUp,
    PublishBenchmark,
    SendFailed,
    StartTask,
    TimerExpired,
)
from p2peval.core.messages import BenchmarkSpec
from p2peval.core.node import Node
from p2peval.core.parts import Blob, Defined, Efficiency, Limits, MetricReport, Tensor, Tolerance, Verification
from p2peval.core.state import LAZY, Change, Row, State
from p2peval.core.types import BenchmarkId, Cid, ObjectId, PeerId, TaskId
from p2peval.core.verdict import Verdict
from p2peval.defaults import NETWORK_ID
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import cid_of
from p2peval.wire.secrets import NodeSecrets

START = 1_800_000_000.0


def blob(text: str, size: int | None = None) -> Blob:
    data = text.encode()
    return Blob(cid_of(data), len(data) if size is None else size, sha256(data).digest())


@dataclass
class Disk:
    """What survives a kill."""

    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    envelopes: dict[ObjectId, bytes] = field(default_factory=dict)
    outbox: dict[str, External] = field(default_factory=dict)
    signed: list[bytes] = field(default_factory=list)

    def commit(self, delta: list[Change], effects: list[Effect], done: str) -> None:
        for table, key, row in delta:
            rows = self.rows.setdefault(table, {})
            if row is None:
                rows.pop(key, None)
            else:
                if table == "objects":
                    self.envelopes[row.id] = row.envelope  # type: ignore[attr-defined]
                    row = replace(row, **dict.fromkeys(LAZY["objects"], b""))  # type: ignore[type-var]
                rows[key] = row
        self.outbox.pop(done, None)
        for effect in effects:
            if isinstance(effect, External):
                self.outbox[effect.id] = effect

    def load(self) -> State:
        state = State()
        state.load({table: list(rows.values()) for table, rows in self.rows.items()})
        return state


class Host:
    """One node with its disk; ``lies``: it alters outputs; ``mute``: it never evaluates to the end.

    ``loses``: types of what it signs that never reach anybody.
    """

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        seed = sha256(b"host %d" % number).digest()
        self.sealer = EnvelopeSealer(seed)
        self.secrets = NodeSecrets(seed)
        self.id = self.sealer.peer_id
        self.disk = Disk()
        self.blobs: set[Cid] = set()
        self.replies: dict[str, Reply] = {}
        self.story: list[Notify] = []
        self.refusals: list[str] = []
        self.up = True
        self.lies = False
        self.mute = False
        self.reveals = True
        self.loses: tuple[type, ...] = ()
        self.node = self._load()

    def _load(self) -> Node:
        rng = Random(f"{self.world.seed}/{self.id}")
        return Node(state=self.disk.load(), sealer=self.sealer, secrets=self.secrets, rng=rng, network=NETWORK_ID)

    def handle(self, event: Event, done: str = "") -> None:
        if not self.up:
            return
        effects = self.node.handle(event, self.world.now)
        self.disk.commit(self.node.state.drain(), effects, done or getattr(event, "effect_id", ""))
        self.perform(effects)

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.world.performed += 1
            if self.world.performed == self.world.kill_at and self.world.victim in (None, self.id):
                return self.restart()
            self.world.perform(self, effect)

    def restart(self) -> None:
        """Killed: memory is gone, the disk is not; whatever was not performed is performed again."""
        self.node = self._load()
        self.world.drop_timers(self)
        self.perform(self.node.resume(self.world.now))
        self.perform(list(self.disk.outbox.values()))
        for other in self.world.hosts.values():
            if other is not self and other.up:
                self.handle(PeerUp(other.id))

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.story]


class World:
    def __init__(self, size: int, *, seed: int = 0, samples: int = 200) -> None:
        self.seed = seed
        self.now = START
        self.samples = samples
        self.performed = 0
        self.kill_at = 0
        self.victim: PeerId | None = None
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._ticket = count()
        self._timers: dict[tuple[PeerId, str], int] = {}
        self.hosts: dict[PeerId, Host] = {}
        for number in range(size):
            host = Host(self, number)
            self.hosts[host.id] = host
        for host in self.all:
            host.perform(host.node.resume(self.now))
            host.handle(Introduced(f"host-{host.id[-4:]}", ("/ip4/127.0.0.1/tcp/1",), ("class", "canonical"), 1, 1000))
        for host in self.all:
            for other in self.all:
                if host is not other:
                    host.handle(PeerUp(other.id))
        self.run(1.0)

    @property
    def all(self) -> list[Host]:
        return list(self.hosts.values())

    # ── time ──────────────────────────────────────────────────────────────────────────────────────

    def later(self, delay: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (self.now + delay, next(self._ticket), what))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._heap and self._heap[0][0] <= end:
            at, _, what = heapq.heappop(self._heap)
            self.now = max(self.now, at)
            what()
        self.now = end

    def run_until(self, holds: Callable[[], bool], *, patience: float = 600.0) -> None:
        end = self.now + patience
        while not holds():
            assert self._heap, "nothing more happens"
            assert self.now < end, "patience is over"
            at, _, what = heapq.heappop(self._heap)
            self.now = max(self.now, at)
            what()

    def drop_timers(self, host: Host) -> None:
        self._timers = {key: ticket for key, ticket in self._timers.items() if key[0] != host.id}

    # ── effects ───────────────────────────────────────────────────────────────────────────────────

    def perform(self, host: Host, effect: Effect) -> None:
        match effect:
            case Publish():
                self.later(0.01, lambda: self._gossip(host, effect))
            case Send():
                self.later(0.01, lambda: self._deliver(host, effect))
            case FetchBlob():
                self.later(0.01, lambda: self._fetch(host, effect))
            case RunEvaluation():
                self.later(0.1, lambda: self._evaluate(host, effect))
            case Compare():
                self.later(0.1, lambda: self._compare(host, effect))
            case SetTimer():
                self._set_timer(host, effect)
            case Pull():
                self.later(0.01, lambda: self._pull(host, effect))
            case SyncWith():
                self.later(0.01, lambda: self._sync(host, effect))
            case Reply():
                host.replies[effect.reply_id] = effect
            case Notify():
                host.story.append(effect)
                if effect.kind == "object.refused":
                    host.refusals.append(str(dict(effect.data)["reason"]))
            case _:
                pass

    def _set_timer(self, host: Host, timer: SetTimer) -> None:
        key, ticket = (host.id, timer.key), next(self._ticket)
        self._timers[key] = ticket

        def expire() -> None:
            if self._timers.get(key) == ticket:
                host.handle(TimerExpired(timer.key, timer.generation))

        self.later(max(0.0, timer.at - self.now), expire)

    def _gossip(self, host: Host, effect: Publish) -> None:
        if not host.up or isinstance(host.sealer.open(effect.envelope).payload, host.loses):
            return
        host.disk.outbox.pop(effect.id, None)
        host.disk.signed.append(effect.envelope)
        for other in self.all:
            if other is not host and other.up:
                other.handle(MessageReceived(other.sealer.open(effect.envelope), host.id))

    def _deliver(self, host: Host, effect: Send) -> None:
        if not host.up or isinstance(host.sealer.open(effect.envelope).payload, host.loses):
            return
        receiver = self.hosts[effect.peer]
        if not receiver.up:
            if self.now >= effect.until:
                return host.handle(SendFailed(effect.id, effect.peer, effect.about, ""))
            return self.later(1.0, lambda: self._deliver(host, effect))
        host.disk.signed.append(effect.envelope)
        ticket = f"ack-{next(self._ticket)}"
        receiver.handle(MessageReceived(receiver.sealer.open(effect.envelope), host.id, ticket))
        ack = receiver.replies.pop(ticket, None)
        if ack is None:  # the receiver was killed before it could answer: try again
            return self.later(1.0, lambda: self._deliver(host, effect))
        host.disk.outbox.pop(effect.id, None)
        if ack.error:
            host.handle(SendFailed(effect.id, effect.peer, effect.about, ack.error))

    def _fetch(self, host: Host, effect: FetchBlob) -> None:
        if not host.up:
            return
        holders = [self.hosts[peer] for peer in effect.holders if self.hosts[peer].up]
        if effect.blob.cid in host.blobs or any(effect.blob.cid in holder.blobs for holder in holders):
            host.blobs.add(effect.blob.cid)
            host.handle(BlobReady(effect.id, effect.blob.cid))
        elif self.now >= effect.until:
            host.handle(BlobFailed(effect.id, effect.blob.cid, "nobody has it"))
        else:
            self.later(1.0, lambda: self._fetch(host, effect))

    def _outputs(self, host_id: PeerId, spec: BenchmarkSpec, lies: bool) -> tuple[bytes, Blob]:
        size = output_bytes(spec)
        text = f"lie of {host_id}" if lies else "the truth"
        return sha256(f"root {host_id} {lies}".encode()).digest(), blob(text, size)

    def _evaluate(self, host: Host, effect: RunEvaluation) -> None:
        if not host.up or host.mute:
            return
        root, outputs = self._outputs(host.id, effect.spec, host.lies)
        host.blobs.add(outputs.cid)
        host.handle(
            EvaluationFinished(effect.id, effect.task, effect.assignment, "class", root, outputs, Efficiency(5, 100))
        )

    def _compare(self, host: Host, effect: Compare) -> None:
        if not host.up:
            return
        _, truth = self._outputs(effect.evaluator, effect.spec, False)
        drawn = audit.draw(effect.nonce, effect.task, effect.root, effect.spec.samples, effect.drawn)
        differing = () if effect.outputs.cid == truth.cid else tuple(drawn[:3])
        verdict = Verdict.DIFFERS if differing else Verdict.AGREES
        names = () if effect.spec.labels is None else effect.spec.metrics
        reports = tuple(MetricReport(name, Defined.VALUE, 900_000_000, None, None) for name in names)
        host.handle(
            ComparisonFinished(effect.id, effect.task, effect.assignment, verdict, effect.drawn, differing, reports)
        )

    def _pull(self, host: Host, effect: Pull) -> None:
        other = self.hosts[effect.peer]
        if not host.up or not other.up:
            return
        for id_ in effect.ids:
            envelope = other.disk.envelopes.get(id_)
            if envelope and other.node.state.objects.get(id_):
                host.handle(MessageReceived(host.sealer.open(envelope), other.id))

    def _sync(self, host: Host, effect: SyncWith) -> None:
        other = self.hosts[effect.peer]
        if not host.up or not other.up:
            return
        mine = sync.digests(host.node.state, effect.benchmarks)
        ids = sync.offered(other.node.state, effect.benchmarks, mine)
        lacking = tuple(id_ for id_ in ids if id_ not in host.node.state.objects)
        self._pull(host, Pull(other.id, lacking))

    # ── what users do ─────────────────────────────────────────────────────────────────────────────

    def disconnect(self, host: Host) -> None:
        """The host is gone, as by SIGKILL; others notice."""
        host.up = False
        for other in self.all:
            if other.up:
                other.handle(PeerDown(host.id))

    def reconnect(self, host: Host) -> None:
        host.up = True
        host.restart()
        for other in self.all:
            if other is not host and other.up:
                other.handle(PeerUp(host.id))

    def publish(self, author: Host, hold_labels: bool = False, **changes: object) -> BenchmarkId:
        spec = replace(self.spec(author), **changes)  # type: ignore[arg-type]
        author.blobs |= {spec.inputs.cid, spec.labels.cid if spec.labels else spec.inputs.cid}
        author.handle(PublishBenchmark("publish", spec, hold_labels))
        return BenchmarkId(author.replies["publish"].subject)

    def spec(self, author: Host) -> BenchmarkSpec:
        return BenchmarkSpec(
            network=NETWORK_ID,
            author=author.id,
            name="digits",
            title="Digits",
            description="",
            license="CC0-1.0",
            version=1,
            parent=BenchmarkId(""),
            task="classification",
            samples=self.samples,
            inputs=blob("inputs"),
            labels=blob("labels"),
            labels_commitment=b"",
            model_input=Tensor("x", "float32", (64,)),
            model_output=Tensor("p", "float32", (10,)),
            metrics=("accuracy",),
            range=None,
            tolerance=Tolerance(10_000, 10_000),
            limits=Limits(10, 512, 10),
            verification=Verification(10_000_000, 10_000_000, 1, 3),
        )

    def everybody_joins(self, benchmark: BenchmarkId, author: Host) -> None:
        for host in self.all:
            if host is not author:
                host.handle(JoinBenchmark("join", benchmark, True, True, (author.id,)))
        self.run(5.0)

    def start(
        self,
        requester: Host,
        benchmark: BenchmarkId,
        model: str = "model",
        replicas: int = 1,
        certify: bool = False,
        epsilon_nano: int = 0,
    ) -> TaskId:
        requester.blobs.add(blob(model).cid)
        requester.handle(StartTask("start", benchmark, blob(model), model, epsilon_nano, 0, replicas, certify=certify))
        return list(requester.node.state.tasks)[-1].id  # a reply may be lost with a killed host
