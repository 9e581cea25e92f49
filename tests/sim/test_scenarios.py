"""The scenarios of simulations/: each can be played, claims something, and the page about them says what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from p2peval.errors import ConfigError
from p2peval.sim.adversaries import ADVERSARIES
from p2peval.sim.document import parsed
from p2peval.sim.kinds import kinds, registry
from p2peval.sim.measures import MEASURES
from p2peval.sim.play import play
from p2peval.sim.scenario import Scenario
from p2peval.sim.scenario_file import Rules, Source, dumps, read

FOLDER = Path(__file__).parents[2] / "simulations"
FILES = sorted(FOLDER.glob("*.toml"))
LAB = Rules(kinds, MEASURES)


def blocks() -> list[Scenario]:
    """The scenarios on the page."""
    page = (FOLDER / "scenarios.md").read_text(encoding="utf-8")
    return [Source(parsed(text, "page"), LAB).scenario() for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scenario_of_the_lab_is_attacked_and_claims_something_over_thirty_seeds(file: Path) -> None:
    scenario = read(file, LAB)
    assert scenario.adversaries or scenario.network.partitions
    assert 2 <= len(scenario.claims) <= 5
    assert len(scenario.seeds) >= 30
    assert "false_convictions" in {claim.metric for claim in scenario.claims}, "no attack may harm the honest"


def test_every_attack_has_a_scenario() -> None:
    played = {kind for file in FILES for group in read(file, LAB).adversaries for kind in group.kinds}
    assert set(ADVERSARIES) - played == set()


@pytest.mark.parametrize(("kind", "option"), [("collective", "altered"), ("camouflage", "honest"), ("spies", "spies")])
def test_an_attack_by_an_impossible_share_is_refused(kind: str, option: str) -> None:
    text = f'title = "x"\n[[adversaries]]\nkind = "{kind}"\n{option} = 1.5\n'
    with pytest.raises(ConfigError, match=f"x:4: adversaries.0.{option} must be from 0.0 to 1.0, not 1.5"):
        Source(parsed(text, "x"), LAB).scenario()


def test_the_page_says_every_key_at_its_default() -> None:
    first, _ = blocks()
    assert first == Scenario(first.title)
    page = (FOLDER / "scenarios.md").read_text(encoding="utf-8")
    for key in tomllib.loads(dumps(Scenario("x"))):
        assert key in page
    told = tomllib.loads(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0])
    for section in ("network", "population", "defence", "workload"):
        assert set(told[section]) == set(tomllib.loads(dumps(Scenario("x")))[section]), section


def test_what_the_page_attacks_with_can_be_played() -> None:
    _, attacked = blocks()
    assert attacked.population.churn is not None
    assert set(registry(attacked)) >= set(attacked.adversaries[0].kinds)


def test_models_are_asked_for_again() -> None:
    text = 'title = "x"\nhours = 0.5\n[population]\nhonest = 6\nrequesters = 2\n[workload]\ntasks = 10\n'
    text += "tasks_per_hour = 30\nsamples = 50\n"
    ever, again = (
        play(Source(parsed(text + f"repeats = {share}\n", "x"), LAB).scenario(), 1, {}) for share in (0.0, 0.9)
    )
    assert ever.measures["accepted"] == again.measures["accepted"] == 1.0
    assert ever.digest != again.digest
