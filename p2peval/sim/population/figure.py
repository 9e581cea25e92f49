"""Captured reputation as a picture: by attack edges and identities, and beside the bound that no identity moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from p2peval.sim.population.heat import Heat
from p2peval.sim.tables.figure import NoPictureError
from p2peval.sim.tables.tables import whole


def draw(found: Heat, path: Path) -> None:
    """Write a PNG. Raises NoPictureError where matplotlib is missing (extra ``sim``)."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPictureError("no figure: matplotlib is missing", hint="pip install 'p2peval[sim]'") from error

    picture = Figure(figsize=(12, 4.8), layout="constrained")
    FigureCanvasAgg(picture)
    picture.suptitle(f"Reputation captured from {found.honest} honest peers, each acquainted with {found.met}")
    left, right = picture.subplots(1, 2)
    picture.colorbar(_map(left, found), ax=left, label="captured share of reputation")
    _curves(right, found)
    with whole(path) as unfinished:
        picture.savefig(unfinished, format="png", dpi=85)


def _map(axes: Any, found: Heat) -> Any:
    image = axes.imshow(found.captured, origin="lower", aspect="auto", cmap="cividis")
    middle = float(found.captured.max()) / 2
    for place, share in np.ndenumerate(found.captured):
        axes.text(*place[::-1], f"{share:.2g}", ha="center", va="center", color="black" if share > middle else "white")
    axes.set_xticks(range(len(found.identities)), [f"{many:,}" for many in found.identities.tolist()])
    axes.set_yticks(range(len(found.edges)), [f"{many:,}" for many in found.edges.tolist()])
    axes.set_xlabel("identities of one actor")
    axes.set_ylabel("attack edges")
    return image


def _curves(axes: Any, found: Heat) -> None:
    """A line for each number of edges; the bound dashed, in the same colour."""
    some = np.flatnonzero(found.edges > 0)
    for number, row in enumerate(some.tolist()):
        colour, label = f"C{number % 10}", f"{int(found.edges[row]):,} edges"
        axes.plot(found.identities, found.captured[row], marker="o", markersize=4, color=colour, label=label)
        axes.plot(found.identities, found.bound[row], linestyle="--", color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("identities of one actor")
    axes.set_ylabel("captured share (dashed: the bound of trust.md §3)")
    axes.set_ylim(bottom=0.2 * float(found.captured[some].min(initial=1.0)))
    axes.legend(fontsize="small", loc="lower center", ncols=4)
    axes.grid(alpha=0.3)
