"""``events``: the feed of what the node noticed."""

from __future__ import annotations

import time

import click

from p2peval.cli.client import reach
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output, clean
from p2peval.daemon.views import EventView
from p2peval.errors import DaemonNotRunningError, DeadlineError


@click.command("events", cls=Command, short_help="What happened, one line each; --follow goes on.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes.")
@click.option("--after", type=click.IntRange(min=0), metavar="ID", help="Only events after this one.")
@pass_options
def events_command(options: Options, follow: bool, after: int | None) -> None:
    """What happened since the daemon started: one line, or with --json one object, for each event."""
    out, client = Output(options), reach(options)
    start = time.monotonic()
    seen = after if after is not None or follow else 0
    for event in client.events(seen, follow=follow):
        if event is not None:
            click.echo(out.envelope("events", event) if options.json else _line(out, event))
        if options.timeout is not None and time.monotonic() - start > options.timeout:
            raise DeadlineError(f"stopped following after {options.timeout:g} s")
    if follow:
        raise DaemonNotRunningError("the daemon ended the event stream", hint="p2peval status")


def _line(out: Output, event: EventView) -> str:
    data = "  ".join(f"{key}={_shown(out, value)}" for key, value in event.data.items() if value != "")
    if out.options.plain:
        return clean("\t".join([str(event.id), f"{event.time:.3f}", event.kind, event.subject, data]))
    clock = time.strftime("%H:%M:%S", time.localtime(event.time))
    return clean(f"{clock}  {event.kind:<20}  {_shown(out, event.subject)}  {data}".rstrip())


def _shown(out: Output, value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        if value.startswith("12D3KooW"):
            return out.peer(value)
        return out.id(value) if value.startswith("bafkrei") else value
    return f"{value:.4g}" if isinstance(value, float) else str(value)
