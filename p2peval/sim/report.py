"""A campaign's folder: tables as Parquet, figures as PNG, and the page that has them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from p2peval.sim import figures, results
from p2peval.sim.campaign import Played
from p2peval.sim.page import page
from p2peval.sim.results import Summary
from p2peval.sim.scenario import Scenario
from p2peval.sim.tables.figure import NoPictureError
from p2peval.sim.tables.tables import whole

PAGE = "report.html"

SHOWN = ("wrong_accepts", "bad_picks", "executions", "captured", "latency_s", "wasted")
"""Measures that are drawn beside those that the claims are about."""

MOST_SHOWN = 6
MOST_CURVES = 10
"""Points in a figure with a curve or a panel for each: as many as there are defences, and colours."""


def write(
    scenario: Scenario, played: Sequence[Played], summaries: Sequence[Summary], folder: Path, command: str
) -> tuple[list[Path], str]:
    """Files that were written, and a note where figures could not be drawn."""
    files, note = results.write(scenario, played, folder), ""
    pictures: list[tuple[str, bytes]] = []
    try:
        pictures = _pictures(scenario, played, summaries)
    except NoPictureError as error:
        note = f"{error.message}; {error.hint}"
    for number, (_, png) in enumerate(pictures, start=1):
        files.append(folder / f"figure-{number}.png")
        with whole(files[-1]) as file:
            file.write_bytes(png)
    files.append(folder / PAGE)
    with whole(files[-1]) as file:
        file.write_text(page(scenario, summaries, pictures, command), encoding="utf-8")
    return files, note


def _pictures(scenario: Scenario, played: Sequence[Played], summaries: Sequence[Summary]) -> list[tuple[str, bytes]]:
    """Captions and figures, by what varies: names, one number, or two."""
    claimed = [claim.metric for claim in scenario.claims]
    shown = list(dict.fromkeys([*claimed, *SHOWN]))[:MOST_SHOWN]
    swept = _numbers(summaries)
    drawn: list[tuple[str, bytes]] = []
    if len(summaries) == 1 or not swept:
        drawn.append(("Measures", figures.bars(summaries, shown)))
    else:
        drawn.append((f"Measures over {swept[0]}", figures.lines(summaries, swept[0], shown)))
    if len(swept) == 2 and len(summaries[0].point.settings) == 2:
        drawn += [
            (f"{measure} over both", figures.heat(summaries, swept[0], swept[1], measure)) for measure in shown[:2]
        ]
    few = list(zip(played, summaries, strict=True))[:MOST_CURVES]
    cut = f" (the first {len(few)} of {len(played)})" if len(few) < len(played) else ""
    if scenario.adversaries:
        drawn.append((f"Detection{cut}", figures.roc([p for p, _ in few])))
    drawn.append((f"Reputation over time{cut}", figures.curves([p for p, _ in few], [s.name for _, s in few])))
    return drawn


def _numbers(summaries: Sequence[Summary]) -> list[str]:
    """Swept keys whose values are numbers, not all the same."""
    found: dict[str, set[object]] = {}
    for each in summaries:
        for key, value in each.point.settings:
            found.setdefault(key, set()).add(value)
    return [
        key
        for key, values in found.items()
        if len(values) > 1 and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    ]
