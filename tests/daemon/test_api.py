"""The real server on a real socket, spoken to in raw HTTP: who may speak, and what is refused how."""

from __future__ import annotations

import json
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from p2peval.daemon import server
from p2peval.defaults import API_BODY_BYTES
from p2peval.errors import (
    ConfigError,
    DeadlineError,
    EvaluationError,
    LockedError,
    NetworkError,
    NotFoundError,
    P2pevalError,
    StoreError,
    UsageError,
    VerificationError,
)
from p2peval.paths import Paths
from tests.cli.scripted import Scripted, event, home, serving


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return home(tmp_path / "run")


@pytest.fixture
def service(paths: Paths) -> Iterator[Scripted]:
    scripted = Scripted()
    with serving(scripted, paths):
        yield scripted


@pytest.fixture
def http(service: Scripted, paths: Paths) -> Iterator[httpx.Client]:
    token = paths.token.read_text()
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx.HTTPTransport(uds=str(paths.socket))
    with httpx.Client(transport=transport, base_url="http://p2peval", headers=headers, timeout=10) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_socket_and_token_are_the_owners_alone(service: Scripted, paths: Paths) -> None:
    assert stat.S_IMODE(paths.runtime.stat().st_mode) == 0o700
    assert stat.S_IMODE(paths.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.token.stat().st_mode) == 0o600
    assert len(paths.token.read_text()) >= 40


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer é"])
@pytest.mark.parametrize("path", ["/v1/status", "/v1/events", "/v1/nowhere", "/v1"])
def test_without_the_token_every_v1_path_is_401(http: httpx.Client, service: Scripted, given: str, path: str) -> None:
    answer = http.get(path, headers={"authorization": given.encode()})
    assert code(answer) == (401, "not_authorised")
    assert service.calls == []


def test_liveness_needs_no_token(http: httpx.Client) -> None:
    assert http.get("/livez", headers={"authorization": ""}).json() == {"alive": True}
    assert http.get("/readyz", headers={"authorization": ""}).json() == {"ready": True}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:81", ""])
def test_foreign_origin_is_403_even_with_the_token(http: httpx.Client, service: Scripted, origin: str) -> None:
    answer = http.post("/v1/stop", headers={"origin": origin})
    assert code(answer) == (403, "not_authorised")
    assert "access-control-allow-origin" not in answer.headers
    assert service.calls == []


@pytest.mark.parametrize("host", ["evil.example", "p2peval:80", "localhost.evil.example", ""])
def test_foreign_host_is_403(http: httpx.Client, service: Scripted, host: str) -> None:
    assert http.get("/v1/status", headers={"host": host}).status_code in (400, 403)
    assert service.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"benchmark": "b"}',
        b'{"benchmark": "b", "model": 3}',
        b'{"benchmark": "b", "model": "m", "epsilon": 0}',
        b'{"benchmark": "b", "model": "m", "epsilon": 1e999}',
        b'{"benchmark": "b", "model": "m", "replicas": -1}',
        b'{"benchmark": "b", "model": "m", "evil": 1}',
        b'{"benchmark": "\xff", "model": "m"}',
        b"[" * 5000,
    ],
)
def test_bad_body_is_400_and_says_why(http: httpx.Client, service: Scripted, body: bytes) -> None:
    answer = http.post("/v1/tasks", content=body)
    assert code(answer) == (400, "usage")
    assert set(answer.json()["error"]) == {"code", "message", "hint", "retryable"}
    assert service.calls == []


def test_body_over_the_limit_is_413_however_it_is_sent(http: httpx.Client, service: Scripted) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(API_BODY_BYTES // 1024 + 1):
            yield b" " * 1024

    assert http.post("/v1/tasks", content=b" " * (API_BODY_BYTES + 1)).status_code == 413
    assert http.post("/v1/tasks", content=chunks()).status_code == 413
    assert service.calls == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nowhere", 404), ("GET", "/", 404), ("PUT", "/v1/status", 405), ("GET", "/v1/benchmarks/", 404)],
)
def test_unknown_path_or_method_is_json_too(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), 400),
        (ConfigError("x"), 400),
        (NotFoundError("x"), 404),
        (LockedError("x"), 409),
        (VerificationError("x"), 422),
        (EvaluationError("bad_data", "x"), 422),
        (NetworkError("x"), 502),
        (DeadlineError("x"), 504),
        (StoreError("x"), 507),
        (P2pevalError("x"), 500),
    ],
)
def test_error_crosses_with_its_code_and_status(
    http: httpx.Client, service: Scripted, error: P2pevalError, status: int
) -> None:
    error.hint = "do this"
    service.errors["peers"] = error
    answer = http.get("/v1/peers")
    assert answer.status_code == status
    assert answer.json()["error"] == {
        "code": error.code,
        "message": "x",
        "hint": "do this",
        "retryable": error.retryable,
    }


def ids(answer: httpx.Response) -> list[int]:
    return [json.loads(line[6:])["id"] for line in answer.text.splitlines() if line.startswith("data: ")]


def test_events_resume_after_the_last_one_seen(http: httpx.Client, service: Scripted) -> None:
    service.kept = [event(n, "peer.up", "x") for n in (4, 5, 6)]
    query = {"follow": "false"}
    assert ids(http.get("/v1/events", params=query)) == []
    assert ids(http.get("/v1/events", params=query | {"after": "4"})) == [5, 6]
    assert ids(http.get("/v1/events", params=query, headers={"last-event-id": "5"})) == [6]
    assert code(http.get("/v1/events", params={"after": "x"})) == (400, "usage")
    assert code(http.get("/v1/events", params={"after": "9" * 5000})) == (400, "usage")


def test_event_stream_gives_its_subscription_back_when_the_client_leaves(http: httpx.Client, service: Scripted) -> None:
    with http.stream("GET", "/v1/events") as answer:
        lines = answer.iter_lines()  # kept: the stream closes with its iterator
        next(lines)
        (channel,) = service.channels
        assert channel.statistics().open_receive_channels == 1
    deadline = time.monotonic() + 5
    while channel.statistics().open_receive_channels:
        assert time.monotonic() < deadline, "the subscription leaks"
        http.get("/livez")


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/benchmarks/digits/preview"])
def test_model_is_not_tried_further_when_whoever_asked_has_left(
    http: httpx.Client, service: Scripted, path: str
) -> None:
    service.hang = True
    body = {"model": "/m.onnx"} | ({"benchmark": "digits"} if path == "/v1/tasks" else {})
    with pytest.raises(httpx.ReadTimeout):
        http.post(path, json=body, timeout=0.5)
    deadline = time.monotonic() + 5
    while not service.left:
        assert time.monotonic() < deadline, "the work goes on for nobody"
        http.get("/livez")


def test_stop_ends_open_event_streams_at_once(service: Scripted, http: httpx.Client, paths: Paths) -> None:
    with http.stream("GET", "/v1/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        start = time.monotonic()
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(paths.socket)), headers=http.headers) as other:
            assert other.post("http://p2peval/v1/stop").status_code == 200
        assert [line for line in lines if line.startswith("data")] == []
    assert time.monotonic() - start < 2


async def test_cancelled_server_still_answers_the_request_that_stopped_it(paths: Paths) -> None:
    service = Scripted()
    service.stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(server.serve, service, paths, "", service.stopping)
        headers = {"authorization": f"Bearer {paths.token.read_text()}"}
        transport = httpx.AsyncHTTPTransport(uds=str(paths.socket))
        client = httpx.AsyncClient(transport=transport, base_url="http://p2peval", headers=headers)
        async with client, client.stream("GET", "/v1/events"):
            nursery.start_soon(cancel_once_set, service.stopping, nursery.cancel_scope)
            with trio.CancelScope(shield=True):
                answer = await client.post("/v1/stop")
    assert answer.status_code == 200
    assert list(paths.runtime.iterdir()) == []


async def cancel_once_set(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def refused(paths: Paths, listen: str = "") -> P2pevalError:
    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(server.serve, Scripted(), paths, listen, trio.Event())
        except P2pevalError as error:
            return error
        nursery.cancel_scope.cancel()
    raise AssertionError("it started")


async def test_taken_port_is_one_clear_error_and_leaves_nothing(paths: Paths) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = await refused(paths, f"127.0.0.1:{port}")
    assert isinstance(error, ConfigError)
    assert f"127.0.0.1:{port} is taken" in error.message
    assert list(paths.runtime.iterdir()) == []


async def test_file_in_the_sockets_place_is_not_removed(paths: Paths) -> None:
    paths.runtime.mkdir(mode=0o700)
    paths.socket.write_text("precious")
    assert isinstance(await refused(paths), StoreError)
    assert paths.socket.read_text() == "precious"


async def test_runtime_folder_that_is_a_link_is_refused(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    paths.runtime.symlink_to(tmp_path / "elsewhere")
    assert isinstance(await refused(paths), StoreError)


def test_stale_socket_is_replaced_and_all_is_gone_afterwards(paths: Paths) -> None:
    paths.runtime.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(paths.socket))
    with serving(Scripted(), paths):
        first = paths.token.read_text()
    assert list(paths.runtime.iterdir()) == []
    with serving(Scripted(), paths):
        assert paths.token.read_text() != first


def test_loopback_port_wants_the_same_token_and_its_own_host(paths: Paths) -> None:
    with serving(Scripted(), paths, "127.0.0.1:0") as (_, address):
        headers: dict[str, Any] = {"authorization": f"Bearer {paths.token.read_text()}"}
        assert httpx.get(f"{address}/v1/status").status_code == 401
        assert httpx.get(f"{address}/v1/status", headers=headers).status_code == 200
        assert httpx.get(f"{address}/v1/status", headers=headers | {"host": "rebound.example"}).status_code == 403
        assert httpx.get(f"{address}/v1/status", headers=headers | {"origin": "http://evil"}).status_code == 403
