"""A paper's figure: its panels, a curve with its 95 % band for each rule, crosses for what the paper reports."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

from p2peval.sim.papers.paper import Panel, Paper
from p2peval.sim.papers.playing import Line
from p2peval.sim.tables.figure import NoPictureError
from p2peval.sim.tables.tables import whole

ACROSS = 2
COLOURS = 128
NOTHING = 1e-7  # below it a logarithmic axis shows no difference


def draw(paper: Paper, found: Sequence[Line], path: Path) -> None:
    """Write a PNG. Raises NoPictureError where matplotlib is missing (extra ``sim``)."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from PIL import Image  # which matplotlib needs, too
    except ImportError as error:
        raise NoPictureError("no figure: matplotlib is missing", hint="pip install 'p2peval[sim]'") from error

    panels = [panel for panel in paper.panels if any(line.panel == panel.name for line in found)]
    across = min(ACROSS, len(panels))
    down = ceil(len(panels) / across)
    picture = Figure(figsize=(6.4 * across, 3.8 * down + 0.4), layout="constrained")
    FigureCanvasAgg(picture)
    picture.suptitle(f"{paper.authors} {paper.year}, played again (bands: 95 % intervals; crosses: the paper)")
    places = picture.subplots(down, across, squeeze=False).ravel()
    curves = list(dict.fromkeys(line.curve for line in found))
    for axes, panel in zip(places, panels, strict=False):
        _panel(axes, paper, panel, [line for line in found if line.panel == panel.name], curves)
    for axes in places[len(panels) :]:
        axes.remove()
    drawn = BytesIO()
    picture.savefig(drawn, format="png", dpi=85)
    with whole(path) as unfinished:  # a quarter of the bytes, for who clones the repository
        few = Image.open(drawn).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS)
        few.save(unfinished, format="PNG", optimize=True)


def _panel(axes: Any, paper: Paper, panel: Panel, found: Sequence[Line], curves: list[str]) -> None:
    for curve in dict.fromkeys(line.curve for line in found):
        of = sorted((line for line in found if line.curve == curve), key=lambda line: line.x)
        xs = [line.x for line in of]
        which = curves.index(curve)
        colour, dashed = f"C{which % 10}", which % 2
        style = "--" if dashed else "-"  # dashed ones lie above: two that run together are both seen
        means = [line.mean for line in of]
        axes.plot(xs, means, style, marker="o", markersize=3, color=colour, label=curve, zorder=2 + dashed)
        axes.fill_between(xs, [line.low for line in of], [line.high for line in of], alpha=0.2, color=colour)
        marks = [mark for mark in paper.marks if (mark.panel, mark.curve) == (panel.name, curve)]
        axes.plot([m.x for m in marks], [m.value for m in marks], "x", markersize=8, color=colour)
    axes.set_xscale("log" if "x" in panel.logarithmic else "linear")
    if "y" in panel.logarithmic:  # below the least that is not zero, the axis is linear: zeros are seen
        least = min((line.mean for line in found if line.mean > 0.0), default=1.0)
        axes.set_yscale("symlog", linthresh=max(least, NOTHING))
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    axes.set_title(panel.name + (f" ({panel.source})" if panel.source else ""), fontsize="medium")
    axes.legend(fontsize="x-small")
    axes.grid(alpha=0.3)
