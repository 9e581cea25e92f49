"""Papers' runner: lines, verdicts, the file and the figure, of a paper of a known outcome."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from p2peval.errors import NotFoundError
from p2peval.sim.papers import NAMES, eigentrust, figure, playing
from p2peval.sim.papers.paper import Claim, Mark, Panel, Paper, Point
from p2peval.sim.papers.playing import Line, lines, verdicts, write_csv
from p2peval.sim.tables.picking_threats import Case

LOW, HIGH = ("low", 1.0), ("high", 1.0)
PAPER = Paper(
    title="Two curves",
    authors="Nobody",
    year=2000,
    about="a known outcome",
    panels=(Panel("errors", "x", "y", "figure 1"), Panel("cost", "x", "y", logarithmic="xy")),
    claims=(
        Claim("low is lower", "errors", LOW, HIGH),
        Claim("high is lower", "errors", HIGH, LOW),
        Claim("they cost the same", "cost", LOW, HIGH),
    ),
    marks=(Mark("errors", "low", 1.0, 0.5),),
)


def measured(errors: float, cost: float, seed: int) -> dict[str, float]:
    return {"errors": errors + 0.01 * seed, "cost": cost + seed}


def fixed(value: float, panel: str, seed: int) -> dict[str, float]:
    return {panel: value + seed}


def points() -> list[Point]:
    return [Point(*LOW, partial(measured, 1.0, 10.0)), Point(*HIGH, partial(measured, 2.0, 10.5))]


def silent(done: int, of: int) -> None:
    pass


def found(seeds: int = 3, jobs: int = 1) -> list[Line]:
    return lines(PAPER, points(), seeds, jobs, silent)


def test_a_line_is_the_mean_over_all_seeds_panel_by_panel() -> None:
    assert [(x.panel, x.curve, x.x, round(x.mean, 9), x.seeds) for x in found()] == [
        ("errors", "low", 1.0, 1.01, 3),
        ("errors", "high", 1.0, 2.01, 3),
        ("cost", "low", 1.0, 11.0, 3),
        ("cost", "high", 1.0, 11.5, 3),
    ]
    assert all(line.low < line.mean < line.high for line in found())


def test_what_chance_has_no_part_in_is_played_once() -> None:
    said: list[tuple[int, int]] = []
    once = [Point(*LOW, partial(measured, 1.0, 10.0), exact=True)]
    assert {line.seeds for line in lines(PAPER, once, 30, 1, lambda *done: said.append(done))} == {1}
    assert said == [(1, 1)]


def test_what_is_dear_to_play_is_played_at_most_so_often() -> None:
    dear = [Point(*LOW, partial(measured, 1.0, 10.0), most=2), Point(*HIGH, partial(measured, 2.0, 10.5))]
    assert {line.curve: line.seeds for line in lines(PAPER, dear, 5, 1, silent)} == {"low": 2, "high": 5}


def test_a_claim_holds_where_the_intervals_are_apart_and_fails_where_the_means_stand_otherwise() -> None:
    assert [verdict.verdict for verdict in verdicts(PAPER, found())] == ["holds", "fails", "open"]


def test_a_measure_for_no_panel_is_refused() -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        lines(PAPER, [Point("low", 1.0, partial(fixed, 1.0, "elsewhere"), exact=True)], 1, 1, silent)


def test_two_processes_find_what_one_does() -> None:
    few = [Point("no trust", x, partial(eigentrust.inauthentic, "A", Case(cycles=2), "none")) for x in (0.0, 1.0)]
    paper = replace(PAPER, panels=(Panel("A", "x", "y"),))
    assert lines(paper, few, 2, 2, silent) == lines(paper, few, 2, 1, silent)


def test_the_file_says_every_line_again(tmp_path: Path) -> None:
    write_csv(found(), tmp_path / "new" / "paper.csv")
    with (tmp_path / "new" / "paper.csv").open() as file:
        head, *rows = csv.reader(file)
    assert head == ["panel", "curve", "x", "mean", "low", "high", "seeds"]
    assert [(row[0], row[1], float(row[3])) for row in rows] == [(x.panel, x.curve, round(x.mean, 6)) for x in found()]


def test_a_figure_has_a_panel_for_each_measure_that_was_found(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    figure.draw(PAPER, found(), tmp_path / "paper.png")
    assert (tmp_path / "paper.png").read_bytes()[:4] == b"\x89PNG"


def test_a_name_that_is_no_paper_is_told_which_there_are() -> None:
    with pytest.raises(NotFoundError) as refused:
        playing.module("eigentruth")
    assert all(name in refused.value.hint for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_paper_claims_and_marks_only_what_it_plays(name: str) -> None:
    module = playing.module(name)
    panels = {panel.name for panel in module.PAPER.panels}
    played = {(point.curve, point.x) for point in module.points()}
    assert module.PAPER.claims
    for claim in module.PAPER.claims:
        assert claim.panel in panels
        assert {claim.lower, claim.higher} <= played
    for mark in module.PAPER.marks:
        assert mark.panel in panels
        assert mark.curve in {curve for curve, _ in played}


@pytest.mark.parametrize("name", NAMES)
def test_every_paper_has_a_page(name: str) -> None:
    page = (Path(__file__).parents[2] / "simulations" / "papers" / f"{name}.md").read_text(encoding="utf-8")
    assert f"p2peval sim paper {name}" in page
    assert str(playing.module(name).PAPER.year) in page
