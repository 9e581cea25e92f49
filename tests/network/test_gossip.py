"""GossipSub under a burst, duplicates and load: nothing is lost unseen."""

from __future__ import annotations

from contextlib import AsyncExitStack

import trio
from nethosts import connected, gossiping, real_host, until

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.net.host import Libp2pNetwork

TOPIC = "load"


async def test_burst_far_beyond_libp2ps_buffer_of_32_arrives_whole_and_once() -> None:
    heard: list[bytes] = []
    async with real_host("a") as a, real_host("b") as b:
        await connected(a, b)
        await a.subscribe(TOPIC, lambda forwarder, data: True)
        await b.subscribe(TOPIC, lambda forwarder, data: heard.append(data) or True)
        await gossiping(TOPIC, a, b)
        sent = [b"%d" % number for number in range(defaults.GOSSIP_BURST + 60)]
        for data in sent:
            await a.publish(TOPIC, data)
        await until(lambda: len(heard) == len(sent))
        assert sorted(heard) == sorted(sent)


async def test_publisher_is_paced() -> None:
    async with real_host("a") as a:
        started = trio.current_time()
        for _ in range(defaults.GOSSIP_BURST + 10):
            await a.publish(TOPIC, b"x")
        assert trio.current_time() - started >= 9.9 / defaults.GOSSIP_RATE


async def test_message_forwarded_by_many_is_handled_once() -> None:
    names = ("a", "b", "c", "d", "e")
    heard: dict[str, list[bytes]] = {name: [] for name in names}
    async with AsyncExitStack() as stack:
        nodes: list[Libp2pNetwork] = [await stack.enter_async_context(real_host(name)) for name in names]
        for number, node in enumerate(nodes):
            for other in nodes[:number]:
                await connected(node, other)
        for name, node in zip(names, nodes, strict=True):

            def listen(forwarder: PeerId, data: bytes, ear: list[bytes] = heard[name]) -> bool:
                ear.append(data)
                return True

            await node.subscribe(TOPIC, listen)
        await gossiping(TOPIC, *nodes)
        sent = [b"%d" % number for number in range(20)]
        for data in sent:
            await nodes[0].publish(TOPIC, data)
        await until(lambda: all(len(heard[name]) == len(sent) for name in names[1:]))
        assert all(sorted(heard[name]) == sorted(sent) for name in names[1:])
        assert heard["a"] == []


async def test_same_words_said_twice_are_heard_twice() -> None:
    """A requester announces the same bytes again when nobody offered; deduplicating objects is admission's work."""
    heard: list[bytes] = []
    async with real_host("a") as a, real_host("b") as b:
        await connected(a, b)
        await a.subscribe(TOPIC, lambda forwarder, data: True)
        await b.subscribe(TOPIC, lambda forwarder, data: heard.append(data) or True)
        await gossiping(TOPIC, a, b)
        await a.publish(TOPIC, b"again")
        await a.publish(TOPIC, b"again")
        await until(lambda: heard == [b"again", b"again"])


async def test_subscribing_again_replaces_the_handler() -> None:
    old: list[bytes] = []
    new: list[bytes] = []
    async with real_host("a") as a, real_host("b") as b:
        await connected(a, b)
        await a.subscribe(TOPIC, lambda forwarder, data: True)
        await b.subscribe(TOPIC, lambda forwarder, data: old.append(data) or True)
        await b.subscribe(TOPIC, lambda forwarder, data: new.append(data) or True)
        await gossiping(TOPIC, a, b)
        await a.publish(TOPIC, b"x")
        await until(lambda: new == [b"x"])
        assert old == []


async def test_crashed_router_task_is_started_again() -> None:
    """The heartbeat forms the mesh: a crash in it must not be the end of gossip."""
    heard: list[bytes] = []
    async with real_host("a") as a, real_host("b") as b:
        beat, crashes = b.gossip.router.mesh_heartbeat, []

        def crash_once(*args: object) -> object:
            if not crashes:
                crashes.append(1)
                raise KeyError("a peer that left in the middle")
            return beat(*args)

        b.gossip.router.mesh_heartbeat = crash_once
        await until(lambda: any("heartbeat" in reason for reason in b.counters()))
        await connected(a, b)
        await a.subscribe(TOPIC, lambda forwarder, data: True)
        await b.subscribe(TOPIC, lambda forwarder, data: heard.append(data) or True)
        await gossiping(TOPIC, a, b)
        await a.publish(TOPIC, b"still")
        await until(lambda: heard == [b"still"])
