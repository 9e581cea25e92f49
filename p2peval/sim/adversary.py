"""How to attack: an adversary is a filter over all that a real node hears and does. This is the API for a user's own.

    from dataclasses import dataclass
    from p2peval.sim.adversary import Adversary, Events
    from p2peval.core.events import EvaluationFinished

    @dataclass
    class Liar(Adversary):
        '''Alters every tenth output.'''
        knows = "nothing but its own tasks"
        costs = "one evaluation a task"
        share: float = 0.1

        def hear(self, event):
            if isinstance(event, EvaluationFinished):
                event = self.grip.lie(event, self.share, tag=self.grip.me)
            yield event

Each dishonest host gets an instance of its own, with the options that the scenario gives; the fields of the dataclass
are these options. ``hear`` sees every event before the node does, ``act`` every effect before it is performed; what
they yield takes its place. What an adversary may do beyond that stands in ``Grip``: it can sign with its own key only,
as in the world outside. A user's file is loaded by ``load``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from inspect import getmembers, isclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from p2peval.core.effects import Effect, Publish, RunEvaluation, Send
from p2peval.core.events import EvaluationFinished, Event, Sampled
from p2peval.core.messages import BenchmarkSpec, Payload, Sealed
from p2peval.core.node import Node
from p2peval.core.parts import Efficiency
from p2peval.core.rows import ObjectRow
from p2peval.core.sync import bucket_of
from p2peval.core.types import BenchmarkId, Cid, PeerId, Seconds, TaskId
from p2peval.errors import ConfigError
from p2peval.sim.own_file import loaded
from p2peval.sim.synthetic import Outputs, root
from p2peval.wire.ids import public_key_of

if TYPE_CHECKING:
    from p2peval.sim.host import Host
    from p2peval.sim.world import World

Events = Iterable[Event]
Effects = Iterable[Effect]


@dataclass
class Ring:
    """Hosts of one ``[[adversaries]]`` table: they know each other, and share ``memory`` without a message.

    ``cost``: what the attack has cost so far, by kind: "identities" and "lies" are counted here, evaluations and
    messages by the world.
    """

    name: str
    numbers: tuple[int, ...] = ()
    memory: dict[str, Any] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)

    def spend(self, kind: str, amount: float = 1.0) -> None:
        self.cost[kind] = self.cost.get(kind, 0.0) + amount


class Grip:
    """One adversary's hold on its host, and the whole of what it may do beyond filtering."""

    def __init__(self, world: World, host: Host, ring: Ring, rng: Random) -> None:
        self.world = world
        self.host = host
        self.ring = ring
        self.rng = rng

    # ── what it knows ─────────────────────────────────────────────────────────────────────────────

    @property
    def me(self) -> PeerId:
        return self.host.id

    @property
    def now(self) -> Seconds:
        return self.world.now

    @property
    def node(self) -> Node:
        """Its own node: the state may be read."""
        return self.host.node

    @property
    def friends(self) -> tuple[PeerId, ...]:
        """The ring's peer ids as they are now, its own among them, in order of their hosts."""
        return tuple(self.world.hosts[number].id for number in self.ring.numbers)

    @property
    def others(self) -> tuple[PeerId, ...]:
        """Peers of its node's table that do not belong to the ring, sorted."""
        friends = set(self.friends)
        return tuple(sorted(row.peer for row in self.node.state.peers if row.peer not in friends))

    def serves(self, task: TaskId) -> bool:
        """Whether its node has this task from somebody else."""
        return task in self.node.state.duties

    def requester_of(self, task: TaskId) -> PeerId:
        """Of a task that this host evaluates."""
        return self.node.state.duties[task].requester

    def spec_of(self, task: TaskId) -> BenchmarkSpec:
        """Of a task that this host evaluates."""
        state = self.node.state
        return state.benchmarks[state.duties[task].benchmark].known

    # ── what it says ──────────────────────────────────────────────────────────────────────────────

    def lie(self, event: EvaluationFinished, share: float, tag: str) -> EvaluationFinished:
        """The same answer with ⌈``share`` · samples⌉ outputs altered: alike for all who lie under the same ``tag``."""
        duty = self.node.state.duties[event.task]
        spec, laboratory = self.spec_of(event.task), self.world.workshop.laboratory
        outputs = laboratory.altered(spec, duty.model.cid, event.equivalence_class, share, tag)
        self._count(outputs)
        self.world.hold(self.host, outputs.blob.cid)
        return replace(event, root=root(outputs, public_key_of(self.me)), outputs=outputs.blob)

    def make_up(self, job: RunEvaluation, tag: str) -> EvaluationFinished:
        """An answer to ``job`` that nothing was run for: all of its outputs are false; alike under the same ``tag``."""
        own = self.host.equivalence_class
        outputs = self.world.workshop.laboratory.altered(job.spec, job.model.cid, own, 1.0, tag)
        self._count(outputs)
        return self._answer(job, outputs)

    def copy(self, job: RunEvaluation, outputs: Cid) -> EvaluationFinished:
        """An answer to ``job`` with another's outputs, which this host has fetched, for its own."""
        if outputs not in self.host.blobs:
            raise ConfigError(f"{outputs} is not on this host", hint="fetch it first, by a FetchBlob of your own")
        return self._answer(job, self.world.workshop.laboratory[outputs])

    def _count(self, lie: Outputs) -> None:
        self.ring.spend("lies")
        self.ring.memory.setdefault("lies", set()).add(lie.blob.cid)

    def lied(self, task: TaskId) -> bool:
        """Whether what its node has committed to about this task is a lie of its ring."""
        duty = self.node.state.duties.get(task)
        return duty is not None and duty.outputs is not None and duty.outputs.cid in self.ring.memory.get("lies", ())

    def _answer(self, job: RunEvaluation, outputs: Outputs) -> EvaluationFinished:
        self.world.hold(self.host, outputs.blob.cid)
        took = Efficiency(max(1, round(1000 * self.world.workshop.seconds)), 100)  # as if it had
        own, bound = self.host.equivalence_class, root(outputs, public_key_of(self.me))
        return EvaluationFinished(job.id, job.task, job.assignment, own, bound, outputs.blob, took)

    def vouch(self, event: Sampled, share: float, tag: str) -> Sampled:
        """What a blind auditor says of a model about which its ring lies with this ``share`` and ``tag``."""
        asked = self.node.state.inquiries[event.effect_id.rsplit("/", 1)[1]]
        spec, laboratory = self.node.state.benchmarks[asked.benchmark].known, self.world.workshop.laboratory
        rows = laboratory.altered(spec, asked.model.cid, event.equivalence_class, share, tag).rows
        return replace(event, rows=tuple(rows[index].tobytes() for index in asked.indices))

    def open(self, envelope: bytes) -> Sealed[Payload]:
        """An envelope inside another's message."""
        return self.world.archive.open(envelope)

    def seal(self, payload: Payload) -> Sealed[Payload]:
        """Sign in its own name: ``payload.author`` is ``me``. Raises LocalProtocolError for what nobody would take."""
        sealed: Sealed[Payload] = self.host.sealer.seal(payload)
        return sealed

    def publish(self, sealed: Sealed[Payload], benchmark: BenchmarkId) -> Publish:
        """The effect that gossips it; to be yielded by ``act``, or done at once by ``do``."""
        kind = type(sealed.payload).__name__
        return Publish(f"publish/{sealed.id}", benchmark, kind, sealed.id, sealed.envelope)

    def send(self, peer: PeerId, sealed: Sealed[Payload], until: Seconds) -> Send:
        """The effect that delivers it to one peer."""
        return Send(f"send/{sealed.id}/{peer}", peer, "", sealed.envelope, until)

    def say_instead(self, effect: Publish, payload: Payload) -> Publish:
        """Another payload in the slot of what the node wanted to publish; the node itself holds that from now on.

        Else those who sync with this host would get both, and hold a proof of equivocation.
        """
        self.node.state.forget(effect.object)
        sealed = self.seal(payload)
        self.keep(sealed, effect.benchmark)
        return self.publish(sealed, effect.benchmark)

    def keep(self, sealed: Sealed[Payload], benchmark: BenchmarkId) -> None:
        """Hold an object, so that whoever syncs with this host gets it."""
        kind, slot = type(sealed.payload).__name__, "/".join(sealed.payload.slot)
        place = bucket_of(sealed.id)
        row = ObjectRow(sealed.id, kind, sealed.signer, benchmark, slot, place, self.now, sealed.envelope)
        self.node.state.keep(row)

    def whisper(self, numbers: Iterable[int], sealed: Sealed[Payload]) -> None:
        """Hand an object to some hosts directly, as if in answer to their sync; its node need not hold it."""
        for number in numbers:
            self.world.reach(
                self.host.number, number, len(sealed.envelope), self.world.heard, number, self.host.number, sealed
            )

    # ── what it does ──────────────────────────────────────────────────────────────────────────────

    def do(self, *effects: Effect) -> None:
        """Perform effects of its own, past its own filters."""
        self.world.perform(self.host, effects)

    def inject(self, event: Event) -> None:
        """Let its node handle an event that did not happen."""
        self.world.answer(self.host, event)

    def later(self, delay: Seconds, what: Callable[..., None], *args: Any) -> None:
        """Whatever becomes of the process meanwhile."""
        self.world.heap.later(delay, what, *args)

    def at(self, host: Host) -> Grip:
        """The ring's hold on another host, which it has bought."""
        return Grip(self.world, host, self.ring, self.rng)

    def become_new(self) -> None:
        """A new key on the same machine; its benchmarks are joined again."""
        self.ring.spend("identities")
        joined = [row for row in self.node.state.benchmarks if row.joined]
        count = self.ring.memory["births"] = self.ring.memory.get("births", 0) + 1
        self.world.replace_identity(self.host, f"{self.ring.name}-{self.host.number}-{count}")
        self.world.rejoin(self.host, joined)


@dataclass
class Adversary:
    """One dishonest host's filter. Subclass it as a dataclass; its fields are the options of a scenario.

    ``knows`` and ``costs`` say in words what the attack needs to know and what it is paid with: reports print both.
    """

    knows: ClassVar[str] = ""
    costs: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self._grip: Grip | None = None

    @property
    def grip(self) -> Grip:
        if self._grip is None:
            raise ConfigError(f"{type(self).__name__} is not on a host yet", hint="use self.grip from begin() on")
        return self._grip

    def seize(self, grip: Grip) -> None:
        """What the world does before ``begin``."""
        self._grip = grip

    def begin(self) -> None:
        """Its host is up and has joined the scenario's benchmarks."""

    def hear(self, event: Event) -> Events:
        """What its node shall handle instead of ``event``."""
        return (event,)

    def act(self, effect: Effect) -> Effects:
        """What shall be performed instead of ``effect``."""
        return (effect,)

    @classmethod
    def name(cls) -> str:
        """As scenarios call it: LazyCopier is lazy-copier."""
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("-")


def options(kind: type[Adversary]) -> dict[str, tuple[Any, Any]]:
    """Option -> (type as written, default) of an adversary."""
    return {each.name: (each.type, each.default) for each in fields(kind) if each.init}


def load(path: Path) -> type[Adversary]:
    """The one Adversary that a user's file defines. Raises ConfigError, saying what is wrong with it."""
    module = loaded(path, "an Adversary")
    found = list(_defined(module))
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise ConfigError(
            f"{path}: defines {len(found)} adversaries ({names})", hint="one subclass of Adversary a file"
        )
    if "__dataclass_fields__" not in vars(found[0]):
        raise ConfigError(f"{path}: {found[0].__name__} is no dataclass", hint="put @dataclass above it")
    return found[0]


def _defined(module: Any) -> Iterator[type[Adversary]]:
    for _, kind in getmembers(module, isclass):
        if issubclass(kind, Adversary) and kind.__module__ == module.__name__:
            yield kind
