"""What a demanding reader of the shell found: effects on a full disk, replies that outlive a process, sync, topics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
from small_world import START, Host, World
from trio.testing import MockClock, wait_all_tasks_blocked

from p2peval.core import sync
from p2peval.core.effects import Publish, SyncWith, Unsubscribe
from p2peval.core.events import CancelTask, Event, Introduced, LeaveBenchmark
from p2peval.core.node import Node
from p2peval.core.rows import EvidenceRow
from p2peval.core.state import State
from p2peval.core.types import ObjectId, PeerId, TaskId
from p2peval.daemon import refs
from p2peval.daemon.driver import Driver, Hands
from p2peval.daemon.exchange import Exchange
from p2peval.daemon.feed import Feed
from p2peval.daemon.inbox import Inbox
from p2peval.daemon.present import Presenter
from p2peval.defaults import NETWORK_ID, SYNC_BUCKETS
from p2peval.errors import StoreError, UsageError
from p2peval.store.database import Database
from p2peval.trust.evidence import Evidence
from p2peval.wire.codec import encode_frame
from p2peval.wire.frames import Missing, SyncReply


class Deaf:
    """What an Exchange asks of a network in these tests: it counts, and reaches nobody."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.asked: list[bytes] = []

    async def unsubscribe(self, topic: str) -> None:
        self.left.append(topic)

    async def request(self, peer: PeerId, protocol: str, body: bytes, *, timeout: float, max_reply: int) -> bytes:
        self.asked.append(body)
        return encode_frame(SyncReply(Missing((), False)))


def exchange_of(host: Host, network: Deaf) -> Exchange:
    def unused(*_: Any) -> Any:
        raise AssertionError("this exchange only syncs")

    return Exchange(
        network,  # type: ignore[arg-type]
        NETWORK_ID,
        Inbox(),
        lambda: host.node.state,
        unused,
        unused,
        reports=Path("unused"),
        max_peers=1,
    )


def test_of_two_who_claim_a_name_a_newcomer_is_listed_before_a_liar() -> None:
    world = World(3)
    reader, liar, newcomer = world.all
    for author in (liar, newcomer):
        world.publish(author)
    world.run(1.0)
    bad = Evidence.none(world.now, 0).disagreed_at(world.now, 1)
    reader.node.state.evidence.put(EvidenceRow(liar.id, bad))
    present = Presenter(reader.node.state, reader.id, world.now, Path("unused"), reader.node.policy)
    with pytest.raises(UsageError) as told:
        refs.claimed_benchmark(reader.node.state, "digits", present.reputation_of)
    assert told.value.message.index(newcomer.id) < told.value.message.index(liar.id)


async def test_leaving_one_version_keeps_the_topic_of_the_other() -> None:
    world = World(1)
    (author,) = world.all
    first = world.publish(author)
    second = world.publish(author, version=2)
    network = Deaf()
    exchange = exchange_of(author, network)
    author.handle(LeaveBenchmark("leave", first))
    await exchange.unsubscribe(Unsubscribe(first))
    assert network.left == []
    author.handle(LeaveBenchmark("leave", second))
    await exchange.unsubscribe(Unsubscribe(second))
    assert len(network.left) == 1


async def test_a_member_of_many_benchmarks_can_still_ask_for_what_it_lacks() -> None:
    world = World(1)
    (author,) = world.all
    benchmarks = tuple(world.publish(author, version=version) for version in range(1, 31))
    state = author.node.state
    row = next(iter(state.objects))
    for number in range(SYNC_BUCKETS * 6):
        for benchmark in benchmarks:
            kind, bucket = sync.SYNCED[number % 6], number // 6
            state.keep(replace(row, id=ObjectId(f"{benchmark}{number}"), benchmark=benchmark, type=kind, bucket=bucket))
    network = Deaf()
    await exchange_of(author, network).sync(SyncWith(author.id, benchmarks))
    assert len(network.asked) == len(benchmarks)


def driver_of(host: Host, database: Database, start: float = START) -> Driver:
    def node(state: State, at: float) -> Node:
        return Node(state=state, sealer=host.sealer, secrets=host.secrets, rng=Random("driver"), network=NETWORK_ID)

    return Driver(database, node, lambda: start, Feed())  # type: ignore[arg-type]


class FullOnce:
    """Hands of a node whose disk refuses the first report file."""

    def __init__(self) -> None:
        self.tries = 0
        self.published = trio.Event()

    async def publish(self, effect: Publish) -> None:
        self.tries += 1
        if self.tries == 1:
            raise StoreError("no space left")
        self.published.set()

    async def subscribe(self, effect: object) -> None:
        """Nobody to hear."""


async def test_an_effect_that_finds_the_disk_full_is_tried_again(tmp_path: Path, autojump_clock: MockClock) -> None:
    (host,) = World(1).all
    hands = FullOnce()
    with Database(tmp_path / "state.db") as database:
        driver = driver_of(host, database)
        driver.inbox.own(Introduced("me", (), ("class",), 1, 1000))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(driver.run, Hands(hands, None, None, None))  # type: ignore[arg-type]
            await hands.published.wait()
            await wait_all_tasks_blocked()
            await driver.ask(lambda reply_id: CancelTask(reply_id, TaskId("none")))  # all before it is on disk
            nursery.cancel_scope.cancel()
        assert hands.tries == 2
        assert database.pending() == []


async def test_a_reply_that_was_owed_before_a_restart_reaches_no_new_question(tmp_path: Path) -> None:
    (host,) = World(1).all
    asked: list[str] = []

    def ask(reply_id: str) -> Event:
        asked.append(reply_id)
        return CancelTask(reply_id, TaskId("unknown"))

    with Database(tmp_path / "state.db") as database:
        for start in (START, START + 1.0):
            driver = driver_of(host, database, start)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(driver.run, Hands(FullOnce(), None, None, None))  # type: ignore[arg-type]
                assert (await driver.ask(ask)).error == "not_found"
                await driver.drained()
                nursery.cancel_scope.cancel()
    assert asked[0] != asked[1]
