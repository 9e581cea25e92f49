"""Scenarios from TOML: what is read, what is written, and one clear error for each thing that cannot be."""

from __future__ import annotations

import pickle
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from p2peval.errors import ConfigError, NotFoundError
from p2peval.sim.claims import parse
from p2peval.sim.document import parsed
from p2peval.sim.kinds import kinds
from p2peval.sim.scenario import Latency, Lengths, Region, Scenario
from p2peval.sim.scenario_file import Rules, Source, dumps, opened, read
from p2peval.sim.sweep import axis, points, setting
from tests.sim.scenario_draws import RULES, scenarios


@dataclass
class Louder:
    loud: bool = True


TEXT = """\
title = "Sybils"
seeds = 20
claims = [
    "bad_picks.p95 <= 0.10",
    "wrong_accepts.mean < 0.001",
]

[network]
latency = {kind = "constant", median_ms = 5}
regions = [
    {name = "here", share = 0.25},
    {name = "there", share = 0.75, extra_ms = 30},
]

[[network.partitions]]
start_s = 600
seconds = 60

[population]
honest = 30
churn.session = {kind = "pareto", mean_s = 600, shape = 2}

[[adversaries]]
kind = "sybils"
count = 20
altered = 0.1

[[adversaries]]
kind = "sleeper"
with = ["sybils"]
honest = 5

[sweep]
adversaries.0.count = [0, 10, 20]
"""


def source(text: str = TEXT) -> Source:
    return Source(parsed(text, "simulations/x.toml"), RULES)


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        source(text).scenario()
    return f"{caught.value.message} | {caught.value.hint}"


# ── what is read ──────────────────────────────────────────────────────────────────────────────────


def test_a_file_says_what_differs_from_the_defaults() -> None:
    scenario = source().scenario()
    assert scenario.seeds == tuple(range(20))
    assert scenario.hosts == 30 + 20 + 1
    assert scenario.network.latency == Latency("constant", 5.0)
    assert scenario.network.regions == (Region("here", 0.25), Region("there", 0.75, 30.0))
    assert scenario.network.partitions[0].start_s == 600.0
    assert scenario.population.churn is not None
    assert scenario.population.churn.session == Lengths("pareto", 600.0, shape=2.0)
    assert scenario.workload == Scenario("any").workload
    assert scenario.claims == (parse("bad_picks.p95 <= 0.1"), parse("wrong_accepts.mean < 0.001"))
    assert scenario.sweep == (("adversaries.0.count", (0, 10, 20)),)


def test_a_group_has_every_option_of_its_kinds() -> None:
    first, second = source().scenario().adversaries
    assert (first.kinds, dict(first.options)) == (("sybils",), {"altered": 0.1, "victims": ()})
    assert second.kinds == ("sleeper", "sybils")
    assert dict(second.options) == {"altered": 0.02, "honest": 5, "loud": False, "victims": ()}


def test_seeds_may_be_a_list() -> None:
    assert source(TEXT.replace("seeds = 20", "seeds = [7, 3]")).scenario().seeds == (7, 3)


MINE = """
from __future__ import annotations
from dataclasses import dataclass
from p2peval.sim.adversary import Adversary
@dataclass
class MyLiar(Adversary):
    share: float = 0.5
"""


def test_python_files_are_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "rules.py").write_text("def opinion(testimony): ...", encoding="utf-8")
    text = 'title = "x"\n[defence]\nfile = "rules.py"\n[[adversaries]]\nkind = "my-liar"\nfile = "mine.py"\n'
    scenario = Source(parsed(text, "x"), Rules(kinds), tmp_path).scenario()
    assert scenario.defence.file == str(tmp_path / "rules.py")
    assert scenario.adversaries[0].options == (("share", 0.5),)
    again = Source(parsed(dumps(scenario), "y"), Rules(kinds), tmp_path / "elsewhere").scenario()
    assert again == scenario


def test_a_python_file_that_is_missing_or_broken_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    text = 'title = "x"\n[[adversaries]]\nkind = "my-liar"\nfile = "mine.py"\n'
    with pytest.raises(ConfigError, match=r"^x:4: adversaries.0.file: .*mine.py: no such file"):
        Source(parsed(text, "x"), Rules(kinds), tmp_path).scenario()
    (tmp_path / "mine.py").write_text("class MyLiar: ...", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^x:4: .*mine.py"):
        Source(parsed(text, "x"), Rules(kinds), tmp_path).scenario()
    with pytest.raises(ConfigError, match=r"^x:3: defence.file: .*rules.py: no such file"):
        Source(parsed('title = "x"\n[defence]\nfile = "rules.py"\n', "x"), Rules(kinds), tmp_path).scenario()


def test_a_scenario_travels_to_other_processes() -> None:
    scenario = source().scenario()
    assert pickle.loads(pickle.dumps(scenario)) == scenario


# ── what is written ───────────────────────────────────────────────────────────────────────────────


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(scenarios())
def test_every_scenario_survives_being_written_down(scenario: Scenario) -> None:
    text = dumps(scenario)
    again = source(text).scenario()
    assert again == scenario
    assert dumps(again) == text


def test_what_is_written_holds_every_value() -> None:
    document = tomllib.loads(dumps(Scenario("x")))
    assert document["defence"]["newcomer_share"] == 0.1
    assert document["workload"]["delta"] == 0.02
    assert document["network"]["latency"]["kind"] == "lognormal"


# ── what cannot be ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[population]", "[popluation]", ":19: unknown key 'popluation' in the top level; did you mean 'population'?"),
        ("seeds = 20", "sedes = 20", ":2: unknown key 'sedes' in the top level; did you mean 'seeds'?"),
        ("honest = 30", "honst = 30", ":20: unknown key 'honst' in [population]; did you mean 'honest'?"),
        ("median_ms", "median", ":9: unknown key 'median' in [network.latency]; did you mean 'median_ms'?"),
        ("extra_ms", "extra", ":12: unknown key 'extra' in [network.regions.1]; did you mean 'extra_ms'?"),
        ("altered = 0.1", "atlered = 0.1", ":26: unknown key 'atlered' in [adversaries.0]; did you mean 'altered'?"),
        ("altered = 0.1", "altered = 1.1", ":26: adversaries.0.altered must be from 0.0 to 1.0, not 1.1"),
        ("altered = 0.1", "altered = true", ":26: adversaries.0.altered must be a number, not True"),
        ('"sybils"\ncount', '"sybil"\ncount', ":24: no adversary 'sybil'; did you mean 'sybils'? | known: sleeper"),
        ('["sybils"]', '["sibyls"]', ":30: no adversary 'sibyls'; did you mean 'sybils'?"),
        ("count = 20", "count = -1", ":25: adversaries.0.count must be from 0 to"),
        ("count = 20", "count = 2.5", ":25: adversaries.0.count must be a whole number, not 2.5"),
        ('[[adversaries]]\nkind = "sybils"', "[[adversaries]]", ":23: adversaries.0.kind is missing"),
        ("share = 0.25", "share = 1.25", ":11: network.regions.0.share must be from 0.0 to 1.0, not 1.25"),
        ("share = 0.25", "share = 0.5", ":10: network.regions must be shares from 0 to 1 that add up to 1, not 0.5, 0"),
        ('name = "there"', 'name = "here"', ":10: network.regions must have different names"),
        ('"constant"', '"konstant"', ":9: network.latency.kind must be one of lognormal, constant, uniform, not 'kons"),
        ('"constant", ', '"uniform", low_ms = 300, ', ":9: network.latency.low_ms must be at most high_ms (200)"),
        ("shape = 2", "shape = 1", ":21: population.churn.session.shape of a Pareto with a mean must be more than 1"),
        ("mean_s = 600", "mean_s = 6, median_s = 6", ":21: population.churn.session.mean_s or median_s must be given"),
        ("seconds = 60", "seconds = 0", ":17: network.partitions.0.seconds must be more than 0.0, not 0.0"),
        ("seconds = 60", "seconds = inf", ":17: network.partitions.0.seconds must be a finite number, not inf"),
        ("honest = 30", "honest = 3", ":19: population.requesters must be at most the honest (3), not 10"),
        ("honest = 30", "honest = [3]", ":20: population.honest must be a whole number, not [3]"),
        ("seeds = 20", "seeds = 0", ":2: seeds must be at least one: no seeds, no world"),
        ("seeds = 20", "seeds = []", ":2: seeds must be at least one: no seeds, no world"),
        ("seeds = 20", "seeds = -1", ":2: seeds must be from 1 to 100000, or a list of them, not -1"),
        ("seeds = 20", "seeds = [1, 1]", ":2: seeds must be different whole numbers from 0 on, not [1, 1]"),
        ("seeds = 20", "hours = 0.5", ":2: hours must be at least 1 for each requester's 20 tasks at 20 an hour"),
        (
            "honest = 30",
            "honest = 100_001",
            ":19: population has 100002 hosts, adversaries among them: at most 100000 wh",
        ),
        (
            "seeds = 20",
            "seeds = " + 9_999 * "[",
            "simulations/x.toml: it nests lists or tables deeper than can be read",
        ),
        ('title = "Sybils"', 'title = ""', ":1: title must say what is played"),
        ('title = "Sybils"', "", "simulations/x.toml: title is missing"),
        (
            "bad_picks",
            "bad_pikcs",
            ":4: claim 'bad_pikcs.p95 <= 0.1': nothing measures 'bad_pikcs' | did you mean 'bad_pi",
        ),
        ("mean <", "maen <", ":5: claim 'wrong_accepts.maen < 0.001': no statistic 'maen'; did you mean 'mean'?"),
        ("[0, 10, 20]", "[0, -10]", ":34: adversaries.0.count = -10: adversaries.0.count must be from 0 to"),
        ("[0, 10, 20]", "[]", ":34: sweep.adversaries.0.count must be a list of at least one value, not []"),
        ("[0, 10, 20]", "3", ":34: sweep.adversaries.0.count must be a list of at least one value, not 3"),
        ("[0, 10, 20]", "[1979-05-27]", ":34: sweep.adversaries.0.count.0 must be a number, text, true or false"),
        ("adversaries.0.count = [", "adversaries.2.count = [", ":34: adversaries.2.count = 0: '2' is none of adversa"),
        ("adversaries.0.count = [", "population.honset = [", "unknown key 'honset' in [population]; did you mean 'hon"),
        ('{kind = "constant", median_ms = 5}', "5", ":9: network.latency must be a table, not 5"),
        ("seeds = 20", "seeds = ", ":2: not valid TOML: Invalid value"),
        ("[0, 10, 20]\n", "[0, 10", ":34: not valid TOML: Unclosed array"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    assert old in TEXT
    assert said in refused(TEXT.replace(old, new, 1))


def test_one_option_of_two_kinds_must_be_said() -> None:
    rules = Rules(lambda file: {"sybils": RULES.kinds(file)["sleeper"], "sleeper": Louder})
    text = 'title = "x"\n[[adversaries]]\nkind = "sybils"\nwith = ["sleeper"]\n'
    with pytest.raises(ConfigError, match=r"x:2: several of sybils, sleeper have an option 'loud': say it"):
        Source(parsed(text, "x"), rules).scenario()
    group = Source(parsed(text + "loud = true\n", "x"), rules).scenario().adversaries[0]
    assert dict(group.options) == {"honest": 30, "loud": True}


def test_a_file_that_is_not_there_or_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no scenario at"):
        read(tmp_path / "none.toml", RULES)
    with pytest.raises(ConfigError, match="Is a directory"):
        read(tmp_path, RULES)
    (tmp_path / "x.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        opened(tmp_path / "x.toml", RULES)


# ── other values ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("population.honest=40", ("population.honest", 40)),
        ("network.loss = 1e-3", ("network.loss", 0.001)),
        ("network.gossip=mesh", ("network.gossip", "mesh")),
        ("title=A title", ("title", "A title")),
        ('title="quoted"', ("title", "quoted")),
        ("workload.certify=true", ("workload.certify", True)),
        ("population.class_shares=[0.5, 0.5]", ("population.class_shares", (0.5, 0.5))),
    ],
)
def test_a_flag_sets_what_toml_would_say(flag: str, meant: tuple[str, object]) -> None:
    assert setting(flag) == meant
    source().scenario(dict([setting(flag)]))


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("popluation.honest=4", "unknown key 'popluation' in the top level; did you mean 'population'?"),
        ("population.honest=-4", "population.honest = -4: population.honest must be from 0 to"),
        ("adversaries.2.count=4", "adversaries.2.count = 4: '2' is none of adversaries, counted from 0 to 1"),
        ("claims.0=nothing", "claims.0 = \"nothing\": 'nothing' is no claim"),
        ("title.x=4", "title.x = 4: title is no table and no list, but 'Sybils'"),
        ("network.latency=4", "network.latency = 4: network.latency must be a table, not 4"),
    ],
)
def test_a_flag_that_cannot_be_is_refused_in_its_own_words(flag: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        source().scenario(dict([setting(flag)]))
    assert said in caught.value.message


@pytest.mark.parametrize("flag", ["population.honest", "=3", ""])
def test_a_flag_without_key_and_value_is_refused(flag: str) -> None:
    for read_flag in (setting, axis):
        with pytest.raises(ConfigError, match="no key and value"):
            read_flag(flag)


@pytest.mark.parametrize(
    ("flag", "values"),
    [
        ("a.b=0,10,20", (0, 10, 20)),
        ("a.b = own, none", ("own", "none")),
        ("a.b=[1.0],[0.5,0.5]", ((1.0,), (0.5, 0.5))),
        ("a.b=1", (1,)),
    ],
)
def test_an_axis_is_a_list_of_values(flag: str, values: tuple[object, ...]) -> None:
    assert axis(flag) == ("a.b", values)


def test_a_sweep_has_every_value_with_every_other() -> None:
    found = points(source(), {"seeds": 2}, [axis("defence.opinion=p2peval,none")])
    assert [point.settings for point in found] == [
        (("adversaries.0.count", count), ("defence.opinion", opinion))
        for count in (0, 10, 20)
        for opinion in ("p2peval", "none")
    ]
    assert [point.scenario.adversaries[0].count for point in found] == [0, 0, 10, 10, 20, 20]
    assert all(point.scenario.sweep == () and len(point.scenario.seeds) == 2 for point in found)


def test_an_axis_of_the_command_line_beats_the_files() -> None:
    found = points(source(), over=[axis("adversaries.0.count=5")])
    assert [point.settings for point in found] == [(("adversaries.0.count", 5),)]


def test_a_kind_can_be_swept() -> None:
    text = TEXT.replace("altered = 0.1\n", "").replace("adversaries.0.count = [0, 10, 20]", "")
    found = points(source(text), over=[axis("adversaries.0.kind=sybils,sleeper")])
    assert [dict(point.scenario.adversaries[0].options) for point in found] == [
        {"altered": 0.02, "victims": ()},
        {"honest": 30, "loud": False},
    ]


def test_without_anything_to_vary_there_is_one_point() -> None:
    text = TEXT[: TEXT.index("[sweep]")]
    assert [(point.settings, point.scenario) for point in points(source(text))] == [((), source(text).scenario())]


def test_a_sweep_without_end_is_refused() -> None:
    numbers = ",".join(map(str, range(1, 102)))
    with pytest.raises(ConfigError, match="the sweep has 30603 points, of at most 10000"):
        points(source(), over=[axis(f"workload.samples={numbers}"), axis(f"population.honest={numbers}")])
