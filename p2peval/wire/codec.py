"""Messages to bytes and back; the only module that knows the generated protobuf code.

Decides whether bytes are *the* encoding of a message: small enough, canonical (protobuf has many
encodings of one message, and ids are hashes), of this network, every field within its bound. Knows
nothing of keys and signatures (``envelope.py``), nor of what a message means. protocol.md, Signed objects.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_args

from google.protobuf.message import DecodeError, Message

from p2peval.core.messages import Payload
from p2peval.defaults import MAX_OBJECT_BYTES, NETWORK_ID
from p2peval.errors import LocalProtocolError, RemoteProtocolError
from p2peval.wire import p2peval_pb2
from p2peval.wire.bounds import FRAME_BYTES
from p2peval.wire.frames import Frame
from p2peval.wire.plan import Plan, Planner

F = TypeVar("F", bound=Frame)

_planner = Planner(lambda name: getattr(p2peval_pb2, name))
_FRAMES: dict[type, Plan[Any]] = {cls: _planner.plan(cls) for cls in get_args(Frame)}
_PAYLOADS: dict[str, Plan[Any]] = {f"p2peval/{cls.__name__}/v1": _planner.plan(cls) for cls in get_args(Payload)}
_DOMAINS: dict[type, str] = {plan.cls: domain for domain, plan in _PAYLOADS.items()}

DOMAINS = tuple(_PAYLOADS)
"""Every domain that this version signs and accepts."""


def domain_of(payload: Payload) -> str:
    """``p2peval/<type>/v1``: what the signature says this payload is."""
    return _DOMAINS[type(payload)]


def encode(payload: Payload, network: str = NETWORK_ID) -> bytes:
    """Canonical bytes of a payload. Raises LocalProtocolError where ``decode`` would refuse them."""
    domain = domain_of(payload)
    return _write(_PAYLOADS[domain], payload, lambda data: decode(domain, data, network))


def decode(domain: str, data: bytes, network: str = NETWORK_ID) -> Payload:
    """Raises RemoteProtocolError: domain, size, protobuf, not_canonical, network, missing, enum, bounds."""
    plan = _PAYLOADS.get(domain)
    if plan is None:
        raise RemoteProtocolError("domain", repr(domain[:64]))
    message: Any = _parse(plan, data, MAX_OBJECT_BYTES)
    if message.network != network:
        raise RemoteProtocolError("network", repr(message.network[:64]))
    payload: Payload = plan.read(message)
    return payload


def encode_frame(frame: Frame) -> bytes:
    """Canonical bytes of a transport message. Raises LocalProtocolError where ``decode_frame`` would refuse."""
    cls = type(frame)
    return _write(_FRAMES[cls], frame, lambda data: decode_frame(cls, data))


def decode_frame(cls: type[F], data: bytes) -> F:
    """Raises RemoteProtocolError: size, protobuf, not_canonical, missing, bounds."""
    plan: Plan[F] = _FRAMES[cls]
    return plan.read(_parse(plan, data, FRAME_BYTES[cls]))


def _parse(plan: Plan[Any], data: bytes, most: int) -> Message:
    """Unknown fields survive a round trip through protobuf unless they are discarded first (tried)."""
    if len(data) > most:
        raise RemoteProtocolError("size", f"{len(data)} bytes, at most {most}")
    message = plan.message()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise RemoteProtocolError("protobuf", plan.cls.__name__) from error
    message.DiscardUnknownFields()
    if message.SerializeToString(deterministic=True) != data:
        raise RemoteProtocolError("not_canonical", plan.cls.__name__)
    return message


def _write(plan: Plan[Any], value: Any, read_back: Any) -> bytes:
    """Writing is checked by reading: what comes back must be what went in."""
    message = plan.message()
    try:
        plan.write(value, message)
        data = message.SerializeToString(deterministic=True)
        same = read_back(data) == value
    except (TypeError, ValueError, LookupError, AttributeError, RemoteProtocolError) as error:
        raise LocalProtocolError(f"cannot send this {plan.cls.__name__}: {error}") from error
    if not same:
        raise LocalProtocolError(f"{plan.cls.__name__} would not arrive as it was sent")
    return data
