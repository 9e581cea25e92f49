"""Tables, goals, the file and the figure, in a world of a known outcome."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from p2peval.errors import StoreError
from p2peval.sim.tables import checking_world, figure, picking_world, tables
from p2peval.sim.tables.goals import CHECKING, GOALS, OURS
from p2peval.sim.tables.tables import WORLDS, Line, lines, verdicts, whole, write_csv

TOY = SimpleNamespace(
    CASES={"a": 0.0, "b": 10.0},
    POLICIES={"ours": 1.0, "theirs": 2.0},
    run=lambda case, policy, seed: {"executions": TOY.CASES[case] + TOY.POLICIES[policy] + seed},
)


def silent(done, of):
    pass


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(WORLDS, "toy", TOY)


def test_a_line_is_the_mean_over_all_seeds(toy):
    found = lines(["toy"], 3, 1, silent)
    assert [(x.case, x.policy, x.mean, x.seeds) for x in found] == [
        ("a", "ours", 2.0, 3),
        ("a", "theirs", 3.0, 3),
        ("b", "ours", 12.0, 3),
        ("b", "theirs", 13.0, 3),
    ]


def test_progress_is_told_world_by_world(toy):
    said = []
    lines(["toy"], 2, 1, lambda done, of: said.append((done, of)))
    assert said == [(k, 8) for k in range(1, 9)]


def test_every_goal_is_of_a_case_that_is_played():
    cases = {name: {*world.CASES, "best response"} for name, world in WORLDS.items()}
    assert not [goal for goal in GOALS if goal.case not in cases[goal.table]]
    assert all(OURS[name] in world.POLICIES for name, world in WORLDS.items())


def test_a_goal_is_met_or_missed_by_so_much():
    goals = [goal for goal in GOALS if goal.table == CHECKING]
    found = [Line(CHECKING, g.case, OURS[CHECKING], g.measure, g.most, g.most, g.most, 1) for g in goals]
    found[1] = replace(found[1], mean=goals[1].most + 0.25)
    missed = [verdict.missed_by for verdict in verdicts(found)]
    assert missed[1] == pytest.approx(0.25)
    assert not any(missed[:1] + missed[2:])


def test_the_file_says_every_line_again(toy, tmp_path):
    found = lines(["toy"], 2, 1, silent)
    write_csv(found, tmp_path / "new" / "tables.csv")
    with (tmp_path / "new" / "tables.csv").open() as file:
        head, *rows = csv.reader(file)
    assert head == ["table", "case", "policy", "measure", "mean", "low", "high", "seeds"]
    assert [Line(*row[:4], *map(float, row[4:7]), int(row[7])) for row in rows] == found


def test_an_interrupted_file_leaves_the_old_one(tmp_path):
    kept = tmp_path / "tables.csv"
    kept.write_text("old")

    def write_half() -> None:
        with whole(kept) as unfinished:
            unfinished.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["tables.csv"]
    assert kept.read_text() == "old"


def test_a_figure_has_a_panel_for_each_measure(tmp_path):
    pytest.importorskip("matplotlib")
    found = [
        Line(CHECKING, case, policy, measure, 1.0, 0.5, 1.5, 2)
        for case in checking_world.CASES
        for policy in checking_world.POLICIES
        for measure in figure.SHOWN[CHECKING]
    ]
    figure.draw(found, tmp_path / "tables.png")
    assert (tmp_path / "tables.png").read_bytes()[:4] == b"\x89PNG"


def test_two_processes_find_what_one_does(monkeypatch):
    few = dict(list(picking_world.CASES.items())[:1])
    monkeypatch.setattr(picking_world, "CASES", few)
    monkeypatch.setattr(picking_world, "POLICIES", {name: picking_world.POLICIES[name] for name in ("none", "perfect")})
    assert lines(["picking"], 2, 2, silent) == lines(["picking"], 2, 1, silent)
    assert tables.WORLDS["picking"] is picking_world


def test_a_disk_that_refuses_is_one_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="File exists"), whole(tmp_path / "file" / "x.csv"):
        pass
