"""Signed objects admitted per second: bytes as gossip brings them → wire → node → a row on disk (FULL).

The daemon's own Exchange, Driver and Database; only the network is a stand-in, so that nothing but
ingest is measured. Every object is new, rightly signed, by a known peer, and is counted on disk afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from statistics import median
from types import SimpleNamespace
from typing import Any

import trio
from nacl.signing import SigningKey
from report import Row
from worlds import NETWORK, T0_MS, announcement, sealer_of, spec_of

from p2peval.core.events import JoinBenchmark, MessageReceived
from p2peval.core.messages import Membership, PeerProfile
from p2peval.core.node import Node
from p2peval.core.state import State
from p2peval.core.types import BenchmarkId, PeerId
from p2peval.daemon.clock import Clock
from p2peval.daemon.driver import Driver, Hands
from p2peval.daemon.exchange import Exchange
from p2peval.daemon.feed import Feed
from p2peval.net.network import GossipHandler
from p2peval.store.database import Database
from p2peval.store.secrets import NodeSecrets
from p2peval.wire.codec import encode_frame
from p2peval.wire.envelope import EnvelopeSealer
from p2peval.wire.frames import Gossip

SIGNERS = 64
EACH = 64
RUNS = 3
IN_FLIGHT = 1024
"""Objects between the network and the disk: half of what the inbox holds, so that nothing is shed."""


def run(scratch: Path) -> list[Row]:
    """Objects/s, the median of several runs; verifying their signatures alone, in the same run, beside it."""
    signers = [sealer_of(f"signer {number}") for number in range(SIGNERS)]
    author = sealer_of("author")
    spec = author.seal(spec_of(author.peer_id))
    benchmark = BenchmarkId(spec.id)
    profiles = [_profile(signer, benchmark) for signer in signers]
    messages = [
        encode_frame(Gossip(announcement(signer, benchmark, number).envelope))
        for number in range(EACH)
        for signer in signers
    ]
    ours, verify = [], []
    for number in range(RUNS):
        verify.append(_verifications_per_s(len(messages)))
        ours.append(trio.run(_ingest, scratch / f"ingest{number}", [spec, *profiles], benchmark, messages))
    against = f"{median(verify):.0f}/s Ed25519 verification alone, one thread; target >= 3000"
    return [Row("ingest.objects_per_s", median(ours), "objects/s", against)]


async def _ingest(home: Path, known: Sequence[Any], benchmark: BenchmarkId, messages: Sequence[bytes]) -> float:
    me = sealer_of("me")

    def make_node(state: State) -> Node:
        return Node(state=state, sealer=me, secrets=NodeSecrets(bytes(32)), rng=Random(1), network=NETWORK)

    with Database(home / "state.db") as database:
        driver = Driver(database, make_node, Clock(), Feed())
        network = Listening()
        exchange = Exchange(
            network,  # type: ignore[arg-type]
            NETWORK,
            driver.inbox,
            lambda: driver.node.state,
            database.envelopes,
            driver.ask,
            home,
        )
        async with trio.open_nursery() as nursery:
            hands: Any = SimpleNamespace(exchange=exchange, courier=None, library=None, workshop=None)
            nursery.start_soon(driver.run, hands)
            nursery.start_soon(driver.ask, lambda reply: JoinBenchmark(reply, benchmark, False, False, ()))
            await trio.testing.wait_all_tasks_blocked(0.05)
            for sealed in known:
                reply = await driver.ask(lambda reply, sealed=sealed: MessageReceived(sealed, sealed.signer, reply))
                assert not reply.error, reply
            await trio.testing.wait_all_tasks_blocked(0.05)
            before = len(driver.node.state.objects)
            start = time.perf_counter()
            await _feed(network.handler, driver, before, messages)
            seconds = time.perf_counter() - start
            nursery.cancel_scope.cancel()
    with Database(home / "state.db") as database:
        kept = len(database.load()["objects"]) - before
    assert kept == len(messages), f"{kept} of {len(messages)} objects are on disk; shed: {dict(driver.inbox.shed)}"
    return len(messages) / seconds
