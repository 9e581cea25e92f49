"""``demo``: the way into ``p2peval.cli.demo``."""

from __future__ import annotations

import click

from p2peval.cli.options import Command, Options, pass_options


@click.command("demo", cls=Command)
@click.option("--peers", type=click.IntRange(3, 9), default=5, show_default=True, help="Daemons to start.")
@click.option("--liars", type=click.IntRange(0, 4), default=1, show_default=True, help="Those that lie.")
@pass_options
def demo_command(options: Options, peers: int, liars: int) -> int:
    """A real network on this machine, start to finish."""
    if peers - liars < 2:
        raise click.UsageError("at least two peers must be honest")
    from p2peval.cli.demo import run

    return run(peers, liars, options)
