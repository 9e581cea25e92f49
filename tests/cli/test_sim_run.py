"""``sim run`` and its kin, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from p2peval.cli.main import cli
from p2peval.sim.event_log import COLUMNS
from p2peval.sim.own_rules import OWN
from p2peval.trust.policies import OPINIONS

SCENARIO = """
title = "Tiny"
seeds = 2
hours = 0.1
claims = ["accepted.mean >= 0.9", "wrong_accepts.max <= 0.0"]
[population]
honest = 4
requesters = 1
[network]
degree = 3
[workload]
samples = 400
tasks = 1
tasks_per_hour = 10.0
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.toml"
    file.write_text(SCENARIO)
    return file


def sim(*words: object) -> Result:
    return CliRunner().invoke(cli, ["sim", *map(str, words)])


def test_a_run_gives_a_verdict_on_every_claim_and_a_page_that_is_whole(scenario: Path, tmp_path: Path) -> None:
    ran = sim("run", scenario, "--jobs", 1, "--out", tmp_path / "out", "--json")
    assert ran.exit_code == 0, ran.output
    data = json.loads(ran.stdout)["data"]
    assert [claim["held"] for claim in data["points"][0]["claims"]] == [True, True]
    assert all(Path(file).is_file() for file in data["files"])
    page = (tmp_path / "out" / "report.html").read_text()
    assert "accepted.mean &gt;= 0.9" in page
    assert 'src="data:image/png;base64,' in page
    assert "http" not in page.replace("data:image", "")


def test_a_claim_that_does_not_hold_is_told_by_the_exit_status(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(SCENARIO.replace("wrong_accepts.max <= 0.0", "executions.mean < 0.5"))
    ran = sim("run", scenario, "--jobs", 1, "--out", tmp_path / "out")
    assert ran.exit_code == 1
    assert "does not hold" in ran.stdout
    assert "1 of 2 claims do not hold" in ran.stderr


def test_a_sweep_and_a_comparison_have_a_line_for_every_point(scenario: Path, tmp_path: Path) -> None:
    def names(*words: object) -> list[str]:
        ran = sim(*words, "--jobs", 1, "--out", tmp_path / str(words[0]), "--json")
        return [point["name"] for point in json.loads(ran.stdout)["data"]["points"]]

    swept = names("sweep", scenario, "--over", "workload.model_seconds=1,2")
    assert swept == ["model_seconds 1", "model_seconds 2"]
    assert names("compare", scenario, "--defence", "p2peval", "--defence", "nothing") == ["p2peval", "nothing"]


def test_a_plot_draws_again_what_was_played_and_plays_nothing(scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sim("run", scenario, "--jobs", 1, "--out", out)
    before = (out / "figure-1.png").read_bytes()
    (out / "figure-1.png").unlink()
    scenario.unlink()
    assert sim("plot", out).exit_code == 0
    assert (out / "figure-1.png").read_bytes() == before


def test_a_trace_has_every_event_of_its_world(scenario: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    sim("run", scenario, "--jobs", 1, "--out", tmp_path / "out", "--trace", 1)
    table = parquet.read_table(tmp_path / "out" / "events-1.parquet")
    assert tuple(table.column_names) == COLUMNS
    assert "EvaluationFinished" in table.column("event").to_pylist()


def test_the_lab_judges_each_attack_by_its_first_claim_under_every_defence(scenario: Path, tmp_path: Path) -> None:
    words = ("--defence", "nothing", "--jobs", 1, "--out", tmp_path / "lab")
    ran = sim("lab", scenario.parent, *words, "--json")
    (row,) = json.loads(ran.stdout)["data"]["rows"]
    assert (row["scenario"], row["measure"], row["lower_is_better"]) == ("tiny", "accepted", False)
    assert set(row["found"]) == {"p2peval", "nothing"}
    assert (row["claims_held"], row["claims"]) == (2, 2)
    assert "| tiny | accepted (higher) |" in (tmp_path / "lab" / "lab.md").read_text()
    assert len((tmp_path / "lab" / "lab.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "absent.toml"), "no scenario at absent.toml"),
        (("compare", "SCENARIO", "--defence", "hope"), "no defence 'hope'"),
        (("run", "SCENARIO", "--set", "population.honest"), "no key and value"),
        (("run", "SCENARIO", "--set", "population.honest=-3"), "honest must be from 0"),
        (("run", "SCENARIO", "--adversary", "absent.py"), "absent.py: no such file"),
        (("run", "SCENARIO", "--policy", "absent.py"), "absent.py: no such file"),
    ],
)
def test_a_wrong_word_is_one_clear_error(words: tuple[str, ...], said: str, scenario: Path, tmp_path: Path) -> None:
    asked = [str(scenario) if word == "SCENARIO" else word for word in words]
    ran = sim(*asked, "--jobs", 1, "--out", tmp_path / "out")
    assert ran.exit_code != 0
    assert said in ran.stderr


def test_a_user_attacks_and_defends_with_files_of_their_own(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPINIONS, OWN, OPINIONS["none"])  # and is gone afterwards: rules belong to the process
    (tmp_path / "mute.py").write_text(
        "from dataclasses import dataclass\n"
        "from p2peval.core.effects import RunEvaluation\n"
        "from p2peval.sim.adversary import Adversary\n"
        "@dataclass\nclass Mute(Adversary):\n"
        "    def act(self, effect):\n"
        "        return () if isinstance(effect, RunEvaluation) else (effect,)\n"
    )
    (tmp_path / "mine.py").write_text(
        "import numpy as np\ndef opinion(testimony):\n    return np.ones(testimony.size)\n"
    )
    ran = sim(
        *("run", scenario, "--adversary", tmp_path / "mute.py", "--policy", tmp_path / "mine.py"),
        *("--jobs", 1, "--out", tmp_path / "out", "--json"),
    )
    assert ran.exit_code in (0, 1), ran.output
    found = {each["name"]: each["mean"] for each in json.loads(ran.stdout)["data"]["points"][0]["measures"]}
    assert found["identities"] == 1.0
