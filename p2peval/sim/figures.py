"""Figures of a campaign: measures over what was swept, reputation over time, and a heat map of two axes.

All are drawn from what ``results`` summed up; the same campaign gives the same picture.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from io import BytesIO
from statistics import fmean
from typing import Any

from p2peval.sim.campaign import Played
from p2peval.sim.results import Summary
from p2peval.sim.scenario import Value
from p2peval.sim.tables.figure import NoPictureError

WIDTH, HEIGHT, DOTS = 6.4, 4.0, 95


def bars(summaries: Sequence[Summary], measures: Sequence[str]) -> bytes:
    """A bar for each point, a panel for each measure that is not 0 everywhere, with 95 % intervals."""
    measures = [name for name in measures if any(name in each.found and each.found[name].high for each in summaries)]
    picture = _figure(len(measures))
    for axes, name in zip(_axes(picture, len(measures)), measures, strict=True):
        of = [each for each in summaries if name in each.found]
        means = [each.found[name].mean for each in of]
        errors = [
            [each.found[name].mean - each.found[name].low for each in of],
            [each.found[name].high - each.found[name].mean for each in of],
        ]
        axes.bar(range(len(of)), means, yerr=errors, color=[f"C{place % 10}" for place in range(len(of))])
        axes.set_xticks(range(len(of)), [each.name or "this" for each in of], rotation=30, ha="right", fontsize=7)
        axes.set_title(name.replace("_", " "), fontsize=10)
        axes.set_ylim(bottom=0.0)
    return _png(picture)


def lines(summaries: Sequence[Summary], key: str, measures: Sequence[str]) -> bytes:
    """Each measure over the numbers that ``key`` takes, a line for each setting of all other keys, with bands."""

    def at(each: Summary) -> float:
        return _number(dict(each.point.settings)[key])

    measures = [name for name in measures if any(name in each.found for each in summaries)]
    picture = _figure(len(measures))
    for axes, name in zip(_axes(picture, len(measures)), measures, strict=True):
        for label, of in _by_others(summaries, key).items():
            shown = sorted((each for each in of if name in each.found), key=at)
            xs, found = list(map(at, shown)), [each.found[name] for each in shown]
            axes.plot(xs, [each.mean for each in found], marker="o", markersize=3, label=label or None)
            axes.fill_between(xs, [each.low for each in found], [each.high for each in found], alpha=0.2)
            if label:
                axes.legend(fontsize=7)
        axes.set_xlabel(key)
        axes.set_title(name.replace("_", " "), fontsize=10)
        axes.set_ylim(bottom=0.0)
    return _png(picture)


def curves(played: Sequence[Played], names: Sequence[str]) -> bytes:
    """Mean reputation of honest peers and of adversaries over time, a panel for each point."""
    picture = _figure(len(played))
    for axes, each, name in zip(_axes(picture, len(played)), played, names, strict=True):
        points = list(zip(*(outcome.curve for outcome in each.outcomes), strict=True))
        hours = [at[0][0] / 3600.0 for at in points]
        for place, label, colour in ((1, "honest", "C0"), (2, "adversaries", "C3")):
            axes.plot(hours, [fmean(run[place] for run in at) for at in points], color=colour, label=label)
            low, high = ([pick(run[place] for run in at) for at in points] for pick in (min, max))
            axes.fill_between(hours, low, high, color=colour, alpha=0.15)
        axes.set_title(f"reputation over time{': ' if name else ''}{name}", fontsize=10)
        axes.set_xlabel("hours")
        axes.set_ylim(0.0, 1.0)
        axes.legend(fontsize=7)
    return _png(picture)


def roc(played: Sequence[Played]) -> bytes:
    """How well reputation tells adversaries from honest peers: of all seeds together, a curve for each point.

    Whoever is below a threshold is held for an adversary. Up: adversaries that are; across: honest peers that are.
    """
    picture = _figure(1)
    axes = _axes(picture, 1)[0]
    for each in played:
        good = sorted(value for outcome in each.outcomes for value in outcome.reputations[0])
        bad = sorted(value for outcome in each.outcomes for value in outcome.reputations[1])
        thresholds = sorted({*good, *bad, float("inf")})
        across = [bisect_left(good, threshold) / max(len(good), 1) for threshold in thresholds]
        up = [bisect_left(bad, threshold) / max(len(bad), 1) for threshold in thresholds]
        axes.plot(across, up, label=each.name or None)
    axes.plot([0.0, 1.0], [0.0, 1.0], color="grey", linestyle="dotted")
    axes.set_xlabel("honest peers below the threshold")
    axes.set_ylabel("adversaries below it")
    axes.set_title("adversaries told by their reputation", fontsize=10)
    if any(each.name for each in played):
        axes.legend(fontsize=7)
    return _png(picture)


def heat(summaries: Sequence[Summary], across: str, up: str, measure: str) -> bytes:
    """A measure's mean over two swept keys."""
    settings = [dict(each.point.settings) for each in summaries]
    xs, ys = (sorted({_number(each[key]) for each in settings}) for key in (across, up))
    grid = [[float("nan")] * len(xs) for _ in ys]
    for each, at in zip(summaries, settings, strict=True):
        if measure in each.found:
            grid[ys.index(_number(at[up]))][xs.index(_number(at[across]))] = each.found[measure].mean
    picture = _figure(1)
    axes = _axes(picture, 1)[0]
    image = axes.imshow(grid, origin="lower", aspect="auto", cmap="magma")
    for row, line in enumerate(grid):
        for column, value in enumerate(line):
            axes.text(column, row, f"{value:.3g}", ha="center", va="center", color="white", fontsize=7)
    axes.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    axes.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(measure.replace("_", " "), fontsize=10)
    picture.colorbar(image, ax=axes)
    return _png(picture)


def _by_others(summaries: Sequence[Summary], key: str) -> dict[str, list[Summary]]:
    found: dict[str, list[Summary]] = {}
    for each in summaries:
        others = ", ".join(f"{name.rpartition('.')[2]} {value}" for name, value in each.point.settings if name != key)
        found.setdefault(others, []).append(each)
    return found


def _number(value: Value) -> float:
    return float(value) if isinstance(value, bool | int | float) else float("nan")


def _figure(panels: int) -> Any:
    """Raises NoPictureError where matplotlib is missing (extra ``sim``)."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPictureError("no figure: matplotlib is missing", hint="pip install 'p2peval[sim]'") from error
    across = 1 if panels == 1 else 2
    down = -(-panels // across)
    picture = Figure(figsize=(WIDTH * across, HEIGHT * max(down, 1)), layout="constrained")
    FigureCanvasAgg(picture)
    return picture


def _axes(picture: Any, panels: int) -> list[Any]:
    if not panels:
        return []
    across = 1 if panels == 1 else 2
    places = list(picture.subplots(-(-panels // across), across, squeeze=False).ravel())
    for spare in places[panels:]:
        spare.remove()
    return places[:panels]


def _png(picture: Any) -> bytes:
    file = BytesIO()
    picture.savefig(file, format="png", dpi=DOTS, metadata={"Software": None})
    return file.getvalue()
