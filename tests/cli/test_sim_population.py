"""``sim population``: the measures of a population, what is refused, and the figure of captured reputation."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from p2peval.cli import sim_population
from p2peval.cli.contract import FOLDER
from p2peval.cli.main import cli


def population(*words: str) -> Result:
    return CliRunner().invoke(cli, ["sim", "population", "--honest", "60", "--epochs", "4", *words])


def test_measures_are_told_with_their_intervals_the_same_each_time() -> None:
    result = population("--liars", "30", "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    jsonschema.validate(answer, json.loads((FOLDER / "sim.population.json").read_text(encoding="utf-8")))
    measures = {each["name"]: each for each in answer["data"]["measures"]}
    assert 0.0 < measures["bad_picks"]["low"] < measures["bad_picks"]["mean"] < measures["bad_picks"]["high"] < 0.5
    assert measures["captured_mass"]["seeds"] == 3
    assert population("--liars", "30", "--json").stdout == result.stdout
    assert "60 honest, 30 liars, 4 epochs" in population("--liars", "30").stdout


def test_without_liars_there_is_nothing_to_capture() -> None:
    answer = json.loads(population("--liars", "0", "--json").stdout)
    measures = {each["name"]: each["mean"] for each in answer["data"]["measures"]}
    assert measures["bad_picks"] == measures["wrong_accepts"] == 0.0
    assert "captured_mass" not in measures


def test_a_population_that_cannot_be_is_refused_with_the_reason() -> None:
    result = population("--liars", "5", "--edges", "61")
    assert result.exit_code == 2
    assert "attack edges of 'liars' are askers: at most 60, not 61" in result.stderr


def test_the_figure_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim_population, "EDGES", (0, 10))
    monkeypatch.setattr(sim_population, "IDENTITIES", (1, 10))
    result = population("--liars", "5", "--seeds", "1", "--heat", str(tmp_path / "heat.png"), "--json")
    assert json.loads(result.stdout)["data"]["files"] == [str(tmp_path / "heat.png")]
    assert (tmp_path / "heat.png").read_bytes().startswith(b"\x89PNG")
