"""The local API: HTTP under /v1 that mirrors the commands, over any ``Service``.

It knows HTTP and JSON and decides nothing: a route reads a typed body, asks the Service, and writes
the view. Whoever may speak is ``Guard``'s to say, before any route is looked up: the token on every
/v1 path, Host against DNS rebinding, Origin against web pages; there is no CORS.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from secrets import compare_digest
from typing import Annotated, Any, TypeVar

import msgspec
import trio
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from p2peval.daemon import api_reputation
from p2peval.daemon.answering import as_json, body_of, ref_of, respond
from p2peval.daemon.ports import Service
from p2peval.daemon.views import EventView
from p2peval.defaults import API_PING
from p2peval.errors import DeadlineError, NotAuthorisedError, NotFoundError, P2pevalError, UsageError

STATUS = {
    "config": 400,
    "usage": 400,
    "not_authorised": 401,
    "not_found": 404,
    "locked": 409,
    "verification_failed": 422,
    "evaluation": 422,
    "network": 502,
    "timeout": 504,
    "store": 507,
}
"""Error code -> HTTP status; any other is 500."""

EVENT_ID = re.compile(r"[0-9]{1,18}")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Probability = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Body = TypeVar("Body")


class ConnectBody(msgspec.Struct, forbid_unknown_fields=True):
    address: Text


class PublishBody(msgspec.Struct, forbid_unknown_fields=True):
    directory: Text


class JoinBody(msgspec.Struct, forbid_unknown_fields=True):
    ref: Text
    evaluates: bool = True
    requests: bool = True
    timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True):
    model: Text


class RescoreBody(msgspec.Struct, forbid_unknown_fields=True):
    metrics: tuple[Text, ...] = ()


class BundleBody(msgspec.Struct, forbid_unknown_fields=True):
    """``directory`` is an absolute path on this machine."""

    directory: Text


class TaskBody(msgspec.Struct, forbid_unknown_fields=True):
    """``model`` is an absolute path on this machine."""

    benchmark: Text
    model: Text
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    epsilon: Probability | None = None
    delta: Probability | None = None
    replicas: Annotated[int, msgspec.Meta(ge=1)] | None = None
    certify: bool = False


def application(service: Service, *, token: str, hosts: Collection[str], stopping: trio.Event) -> Starlette:
    """``hosts``: accepted Host headers. ``stopping`` ends open event streams."""
    routes = _Routes(service, stopping)
    app = Starlette(
        routes=routes.table(),
        middleware=[Middleware(Guard, token=token, hosts=frozenset(hosts))],
        exception_handlers={P2pevalError: _refused, HTTPException: _no_route, Exception: _bug},
    )
    app.router.redirect_slashes = False
    return app


class _Routes:
    def __init__(self, service: Service, stopping: trio.Event) -> None:
        self._service = service
        self._stopping = stopping

    def table(self) -> list[Route]:
        """Every path of the API, and what answers it."""
        ask = self._service

        def get(path: str, answer: Callable[[Request], Awaitable[Any]]) -> Route:
            return Route(path, as_json(answer), methods=["GET"])

        def post(path: str, answer: Callable[[Request], Awaitable[Any]]) -> Route:
            return Route(path, as_json(answer), methods=["POST"])

        return [
            get("/livez", _alive),
            get("/readyz", self._ready),
            get("/v1/status", lambda _: ask.status()),
            post("/v1/stop", lambda _: ask.stop()),
            get("/v1/id", lambda _: ask.identity()),
            get("/v1/peers", lambda _: ask.peers()),
            post("/v1/peers", self._connect),
            get("/v1/benchmarks", lambda _: ask.benchmarks()),
            post("/v1/benchmarks", self._publish),
            post("/v1/join", self._join),
            get("/v1/benchmarks/{ref}", lambda r: ask.benchmark(ref_of(r))),
            get("/v1/benchmarks/{ref}/croissant", lambda r: ask.croissant(ref_of(r))),
            get("/v1/benchmarks/{ref}/invite", lambda r: ask.invite(ref_of(r))),
            get("/v1/benchmarks/{ref}/board", lambda r: ask.board(ref_of(r), r.query_params.get("trust_root"))),
            post("/v1/benchmarks/{ref}/leave", lambda r: ask.leave(ref_of(r))),
            post("/v1/benchmarks/{ref}/reveal", lambda r: ask.reveal(ref_of(r))),
            post("/v1/benchmarks/{ref}/preview", self._preview),
            get("/v1/tasks", lambda _: ask.tasks()),
            post("/v1/tasks", self._start_task),
            get("/v1/tasks/{ref}", lambda r: ask.task(ref_of(r))),
            post("/v1/tasks/{ref}/rescore", self._rescore),
            post("/v1/tasks/{ref}/probe", lambda r: ask.probe(ref_of(r))),
            get("/v1/tasks/{ref}/report", lambda r: ask.report(ref_of(r))),
            post("/v1/tasks/{ref}/bundle", self._bundle),
            post("/v1/tasks/{ref}/cancel", lambda r: ask.cancel(ref_of(r))),
            *api_reputation.routes(lambda: ask.reputations),
            Route("/v1/events", self._events, methods=["GET"]),
        ]

    async def _ready(self, _: Request) -> dict[str, bool]:
        status = await self._service.status()
        if status.read_only or self._stopping.is_set():
            raise HTTPException(503, status.read_only or "stopping")
        return {"ready": True}

    async def _connect(self, request: Request) -> Any:
        return await self._service.connect((await body_of(request, ConnectBody)).address)

    async def _publish(self, request: Request) -> Any:
        return await self._service.publish((await body_of(request, PublishBody)).directory)

    async def _join(self, request: Request) -> Any:
        body = await body_of(request, JoinBody)
        return await self._service.join(body.ref, body.evaluates, body.requests, body.timeout)

    async def _preview(self, request: Request) -> Any:
        body = await body_of(request, PreviewBody)
        return await _while_waited_for(request, lambda: self._service.preview(ref_of(request), body.model))

    async def _start_task(self, request: Request) -> Any:
        body = await body_of(request, TaskBody)
        return await _while_waited_for(
            request,
            lambda: self._service.start_task(
                body.benchmark, body.model, body.name, body.epsilon, body.delta, body.replicas, body.certify
            ),
        )

    async def _rescore(self, request: Request) -> Any:
        return await self._service.rescore(ref_of(request), (await body_of(request, RescoreBody)).metrics)

    async def _bundle(self, request: Request) -> Any:
        body = await body_of(request, BundleBody)
        return await self._service.bundle(ref_of(request), body.directory)

    async def _events(self, request: Request) -> Response:
        after = request.query_params.get("after") or request.headers.get("last-event-id")
        if after is not None and not EVENT_ID.fullmatch(after):
            raise UsageError("`after` is no event id")
        follow = request.query_params.get("follow", "true") != "false"
        return EventStream(self._service.events(None if after is None else int(after)), self._stopping, follow)


class EventStream(Response):
    """Server-sent events with ids, and a comment when idle; ends with the daemon or with the client.

    Without ``follow`` it ends after what has happened already.
    """

    def __init__(self, events: trio.MemoryReceiveChannel[EventView], stopping: trio.Event, follow: bool) -> None:
        super().__init__(media_type="text/event-stream", headers={"cache-control": "no-store"})
        del self.headers["content-length"]
        self._events = events
        self._stopping = stopping
        self._follow = follow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._events, trio.open_nursery() as nursery:

            async def until(over: Callable[[], Awaitable[object]]) -> None:
                await over()
                nursery.cancel_scope.cancel()

            nursery.start_soon(until, self._stopping.wait)
            nursery.start_soon(until, lambda: _hung_up(receive))
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._copy(send)
            nursery.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _copy(self, send: Send) -> None:
        text = b": p2peval events\n\n"
        with suppress(trio.EndOfChannel, trio.WouldBlock):
            while True:
                await send({"type": "http.response.body", "body": text, "more_body": True})
                text = b": idle\n\n"
                with trio.move_on_after(API_PING):
                    event = await self._events.receive() if self._follow else self._events.receive_nowait()
                    text = b"id: %d\ndata: %s\n\n" % (event.id, msgspec.json.encode(event))


async def _alive(_: Request) -> dict[str, bool]:
    return {"alive": True}


async def _while_waited_for(request: Request, work: Callable[[], Awaitable[Any]]) -> Any:
    """What ``work`` answers; cancelled when its client leaves: who stopped asking wants no model announced.

    ``request``: its body has been read. Raises what ``work`` raises, DeadlineError where nobody waits any more.
    """
    answered: list[Any] = []
    refused: list[P2pevalError] = []
    async with trio.open_nursery() as nursery:

        async def watch() -> None:
            await _hung_up(request.receive)
            nursery.cancel_scope.cancel()

        nursery.start_soon(watch)
        try:
            answered.append(await work())
        except P2pevalError as error:
            refused.append(error)
        nursery.cancel_scope.cancel()
    if refused:
        raise refused[0]
    if not answered:
        raise DeadlineError("the client left before it was answered")
    return answered[0]


async def _hung_up(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


# ── errors ────────────────────────────────────────────────────────────────────────────────────────


def _error(status: int, code: str, message: str, hint: str = "", retryable: bool = False) -> Response:
    body = {"code": code, "message": message, "hint": hint, "retryable": retryable}
    return respond({"error": body}, status)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, P2pevalError)
    return _error(STATUS.get(error.code, 500), error.code, error.message, error.hint, error.retryable)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _error(404, NotFoundError.code, f"no such path: {request.url.path}")
    return _error(error.status_code, UsageError.code, error.detail)


async def _bug(_: Request, __: Exception) -> Response:
    """The server logs the traceback; a client gets none of it."""
    return _error(500, "internal", "the daemon failed to answer", "its log says why")


# ── who may speak ─────────────────────────────────────────────────────────────────────────────────


class Guard:
    """Pure ASGI, outermost but for error handling; lets a request through or answers it itself."""

    def __init__(self, app: ASGIApp, *, token: str, hosts: frozenset[str]) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["type"] in ("http", "lifespan"):
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        code = NotAuthorisedError.code
        if headers.get("host", "") not in self._hosts:
            return _error(403, code, "foreign Host header")
        origin = headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self._hosts:
            return _error(403, code, "foreign Origin", "web pages may not use this API")
        given = headers.get("authorization", "").encode()
        if scope["path"].startswith("/v1") and not compare_digest(given, self._expected):
            return _error(401, code, "missing or wrong token", "it lies in the file `token` of `p2peval paths`")
        return None
