"""``sim run``, ``sweep``, ``compare`` and ``plot``: play a scenario over its seeds and say what came out."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from p2peval.cli.contract import SimClaimView, SimMeasureView, SimPointView, SimRunView
from p2peval.cli.options import Command, Options, pass_options
from p2peval.cli.output import Output
from p2peval.errors import P2pevalError, UsageError

if TYPE_CHECKING:
    from p2peval.sim.campaign import Played
    from p2peval.sim.results import Summary
    from p2peval.sim.scenario_file import Source
    from p2peval.sim.sweep import Point

MOST_COLUMNS = 6
"""Of a table of several points; the page has all measures."""


class ClaimsError(P2pevalError):
    """A scenario was played, and not all that it claims holds."""

    code = "claims"


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Those that every way to play has."""
    flags: list[Decorator] = [
        click.argument("scenario", type=click.Path(path_type=Path, dir_okay=False)),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another value: population.honest=40"
        ),
        click.option("--seeds", type=click.IntRange(1), help="Worlds of each point, in place of the scenario's own."),
        click.option("--jobs", type=click.IntRange(1), help="Processes; as many as there are cores, if not said."),
        click.option("--cluster", metavar="ADDRESS", help="Play on this Dask cluster (extra sim-cluster)."),
        click.option("--adversary", type=click.Path(path_type=Path), help="A Python file with an attack of your own."),
        click.option("--policy", type=click.Path(path_type=Path), help="A Python file with a rule of your own."),
        click.option(
            "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; build/sim/SCENARIO if not said."
        ),
    ]
    for flag in reversed(flags):
        command = flag(command)
    return command


@click.command("run", cls=Command, short_help="Play a scenario; a figure, and a verdict on every claim.")
@_flags
@click.option("--trace", type=click.IntRange(0), metavar="SEED", help="Write every event of this seed's world as well.")
@pass_options
def run_command(options: Options, /, trace: int | None, **flags: Any) -> None:
    """Play SCENARIO, a TOML file, over its seeds: report.html, figures, Parquet, and whether its claims hold.

    What was played already is not played again: after Ctrl-C, the same command goes on. Exit status 1 where a claim
    does not hold.
    """
    asked = _Asked(options, **flags)
    points = asked.points()
    if trace is not None:
        asked.trace(points[0], trace)
    asked.play(points)


@click.command("sweep", cls=Command, short_help="Play a scenario with every value of some keys.")
@_flags
@click.option("--over", multiple=True, required=True, metavar="KEY=A,B,…", help="adversaries.0.count=0,10,20")
@pass_options
def sweep_command(options: Options, /, over: tuple[str, ...], **flags: Any) -> None:
    """Play SCENARIO at every value of each --over with every value of all others; one or two of numbers are drawn."""
    asked = _Asked(options, **flags)
    asked.play(asked.points(over))


@click.command("compare", cls=Command, short_help="Play a scenario under other defences.")
@_flags
@click.option("--defence", "names", multiple=True, metavar="NAME", help="One of them; all, if not said.")
@pass_options
def compare_command(options: Options, /, names: tuple[str, ...], **flags: Any) -> None:
    """Play SCENARIO under our rules and under others', with the same seeds: who does better at what."""
    from p2peval.sim.defences import DEFENCES

    wanted = names or tuple(DEFENCES)
    if unknown := [name for name in wanted if name not in DEFENCES]:
        raise UsageError(f"no defence {unknown[0]!r}", hint=f"one of: {', '.join(DEFENCES)}")
    asked = _Asked(options, **flags)
    asked.play([asked.points(more=dict(DEFENCES[name]))[0] for name in wanted], wanted)


@click.command("plot", cls=Command, short_help="Draw a campaign's page and figures again.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@pass_options
def plot_command(options: Options, folder: Path) -> None:
    """Make report.html and the figures of FOLDER again from what was played; nothing is played."""
    from p2peval.sim.campaign import kept

    _finish(Output(options), kept(folder), folder, f"p2peval sim plot {folder}")


class _Asked:
    """What the flags ask for."""

    def __init__(
        self,
        options: Options,
        scenario: Path,
        settings: tuple[str, ...],
        seeds: int | None,
        jobs: int | None,
        cluster: str | None,
        adversary: Path | None,
        policy: Path | None,
        out: Path | None,
    ) -> None:
        from p2peval.sim.sweep import setting

        self._printed = Output(options)
        self._file = scenario
        self._settings = dict(map(setting, settings))
        if seeds is not None:
            self._settings["seeds"] = seeds
        if policy is not None:
            self._settings |= {"defence.file": str(policy.resolve())}
        self._jobs, self._cluster, self._adversary = jobs, cluster, adversary
        self._folder = out or Path("build/sim") / scenario.stem

    def points(self, over: Sequence[str] = (), more: dict[str, Any] | None = None) -> list[Point]:
        from p2peval.sim.sweep import axis, points

        return list(points(self._source(), self._settings | (more or {}), map(axis, over)))

    def _source(self) -> Source:
        from p2peval.sim.kinds import attacked_by, kinds
        from p2peval.sim.measures import MEASURES
        from p2peval.sim.scenario_file import Rules, opened

        source = opened(self._file, Rules(kinds, MEASURES))
        return source if self._adversary is None else attacked_by(source, self._adversary)

    def trace(self, point: Point, seed: int) -> None:
        from p2peval.sim.event_log import record

        file = record(point.scenario, seed, self._folder)
        self._printed.say(f"every event of seed {seed}: {file}")

    def play(self, points: list[Point], names: Sequence[str] = ()) -> None:
        """``names``: in place of what is set at each point."""
        from p2peval.sim import campaign
        from p2peval.sim.results import said

        def told(done: int, of: int) -> None:
            self._printed.tell(f"{done} of {of} worlds")

        player = campaign.locally(self._jobs or campaign.cores())
        if self._cluster is not None:
            from p2peval.sim.cluster import on_cluster

            player = on_cluster(self._cluster)
        named = [campaign.Named(*each) for each in zip(names or map(said, points), points, strict=True)]
        found = campaign.run(named, self._folder, player, _sometimes(told))
        _finish(self._printed, found, self._folder, shlex.join(["p2peval", *sys.argv[1:]]))


def _sometimes(told: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Every twentieth part, and the end."""

    def tell(done: int, of: int) -> None:
        if done == of or done % max(of // 20, 1) == 0:
            told(done, of)

    return tell


def _finish(printed: Output, played: Sequence[Played], folder: Path, command: str) -> None:
    """Files, the answer, and exit status 1 where a claim does not hold at the first point."""
    from p2peval.sim import report
    from p2peval.sim.results import summed_up

    scenario, summaries = played[0].point.scenario, list(map(summed_up, played))
    files, note = report.write(scenario, played, summaries, folder, command)
    if note:
        printed.say(f"note: {note}")
    view = SimRunView(
        title=scenario.title,
        seeds=len(scenario.seeds),
        files=tuple(map(str, files)),
        points=tuple(map(_point, summaries)),
    )
    printed.answer("sim.run", view, lambda: "\n\n".join(_told(printed, summaries)))
    printed.say(f"report: {folder / report.PAGE}")
    broken = [verdict for verdict in summaries[0].verdicts if not verdict.held]
    if broken:
        raise ClaimsError(
            f"{len(broken)} of {len(summaries[0].verdicts)} claims do not hold", hint=str(broken[0].claim)
        )


def _point(summary: Summary) -> SimPointView:
    return SimPointView(
        name=summary.name,
        measures=tuple(
            SimMeasureView(name=name, mean=found.mean, low=found.low, high=found.high, seeds=found.seeds)
            for name, found in summary.found.items()
        ),
        claims=tuple(
            SimClaimView(claim=str(verdict.claim), value=verdict.value, held=verdict.held)
            for verdict in summary.verdicts
        ),
    )


def _told(out: Output, summaries: Sequence[Summary]) -> list[str]:
    """Verdicts of the first point, then the measures: one point as a list, several as a table."""
    from p2peval.sim.page import told, value

    first = summaries[0]
    verdicts = [[str(each.claim), value(each), "holds" if each.held else "does not hold"] for each in first.verdicts]
    heading = f"CLAIM, OF {first.name}" if first.name else "CLAIM"  # of several points, the first is judged
    parts = [out.table([heading, "FOUND", "VERDICT"], verdicts)] if verdicts else []
    if len(summaries) == 1:
        return [*parts, out.table(["MEASURE", "MEAN"], [[name, told(of)] for name, of in first.found.items()])]
    claimed = [each.claim.metric for each in first.verdicts]
    shown = list(dict.fromkeys([*claimed, "wrong_accepts", "bad_picks", "executions", "captured"]))[:MOST_COLUMNS]
    rows = [[each.name, *(told(each.found[m]) if m in each.found else "-" for m in shown)] for each in summaries]
    return [*parts, out.table(["", *shown], rows)]
