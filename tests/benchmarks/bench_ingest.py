"""Signed objects admitted per second: bytes as gossip brings them, wire, inbox, node, a row on disk (FULL).

Exchange, Driver and Database are the daemon's own; only the network is a stand-in, which hands messages to
the handler that the Exchange subscribes. Every object is new, rightly signed and by a known peer; those
kept are counted in the file afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import trio
import trio.testing
from nacl.signing import SigningKey
from report import Row
from worlds import announcement, author_spec, sealer_of, seed_of

from p2peval.core.checking import TrustStatement
from p2peval.core.events import Event, JoinBenchmark, MessageReceived
from p2peval.core.messages import Payload, PeerProfile, Sealed
from p2peval.core.node import Node
from p2peval.core.parts import Membership, TrustEntry
from p2peval.core.state import State
from p2peval.core.types import BenchmarkId, PeerId, Seconds
from p2peval.daemon.clock import Clock
from p2peval.daemon.driver import Driver, Hands
from p2peval.daemon.exchange import Exchange
from p2peval.daemon.feed import Feed
from p2peval.defaults import EPOCH, MAX_PEERS, NETWORK_ID
from p2peval.errors import NetworkError
from p2peval.net.network import GossipHandler, PeerStatus
from p2peval.store.database import Database
from p2peval.wire.codec import encode_frame
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.frames import Gossip
from p2peval.wire.secrets import NodeSecrets
from p2peval.wire.topics import directory_topic

SIGNERS = 64
EACH = 96  # objects of one signer
ENTRIES = 32  # peers in one trust statement
RUNS = 3
_ALONE = "Ed25519 verification alone on one thread"
WINDOW = 512  # objects between the wire and the disk at most: a quarter of what the inbox takes


def run(scratch: Path) -> list[Row]:
    """Medians of RUNS; the same signatures, verified and nothing else, stand beside them."""
    signers = [sealer_of(f"signer {number}") for number in range(SIGNERS)]
    spec = author_spec()
    benchmark = BenchmarkId(spec.id)
    held = (spec, *(_profile(signer, benchmark) for signer in signers))
    tasks = [announcement(signer, benchmark, number) for number in range(EACH) for signer in signers]
    first = int(time.time() // EPOCH) - EACH
    told = [_statement(signer, benchmark, first + number) for number in range(EACH) for signer in signers]

    def statements(state: State) -> int:
        return sum(row.epoch - first + 1 for row in state.statements)  # each takes the place of the one before

    figures: list[list[float]] = [[], [], [], []]
    for number in range(RUNS):
        figures[0].append(_verified_per_s(tasks))
        figures[1].append(trio.run(_admitted_per_s, scratch / f"tasks{number}", held, tasks, _objects, tasks))
        figures[2].append(_verified_per_s(told))
        figures[3].append(trio.run(_admitted_per_s, scratch / f"told{number}", held, told, statements, told[-SIGNERS:]))
    verified, objects, also, stated = map(median, figures)
    return [
        Row("ingest.objects_per_s", objects, "1/s", f"{verified:.0f}/s, {_ALONE}; wanted: >= 3000"),
        Row("ingest.statements_per_s", stated, "1/s", f"{also:.0f}/s, {_ALONE}; {ENTRIES} peers in each"),
    ]


def _objects(state: State) -> int:
    return len(state.objects)


def _verified_per_s(tasks: Sequence[Sealed[Any]]) -> float:
    """One signature per object, over as many bytes as an announcement has."""
    key = SigningKey(seed_of("verify"))
    signed = [key.sign(task.envelope) for task in tasks]
    start = time.perf_counter()
    for message in signed:
        key.verify_key.verify(message)
    return len(tasks) / (time.perf_counter() - start)


async def _admitted_per_s(
    home: Path,
    known: Sequence[Sealed[Payload]],
    objects: Sequence[Sealed[Payload]],
    admitted: Callable[[State], int],
    lasting: Sequence[Sealed[Payload]],
) -> float:
    """``known``: the benchmark's spec and the signers' profiles. ``admitted``: counts them as they come in."""
    messages = [encode_frame(Gossip(sealed.envelope)) for sealed in objects]
    with Database(home / "state.db") as database:
        network, driver = Listening(), _driver(database)
        exchange = Exchange(
            network,  # type: ignore[arg-type]
            NETWORK_ID,
            driver.inbox,
            lambda: driver.node.state,
            database.envelopes,
            driver.ask,
            reports=home,
            max_peers=MAX_PEERS,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(driver.run, Hands(exchange, None, None, None))  # type: ignore[arg-type]
            nursery.start_soon(driver.ask, _joining(BenchmarkId(known[0].id)))
            await trio.testing.wait_all_tasks_blocked()
            for sealed in known:
                await driver.ask(_receiving(sealed))
            start = time.perf_counter()
            await _feed(network.handlers, driver, messages, admitted)
            await driver.ask(_receiving(objects[-1]))  # known by now: answered once all before it is on disk
            seconds = time.perf_counter() - start
            nursery.cancel_scope.cancel()
    with Database(home / "state.db") as database:
        kept = {row.key for row in database.load()["objects"]}
    lost = sum(sealed.id not in kept for sealed in lasting)
    if lost:
        raise RuntimeError(f"{lost} of {len(lasting)} objects are not on disk; shed: {dict(driver.inbox.shed)}")
    return len(objects) / seconds


async def _feed(
    handlers: dict[str, GossipHandler], driver: Driver, messages: Sequence[bytes], admitted: Callable[[State], int]
) -> None:
    """Returns once the node has admitted all of them."""
    (handler,) = (handler for topic, handler in handlers.items() if topic != directory_topic(NETWORK_ID))
    via, state = sealer_of("author").peer_id, driver.node.state
    before = admitted(state)
    for number, message in enumerate(messages):
        while number - (admitted(state) - before) >= WINDOW:  # noqa: ASYNC110 - as a full inbox would hold gossip up
            await trio.sleep(0.001)
        handler(via, message)
        if number % 8 == 7:  # gossip's own reader yields between messages too
            await trio.lowlevel.checkpoint()
    while admitted(state) - before < len(messages):  # noqa: ASYNC110 - the node tells nobody
        await trio.sleep(0.001)


class Listening:
    """The part of a Network that an Exchange needs in order to hear gossip."""

    peer_id = sealer_of("me").peer_id

    def __init__(self) -> None:
        self.handlers: dict[str, GossipHandler] = {}

    async def subscribe(self, topic: str, handler: GossipHandler) -> None:
        self.handlers[topic] = handler

    async def provide(self, key: bytes) -> None:
        """Nobody asks."""

    async def find(self, key: bytes, *, timeout: float) -> tuple[PeerId, ...]:
        return ()

    def learn(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Nobody can be dialled."""

    def peers(self) -> tuple[PeerStatus, ...]:
        return ()

    async def request(self, peer: PeerId, *_: Any, **__: Any) -> bytes:
        raise NetworkError(f"{peer} is but a key")


def _driver(database: Database) -> Driver:
    sealer, secrets = sealer_of("me"), NodeSecrets(seed_of("me"))

    def make_node(state: State, at: Seconds) -> Node:
        return Node(state=state, sealer=sealer, secrets=secrets, rng=Random(1), network=NETWORK_ID)

    return Driver(database, make_node, Clock(), Feed())


def _joining(benchmark: BenchmarkId) -> Callable[[str], Event]:
    """As an observer: an evaluator would answer each announcement with an offer of its own."""
    return lambda reply_id: JoinBenchmark(reply_id, benchmark, False, False, ())


def _receiving(sealed: Sealed[Payload]) -> Callable[[str], Event]:
    return lambda reply_id: MessageReceived(sealed, sealed.signer, reply_id)


def _profile(signer: EnvelopeSealer, benchmark: BenchmarkId) -> Sealed[PeerProfile]:
    membership = Membership(benchmark, True, True)
    return signer.seal(PeerProfile(NETWORK_ID, signer.peer_id, "bench", (), (), (membership,), 1, 1024, 1))


def _statement(signer: EnvelopeSealer, benchmark: BenchmarkId, epoch: int) -> Sealed[TrustStatement]:
    peers = sorted(sealer_of(f"rated {number}").peer_id for number in range(ENTRIES))
    entries = tuple(TrustEntry(peer, 1000 + epoch % 1000, 0) for peer in peers)
    return signer.seal(TrustStatement(NETWORK_ID, signer.peer_id, benchmark, epoch, entries))
