"""Jobs and answers as bytes on a worker's pipe: 4 bytes of length, big-endian, and msgpack.

Decides the frame and how large it may be. Must not know what a job is about. Never pickle: a parent that unpickles is
owned by its worker (evaluation.md).
"""

from __future__ import annotations

import struct

import msgspec

from p2peval.defaults import WORKER_FRAME
from p2peval.errors import EvaluationError, LocalProtocolError
from p2peval.evaluation.answers import Answer, AnyAnswer
from p2peval.evaluation.jobs import Order

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that a hostile worker may write."""

HEADER = struct.Struct(">I")
_orders = msgspec.msgpack.Decoder(Order)
_answers: msgspec.msgpack.Decoder[AnyAnswer] = msgspec.msgpack.Decoder(AnyAnswer)


def frame(message: Order | Answer) -> bytes:
    """Raises LocalProtocolError where the message is larger than a frame may be."""
    body = msgspec.msgpack.encode(message)
    if len(body) > WORKER_FRAME:
        raise LocalProtocolError(f"{type(message).__name__} of {len(body)} bytes on the worker's pipe")
    return HEADER.pack(len(body)) + body


def missing(data: bytes | bytearray) -> int:
    """Bytes to read on until ``data`` is a whole frame; 0 too where it announces more than a frame may have."""
    if len(data) < HEADER.size:
        return HEADER.size - len(data)
    size: int = HEADER.unpack_from(data)[0]
    return max(0, HEADER.size + size - len(data)) if size <= WORKER_FRAME else 0


def decode_order(data: bytes | bytearray) -> Order:
    """Raises EvaluationError: garbage."""
    try:
        return _orders.decode(_body(data))
    except UNREADABLE as error:
        raise EvaluationError("garbage", f"no order on the worker's pipe: {error}") from None


def decode_answer(data: bytes | bytearray) -> AnyAnswer:
    """Raises EvaluationError: garbage."""
    try:
        return _answers.decode(_body(data))
    except UNREADABLE as error:
        raise EvaluationError("garbage", f"no answer on the worker's pipe: {error}") from None


def _body(data: bytes | bytearray) -> bytes:
    if missing(data):
        raise EvaluationError("garbage", "a frame on the worker's pipe broke off")
    size: int = HEADER.unpack_from(data)[0]
    if size > WORKER_FRAME:
        raise EvaluationError("garbage", f"a frame of {size} bytes on the worker's pipe")
    return bytes(data[HEADER.size :])
