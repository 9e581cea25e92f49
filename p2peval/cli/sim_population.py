"""``sim population``: up to a million peers as arrays, under liars or Sybils."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from p2peval.cli.contract import SimMeasureView, SimPopulationView
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output
from p2peval.errors import UsageError

if TYPE_CHECKING:
    from p2peval.sim.population.groups import Population

EDGES = (0, 10, 100, 1_000, 5_000)
IDENTITIES = (1, 10, 100, 1_000, 10_000, 100_000)
"""Of the heat map: attack edges, among 10 000 honest peers, and identities."""


@click.command("population", cls=Command, short_help="Play up to a million peers at once, without their messages.")
@click.option("--honest", type=click.IntRange(1), default=10_000, show_default=True, help="Honest peers; all ask.")
@click.option("--liars", type=click.IntRange(0), default=5_000, show_default=True, help="Identities of liars.")
@click.option("--after", type=click.IntRange(0), default=0, show_default=True, help="Right results to an asker first.")
@click.option("--chance", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Of a lie from then on.")
@click.option("--fresh", is_flag=True, help="Who is caught comes back under a new name.")
@click.option("--edges", type=click.IntRange(0), default=0, show_default=True, help="Askers who trust one of them.")
@click.option("--met", type=click.IntRange(0), default=0, show_default=True, help="Peers that each asker knows first.")
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True, help="A task of every asker in each.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Populations.")
@click.option("--heat", type=click.Path(path_type=Path, dir_okay=False), help="Draw what Sybils capture, as PNG.")
@pass_options
def population_command(
    options: Options,
    honest: int,
    liars: int,
    after: int,
    chance: float,
    fresh: bool,
    edges: int,
    met: int,
    epochs: int,
    seeds: int,
    heat: Path | None,
) -> None:
    """What liars do to a population, and what trust they capture. A million peers take seconds an epoch.

    The rules are the daemon's; messages, time and models are left out: p2peval/sim/population says all that is.
    --heat draws captured reputation by attack edges and identities, in a population of its own; it needs matplotlib:
    pip install 'p2peval[sim]'.
    """
    from p2peval.sim.estimate import estimate
    from p2peval.sim.population.epochs import run
    from p2peval.sim.population.groups import Behaviour, Group, Population

    printed = Output(options)
    try:
        groups = (Group("liars", liars, Behaviour(after, chance=chance, fresh=fresh), edges=edges),) if liars else ()
        population = Population(honest, groups, epochs=epochs, met=met)
    except ValueError as error:
        raise UsageError(str(error), hint="p2peval sim population --help says what each option is") from error
    found = []
    for seed in range(seeds):
        found.append(run(population, seed))
        printed.tell(f"{seed + 1} of {seeds} populations")
    estimates = {name: estimate([measures[name] for measures in found]) for name in found[0]}
    measures = tuple(
        SimMeasureView(name=name, mean=of.mean, low=of.low, high=of.high, seeds=of.seeds)
        for name, of in estimates.items()
    )
    files = _drawn(printed, heat) if heat is not None else ()
    view = SimPopulationView(honest=honest, liars=liars, epochs=epochs, seeds=seeds, measures=measures, files=files)
    printed.answer("sim.population", view, lambda: _told(printed, population, measures))


def _drawn(printed: Output, path: Path) -> tuple[str, ...]:
    from p2peval.sim.population.figure import draw
    from p2peval.sim.population.heat import heat
    from p2peval.sim.tables.figure import NoPictureError

    printed.tell(f"drawing {path}")
    try:
        draw(heat(EDGES, IDENTITIES, seed=1), path)
    except NoPictureError as error:
        printed.say(f"note: {error.message}; {error.hint}")
        return ()
    return (str(path),)


def _told(printed: Output, population: Population, measures: tuple[SimMeasureView, ...]) -> str:
    rows = [[each.name, f"{each.mean:.4g}", f"{each.low:.4g}", f"{each.high:.4g}"] for each in measures]
    liars = population.size - population.honest
    title = f"{population.honest} honest, {liars} liars, {population.epochs} epochs"
    return printed.table([title, "MEAN", "LOW", "HIGH"], rows)
