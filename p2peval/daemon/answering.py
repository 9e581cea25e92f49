"""How any route of the local API reads a request and writes an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from p2peval.defaults import API_BODY_BYTES
from p2peval.errors import UsageError

Body = TypeVar("Body")


def ref_of(request: Request) -> str:
    return str(request.path_params["ref"])


def as_json(answer: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return respond(await answer(request))

    return endpoint


def respond(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, {"cache-control": "no-store"}, "application/json")


async def body_of(request: Request, kind: type[Body]) -> Body:
    """The request's JSON as ``kind``. Raises UsageError for anything else, 413 for more than the limit."""
    data = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            data += chunk
            if len(data) > API_BODY_BYTES:
                raise HTTPException(413, f"a request holds at most {API_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(bytes(data), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"bad request body: {error}") from None
