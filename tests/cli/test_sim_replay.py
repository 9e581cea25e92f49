"""``sim replay`` on the command line: the same decisions, or where they part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import trio
from click.testing import CliRunner, Result

from p2peval.cli.contract import FOLDER
from p2peval.cli.main import cli
from p2peval.daemon.recorder import recording
from p2peval.defaults import NETWORK_ID
from p2peval.paths import locate
from p2peval.store import identity
from tests.daemon.recorded_life import POLICY, live
from tests.wire.wire_examples import ME, SEED


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Two lives of the node in ``home``."""
    identity.create(locate(tmp_path / "home").key, SEED)
    path = tmp_path / "ada.record"
    for _ in range(2):
        with recording(path, ME, NETWORK_ID, POLICY) as recorder:
            trio.run(live, tmp_path / "home", recorder)
    return path


def asked(record: Path, *more: str) -> Result:
    return CliRunner().invoke(cli, ["sim", "replay", str(record), "--key", str(record.parent / "home"), *more])


def answer(result: Result) -> Any:
    printed = json.loads(result.stdout)
    jsonschema.validate(printed, json.loads((FOLDER / "sim.replay.json").read_text(encoding="utf-8")))
    return printed["data"]


def test_a_record_is_played_again(record: Path) -> None:
    view = answer(asked(record, "--json"))
    assert (view["same"], view["starts"], view["gaps"], view["difference"]) == (True, 2, [], None)
    assert view["events"]["PublishBenchmark"] == 2
    told = asked(record)
    assert told.exit_code == 0
    assert "PublishBenchmark 2" in told.stdout
    assert "the same decisions throughout" in told.stderr
    at_home = CliRunner().invoke(cli, ["--home", str(record.parent / "home"), "sim", "replay", str(record)])
    assert at_home.exit_code == 0


def test_an_altered_event_is_told_with_its_line(record: Path) -> None:
    lines = record.read_text().splitlines(keepends=True)
    line = next(number for number, text in enumerate(lines, 1) if '"kind":"NamePeer"' in text)
    lines[line - 1] = lines[line - 1].replace('"name":"bob"', '"name":"eve"')
    record.write_text("".join(lines))
    result = asked(record, "--json")
    assert result.exit_code == 5
    found = answer(result)["difference"]
    assert (found["line"], found["event"], found["what"]) == (line, "NamePeer", "values")
    told = asked(record)
    assert told.exit_code == 5
    assert f"line {line}" in told.stdout
    assert f"line {line}: the node here did not do" in told.stderr


def test_a_start_that_finds_other_rows_is_told(record: Path) -> None:
    lines = record.read_text().splitlines(keepends=True)
    lost = next(number for number, text in enumerate(lines) if '"kind":"NamePeer"' in text)
    record.write_text("".join(lines[:lost] + lines[lost + 1 :]))
    result = asked(record, "--json")
    assert result.exit_code == 5
    view = answer(result)
    assert [gap["tables"] for gap in view["gaps"]] == [["pet_names"]]
    assert view["difference"] is None
    assert "1 of 2 starts found other rows" in asked(record).stderr


def test_a_piece_of_a_last_line_is_told(record: Path) -> None:
    record.write_text(record.read_text()[:-9])
    result = asked(record)
    assert result.exit_code == 0
    assert "the last line is a piece" in result.stderr


def test_a_home_without_a_key_or_with_another_is_an_error(record: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    without = CliRunner().invoke(cli, ["sim", "replay", str(record), "--key", str(other)])
    assert (without.exit_code, "no key at" in without.stderr) == (6, True)
    identity.create(locate(other).key, bytes(32))
    another = CliRunner().invoke(cli, ["sim", "replay", str(record), "--key", str(other)])
    assert another.exit_code == 2
    assert f"is the record of {ME}" in another.stderr
    assert "--key HOME" in another.stderr
