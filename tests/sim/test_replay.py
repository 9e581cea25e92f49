"""A node's record, played again: the same decisions, or the line at which they part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import small_world
from belief_world import BeliefWorld
from consult_world import ConsultWorld
from small_world import Host, World

import p2peval
from p2peval.core.effects import Effect
from p2peval.core.events import CancelTask, Event, NamePeer
from p2peval.core.node import Node
from p2peval.core.policy import Policy
from p2peval.core.state import Row, State
from p2peval.core.task import TaskState
from p2peval.core.types import Seconds
from p2peval.daemon.recorder import Happened, Recorder, recording
from p2peval.defaults import NETWORK_ID
from p2peval.errors import NotFoundError, UsageError, VerificationError
from p2peval.sim.replay import Replayed, replay
from p2peval.wire import record
from p2peval.wire.secrets import choices_from

POLICY = Policy(background_audits=True, epoch_s=600.0)


def seed_of(number: int) -> bytes:
    return sha256(b"host %d" % number).digest()


def read_back(table: str, row: Row) -> Row:
    """As a store gives it back: a whole number in a column of floats is a float then."""
    return record.row_of(record.held(table, row))


class RecordedNode(Node):
    recorder: Recorder

    def resume(self, now: Seconds) -> list[Effect]:
        effects = super().resume(now)
        self.recorder.resumed(now, effects)
        return effects


class RecordedHost(Host):
    """A host that writes its record as the daemon does."""

    folder: Path
    files: ExitStack
    policies: dict[int, Policy]

    def _load(self) -> Node:
        if not hasattr(self, "recorder"):
            number = len(self.world.hosts)
            self.policy = self.policies.get(number, POLICY)
            path = record_of(self.folder, number)
            self.recorder = self.files.enter_context(recording(path, self.id, NETWORK_ID, self.policy))
        at, state = self.world.now, State()
        rows = {name: [read_back(name, row) for row in rows.values()] for name, rows in self.disk.rows.items()}
        state.load(rows)
        self.recorder.started(at, rows)
        rng = choices_from(self.secrets, at)
        node = RecordedNode(
            state=state, sealer=self.sealer, secrets=self.secrets, rng=rng, network=NETWORK_ID, policy=self.policy
        )
        node.recorder = self.recorder
        return node

    def handle(self, event: Event, done: str = "") -> None:
        if not self.up:
            return
        effects, now = self.node.handle(event, self.world.now), self.world.now
        changes = self.node.state.drain()
        self.recorder.handled(now, [Happened(event, effects, changes)])
        self.disk.commit(changes, effects, done or getattr(event, "effect_id", ""))
        self.recorder.committed()
        self.perform(effects)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(small_world, "Host", RecordedHost)
    with ExitStack() as files:
        monkeypatch.setattr(RecordedHost, "folder", tmp_path, raising=False)
        monkeypatch.setattr(RecordedHost, "files", files, raising=False)
        monkeypatch.setattr(RecordedHost, "policies", {}, raising=False)
        yield tmp_path


def record_of(folder: Path, number: int) -> Path:
    return folder / f"{number}.record"


def played(folder: Path, number: int) -> Replayed:
    return replay(record_of(folder, number), seed_of(number))


def a_life(kill_after: int = 0) -> World:
    """Five peers, two liars among them, four tasks by two of them, and 25 minutes of statements and audits."""
    world = BeliefWorld(5)
    world.kill_at = kill_after and world.performed + kill_after
    ada, bob, *liars, _ = world.all
    for liar in liars:
        liar.lies = True
    benchmark = world.publish(ada)
    world.everybody_joins(benchmark, ada)
    for number, requester in enumerate((ada, bob, ada, bob)):
        task = world.start(requester, benchmark, f"model-{number}", replicas=1 + number % 2)
        world.run_until(
            lambda who=requester, task=task: who.node.state.tasks[task].state in (TaskState.ACCEPTED, TaskState.FAILED)  # type: ignore[misc]
        )
    world.run(1_500.0)
    return world


def test_five_nodes_and_two_liars_are_played_again_without_a_difference(folder: Path) -> None:
    world = a_life()
    for number, host in enumerate(world.all):
        again = played(folder, number)
        assert again.same, (again.difference, again.gaps)
        assert (again.peer, again.starts, again.torn) == (host.id, 1, False)
        lines = record_of(folder, number).read_text().splitlines()
        assert sum(again.events.values()) == sum(json.loads(line)["type"] in ("event", "resumed") for line in lines)
        for table in ("tasks", "objects", "evidence", "local_evidence", "counters"):
            assert list(getattr(again.state, table)) == list(getattr(host.node.state, table))
    kinds = Counter(kind for number in range(5) for kind in played(folder, number).events.elements())
    assert min(kinds[kind] for kind in ("EvaluationFinished", "ComparisonFinished", "Sampled", "Settled")) >= 3
    assert kinds["Proven"] >= 1
    assert kinds["TimerExpired"] > 100


def test_another_hash_seed_decides_the_same(folder: Path) -> None:
    """A set that somebody iterates over unsorted has another order in another process."""
    a_life()
    script = "import sys; from pathlib import Path; from p2peval.sim.replay import replay\n"
    script += "for path, seed in zip(sys.argv[1::2], sys.argv[2::2]):\n"
    script += "    assert replay(Path(path), bytes.fromhex(seed)).same, path\n"
    words = [word for number in range(5) for word in (str(record_of(folder, number)), seed_of(number).hex())]
    environ = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(Path(p2peval.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script, *words], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_requester_that_cannot_compute_is_played_again_with_its_auditors(folder: Path) -> None:
    RecordedHost.policies[0] = replace(POLICY, computes=False)
    world = ConsultWorld(12)
    assert world.ask().state is TaskState.ACCEPTED
    again = [played(folder, number) for number in range(len(world.all))]
    assert [each.same for each in again] == [True] * len(again), [each.difference for each in again]
    assert again[0].events["Excerpted"] >= 10
    assert sum(each.events["Sampled"] for each in again) >= 10


@pytest.mark.parametrize("kill_after", range(20, 600, 116))
def test_a_node_that_was_killed_and_came_back_is_played_on(folder: Path, kill_after: int) -> None:
    a_life(kill_after)
    again = [played(folder, number) for number in range(5)]
    assert [each.same for each in again] == [True] * 5, [(each.difference, each.gaps) for each in again]
    assert sorted(each.starts for each in again) == [1, 1, 1, 1, 2]


def altered(path: Path, kind: str, change: Callable[[dict[str, Any]], None]) -> int:
    """Change the first event of this kind that made the node do something; its line."""
    lines = path.read_text().splitlines(keepends=True)
    events = [(number, json.loads(text)) for number, text in enumerate(lines)]
    found = next(number for number, line in events if line.get("kind") == kind and line["did"]["kinds"])
    line = json.loads(lines[found])
    change(line)
    lines[found] = json.dumps(line) + "\n"
    path.write_text("".join(lines))
    return found + 1


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("ComparisonFinished", lambda line: line["body"].update(verdict="doubtful")),
        ("PeerDown", lambda line: line["body"].update(peer="12D3KooWnobody")),
        ("EvaluationFinished", lambda line: line["body"]["efficiency"].update(wall_ms=6)),
        ("StartTask", lambda line: line["body"].update(model_name="another")),
        ("TimerExpired", lambda line: line.update(at=line["at"] + 1.0)),
    ],
)
def test_an_altered_event_is_found_at_its_line(
    folder: Path, kind: str, change: Callable[[dict[str, Any]], None]
) -> None:
    world = a_life()
    world.disconnect(world.all[4])
    world.run(1.0)
    number = next(n for n in range(5) if f'"kind":"{kind}"' in record_of(folder, n).read_text())
    line = altered(record_of(folder, number), kind, change)
    again = played(folder, number)
    assert again.difference is not None
    assert (again.difference.line, again.difference.event) == (line, kind)
    assert again.difference.recorded != again.difference.played
    assert not again.same


def damage_of(path: Path, seed: bytes) -> str:
    try:
        replay(path, seed)
    except VerificationError as error:
        return str(error)
    return ""


HOSTILE: tuple[Any, ...] = (1e308, -1e308, 10**30, -1, "", None, [], {})


def test_a_hostile_value_is_a_damaged_line_or_a_difference(folder: Path) -> None:
    """Whatever stands in place of an event's time, or of any of its words and numbers."""
    a_life()
    for kind in ("EvaluationFinished", "ComparisonFinished", "Settled", "TimerExpired"):
        number = next(n for n in range(5) if f'"kind":"{kind}"' in record_of(folder, n).read_text())
        lines = record_of(folder, number).read_bytes().splitlines(keepends=True)
        place = next(place for place, text in enumerate(lines) if f'"kind":"{kind}"'.encode() in text)
        told, path = json.loads(lines[place]), folder / "hostile"
        bodies = [{**told["body"], key: value} for key in told["body"] for value in HOSTILE]
        for changed in [{**told, "at": value} for value in HOSTILE] + [{**told, "body": body} for body in bodies]:
            path.write_bytes(b"".join([*lines[:place], json.dumps(changed).encode() + b"\n"]))
            damage = damage_of(path, seed_of(number))
            assert not damage or f"line {place + 1}: " in damage


def test_an_altered_envelope_is_nobodys_word(folder: Path) -> None:
    a_life()
    line = altered(record_of(folder, 0), "MessageReceived", lambda line: line["body"].update(envelope="AAAA"))
    with pytest.raises(VerificationError, match=f"line {line}: "):
        played(folder, 0)


def test_a_line_that_is_missing_is_a_difference_later(folder: Path) -> None:
    a_life()
    path = record_of(folder, 0)
    lines = path.read_bytes().splitlines(keepends=True)
    gone = next(number for number, text in enumerate(lines) if b'"kind":"StartTask"' in text)
    path.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    found = played(folder, 0).difference
    assert found is not None
    assert found.line > gone


@pytest.fixture
def killed(folder: Path) -> tuple[Path, int]:
    """A record of two starts, and the place of the last event before the second: host 1 was named."""
    world = a_life()
    host = world.all[0]
    host.handle(CancelTask("cancel", next(iter(host.node.state.tasks)).id))
    host.handle(NamePeer("name", world.all[1].id, "bob"))
    host.restart()
    path = record_of(folder, 0)
    lines = path.read_bytes().splitlines()
    return path, next(number for number, text in enumerate(lines) if b'"kind":"NamePeer"' in text)


def test_who_was_killed_around_a_commit_left_no_gap(killed: tuple[Path, int]) -> None:
    path, named = killed
    assert replay(path, seed_of(0)).same
    lines = path.read_bytes().splitlines(keepends=True)
    assert b"committed" in lines[named + 1]
    after = [*lines[: named + 1], *lines[named + 2 :]]  # killed after the commit
    path.write_bytes(b"".join(after))
    again = replay(path, seed_of(0))
    assert again.same
    assert [row.name for row in again.state.pet_names] == ["bob"]
    start = json.loads(after[named + 1])
    start["rows"] -= 1
    after[named + 1] = json.dumps(start).encode() + b"\n"
    before = [text for text in after if b'"table":"pet_names"' not in text]  # killed before it
    path.write_bytes(b"".join(before))
    again = replay(path, seed_of(0))
    assert (again.same, again.starts) == (True, 2)
    assert list(again.state.pet_names) == []


def test_what_was_committed_and_not_recorded_is_a_gap_at_the_next_start(killed: tuple[Path, int]) -> None:
    path, named = killed
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:named] + lines[named + 2 :]))
    again = replay(path, seed_of(0))
    assert again.difference is None
    assert [(gap.line, gap.tables) for gap in again.gaps] == [(named + 1, ("pet_names",))]
    assert again.starts == 2
    assert not again.same


def test_what_was_recorded_and_committed_and_is_not_there_is_a_gap(killed: tuple[Path, int]) -> None:
    path, named = killed
    lines = path.read_bytes().splitlines(keepends=True)
    start = json.loads(lines[named + 2])
    start["rows"] -= 1
    lines[named + 2] = json.dumps(start).encode() + b"\n"
    path.write_bytes(b"".join(text for text in lines if b'"table":"pet_names"' not in text))
    assert [gap.tables for gap in replay(path, seed_of(0)).gaps] == [("pet_names",)]


def test_a_torn_last_line_is_left_out(folder: Path) -> None:
    a_life()
    path = record_of(folder, 0)
    whole = played(folder, 0)
    path.write_bytes(path.read_bytes()[: -len(b'"}\n{"type":"committed"}\n')])
    again = played(folder, 0)
    assert again.torn
    assert again.same
    assert sum(again.events.values()) == sum(whole.events.values()) - 1


def test_no_secret_stands_in_a_record(folder: Path) -> None:
    world = a_life()
    assert any(event for event in played(folder, 0).events if event == "ComparisonFinished")
    text = record_of(folder, 0).read_text()
    assert seed_of(0).hex() not in text
    for row in world.all[0].node.state.replicas:
        nonce = world.all[0].secrets.nonce("audit", row.task, row.id)
        assert nonce.hex() not in text


def test_what_cannot_be_played_says_why(tmp_path: Path, folder: Path) -> None:
    World(2)
    with pytest.raises(NotFoundError, match="no record at"):
        replay(tmp_path / "none", seed_of(0))
    with pytest.raises(UsageError, match="is the record of"):
        replay(record_of(folder, 0), seed_of(1))
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(VerificationError, match="no start of a node"):
        replay(empty, seed_of(0))
    other = tmp_path / "other"
    for text in ("Dear diary\n", "\0\n", "[" * 100_000 + "\n", '{"type":' * 100_000 + "\n"):
        other.write_text(text)
        with pytest.raises(VerificationError, match="line 1: "):
            replay(other, seed_of(0))
    newer = tmp_path / "newer"
    newer.write_text(record_of(folder, 0).read_text().replace('"format":1', '"format":2', 1))
    with pytest.raises(UsageError, match="format 2, this p2peval reads 1"):
        replay(newer, seed_of(0))
    headless = tmp_path / "headless"
    headless.write_bytes(b"".join(record_of(folder, 0).read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(VerificationError, match=r"line 1: .*out of its place"):
        replay(headless, seed_of(0))
