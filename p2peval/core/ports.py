"""What is injected into the node: all that a pure machine may not have of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from p2peval.core.messages import Payload, Sealed
from p2peval.core.types import PeerId

P = TypeVar("P", bound=Payload)
T = TypeVar("T")


class Dice(Protocol):
    """Chance for choices that others may guess; ``random.Random`` is one."""

    def random(self) -> float:
        """Uniform in [0, 1)."""
        ...

    def choice(self, seq: Sequence[T], /) -> T: ...
    def sample(self, population: Sequence[T], /, k: int) -> list[T]: ...
    def expovariate(self, lambd: float, /) -> float: ...


class Secrets(Protocol):
    """Values nobody may guess, yet the same after a restart."""

    def nonce(self, purpose: str, *parts: str | int) -> bytes:
        """32 bytes: HMAC-SHA256(node secret, purpose ‖ parts), each part length-prefixed."""
        ...


class Sealer(Protocol):
    """Signs, names and opens objects."""

    @property
    def peer_id(self) -> PeerId: ...

    def key_of(self, peer: PeerId) -> bytes:
        """The 32-byte public key that a peer id names. Raises RemoteProtocolError ``bounds``."""
        ...

    def seal(self, payload: P) -> Sealed[P]:
        """Sign with this node's key. Deterministic: the same payload gives the same bytes."""
        ...

    def open(self, envelope: bytes) -> Sealed[Payload]:
        """Check and decode. Raises RemoteProtocolError with a reason code."""
        ...
