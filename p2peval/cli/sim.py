"""``sim``: the lab. Needs no daemon, no home and no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from p2peval.cli.contract import SimGoalView, SimTablesView
from p2peval.cli.options import Noun, Options, pass_options
from p2peval.cli.output import Output
from p2peval.cli.sim_lab import lab_command
from p2peval.cli.sim_ls import ls_command
from p2peval.cli.sim_paper import paper_command
from p2peval.cli.sim_population import population_command
from p2peval.cli.sim_replay import replay_command
from p2peval.cli.sim_run import compare_command, plot_command, run_command, sweep_command

if TYPE_CHECKING:
    from p2peval.sim.tables.tables import Line, Verdict


@click.group("sim", cls=Noun, short_help="Play the rules of trust against liars, here and now.")
def sim_command() -> None:
    """Worlds in which requesters, workers and liars meet, and the rules by which p2peval trusts and checks."""


for _command in (
    ls_command,
    run_command,
    sweep_command,
    compare_command,
    plot_command,
    lab_command,
    population_command,
    paper_command,
    replay_command,
):
    sim_command.add_command(_command)


@sim_command.command("tables")
@click.option("--table", type=click.Choice(["checking", "picking", "all"]), default="all", show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=30, show_default=True, help="Worlds of each case and rule.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; as many as there are cores, if not said.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("build/sim"), show_default=True)
@pass_options
def tables(options: Options, table: str, seeds: int, jobs: int | None, out: Path) -> None:
    """How much is checked and who is asked, by every rule in every threat: tables.csv, tables.png, and the goals.

    The same seeds give the same files. A figure needs matplotlib: pip install 'p2peval[sim]'.
    """
    from p2peval.sim.tables import figure
    from p2peval.sim.tables.goals import CHECKING, PICKING
    from p2peval.sim.tables.tables import lines, verdicts, write_csv

    printed = Output(options)
    wanted = (CHECKING, PICKING) if table == "all" else (table,)

    def told(done: int, of: int) -> None:
        if done == of or done % max(of // 20, 1) == 0:
            printed.tell(f"{done} of {of} worlds")

    found = lines(wanted, seeds, jobs or os.cpu_count() or 1, told)
    table_file, picture = out / "tables.csv", out / "tables.png"
    write_csv(found, table_file)
    files = [str(table_file)]
    try:
        figure.draw(found, picture)
        files.append(str(picture))
    except figure.NoPictureError as error:
        printed.say(f"note: {error.message}; {error.hint}")
    judged = verdicts(found)
    view = SimTablesView(files=tuple(files), seeds=seeds, goals=tuple(map(_goal, judged)))
    printed.answer("sim.tables", view, lambda: "\n\n".join(_told(printed, found, judged)))
    printed.say("written: " + ", ".join(files))


def _goal(verdict: Verdict) -> SimGoalView:
    goal, line = verdict.goal, verdict.found
    return SimGoalView(
        table=goal.table,
        case=goal.case,
        measure=goal.measure,
        mean=line.mean,
        low=line.low,
        high=line.high,
        most=goal.most,
        reference=goal.reached,
        missed_by=verdict.missed_by,
    )


def _told(out: Output, found: list[Line], judged: list[Verdict]) -> list[str]:
    """Each measure as cases × policies, then the goals."""
    said = []
    for table, measure in dict.fromkeys((line.table, line.measure) for line in found):
        of = [line for line in found if (line.table, line.measure) == (table, measure)]
        policies = list(dict.fromkeys(line.policy for line in of))
        cells = {(line.case, line.policy): _cell(line) for line in of}
        rows = [[case, *(cells.get((case, p), "-") for p in policies)] for case in dict.fromkeys(x.case for x in of)]
        said.append(out.table([f"{table}: {measure}", *policies], rows))
    rows = [
        [
            verdict.goal.case,
            verdict.goal.measure,
            _cell(verdict.found),
            "-" if verdict.goal.reached is None else f"{verdict.goal.reached:.4g}",
            f"{verdict.goal.most:.4g}",
            f"missed by {verdict.missed_by:.2g}" if verdict.missed_by else "met",
        ]
        for verdict in judged
    ]
    return [*said, out.table(["CASE", "MEASURE", "OURS", "REFERENCE", "GOAL", "VERDICT"], rows)]


def _cell(line: Line) -> str:
    return f"{line.mean:.4g} ±{(line.high - line.low) / 2:.1g}"
