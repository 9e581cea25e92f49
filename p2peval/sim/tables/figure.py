"""The tables as a picture: one panel for each measure, a bar for each policy in each case, and the goals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from p2peval.errors import P2pevalError
from p2peval.sim.tables.goals import GOALS, OURS
from p2peval.sim.tables.tables import Line, whole

SHOWN = {"checking": ("wrong_accepts", "executions"), "picking": ("bad_picks", "top5_load")}


class NoPictureError(P2pevalError):
    """matplotlib is not installed."""


def draw(found: Sequence[Line], path: Path) -> None:
    """Write a PNG. Raises NoPictureError where matplotlib is missing (extra ``sim``)."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPictureError("no figure: matplotlib is missing", hint="pip install 'p2peval[sim]'") from error

    panels = [(table, m) for table in dict.fromkeys(line.table for line in found) for m in SHOWN[table]]
    picture = Figure(figsize=(14, 5 * len(panels)), layout="constrained")
    FigureCanvasAgg(picture)
    for axes, (table, measure) in zip(picture.subplots(len(panels), squeeze=False)[:, 0], panels, strict=True):
        _panel(axes, [line for line in found if (line.table, line.measure) == (table, measure)])
        goals = {goal.case: goal.most for goal in GOALS if (goal.table, goal.measure) == (table, measure)}
        cases = list(dict.fromkeys(line.case for line in found if (line.table, line.measure) == (table, measure)))
        for case, most in goals.items():
            where = cases.index(case)
            axes.hlines(most, where - 0.45, where + 0.45, colors="black", linestyles="dotted")
        axes.set_title(f"{measure.replace('_', ' ')} (dotted: the goal of {OURS[table]}; lines: 95 % intervals)")
    with whole(path) as unfinished:
        picture.savefig(unfinished, format="png", dpi=110)


def _panel(axes: Any, found: Sequence[Line]) -> None:
    cases = list(dict.fromkeys(line.case for line in found))
    policies = list(dict.fromkeys(line.policy for line in found))
    width = 0.9 / len(policies)
    for i, policy in enumerate(policies):
        of = [line for line in found if line.policy == policy]
        places = [cases.index(line.case) - 0.45 + (i + 0.5) * width for line in of]
        errors = [[line.mean - line.low for line in of], [line.high - line.mean for line in of]]
        axes.bar(places, [line.mean for line in of], width, yerr=errors, label=policy)
    if found[0].measure == "wrong_accepts":
        axes.set_yscale("symlog", linthresh=1e-5)
    axes.set_xticks(range(len(cases)), cases, rotation=25, ha="right")
    axes.legend(ncols=len(policies), fontsize="small")
