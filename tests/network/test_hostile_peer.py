"""A raw libp2p client against a whole daemon: it lives, keeps nothing of what it refused, and serves the honest."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attacker import attacker, framed
from daemons import Peer, classification, linear_classifier, peers, wait_for
from libp2p.pubsub.pb import rpc_pb2

from p2peval.core import messages as m
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, TaskId
from p2peval.defaults import BLOB_CHUNK, MAX_OBJECT_BYTES, MAX_SYNC_IDS, NETWORK_ID
from p2peval.wire.codec import decode_frame, encode_frame
from p2peval.wire.envelope import EnvelopeSealer, open_envelope
from p2peval.wire.frames import Ack, BlobRequest, Bucket, Digests, Get, Gossip, Notice, SyncRequest
from p2peval.wire.ids import cid_of
from p2peval.wire.topics import BLOB_PROTOCOL, SYNC_PROTOCOL, TASK_PROTOCOL, benchmark_topic, directory_topic

GARBAGE = Random(20251123)
STRANGER = EnvelopeSealer(b"s" * 32)
NOBODY = cid_of(b"nobody has this")
MESHSUB = "/meshsub/1.1.0"
GROWTH_MB = 64
"""What a daemon's memory may grow by under all of this; one object of the largest kind is 64 KiB."""


@dataclass
class Scene:
    """Ada is attacked; Bob is honest and a member of her benchmark. ``task`` is one that both have finished."""

    folder: Path
    ada: Peer
    bob: Peer
    benchmark: BenchmarkId
    task: TaskId

    def addresses(self) -> list[str]:
        return [self.ada.address()]

    def held(self, table: str = "objects") -> set[str]:
        with sqlite3.connect(self.ada.home / "state.db") as database:
            return {row[0] for row in database.execute(f"SELECT key FROM {table}")}

    def memory_mb(self) -> float:
        assert self.ada.process is not None
        status = Path(f"/proc/{self.ada.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024

    def prove_alive(self) -> None:
        assert self.ada._answers()
        assert self.bob.get("status")["connected"] >= 1


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("hostile")
    with peers(folder, 2) as (ada, bob):
        benchmark = ada.run("bench", "publish", str(classification(folder / "flowers")))["id"]
        bob.run("bench", "join", ada.run("bench", "invite", "flowers")["invite"])
        wait_for(lambda: len(bob.get("benchmarks/flowers")["members"]) == 2, "Bob to know Ada")
        done = bob.run("eval", "run", "flowers", str(linear_classifier(folder / "m.onnx")))
        yield Scene(folder, ada, bob, BenchmarkId(benchmark), TaskId(done["id"]))


def prefixed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


async def ask(villain: Any, protocol: str, body: bytes) -> bytes:
    """One whole request and its reply."""
    stream = await villain.open(protocol)
    await stream.write(prefixed(body))
    length = int.from_bytes(await exactly(stream, 4), "big")
    reply = await exactly(stream, length)
    await stream.close()
    return reply


async def exactly(stream: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = await stream.read(size - len(data))
        assert part, "the daemon hung up"
        data += part
    return data


@pytest.mark.parametrize("protocol", [TASK_PROTOCOL, SYNC_PROTOCOL, BLOB_PROTOCOL])
async def test_garbage_on_a_protocol_costs_the_stream_only(scene: Scene, protocol: str) -> None:
    before = scene.held()
    async with attacker(scene) as villain:
        for data in (
            b"",
            b"\x00",
            GARBAGE.randbytes(3),
            GARBAGE.randbytes(2_000),
            prefixed(b""),
            prefixed(GARBAGE.randbytes(400)),
            prefixed(b"x" * 1000)[:50],
            (2**32 - 1).to_bytes(4, "big") + b"x" * 100,
            (MAX_OBJECT_BYTES + 1).to_bytes(4, "big") + b"x" * (MAX_OBJECT_BYTES + 1),
        ):
            for end in ("close", "reset"):
                await villain.say(protocol, data, end=end)
    scene.prove_alive()
    assert scene.held() == before


def lies(scene: Scene) -> dict[str, m.Payload]:
    """Rightly signed by a stranger, and nothing that it may say."""
    me, task = STRANGER.peer_id, scene.task
    with sqlite3.connect(scene.ada.home / "state.db") as database:
        rows = database.execute("SELECT envelope FROM objects").fetchall()
    said: dict[type, Any] = {type(one.payload): one for one in (open_envelope(bytes(row[0])) for row in rows)}
    commitment, reveal = said[m.Commitment].payload, said[m.Reveal].payload
    record, announcement = said[m.ResultRecord].payload, said[m.TaskAnnouncement].payload
    spec = said[m.BenchmarkSpec].payload
    until = announcement.deadline_ms
    return {
        "a commitment for another's assignment": replace(commitment, author=me),
        "a reveal for another's assignment": replace(reveal, author=me),
        "a commitment set of another's task": m.CommitmentSet(NETWORK_ID, me, task, 2, (ObjectId(NOBODY),)),
        "an assignment that nobody offered for": m.Assignment(
            NETWORK_ID,
            me,
            task,
            scene.ada.id,
            1,
            until,
            bytes(32),
        ),
        "an offer for a task of nobody": m.Offer(NETWORK_ID, me, TaskId(NOBODY), "class", until),
        "a decline of another's assignment": m.Decline(NETWORK_ID, me, task, AssignmentId(reveal.assignment), "no"),
        "a spec that nobody asked for": replace(spec, author=me, version=9),
        "a task on a benchmark of nobody": replace(announcement, author=me, benchmark=BenchmarkId(NOBODY)),
        "an expired task": replace(announcement, author=me, created_ms=1, deadline_ms=2),
        "a task of the future": replace(announcement, author=me, created_ms=2**52, deadline_ms=2**52 + 1),
        "another's record": replace(record, author=me),
        "a profile of the future": m.PeerProfile(NETWORK_ID, me, "x", (), (), (), 1, 1, 2**52),
        "a name claimed in the future": m.BenchmarkAnnouncement(NETWORK_ID, me, "flowers", "", scene.benchmark, 2**52),
    }


async def test_signed_lies_are_refused_with_a_reason_and_not_kept(scene: Scene) -> None:
    before = {table: scene.held(table) for table in ("objects", "names", "results", "duties", "replicas", "offers")}
    async with attacker(scene) as villain:
        for what, lie in lies(scene).items():
            sealed = STRANGER.seal(lie)
            ack = decode_frame(Ack, await ask(villain, TASK_PROTOCOL, sealed.envelope))
            assert (ack.accepted, bool(ack.reason)) == (False, True), what
            assert sealed.id not in scene.held(), what
    scene.prove_alive()
    assert {table: scene.held(table) for table in before} == before


async def test_forged_and_foreign_envelopes_are_dropped(scene: Scene) -> None:
    before = scene.held()
    honest = STRANGER.seal(m.PeerProfile(NETWORK_ID, STRANGER.peer_id, "x", (), (), (), 1, 1, 1)).envelope
    foreign = EnvelopeSealer(b"s" * 32, "another-network")
    theirs = foreign.seal(m.PeerProfile("another-network", foreign.peer_id, "x", (), (), (), 1, 1, 1)).envelope
    flipped = [honest[:at] + bytes([honest[at] ^ 1]) + honest[at + 1 :] for at in range(0, len(honest), 7)]
    async with attacker(scene) as villain:
        for envelope in (theirs, honest + b"\x00", honest[:-1], *flipped):
            await villain.say(TASK_PROTOCOL, prefixed(envelope))
    scene.prove_alive()
    assert scene.held() == before


async def test_replays_of_true_objects_change_nothing(scene: Scene) -> None:
    before = {table: scene.held(table) for table in ("objects", "duties", "offers", "results")}
    with sqlite3.connect(scene.ada.home / "state.db") as database:
        envelopes = [bytes(row[0]) for row in database.execute("SELECT envelope FROM objects")]
    async with attacker(scene) as villain:
        for envelope in envelopes:
            await ask(villain, TASK_PROTOCOL, envelope)
    scene.prove_alive()
    assert {table: scene.held(table) for table in before} == before


async def test_absurd_questions_are_answered_or_dropped(scene: Scene) -> None:
    buckets = tuple(
        Bucket(BenchmarkId(cid_of(b"%d" % number)), "ResultRecord", number % 16, bytes(32))
        for number in range(MAX_SYNC_IDS)
    )
    spec = scene.ada.get("benchmarks/flowers")["inputs"]
    before = scene.memory_mb()
    async with attacker(scene) as villain:
        for _ in range(20):
            await ask(villain, SYNC_PROTOCOL, encode_frame(SyncRequest(Digests((BenchmarkId(NOBODY),), buckets))))
            await ask(villain, SYNC_PROTOCOL, encode_frame(SyncRequest(Get((ObjectId(NOBODY),) * 64))))
        for cid, first, count in (
            (NOBODY, 0, 1),
            (spec["cid"], 2**32 - 1, 1),
            (spec["cid"], 0, 2**32 - 1),
            (spec["cid"], spec["size"] // BLOB_CHUNK + 1, 5),
        ):
            await villain.say(BLOB_PROTOCOL, prefixed(encode_frame(BlobRequest(cid, first, count, True))))
    scene.prove_alive()
    assert scene.memory_mb() - before < GROWTH_MB


async def test_gossip_of_nonsense_and_of_refused_objects_is_not_kept(scene: Scene) -> None:
    before, memory, seen = scene.held(), scene.memory_mb(), scene.ada.last_event()
    author = scene.ada.get("benchmarks/flowers")["author"]["peer"]
    topics = (directory_topic(NETWORK_ID), benchmark_topic(author, "flowers", NETWORK_ID))
    bodies = [b"", b"\xff" * 40, GARBAGE.randbytes(3_000)]
    bodies += [encode_frame(Gossip(STRANGER.seal(lie).envelope)) for lie in lies(scene).values() if small(lie)]
    bodies += [
        encode_frame(Gossip(Notice("ResultRecord", scene.benchmark, ObjectId(cid_of(b"no %d" % number)), 9)))
        for number in range(200)
    ]
    async with attacker(scene) as villain:
        for topic in topics:
            hello = [rpc_pb2.RPC.SubOpts(subscribe=True, topicid=topic)]
            data = framed(rpc_pb2.RPC(subscriptions=hello).SerializeToString())
            for number, body in enumerate(bodies):
                data += framed(rpc_pb2.RPC(publish=[message(villain, topic, body, number)]).SerializeToString())
            await villain.say(MESHSUB, data, end="open")
        wait_for(lambda: refused(scene, seen) >= {"unknown_task", "unasked", "not_a_member"}, "gossip to be judged")
    scene.prove_alive()
    assert scene.held() == before
    assert scene.memory_mb() - memory < GROWTH_MB


def refused(scene: Scene, after: int) -> set[str]:
    told = [event for event in scene.ada.told() if int(event["id"]) > after and event["kind"] == "object.refused"]
    return {str(event["data"]["reason"]) for event in told}


def small(lie: m.Payload) -> bool:
    return not isinstance(lie, m.ResultRecord)


def message(villain: Any, topic: str, body: bytes, number: int) -> rpc_pb2.Message:
    """Signed as libp2p's pubsub wants it."""
    told = rpc_pb2.Message(
        from_id=villain.host.get_id().to_bytes(), seqno=number.to_bytes(8, "big"), data=body, topicIDs=[topic]
    )
    told.signature = villain.host.get_private_key().sign(b"libp2p-pubsub:" + told.SerializeToString())
    told.key = villain.host.get_public_key().serialize()
    return told


def test_after_all_of_this_honest_peers_still_evaluate_for_each_other(scene: Scene) -> None:
    done = scene.bob.run("eval", "run", "flowers", str(linear_classifier(scene.folder / "again.onnx", work=1)))
    assert done["state"] == "accepted"
    log = (scene.ada.home / "daemon.log").read_text().splitlines()
    assert not [line for line in log if json.loads(line)["level"] in ("error", "critical")]
