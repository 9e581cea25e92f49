"""``init``, ``daemon``, ``status``, ``doctor``, ``stop``, ``paths``, ``version``: the node itself."""

from __future__ import annotations

import os
import platform
import select
from typing import Any

import click

import p2peval
from p2peval.cli.options import Command, Duration, Options, pass_options
from p2peval.cli.output import Output, size
from p2peval.config import load, template
from p2peval.defaults import STOP_PATIENCE
from p2peval.errors import DeadlineError

many: dict[str, Any] = {"multiple": True, "metavar": "MULTIADDR"}


@click.command("init", cls=Command)
@click.option("--name", default="", help="What your profile calls you.")
@click.option("--listen", **many, help="Where peers reach you; tcp/0 takes any free port.")
@click.option("--bootstrap", **many, help="First contacts, with /p2p/.")
@pass_options
def init_command(options: Options, name: str, listen: tuple[str, ...], bootstrap: tuple[str, ...]) -> None:
    """Make an identity and a config; refuses to overwrite."""
    from p2peval.cli.contract import InitView
    from p2peval.daemon.offline import create_home

    out, paths = Output(options), options.paths
    peer = create_home(paths, template(name=name, listen=listen, bootstrap=bootstrap))
    view = InitView(peer=peer, config=str(paths.config), key=str(paths.key))
    out.answer("init", view, lambda: out.fields([("peer", peer), ("config", view.config), ("key", view.key)]))
    out.say("next: p2peval daemon")


@click.command("daemon", cls=Command, short_help="Run the node in the foreground.")
@click.option("--wait-lock", type=Duration(), default=0.0, metavar="TIME", help="Wait for another to let go.")
@click.option("--name", help="Instead of node.name.")
@click.option("--listen", **many, help="Instead of network.listen.")
@click.option("--bootstrap", **many, help="Instead of network.bootstrap.")
@click.option("--record", type=click.Path(resolve_path=True, dir_okay=False), help="Instead of node.record.")
@pass_options
def daemon_command(
    options: Options,
    wait_lock: float,
    name: str | None,
    listen: tuple[str, ...],
    bootstrap: tuple[str, ...],
    record: str | None,
) -> int:
    """Run the node in the foreground, until SIGTERM, Ctrl-C or `p2peval stop`."""
    paths = options.paths
    flags = {
        "node.name": name,
        "node.record": record,
        "network.listen": listen or None,
        "network.bootstrap": bootstrap or None,
        "api.listen": options.api,
        "log.level": "debug" if options.verbose else "warning" if options.quiet else None,
        "log.format": "json" if options.json else None,
    }
    config = load(paths.config, required=True, flags=flags)
    if paths.note:
        Output(options).say(f"note: {paths.note}")
    from p2peval.daemon.daemon import run

    return run(config, paths, wait_lock)


@click.command("status", cls=Command)
@pass_options
def status_command(options: Options) -> None:
    """How the node is doing."""
    from p2peval.cli.client import reach
    from p2peval.daemon.views import StatusView

    out = Output(options)
    view = reach(options).get("/v1/status", StatusView)
    stored = f"{size(view.stored_bytes)} of {size(view.quota_bytes)}"
    pairs = [
        ("peer", f"{view.peer}  {view.name}".strip()),
        ("network", view.network),
        ("running", f"{out.ago(view.started)}, pid {view.pid}, version {view.version}"),
        ("listening", "  ".join(view.addresses)),
        ("peers", f"{view.connected} connected, {view.known} known"),
        ("benchmarks", f"{view.benchmarks} joined"),
        ("tasks", f"{view.open_tasks} of mine, {view.open_duties} for others; workers: {view.workers}"),
        ("stored", stored),
        ("read-only", view.read_only),
    ]
    out.answer("status", view, lambda: out.fields(pairs))


@click.command("doctor", cls=Command, short_help="What this machine can do, and what it lacks.")
@pass_options
def doctor_command(options: Options) -> int:
    """What this machine can do, and what it lacks: key, disk, every layer of the sandbox. Needs no daemon."""
    from p2peval.daemon.offline import examine

    out = Output(options)
    view = examine(options.paths)
    rows = [(check.name, check.state, check.detail) for check in view.checks]
    out.answer("doctor", view, lambda: out.table(("CHECK", "STATE", "DETAIL"), rows))
    for check in view.checks:
        if check.hint:
            out.say(f"{check.name}: {check.hint}")
    return 0 if view.healthy else 1


@click.command("stop", cls=Command)
@pass_options
def stop_command(options: Options) -> None:
    """Stop the daemon, and wait until it is gone."""
    from p2peval.cli.client import reach
    from p2peval.cli.contract import StopView
    from p2peval.daemon.views import StatusView

    out, client = Output(options), reach(options)
    pid = client.get("/v1/status", StatusView).pid
    watched = os.pidfd_open(pid)
    try:
        client.post("/v1/stop", type(None))
        patience = options.timeout or STOP_PATIENCE
        gone = select.poll()
        gone.register(watched, select.POLLIN)
        if not gone.poll(patience * 1000):
            hint = f"look at its log; kill {pid} ends it, and loses nothing that was acknowledged"
            raise DeadlineError(f"the daemon (pid {pid}) still runs after {patience:g} s", hint=hint)
    finally:
        os.close(watched)
    out.answer("stop", StopView(pid=pid, stopped=True), lambda: f"stopped (pid {pid})")


@click.command("paths", cls=Command)
@pass_options
def paths_command(options: Options) -> None:
    """Where this node's files lie."""
    from msgspec.structs import asdict

    from p2peval.cli.contract import PathsView

    out, paths = Output(options), options.paths
    view = PathsView(
        config=str(paths.config),
        database=str(paths.database),
        lock=str(paths.lock),
        backups=str(paths.backups),
        key=str(paths.key),
        blobs=str(paths.blobs),
        reports=str(paths.reports),
        socket=str(paths.socket),
        token=str(paths.token),
        note=paths.note,
    )
    out.answer("paths", view, lambda: out.fields(list(asdict(view).items())))


@click.command("version", cls=Command)
@pass_options
def version_command(options: Options) -> None:
    """The version of p2peval."""
    if not options.json:
        click.echo(f"p2peval {p2peval.__version__}")
        return
    from p2peval.cli.contract import VersionView

    view = VersionView(version=p2peval.__version__, python=platform.python_version())
    Output(options).answer("version", view, str)
