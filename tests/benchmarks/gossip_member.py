"""One of five members, in a process of its own: publishes its share of announcements, notes when others' came.

Network and Exchange are the daemon's own. Times are of the monotonic clock, which all processes of one
machine share.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import trio
from worlds import LOOPBACK, announcement, author_spec, listen, say, sealer_of, seed_of

from p2peval.config import LogConfig
from p2peval.core.effects import Publish, Subscribe
from p2peval.core.events import MessageReceived
from p2peval.core.messages import Payload, Sealed
from p2peval.core.rows import BenchmarkRow
from p2peval.core.state import State
from p2peval.core.types import BenchmarkId, ObjectId
from p2peval.daemon.exchange import Exchange
from p2peval.daemon.inbox import Inbox, Incoming, Rank
from p2peval.daemon.logs import configure
from p2peval.defaults import MAX_PEERS, NETWORK_ID
from p2peval.net.host import Libp2pNetwork, open_network
from p2peval.wire.topics import benchmark_topic


class StampingInbox(Inbox):
    """Notes when an object, opened and checked, reaches the node's queue."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: dict[ObjectId, float] = {}

    def put(self, incoming: Incoming, rank: Rank) -> bool:
        if isinstance(incoming.event, MessageReceived):
            self.arrived.setdefault(incoming.event.sealed.id, time.monotonic())
        return True


async def main(name: str, count: int, pause: float) -> None:
    """``count``: announcements of mine; ``pause``: seconds from one to the next."""
    spec, inbox, state = author_spec(), StampingInbox(), State()
    benchmark = BenchmarkId(spec.id)
    state.benchmarks.put(BenchmarkRow(benchmark, spec.payload, joined=True, evaluates=False, requests=True))
    async with open_network(seed_of(name), [LOOPBACK]) as network:
        unused: Any = None
        exchange = Exchange(
            network, NETWORK_ID, inbox, lambda: state, unused, unused, reports=Path(), max_peers=MAX_PEERS
        )
        await exchange.subscribe(Subscribe(benchmark))
        await _meet(network, spec)
        say("ready")
        start = await trio.to_thread.run_sync(listen)
        published = await _publish(name, exchange, benchmark, count, start, pause)
        say(published)
        await trio.to_thread.run_sync(listen)
        say(inbox.arrived)


async def _meet(network: Libp2pNetwork, spec: Sealed[Any]) -> None:
    """Connect to all that the parent names, as members do who have each other's profiles."""
    say(network.addresses()[0])
    others = await trio.to_thread.run_sync(listen)
    for address in others["dial"]:
        await network.connect(address)
    topic = benchmark_topic(spec.payload.author, spec.payload.name)
    with trio.fail_after(30):
        # libp2p's inner state fires no event of ours
        while len(network.peers()) < others["members"] - 1 or not network.gossip.ready(topic):  # noqa: ASYNC110
            await trio.sleep(0.05)


async def _publish(
    name: str, exchange: Exchange, benchmark: BenchmarkId, count: int, start: float, pause: float
) -> dict[ObjectId, float]:
    sealer, published = sealer_of(name), {}
    tasks: list[Sealed[Payload]] = [announcement(sealer, benchmark, number) for number in range(count)]
    for number, task in enumerate(tasks):
        await trio.sleep(max(0.0, start + number * pause - time.monotonic()))
        published[task.id] = time.monotonic()
        await exchange.publish(Publish(f"publish/{task.id}", benchmark, "TaskAnnouncement", task.id, task.envelope))
    return published


if __name__ == "__main__":
    configure(LogConfig(level="error"))
    trio.run(main, sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
