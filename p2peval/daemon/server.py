"""Serves the local API on a unix socket (0600 in a 0700 folder) and, if asked, on loopback TCP.

Decides who can reach the API at all: the folder's owner, by file permissions, and on TCP whoever can
read the token. Knows no route. The daemon holds the home's lock, so a socket file left over is stale.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from anycorn import Config as ServerConfig
from anycorn import serve as anycorn_serve
from starlette.applications import Starlette

from p2peval.config import loopback
from p2peval.daemon.api import application
from p2peval.daemon.ports import Service
from p2peval.defaults import API_GRACE
from p2peval.errors import ConfigError, StoreError
from p2peval.paths import Paths

if TYPE_CHECKING:
    from trio_typing import TaskStatus  # its stubs stand in for trio's own types wherever libp2p is installed

UNIX_HOSTS = ("p2peval", "localhost")


async def serve(
    service: Service,
    paths: Paths,
    listen: str,
    stopping: trio.Event,
    *,
    task_status: TaskStatus[tuple[str, ...]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Until ``stopping`` is set, or cancelled; then open requests get API_GRACE seconds.

    Starts with its addresses.

    ``listen``: "" or a loopback "host:port". Raises ConfigError for a taken port, StoreError where the
    runtime folder is not ours alone.
    """
    private_directory(paths.runtime)
    with contextlib.ExitStack() as opened:
        listeners = [opened.enter_context(_unix_socket(paths.socket))]
        opened.callback(_remove, paths.socket)
        hosts, addresses = set(UNIX_HOSTS), [f"unix:{paths.socket}"]
        if listen:
            listeners.append(opened.enter_context(_tcp_socket(listen)))
            host, port = listeners[-1].getsockname()[:2]
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            hosts |= {shown, f"localhost:{port}"}
            addresses.append(f"http://{shown}")
        token = _fresh_token(paths.token)
        opened.callback(_remove, paths.token)
        closing = trio.Event()
        app = application(service, token=token, hosts=hosts, stopping=closing)
        async with trio.open_nursery() as nursery:
            try:
                await nursery.start(_run, app, listeners, closing)
                task_status.started(tuple(addresses))
                await stopping.wait()
            finally:
                closing.set()


async def _run(
    app: Starlette,
    listeners: list[socket.socket],
    closing: trio.Event,
    *,
    task_status: TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Shielded, since anycorn takes a cancellation for a failure: ``closing`` ends it in API_GRACE seconds."""
    config = ServerConfig()
    config.bind = [f"fd://{listener.detach()}" for listener in listeners]
    config.graceful_timeout = API_GRACE
    config.include_server_header = False
    config.accesslog = None
    config.loglevel = "WARNING"
    with trio.CancelScope(shield=True):
        await anycorn_serve(
            app,  # type: ignore[arg-type]
            config,
            shutdown_trigger=closing.wait,
            mode="asgi",
            task_status=task_status,  # type: ignore[arg-type]
        )


def private_directory(path: Path) -> None:
    """Make ``path`` a folder of ours, 0700. Raises StoreError if it is somebody else's or a link."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise StoreError(f"{path} is not a folder of this user's", hint="remove it, or choose another --home")
        path.chmod(0o700)
    except OSError as error:
        raise StoreError(f"cannot use {path}: {error.strerror}") from None


def _unix_socket(path: Path) -> socket.socket:
    """Bound, 0600 from its first moment."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise StoreError(f"{path} exists and is not a socket", hint="move it away")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
    except OSError as error:
        listener.close()
        raise StoreError(f"cannot listen on {path}: {error.strerror}") from None
    finally:
        os.umask(before)
    return listener


def _tcp_socket(listen: str) -> socket.socket:
    host, port = loopback(listen)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else (error.strerror or "cannot be used")
        raise ConfigError(f"api.listen: {listen} {why}", hint="choose another port, or leave it empty") from None
    return listener


def _fresh_token(path: Path) -> str:
    """A new secret for every start, in a file that only this user can read."""
    token = secrets.token_urlsafe(32)
    _remove(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token)
    return token


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
