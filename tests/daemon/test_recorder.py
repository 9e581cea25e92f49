"""The daemon's record: written after the commit, by nobody's leave but its owner's, and never at the node's cost."""

from __future__ import annotations

import io
import logging
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import trio

from p2peval.core.effects import Effect
from p2peval.core.events import Introduced, NamePeer, PeerUp, PublishBenchmark
from p2peval.core.node import Node
from p2peval.core.policy import Policy
from p2peval.core.state import Change, State
from p2peval.core.types import Seconds
from p2peval.daemon import driver
from p2peval.daemon.clock import Clock
from p2peval.daemon.driver import Driver, Hands
from p2peval.daemon.feed import Feed
from p2peval.daemon.recorder import Recorder, recording
from p2peval.defaults import NETWORK_ID
from p2peval.errors import ConfigError, StoreError
from p2peval.sim.replay import replay
from p2peval.store.database import Database
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.secrets import NodeSecrets, choices_from
from tests.wire.wire_examples import ME, OTHER, SEED, SPEC

PROBE = 0.01
"""Seconds between looks at a disk that is full, here."""

POLICY = Policy(computes=False, trust_roots=(OTHER,))


class Idle:
    """Hands that do nothing, and say at once that it is done."""

    def __getattr__(self, name: str) -> Any:
        return self._nothing

    async def _nothing(self, effect: Effect) -> None:
        pass

    def connected(self) -> tuple[str, ...]:
        return (OTHER,)


class Refusing(Database):
    """Its disk refuses the commits whose number is in ``refused``, from 1."""

    def __init__(self, path: Path, refused: Sequence[int] = ()) -> None:
        super().__init__(path)
        self.tries = 0
        self.refused = refused

    def commit(self, delta: Sequence[Change], *more: Any) -> None:
        self.tries += 1
        if self.tries in self.refused:
            raise StoreError("no space left")
        super().commit(delta, *more)


def make_node(state: State, at: Seconds) -> Node:
    secrets = NodeSecrets(SEED)
    return Node(
        state=state,
        sealer=EnvelopeSealer(SEED),
        secrets=secrets,
        rng=choices_from(secrets, at),
        network=NETWORK_ID,
        policy=POLICY,
    )


async def live(home: Path, recorder: Recorder | None, refused: Sequence[int] = ()) -> State:
    """A daemon's node from its start to its end: it publishes, meets somebody, and gives him a name."""
    idle = cast(Any, Idle())
    with Refusing(home / "state.db", refused) as database:
        shell = Driver(database, make_node, Clock(), Feed(), recorder)
        shell.inbox.own(Introduced("ada", (), ("class", "canonical"), 1, 1000))
        shell.inbox.own(PeerUp(OTHER))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shell.run, Hands(idle, idle, idle, idle))
            with trio.fail_after(30):
                await asked(shell, lambda reply: PublishBenchmark(reply, SPEC))
                await asked(shell, lambda reply: NamePeer(reply, OTHER, "bob"))
            nursery.cancel_scope.cancel()
        return shell.node.state


async def asked(shell: Driver, make: Any) -> None:
    """Until it is stored: as a person would who is told that the disk is full."""
    while True:
        try:
            await shell.ask(make)
            return
        except StoreError:
            await trio.sleep(PROBE)


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


async def test_what_a_full_disk_refused_never_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "READ_ONLY_PROBE", PROBE)
    path = tmp_path / "record"
    with recording(path, ME, NETWORK_ID, POLICY) as recorder:
        state = await live(tmp_path, recorder, refused=(2, 3, 4))
    again = replay(path, SEED)
    assert again.same, (again.difference, again.gaps)
    assert again.starts == 2
    assert again.events["NamePeer"] == 1
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
        "the record a file ends here: No space left on device",
    ]


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
