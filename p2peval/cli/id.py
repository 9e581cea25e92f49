"""``id``: who this node is."""

from __future__ import annotations

import click

from p2peval.cli.client import reach
from p2peval.cli.options import Noun, Options, pass_options
from p2peval.cli.output import Output
from p2peval.daemon.views import IdView


@click.group("id", cls=Noun, invoke_without_command=True)
@click.pass_context
def id_command(ctx: click.Context) -> None:
    """Who this node is."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


@id_command.command("show")
@pass_options
def show(options: Options) -> None:
    """The peer id, and the addresses that others reach it at."""
    out = Output(options)
    view = reach(options).get("/v1/id", IdView)
    pairs = [("peer", view.peer), ("name", view.name), ("network", view.network)]
    out.answer("id.show", view, lambda: out.fields(pairs + [("address", address) for address in view.addresses]))
