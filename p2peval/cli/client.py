"""The local API as the command line sees it: typed questions over the unix socket, errors as exceptions.

The one place that knows HTTP; httpx and its exceptions stay here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
import httpx
import msgspec

from p2peval.cli.options import Options
from p2peval.config import loopback
from p2peval.daemon.views import EventView
from p2peval.defaults import CONNECT_TIMEOUT
from p2peval.errors import DaemonNotRunningError, DeadlineError, NotAuthorisedError, P2pevalError, UsageError

V = TypeVar("V")

_FRESH = httpx.Limits(max_keepalive_connections=0)
"""A connection for every request: the daemon may close an idle one just as the next question is on its way."""


class DaemonError(P2pevalError):
    """What the daemon refused, with its own code; the exit code follows from the code."""

    def __init__(self, code: str, message: str, hint: str, retryable: bool) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.retryable = retryable
        self.exit_code = _exit_codes().get(code, 1)


class _Detail(msgspec.Struct):
    code: str
    message: str
    hint: str = ""
    retryable: bool = False


class _Refusal(msgspec.Struct):
    error: _Detail


class Client:
    """Raises DaemonNotRunningError, NotAuthorisedError, DeadlineError and DaemonError from every method."""

    def __init__(self, options: Options) -> None:
        paths = options.paths
        self._timeout = options.timeout
        self.where, transport = _transport(options.api, paths.socket)
        self._http = httpx.Client(
            transport=transport,
            base_url=self.where if self.where.startswith("http:") else "http://p2peval",
            headers={"authorization": f"Bearer {_token(paths.token, self.where)}"},
            timeout=httpx.Timeout(options.timeout, connect=CONNECT_TIMEOUT),
            trust_env=False,
        )

    def get(self, path: str, kind: type[V], query: Mapping[str, str] | None = None) -> V:
        return self._ask("GET", path, kind, query=query)

    def post(self, path: str, kind: type[V], body: Mapping[str, Any] | None = None) -> V:
        return self._ask("POST", path, kind, body=body)

    def events(self, after: int | None, *, follow: bool) -> Iterator[EventView | None]:
        """Events as they come; None when the daemon says that nothing has happened for a while.

        Ends when the daemon closes the stream; with ``follow`` only because it stops or we fell behind.
        """
        query = {"follow": "true" if follow else "false"} | ({} if after is None else {"after": str(after)})
        with self._translated(), self._http.stream("GET", "/v1/events", params=query) as answer:
            if answer.status_code != 200:
                answer.read()
                raise _refusal(answer)
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield msgspec.json.decode(line[len("data: ") :], type=EventView)
                elif line.startswith(":"):
                    yield None

    def close(self) -> None:
        self._http.close()

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[V],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> V:
        with self._translated():
            answer = self._http.request(method, path, params=query, json=body)
        if answer.status_code != 200:
            raise _refusal(answer)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.DecodeError as error:
            hint = "is the daemon of another version? restart it"
            raise P2pevalError(f"unexpected answer from {self.where}: {error}", hint=hint) from None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise not_running(self.where) from None
        except httpx.TimeoutException:
            hint = "give it more time: --timeout 5m"
            raise DeadlineError(f"no answer from {self.where} within {self._timeout:g} s", hint=hint) from None
        except httpx.TransportError as error:
            raise DaemonNotRunningError(
                f"the daemon at {self.where} went away before it answered: {error}", hint="p2peval status"
            ) from None


def reach(options: Options) -> Client:
    """A client that closes with the running command."""
    client = Client(options)
    click.get_current_context().call_on_close(client.close)
    return client


def path_to(*parts: str) -> str:
    """ "/v1/tasks/bafy…" with every part quoted. Raises UsageError for an empty one."""
    if not all(parts):
        raise UsageError("a name or id may not be empty")
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def not_running(where: str) -> DaemonNotRunningError:
    return DaemonNotRunningError(f"no daemon answers at {where}", hint="start one: p2peval daemon")


def _transport(api: str | None, socket: Path) -> tuple[str, httpx.HTTPTransport]:
    """Where the daemon is, in words, and the way there."""
    if api and "/" not in api.removeprefix("http://") and ":" in api:
        host, port = loopback(api.removeprefix("http://"))
        return f"http://{'[' + host + ']' if ':' in host else host}:{port}", httpx.HTTPTransport(limits=_FRESH)
    path = Path(api.removeprefix("unix:")) if api else socket
    if not path.exists():
        raise not_running(str(path))
    return str(path), httpx.HTTPTransport(uds=str(path), limits=_FRESH)


def _token(file: Path, where: str) -> str:
    try:
        if file.stat().st_uid not in (os.getuid(), 0) and os.getuid() != 0:
            raise NotAuthorisedError(f"{file} belongs to another user", hint="whoever made it is not your daemon")
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise not_running(where) from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotAuthorisedError(f"cannot read the token in {file}: {error}", hint="is it another user's?") from None


def _refusal(answer: httpx.Response) -> P2pevalError:
    try:
        detail = msgspec.json.decode(answer.content, type=_Refusal).error
    except msgspec.DecodeError:
        return P2pevalError(f"the daemon answered {answer.status_code} without saying why")
    return DaemonError(detail.code, detail.message, detail.hint, detail.retryable)


def _exit_codes() -> dict[str, int]:
    """Code -> exit code, of every error class there is."""
    found: dict[str, int] = {}
    classes: list[type[P2pevalError]] = [P2pevalError]
    while classes:
        cls = classes.pop()
        found.setdefault(cls.code, cls.exit_code)
        classes += cls.__subclasses__()
    return found
