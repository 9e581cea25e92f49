"""Global flags, taken before or after the subcommand, and the click classes that every noun is made of.

Decides only how words on the command line become ``Options``; who reads them is no business of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from p2peval.paths import Paths, locate


@dataclass(slots=True)
class Options:
    """``timeout``: seconds, None waits as long as it takes. ``yes`` answers every question that may be asked."""

    home: Path | None = None
    config: Path | None = None
    api: str | None = None
    json: bool = False
    plain: bool = False
    quiet: bool = False
    verbose: int = 0
    no_color: bool = False
    timeout: float | None = None
    yes: bool = False

    @property
    def paths(self) -> Paths:
        return locate(self.home, self.config)


UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Duration(click.ParamType[float]):
    """Seconds, from "30", "30s", "5m", "2h" or "1d"."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value))
        if match is None:
            self.fail(f"{value!r} is no duration; write 30s, 5m, 2h or 30d", param, ctx)
        return float(match[1]) * UNITS[match[2]]


def options_of(ctx: click.Context) -> Options:
    return ctx.find_root().ensure_object(Options)


pass_options = click.make_pass_decorator(Options, ensure=True)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if param.name and ctx.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE:
        setattr(options_of(ctx), param.name, value)


def _global_flags(hidden: bool) -> list[click.Parameter]:
    def flag(*names: str, **how: Any) -> click.Option:
        return click.Option(names, callback=_remember, expose_value=False, hidden=hidden, **how)

    folder, file = click.Path(path_type=Path, file_okay=False), click.Path(path_type=Path, dir_okay=False)
    return [
        flag("--home", type=folder, metavar="DIR", help="Keep everything under DIR (env P2PEVAL_HOME)."),
        flag("--config", type=file, metavar="FILE", help="Another config.toml."),
        flag("--api", metavar="ADDRESS", help="Where the daemon answers: a socket's path or 127.0.0.1:PORT."),
        flag("--json", is_flag=True, help="One JSON object on stdout; errors too."),
        flag("--plain", is_flag=True, help="Tab-separated, full ids, no headings."),
        flag("--quiet", "-q", is_flag=True, help="No progress and no messages, only data and errors."),
        flag("-v", "verbose", count=True, help="Say more."),
        flag("--no-color", is_flag=True, help="No colours (env NO_COLOR)."),
        flag("--timeout", type=Duration(), metavar="TIME", help="Give up after 30s, 5m, 2h: exit code 7."),
        flag("--yes", is_flag=True, help="Never ask."),
    ]


class Command(click.Command):
    """A command that takes the global flags too, without listing them in its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _global_flags(hidden=True)
        self.epilog = self.epilog or "Global flags: p2peval --help"


class Noun(click.Group):
    """A group whose typos suggest the nearest command."""

    command_class = Command

    def __init__(self, *args: Any, hide_flags: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.no_args_is_help = not self.invoke_without_command
        self.params += _global_flags(hidden=hide_flags)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not self.get_command(ctx, args[0]) and not args[0].startswith("-"):
            raise click.UsageError(f"no such command: {args[0]}" + _suggestion(args[0], self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)


def _suggestion(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
