"""Nonces nobody can guess and no crash can change: derived from the node's seed, never drawn.

What was derived before a crash is derived again after it, so a second commitment is byte-identical
(architecture, the seam, rule 4). The seed itself signs; a key apart, made by HKDF (RFC 5869), derives.
"""

from __future__ import annotations

import hmac
from random import Random

from p2peval.core.ports import Secrets
from p2peval.core.types import Seconds

_SALT = b"p2peval/secrets/v1"


class NodeSecrets:
    """``core.ports.Secrets`` over a 32-byte seed."""

    __slots__ = ("_key",)

    def __init__(self, seed: bytes) -> None:
        extracted = _hmac(_SALT, seed)
        self._key = _hmac(extracted, b"nonce\x01")

    def nonce(self, purpose: str, *parts: str | int) -> bytes:
        """32 bytes; equal arguments, equal bytes. 1 and "1" are different parts."""
        return _hmac(self._key, b"".join(_part(part) for part in (purpose, *parts)))


def choices_from(secrets: Secrets, at: Seconds) -> Random:
    """What a node whose state was loaded at ``at`` draws from: nobody's guess, and drawn again by who has the key."""
    return Random(secrets.nonce("choices", str(at)))


def _part(part: str | int) -> bytes:
    kind, text = (b"i", str(part)) if isinstance(part, int) else (b"s", part)
    data = text.encode()
    return kind + len(data).to_bytes(4, "big") + data


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
