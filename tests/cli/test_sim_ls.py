"""``sim ls``: what a folder of scenarios holds, and what is said of files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from p2peval.cli.contract import FOLDER
from p2peval.cli.main import cli

GOOD = """\
title = "Two kinds of liars"
description = "Long before anybody asks."
seeds = 5
claims = ["bad_picks.p95 <= 0.10", "wrong_accepts.mean < 0.001"]

[[adversaries]]
kind = "sybils"
count = 20

[[adversaries]]
kind = "sleeper"
with = ["collective"]
count = 3

[sweep]
adversaries.0.count = [0, 10, 20]
defence.opinion = ["p2peval", "none"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "a.toml").write_text('title = "Nobody attacks"\n', encoding="utf-8")
    (tmp_path / "notes.md").write_text("no scenario", encoding="utf-8")
    return tmp_path


def ls(*words: str) -> Result:
    return CliRunner().invoke(cli, ["sim", "ls", *words])


def test_scenarios_are_listed_by_name_with_all_that_they_are(folder: Path) -> None:
    result = ls(str(folder), "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    jsonschema.validate(answer, json.loads((FOLDER / "sim.ls.json").read_text(encoding="utf-8")))
    peaceful, attacked = answer["data"]
    assert (peaceful["title"], peaceful["hosts"], peaceful["seeds"], peaceful["runs"]) == ("Nobody attacks", 40, 30, 1)
    assert attacked == {
        "file": str(folder / "b.toml"),
        "title": "Two kinds of liars",
        "description": "Long before anybody asks.",
        "hosts": 63,
        "attacks": ["20 sybils", "3 sleeper + collective"],
        "seeds": 5,
        "runs": 6,
        "claims": ["bad_picks.p95 <= 0.1", "wrong_accepts.mean < 0.001"],
        "wrong": "",
    }


def test_people_get_a_table(folder: Path) -> None:
    head, first, second, claim = ls(str(folder)).stdout.splitlines()
    assert head.split() == ["FILE", "TITLE", "HOSTS", "ATTACKS", "SEEDS", "CLAIMS"]
    assert first.split() == ["a.toml", "Nobody", "attacks", "40", "-", "30", "-"]
    assert "20 sybils, 3 sleeper + collective  5 × 6  bad_picks.p95 <= 0.1" in second
    assert claim.strip() == "wrong_accepts.mean < 0.001"


def test_a_file_that_is_no_scenario_is_told_beside_the_others(folder: Path) -> None:
    (folder / "c.toml").write_text('title = "x"\n[popluation]\n', encoding="utf-8")
    result = ls(str(folder), "--json")
    assert result.exit_code == 2
    wrong = [view["wrong"] for view in json.loads(result.stdout)["data"]]
    assert wrong[:2] == ["", ""]
    assert wrong[2] == f"{folder / 'c.toml'}:2: unknown key 'popluation' in the top level; did you mean 'population'?"


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = ls(str(tmp_path / "none"))
    assert result.exit_code == 6
    assert "no folder" in result.stderr


def test_an_empty_folder_has_no_scenarios(tmp_path: Path) -> None:
    result = ls(str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no scenarios" in result.stderr
