"""The routes about peers: whom this node believes and why, and the operator's own word on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from p2peval.daemon.answering import as_json, body_of, ref_of
from p2peval.daemon.ports import Reputations

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class BoundBody(msgspec.Struct, forbid_unknown_fields=True):
    """``peers`` none: everybody without own evidence and without a root's word."""

    peers: Annotated[tuple[Text, ...], msgspec.Meta(max_length=1024)] = ()


class JudgeBody(msgspec.Struct, forbid_unknown_fields=True):
    """``trusted`` null takes the operator's word back; ``seconds``: how long it counts."""

    trusted: bool | None
    seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    note: Annotated[str, msgspec.Meta(max_length=256)] = ""


class NameBody(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=64)]


def routes(ask: Callable[[], Reputations]) -> list[Route]:
    """Every path about peers that is no mere list of connections; ``ask`` gives what the node believes by now."""

    async def bound(request: Request) -> Any:
        return await ask().bound((await body_of(request, BoundBody)).peers)

    async def judge(request: Request) -> Any:
        body = await body_of(request, JudgeBody)
        return await ask().judge(ref_of(request), body.trusted, body.seconds, body.note)

    async def name(request: Request) -> Any:
        return await ask().name(ref_of(request), (await body_of(request, NameBody)).name)

    return [
        Route("/v1/reputation", as_json(lambda r: ask().ls(r.query_params.get("bench"))), methods=["GET"]),
        Route("/v1/reputation", as_json(bound), methods=["POST"]),
        Route("/v1/reputation/{ref}", as_json(lambda r: ask().show(ref_of(r))), methods=["GET"]),
        Route("/v1/reputation/{ref}/explain", as_json(lambda r: ask().explain(ref_of(r))), methods=["GET"]),
        Route("/v1/reputation/{ref}/judge", as_json(judge), methods=["POST"]),
        Route("/v1/trust", as_json(lambda _: ask().export()), methods=["GET"]),
        Route("/v1/peers/{ref}/name", as_json(name), methods=["POST"]),
    ]
