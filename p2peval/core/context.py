"""What the parts of a node share while they handle one event: state, ports, the time, the effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from p2peval.core import sync
from p2peval.core.effects import Effect, Notify, Publish, Reply, Send, SetTimer
from p2peval.core.messages import Payload, Sealed
from p2peval.core.policy import Policy
from p2peval.core.ports import Dice, Sealer, Secrets
from p2peval.core.rows import ObjectRow
from p2peval.core.state import State
from p2peval.core.types import BenchmarkId, PeerId, Seconds
from p2peval.errors import LocalProtocolError, RemoteProtocolError

P = TypeVar("P", bound=Payload)


@dataclass(slots=True)
class Context:
    """``connected`` is volatile: who is connected right now, as PeerUp and PeerDown told."""

    state: State
    sealer: Sealer
    secrets: Secrets
    rng: Dice
    network: str
    policy: Policy
    now: Seconds = 0.0
    effects: list[Effect] = field(default_factory=list)
    connected: set[PeerId] = field(default_factory=set)

    @property
    def me(self) -> PeerId:
        return self.sealer.peer_id

    @property
    def now_ms(self) -> int:
        return int(self.now * 1000)

    def do(self, effect: Effect) -> None:
        self.effects.append(effect)

    def reply(self, reply_id: str, subject: str, error: str = "", detail: str = "") -> None:
        if reply_id:
            self.do(Reply(reply_id, subject, error, detail))

    def notify(self, kind: str, subject: str, **data: str | int | float | bool) -> None:
        self.do(Notify(kind, subject, tuple(data.items())))

    def timer(self, key: str, at: Seconds, generation: int) -> None:
        self.do(SetTimer(key, at, generation))

    def sequence(self) -> int:
        """Strictly rising over the node's life: max(last + 1, unix ms) (protocol.md, Slots)."""
        return self.state.count("sequence", max(self.state.counter("sequence") + 1, self.now_ms))

    def open(self, envelope: bytes, kind: type[P]) -> Sealed[P]:
        """An object inside another. Raises RemoteProtocolError: the sealer's reasons, or wrong_type."""
        sealed = self.sealer.open(envelope)
        if not isinstance(sealed.payload, kind):
            raise RemoteProtocolError("wrong_type", f"{type(sealed.payload).__name__} for {kind.__name__}")
        return sealed  # type: ignore[return-value]

    def keep(self, sealed: Sealed[Payload], benchmark: BenchmarkId) -> None:
        """Append a checked object to what is held."""
        self.state.keep(
            ObjectRow(
                id=sealed.id,
                type=type(sealed.payload).__name__,
                signer=sealed.signer,
                benchmark=benchmark,
                slot="/".join(sealed.payload.slot),
                bucket=sync.bucket_of(sealed.id),
                received=self.now,
                envelope=sealed.envelope,
            )
        )

    def seal(self, payload: P, benchmark: BenchmarkId) -> Sealed[P]:
        """Sign and keep. What was signed in a slot once is never signed there anew."""
        sealed = self.sealer.seal(payload)
        held = self.state.in_slot(self.me, type(payload).__name__, "/".join(payload.slot))
        if held is not None and held != sealed.id:
            raise LocalProtocolError(f"second {type(payload).__name__} in slot {payload.slot}")
        if held is None:
            self.keep(sealed, benchmark)
        return sealed

    def publish(self, sealed: Sealed[Payload], benchmark: BenchmarkId) -> None:
        kind = type(sealed.payload).__name__
        self.do(Publish(f"publish/{sealed.id}", benchmark, kind, sealed.id, sealed.envelope))

    def send(self, peer: PeerId, sealed: Sealed[Payload], about: str, until: Seconds) -> None:
        self.do(Send(f"send/{sealed.id}/{peer}", peer, about, sealed.envelope, until))
