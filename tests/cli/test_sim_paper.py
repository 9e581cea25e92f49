"""``sim paper`` on the command line: what it prints, and the files that it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from p2peval.cli.contract import FOLDER
from p2peval.cli.main import cli
from p2peval.sim.papers import NAMES, eigentrust


def asked(*words: str) -> Result:
    return CliRunner().invoke(cli, ["sim", "paper", *words])


def fits(answer: object, name: str) -> None:
    jsonschema.validate(answer, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def test_the_list_has_every_paper() -> None:
    answer = json.loads(asked("--list", "--json").stdout)
    fits(answer, "sim.papers")
    assert [paper["name"] for paper in answer["data"]] == list(NAMES)
    assert "Kamvar" in asked("--list").stdout


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The points that are claimed about, alone."""
    claimed = {point for claim in eigentrust.PAPER.claims for point in (claim.lower, claim.higher)}
    few = [point for point in eigentrust.points() if (point.curve, point.x) in claimed and point.curve == "no trust"]
    monkeypatch.setattr(eigentrust, "points", lambda: few)


@pytest.mark.usefixtures("short")
def test_a_paper_leaves_its_file_and_its_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("p2peval.sim.papers.playing.verdicts", lambda paper, found: [])
    for out in ("one", "two"):
        result = asked("eigentrust", "--seeds", "1", "--jobs", "1", "--out", str(tmp_path / out), "--json")
        assert result.exit_code == 0, result.output
        fits(json.loads(result.stdout), "sim.paper")
    one, two = ((tmp_path / each / "eigentrust.csv").read_bytes() for each in ("one", "two"))
    assert one == two
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"eigentrust.csv", "eigentrust.png"}


def test_no_name_and_a_wrong_name_are_told_which_there_are() -> None:
    for words, code in (((), 2), (("eigentruth",), 6)):
        result = asked(*words)
        assert result.exit_code == code
        assert "eigentrust" in result.stderr
