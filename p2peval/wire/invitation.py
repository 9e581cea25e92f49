"""Invitations: one string that holds all a newcomer needs to join a benchmark (protocol.md, Names).

``p2peval-join:`` and base32 of length (2 bytes) ‖ message ‖ first 4 bytes of SHA-256(length ‖ message).
Base32 because chat programs italicise underscores and some wrap or capitalise; the length tells a
paste that was cut short from one with a wrong character. An invitation is not signed: whoever hands
it over is trusted to name peers, and what those send is checked as always.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from hashlib import sha256

from p2peval.defaults import NETWORK_ID
from p2peval.errors import RemoteProtocolError, UsageError
from p2peval.wire.codec import decode_frame, encode_frame
from p2peval.wire.frames import Invitation

PREFIX = "p2peval-join:"
_HEADER, _CHECKSUM = 2, 4
_HINT = f"paste the whole line that `p2peval bench invite` printed, from {PREFIX} to its end"


def encode_invitation(invitation: Invitation) -> str:
    """Raises LocalProtocolError for fields out of bounds."""
    message = encode_frame(invitation)
    body = len(message).to_bytes(_HEADER, "big") + message
    return PREFIX + b32encode(body + _checksum(body)).decode().rstrip("=").lower()


def is_invitation(text: str) -> bool:
    """Whether ``text`` means to be an invitation (it may still be damaged)."""
    return _squeezed(text).startswith(PREFIX)


def decode_invitation(text: str, network: str = NETWORK_ID) -> Invitation:
    """Raises UsageError: no invitation, cut short, damaged, of another network."""
    message = _unwrap(_squeezed(text))
    try:
        invitation = decode_frame(Invitation, message)
    except RemoteProtocolError as error:
        raise UsageError(
            f"this invitation is malformed ({error.message})", hint="was it made by a newer p2peval?"
        ) from error
    if invitation.network != network:
        raise UsageError(
            f"this invitation is for the network {invitation.network!r}, and this node is on {network!r}",
            hint="ask for an invitation to a benchmark on your network",
        )
    return invitation


def _squeezed(text: str) -> str:
    """Without the white space of wrapped lines, and in lower case."""
    return "".join(text.split()).lower()


def _unwrap(text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise UsageError(f"an invitation starts with {PREFIX}", hint=_HINT)
    letters = text[len(PREFIX) :]
    whole_bytes = len(letters) * 5 // 8
    try:
        data = _from_base32(letters[: _letters_for(whole_bytes)])
    except ValueError as error:
        raise UsageError("this invitation has a character that does not belong there", hint=_HINT) from error
    body_end = _HEADER + int.from_bytes(data[:_HEADER], "big")
    wanted = _letters_for(body_end + _CHECKSUM)
    if len(letters) < wanted:
        raise UsageError(f"this invitation is cut short: {len(letters)} of {wanted} characters", hint=_HINT)
    if len(letters) > wanted or data[body_end:] != _checksum(data[:body_end]):
        raise UsageError("this invitation is damaged: its checksum does not match", hint=_HINT)
    return data[_HEADER:body_end]


def _letters_for(count: int) -> int:
    """Base32 characters of so many bytes."""
    return -(-count * 8 // 5)


def _from_base32(letters: str) -> bytes:
    return b32decode(letters.upper() + "=" * (-len(letters) % 8))


def _checksum(body: bytes) -> bytes:
    return sha256(body).digest()[:_CHECKSUM]
