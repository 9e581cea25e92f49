"""``sim ls``: the scenarios that there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from p2peval.cli.contract import SimScenarioView
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output
from p2peval.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from p2peval.sim.scenario import Scenario


@click.command("ls", cls=Command, short_help="The scenarios of a folder.")
@click.argument("folder", metavar="[DIR]", default=Path("simulations"), type=click.Path(path_type=Path))
@click.pass_context
@pass_options
def ls_command(options: Options, ctx: click.Context, folder: Path) -> None:
    """List the scenarios (*.toml) of DIR, or of simulations/: what is played, who attacks, and what is claimed.

    A file that is no scenario is listed with what is wrong with it; the exit code is then 2.
    """
    if not folder.is_dir():
        raise NotFoundError(f"no folder {folder}", hint="give the folder that holds your scenarios: p2peval sim ls DIR")
    found = [_read(file) for file in sorted(folder.glob("*.toml"))]
    printed = Output(options)
    printed.answer("sim.ls", tuple(found), lambda: _told(printed, found))
    if any(view.wrong for view in found):
        ctx.exit(ConfigError.exit_code)


def _read(file: Path) -> SimScenarioView:
    from p2peval.sim.kinds import kinds
    from p2peval.sim.measures import MEASURES
    from p2peval.sim.scenario_file import Rules, read

    try:
        return _view(file, read(file, Rules(kinds, MEASURES)))
    except ConfigError as error:
        wrong = f"{error.message}; {error.hint}" if error.hint else error.message
        return SimScenarioView(
            file=str(file), title="", description="", hosts=0, attacks=(), seeds=0, runs=0, claims=(), wrong=wrong
        )


def _view(file: Path, scenario: Scenario) -> SimScenarioView:
    return SimScenarioView(
        file=str(file),
        title=scenario.title,
        description=scenario.description,
        hosts=scenario.hosts,
        attacks=tuple(f"{group.count} {' + '.join(group.kinds)}" for group in scenario.adversaries),
        seeds=len(scenario.seeds),
        runs=math.prod(len(values) for _, values in scenario.sweep),
        claims=tuple(map(str, scenario.claims)),
        wrong="",
    )


def _told(out: Output, found: Sequence[SimScenarioView]) -> str:
    """A line for each scenario, and one more for each claim after the first."""
    rows = []
    for view in found:
        seeds = f"{view.seeds} × {view.runs}" if view.runs > 1 else str(view.seeds)
        claims = ["; ".join(view.claims)] if out.options.plain else list(view.claims)
        first, *more = claims or ["-"]
        title, attacks = view.wrong or view.title, ", ".join(view.attacks) or "-"
        rows.append([Path(view.file).name, title, str(view.hosts), attacks, seeds, first])
        rows += [["", "", "", "", "", claim] for claim in more]
    return out.table(["FILE", "TITLE", "HOSTS", "ATTACKS", "SEEDS", "CLAIMS"], rows, empty="no scenarios")
