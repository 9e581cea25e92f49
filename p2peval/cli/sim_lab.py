"""``sim lab``: every scenario of a folder under every defence, as one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from p2peval.cli.contract import SimLabRowView, SimLabView, SimMeasureView
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output
from p2peval.errors import UsageError

if TYPE_CHECKING:
    from p2peval.sim.campaign import Player
    from p2peval.sim.lab import Row


@click.command("lab", cls=Command, short_help="Play every scenario of a folder under every defence.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path("simulations"))
@click.option("--defence", "names", multiple=True, metavar="NAME", help="One of them beside ours; all, if not said.")
@click.option("--seeds", type=click.IntRange(1), help="Worlds of each, in place of the scenarios' own.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; as many as there are cores, if not said.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("build/sim/lab"), show_default=True
)
@pass_options
def lab_command(
    options: Options, folder: Path, names: tuple[str, ...], seeds: int | None, jobs: int | None, out: Path
) -> None:
    """Play all scenarios of FOLDER under our rules and others': a table, attack by defence, and a page for each.

    Each attack is judged by the measure of its scenario's first claim. What was played already is not played again.
    """
    from p2peval.sim import campaign, lab
    from p2peval.sim.defences import DEFAULT, DEFENCES

    if unknown := [name for name in names if name not in DEFENCES]:
        raise UsageError(f"no defence {unknown[0]!r}", hint=f"one of: {', '.join(DEFENCES)}")
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise UsageError(f"{folder}: no scenarios", hint="give a folder of TOML files; simulations/ has the lab's")
    printed = Output(options)
    defences = [DEFAULT, *(name for name in (names or tuple(DEFENCES)) if name != DEFAULT)]
    player = campaign.locally(jobs or campaign.cores())
    rows = []
    for number, file in enumerate(files, start=1):
        printed.tell(f"{number} of {len(files)}: {file.stem}")
        rows.append(_row(file, defences, seeds, player, out))
    lab.write_csv(rows, out / "lab.csv")
    lab.write_markdown(rows, defences, out / "lab.md")
    view = SimLabView(
        defences=tuple(defences), rows=tuple(map(_view, rows)), files=(str(out / "lab.csv"), str(out / "lab.md"))
    )
    printed.answer("sim.lab", view, lambda: lab.markdown(rows, defences).rstrip())
    printed.say(f"written: {out}/lab.csv, {out}/lab.md, and a page for each scenario in {out}")


def _row(file: Path, defences: list[str], seeds: int | None, player: Player, out: Path) -> Row:
    """Plays one scenario under all defences, and writes its page."""
    from p2peval.sim import campaign, lab, report
    from p2peval.sim.defences import DEFENCES
    from p2peval.sim.kinds import kinds
    from p2peval.sim.measures import MEASURES
    from p2peval.sim.results import summed_up
    from p2peval.sim.scenario_file import Rules, opened
    from p2peval.sim.sweep import points

    source = opened(file, Rules(kinds, MEASURES))
    if not source.scenario().claims:
        raise UsageError(f"{file}: claims nothing", hint="the first claim says by what an attack is judged")
    more = {} if seeds is None else {"seeds": seeds}
    named = [campaign.Named(name, points(source, more | dict(DEFENCES[name]))[0]) for name in defences]
    played = campaign.run(named, out / file.stem, player, lambda done, of: None)
    summaries = list(map(summed_up, played))
    command = f"p2peval sim compare {file}"
    report.write(played[0].point.scenario, played, summaries, out / file.stem, command)
    return lab.row(file.stem, summaries)


def _view(row: Row) -> SimLabRowView:
    return SimLabRowView(
        scenario=row.name,
        title=row.title,
        measure=row.claim.metric,
        lower_is_better=row.lower_is_better,
        found={
            defence: SimMeasureView(name=row.claim.metric, mean=of.mean, low=of.low, high=of.high, seeds=of.seeds)
            for defence, of in row.found.items()
        },
        better_than_ours=tuple(defence for defence in row.found if row.beats_us(defence)),
        claims_held=row.held[0],
        claims=row.held[1],
    )
