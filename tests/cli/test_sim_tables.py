"""``sim tables`` on the command line: what it prints, and the files that it leaves."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from p2peval.cli.contract import FOLDER
from p2peval.cli.main import cli
from p2peval.sim.tables import checking_world


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case and rule, a few tasks each."""
    cases = {name: replace(case, tasks=20, compared=10) for name, case in checking_world.CASES.items()}
    monkeypatch.setattr(checking_world, "CASES", cases)


def asked(out: Path, *more: str) -> str:
    words = ["sim", "tables", "--table", "checking", "--seeds", "2", "--jobs", "1", "--out", str(out), *more]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("short")
def test_the_answer_fits_its_schema_and_the_same_seeds_give_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    answer = json.loads(asked(tmp_path / "one", "--json"))
    jsonschema.validate(answer, json.loads((FOLDER / "sim.tables.json").read_text(encoding="utf-8")))
    asked(tmp_path / "two")
    one, two = ((tmp_path / each / "tables.csv").read_bytes() for each in ("one", "two"))
    assert one == two
    assert [Path(file).name for file in answer["data"]["files"]] == ["tables.csv", "tables.png"]
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"tables.csv", "tables.png"}


@pytest.mark.usefixtures("short")
def test_without_matplotlib_there_is_a_note_and_the_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = CliRunner().invoke(
        cli, ["sim", "tables", "--table", "checking", "--seeds", "1", "--jobs", "1", "--out", str(tmp_path)]
    )
    assert result.exit_code == 0
    assert "p2peval[sim]" in result.stderr
    assert "GOAL" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["tables.csv"]
