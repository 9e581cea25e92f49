"""What a reproduction is made of: panels with curves of points, and what the paper says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Play = Callable[[int], Mapping[str, float]]
"""seed -> measure in each panel that it has one for; a function of a module or a ``partial`` of one, to be pickled."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of the figure. ``x``, ``y``: what the axes show, with units. ``logarithmic``: of "", "x", "y", "xy".

    ``source``: the paper's own figure or table that it stands beside, empty where there is none.
    """

    name: str
    x: str
    y: str
    source: str = ""
    logarithmic: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that the paper reports, in the panel's units, drawn as a cross beside our curve."""

    panel: str
    curve: str
    x: float
    value: float


@dataclass(frozen=True, slots=True)
class Point:
    """Where on the x-axis, on which curve, and how it is played. ``exact``: chance has no part, so one seed is enough.

    ``most``: seeds at most, where a play is dear. One ``play`` may give its measure to several panels.
    """

    curve: str
    x: float
    play: Play
    exact: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """An ordering: in ``panel`` the mean of ``lower`` (curve, x) is below that of ``higher``, their intervals apart.

    ``of_paper``: the paper says so; else it is ours. A claim that does not hold is shown as such.
    """

    says: str
    panel: str
    lower: tuple[str, float]
    higher: tuple[str, float]
    of_paper: bool = True


@dataclass(frozen=True, slots=True)
class Paper:
    """``about``: what is played, in a line. ``panels`` and curves are drawn in their order."""

    title: str
    authors: str
    year: int
    about: str
    panels: tuple[Panel, ...]
    claims: tuple[Claim, ...] = ()
    marks: tuple[Mark, ...] = ()
