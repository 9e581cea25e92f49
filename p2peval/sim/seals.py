"""Who said what, without cryptography: the same ids, sizes and bounds as on the wire, but no signatures.

Objects are encoded as ``wire`` encodes them, so an id in the lab is the id that a real node would give the same
payload, and what a real node would refuse to sign is refused here. What is left out is the signature itself: an
envelope opens in the lab because it was sealed in the same lab, and nobody can seal in another's name. A scenario may
ask for real keys instead (``crypto = "real"``); a test shows that both take the same decisions.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TypeVar

from p2peval.core.messages import Payload, Sealed
from p2peval.core.types import ObjectId
from p2peval.defaults import NETWORK_ID
from p2peval.errors import LocalProtocolError, RemoteProtocolError
from p2peval.wire import codec
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.ids import object_id

P = TypeVar("P", bound=Payload)

UNSIGNED = bytes(64)
"""In place of a signature, so that envelopes are as large as real ones, give or take a few bytes."""


class Archive:
    """All objects that were ever sealed in one world: what opens there, and what sync hands over."""

    __slots__ = ("_envelopes", "_objects")

    def __init__(self) -> None:
        self._envelopes: dict[bytes, Sealed[Payload]] = {}
        self._objects: dict[ObjectId, Sealed[Payload]] = {}

    def put(self, sealed: Sealed[Payload]) -> None:
        self._envelopes[sealed.envelope] = sealed
        self._objects[sealed.id] = sealed

    def open(self, envelope: bytes) -> Sealed[Payload]:
        """Raises RemoteProtocolError ``signature`` for what nobody sealed."""
        sealed = self._envelopes.get(envelope)
        if sealed is None:
            raise RemoteProtocolError("signature", "nobody in this world sealed it")
        return sealed

    def get(self, object_id: ObjectId) -> Sealed[Payload] | None:
        return self._objects.get(object_id)


class KeptSealer(EnvelopeSealer):
    """A real key, whose objects are kept in the archive for others to pull; every receiver checks the signature."""

    def __init__(self, seed: bytes, archive: Archive) -> None:
        super().__init__(seed)
        self._archive = archive

    def seal(self, payload: P) -> Sealed[P]:
        sealed = super().seal(payload)
        self._archive.put(sealed)
        return sealed


class LabSealer(KeptSealer):
    """The same key, ids and bounds, and no signature: what opens is what was sealed in this lab."""

    def seal(self, payload: P) -> Sealed[P]:
        """Raises LocalProtocolError for a payload that others would refuse, or of another author."""
        if payload.author != self.peer_id:
            raise LocalProtocolError(f"{payload.author} is the author, but {self.peer_id} would sign")
        body = codec.encode(payload, NETWORK_ID)
        envelope = b"".join((UNSIGNED, self.peer_id.encode(), codec.domain_of(payload).encode(), body))
        sealed = Sealed(payload, self.peer_id, object_id(body), envelope)
        self._archive.put(sealed)
        return sealed

    def open(self, envelope: bytes) -> Sealed[Payload]:
        return self._archive.open(envelope)


class LabSecrets:
    """``core.ports.Secrets``: what the other hosts of a lab cannot guess, and its user can."""

    __slots__ = ("_key",)

    def __init__(self, seed: bytes) -> None:
        self._key = sha256(b"p2peval/lab-secrets/v1" + seed).digest()

    def nonce(self, purpose: str, *parts: str | int) -> bytes:
        said = "\x00".join(f"{type(part).__name__}:{part}" for part in (purpose, *parts))
        return hmac.digest(self._key, said.encode(), "sha256")
