"""``sim paper``: what others' papers report, played again here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from p2peval.cli.contract import PaperClaimView, PaperView, SimPaperView
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output
from p2peval.errors import UsageError

if TYPE_CHECKING:
    from p2peval.sim.papers.paper import Paper
    from p2peval.sim.papers.playing import Verdict


@click.command("paper", cls=Command, short_help="Play what others' papers report again.")
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="The papers that there are.")
@click.option("--seeds", type=click.IntRange(1), default=30, show_default=True, help="Plays of each point.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; as many as there are cores, if not said.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("build/sim/papers"), show_default=True
)
@pass_options
def paper_command(options: Options, name: str | None, listing: bool, seeds: int, jobs: int | None, out: Path) -> None:
    """Play a paper's experiment again: NAME.csv, NAME.png, and whether what the paper says holds here.

    The same seeds give the same files; simulations/papers has a page for each. A figure needs matplotlib:
    pip install 'p2peval[sim]'.
    """
    from p2peval.sim.papers import NAMES, playing

    printed = Output(options)
    if listing:
        papers = {each: playing.module(each).PAPER for each in NAMES}
        printed.answer("sim.papers", tuple(_listed(*each) for each in papers.items()), lambda: _list(printed, papers))
        return
    if name is None:
        raise UsageError("no paper was named", hint=f"one of: {', '.join(NAMES)}")
    _play(printed, name, seeds, jobs or os.cpu_count() or 1, out)


def _play(printed: Output, name: str, seeds: int, jobs: int, out: Path) -> None:
    from p2peval.sim.papers import figure, playing
    from p2peval.sim.tables.figure import NoPictureError

    def told(done: int, of: int) -> None:
        if done == of or done % max(of // 20, 1) == 0:
            printed.tell(f"{done} of {of} plays")

    module = playing.module(name)
    found = playing.lines(module.PAPER, module.points(), seeds, jobs, told)
    judged = playing.verdicts(module.PAPER, found)
    playing.write_csv(found, out / f"{name}.csv")
    files = [str(out / f"{name}.csv")]
    try:
        figure.draw(module.PAPER, found, out / f"{name}.png")
        files.append(str(out / f"{name}.png"))
    except NoPictureError as error:
        printed.say(f"note: {error.message}; {error.hint}")
    view = SimPaperView(
        paper=_listed(name, module.PAPER), seeds=seeds, files=tuple(files), claims=tuple(map(_claim, judged))
    )
    printed.answer("sim.paper", view, lambda: _claims(printed, judged))
    printed.say("written: " + ", ".join(files))


def _listed(name: str, paper: Paper) -> PaperView:
    return PaperView(name=name, title=paper.title, authors=paper.authors, year=paper.year, about=paper.about)


def _claim(judged: Verdict) -> PaperClaimView:
    claim = judged.claim
    return PaperClaimView(
        says=claim.says,
        of_paper=claim.of_paper,
        panel=claim.panel,
        lower=judged.lower.mean,
        higher=judged.higher.mean,
        verdict=judged.verdict,
    )


def _list(printed: Output, papers: dict[str, Paper]) -> str:
    rows = [[name, str(paper.year), paper.authors, paper.about] for name, paper in papers.items()]
    return printed.table(["NAME", "YEAR", "AUTHORS", "WHAT IS PLAYED"], rows)


def _claims(printed: Output, judged: list[Verdict]) -> str:
    rows = [
        [
            "paper" if each.claim.of_paper else "we",
            each.claim.says,
            f"{each.lower.mean:.3g} < {each.higher.mean:.3g}",
            each.verdict,
        ]
        for each in judged
    ]
    return printed.table(["WHO", "SAYS", "HERE", "VERDICT"], rows)
