"""The daemon's record: written after the commit, by nobody's leave but its owner's, and never at the node's cost."""

from __future__ import annotations

import io
import logging
import stat
from pathlib import Path
from typing import Any

import pytest

from p2peval.core.effects import SetTimer
from p2peval.core.events import PeerUp
from p2peval.core.state import State
from p2peval.core.types import PeerId
from p2peval.daemon import driver
from p2peval.daemon.recorder import Happened, Recorder, recording
from p2peval.defaults import NETWORK_ID
from p2peval.errors import ConfigError, StoreError
from p2peval.sim.replay import replay
from tests.daemon.recorded_life import POLICY, PROBE, live
from tests.wire.wire_examples import ME, OTHER, SEED


def rows(state: State) -> list[Any]:
    return [*state.objects, *state.benchmarks, *state.pet_names, *state.counters, *state.peers]


async def test_a_daemons_lives_are_played_again_to_the_same_state(tmp_path: Path) -> None:
    path = tmp_path / "record"
    for number in (1, 2):
        with recording(path, ME, NETWORK_ID, POLICY) as recorder:
            state = await live(tmp_path, recorder)
        again = replay(path, SEED)
        assert again.same, (again.difference, again.gaps)
        assert (again.starts, again.events["PublishBenchmark"]) == (number, number)
        assert rows(again.state) == rows(state)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_a_full_disk_refused_is_played_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "READ_ONLY_PROBE", PROBE)
    path = tmp_path / "record"
    with recording(path, ME, NETWORK_ID, POLICY) as recorder:
        state = await live(tmp_path, recorder, refused=(2, 3, 4))
    again = replay(path, SEED)
    assert again.same, (again.difference, again.gaps)
    assert again.starts == 2
    assert [row.name for row in again.state.pet_names] == ["bob"]
    assert rows(again.state) == rows(state)


async def test_a_record_that_begins_late_brings_what_was_there(tmp_path: Path) -> None:
    await live(tmp_path, None)
    path = tmp_path / "record"
    with recording(path, ME, NETWORK_ID, POLICY) as recorder:
        state = await live(tmp_path, recorder)
    again = replay(path, SEED)
    assert again.same, (again.difference, again.gaps)
    assert rows(again.state) == rows(state)


async def test_a_piece_of_a_line_is_cut_off_before_the_record_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "record"
    with recording(path, ME, NETWORK_ID, POLICY) as recorder:
        await live(tmp_path, recorder)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"type":"event","at":17' + b"9" * 200_000)
    with recording(path, ME, NETWORK_ID, POLICY) as recorder:
        await live(tmp_path, recorder)
    assert path.read_bytes().startswith(whole + b'{"type":"start"')
    assert replay(path, SEED).same


class Full(io.BytesIO):
    name = "a file"

    def flush(self) -> None:
        if self.getbuffer().nbytes > 2_000:
            raise OSError(28, "No space left on device")


async def test_a_record_whose_disk_is_full_ends_and_costs_the_node_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = Full()
    with caplog.at_level(logging.WARNING):
        state = await live(tmp_path, Recorder(file, ME, NETWORK_ID, POLICY))
    assert len(list(state.pet_names)) == 1
    assert [entry.getMessage() for entry in caplog.records] == [
        "the record a file ends here: [Errno 28] No space left on device",
    ]


def test_a_value_that_cannot_be_written_ends_the_record_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "record"
    with caplog.at_level(logging.WARNING), recording(path, ME, NETWORK_ID, POLICY) as recorder:
        recorder.started(1.0, {})
        recorder.handled(2.0, [Happened(PeerUp(PeerId("\ud800")), (), ())])
        recorder.handled(3.0, [Happened(PeerUp(OTHER), (), ())])
        recorder.handled(4.0, [Happened(PeerUp(OTHER), (SetTimer("sync/", 5.0, 2**70),), ())])
    assert [text[:14] for text in path.read_text().splitlines()] == ['{"type":"start']
    assert [entry.getMessage()[:27] for entry in caplog.records] == [f"the record {path}"[:27]]


@pytest.mark.parametrize("text", ["Dear diary\n", "{}\n", '{"type":"resumed"}', "no end"])
def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "diary"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is no record"), recording(path, ME, NETWORK_ID, POLICY):
        pass
    assert path.read_text() == text


def test_another_nodes_record_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "record"
    with recording(path, OTHER, NETWORK_ID, POLICY) as recorder:
        recorder.started(1.0, {})
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=f"is the record of {OTHER}"), recording(path, ME, NETWORK_ID, POLICY):
        pass
    assert path.read_bytes() == before


def test_a_record_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Is a directory"), recording(tmp_path, ME, NETWORK_ID, POLICY):
        pass
