"""``p2peval``: the root command, loaded piece by piece, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from p2peval.cli.options import Noun, Options
from p2peval.cli.output import InterruptedByUserError, show_error
from p2peval.errors import P2pevalError, UsageError

COMMANDS = {
    "init": "node",
    "daemon": "node",
    "status": "node",
    "doctor": "node",
    "stop": "node",
    "events": "events",
    "paths": "node",
    "id": "id",
    "peers": "peers",
    "bench": "bench",
    "eval": "eval",
    "board": "board",
    "rep": "rep",
    "demo": "demo_command",
    "sim": "sim",
    "version": "node",
}
"""Command -> the module of ``p2peval.cli`` that has it; only the one that runs is imported."""


class Root(Noun):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"p2peval.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        sys.exit(self._run(words, prog_name))

    def _run(self, words: list[str], prog_name: str | None) -> int:
        as_json, options = "--json" in words, Options()
        try:
            code = super().main(words, prog_name, standalone_mode=False, obj=options)
            sys.stdout.flush()
            return code if isinstance(code, int) else 0
        except P2pevalError as error:
            failure = error
        except click.exceptions.NoArgsIsHelpError as error:
            nested = error.ctx.parent is not None
            click.echo(error.format_message(), err=nested)
            return UsageError.exit_code if nested else 0
        except click.ClickException as error:
            failure = _usage(error)
        except (click.Abort, KeyboardInterrupt):
            failure = InterruptedByUserError("interrupted")
        except BrokenPipeError:
            # whoever read us has gone; point stdout elsewhere, lest its last flush complains
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return P2pevalError.exit_code
        show_error(failure, as_json=as_json, home=options.home)
        return failure.exit_code


def _usage(error: click.ClickException) -> P2pevalError:
    ctx = getattr(error, "ctx", None)
    message = error.format_message().rstrip(".")
    return UsageError(message, hint=f"{ctx.command_path} --help" if ctx else "p2peval --help")


@click.group(cls=Root, hide_flags=False, context_settings={"help_option_names": ["--help", "-h"]})
def cli() -> None:
    """Evaluate machine-learning models among peers, and check each other's results.

    Start with: p2peval init, p2peval daemon, p2peval bench join INVITATION.
    """


def main() -> None:
    """The ``p2peval`` script. Never returns: exits 0 only if all went well."""
    cli.main(prog_name="p2peval")
