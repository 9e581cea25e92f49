"""The shell's heart: feeds events to the node, commits, and only then performs what the node wants.

The twin of ``sim``'s world: one ``match`` over Effect, no policy. A batch of events is one transaction
(group commit): state delta, new outbox entries and finished ones together. If it fails, memory is thrown
away and loaded again, and the node is read-only until the disk takes writes (the seam, rules 1 and 2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import trio

from p2peval.core.effects import (
    EXTERNAL,
    Compare,
    Effect,
    FetchBlob,
    FindMembers,
    Learn,
    Notify,
    Publish,
    Pull,
    Reply,
    RunEvaluation,
    Send,
    SetTimer,
    Subscribe,
    SyncWith,
    Unsubscribe,
)
from p2peval.core.events import Event, PeerUp
from p2peval.core.node import Node
from p2peval.core.state import State
from p2peval.core.types import PeerId
from p2peval.daemon.clock import Clock
from p2peval.daemon.feed import Feed
from p2peval.daemon.inbox import Inbox, Incoming, Rank
from p2peval.daemon.timers import Timers
from p2peval.defaults import COMMIT_BATCH, READ_ONLY_PROBE
from p2peval.errors import StoreError
from p2peval.store.database import Database


E = TypeVar("E", Publish, Send, FetchBlob, RunEvaluation, Compare)


class Hands(Protocol):
    """Performs what takes time. Each returns the event that answers the effect, or None."""

    async def publish(self, effect: Publish) -> Event | None: ...
    async def send(self, effect: Send) -> Event | None: ...
    async def fetch(self, effect: FetchBlob) -> Event | None: ...
    async def evaluate(self, effect: RunEvaluation) -> Event | None: ...
    async def compare(self, effect: Compare) -> Event | None: ...
    async def pull(self, effect: Pull) -> None: ...
    async def sync(self, effect: SyncWith) -> None: ...
    async def subscribe(self, effect: Subscribe) -> None: ...
    async def unsubscribe(self, effect: Unsubscribe) -> None: ...
    async def find_members(self, effect: FindMembers) -> None: ...
    async def learn(self, effect: Learn) -> None: ...
    def connected(self) -> list[PeerId]: ...


class Driver:
    """Owns the node. ``make_node`` builds one around freshly loaded state."""

    def __init__(
        self, database: Database, make_node: Callable[[State], Node], clock: Clock, feed: Feed
    ) -> None:
        self._database = database
        self._make_node = make_node
        self._clock = clock
        self._feed = feed
        self.inbox = Inbox()
        self.timers = Timers(self.inbox, clock)
        self.read_only = ""
        self._waiting: dict[str, tuple[trio.Event, list[Reply]]] = {}
        self._performing: set[str] = set()
        self._asked = 0
        self.node = self._load()

    def _load(self) -> Node:
        state = State()
        state.load(self._database.load())
        return self._make_node(state)

    # ── asking ────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, make_event: Callable[[str], Event], rank: Rank = Rank.OWN) -> Reply:
        """Hand in an event that gets a reply, and wait for it: it is durable then.

        Raises StoreError while the node is read-only. The reply's ``error`` is "busy" when shed.
        """
        if self.read_only:
            raise StoreError(self.read_only, hint="free some space; the node goes on by itself")
        self._asked += 1
        reply_id = f"reply-{self._asked}"
        answered: list[Reply] = []
        event = trio.Event()
        self._waiting[reply_id] = (event, answered)
        try:
            if not self.inbox.put(Incoming(make_event(reply_id)), rank):
                return Reply(reply_id, "", "busy", "too much to do")
            await event.wait()
        finally:
            self._waiting.pop(reply_id, None)
        if not answered:
            raise StoreError(self.read_only or "the node could not store it", hint="p2peval status says why")
        return answered[0]

    def _answer(self, reply: Reply) -> None:
        waiting = self._waiting.get(reply.reply_id)
        if waiting is not None:
            waiting[1].append(reply)
            waiting[0].set()

    # ── the loop ──────────────────────────────────────────────────────────────────────────────────

    async def run(self, hands: Hands) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.timers.run)
            self._resume(hands, nursery)
            while True:
                batch = await self.inbox.take(COMMIT_BATCH)
                try:
                    effects = await self._commit(batch)
                except StoreError as error:
                    await self._recover(error, hands, nursery)
                    continue
                for effect in effects:
                    self._perform(effect, hands, nursery)

    async def _commit(self, batch: list[Incoming]) -> list[Effect]:
        """Handle a batch and make its outcome durable; raises StoreError with nothing written."""
        effects: list[Effect] = []
        done = [incoming.done for incoming in batch if incoming.done]
        now = self._clock()
        for incoming in batch:
            if incoming.event is not None:
                effects += self.node.handle(incoming.event, now)
        delta = self.node.state.drain()
        outbox = [(effect.id, effect) for effect in effects if isinstance(effect, EXTERNAL)]
        if delta or outbox or done:
            await trio.to_thread.run_sync(self._database.commit, delta, outbox, done)
        self._performing.difference_update(done)
        return effects

    def _resume(self, hands: Hands, nursery: trio.Nursery) -> None:
        for effect in self.node.resume(self._clock()):
            self._perform(effect, hands, nursery)
        for _, effect in self._database.pending():
            self._perform(effect, hands, nursery)

    async def _recover(self, error: StoreError, hands: Hands, nursery: trio.Nursery) -> None:
        """The disk refused: forget what was not written, and wait until it takes writes again."""
        self.read_only = error.message
        self._feed.add(Notify("node.read_only", "", (("reason", error.message),)), self._clock())
        for event, _ in self._waiting.values():
            event.set()
        self.inbox.clear()
        self.timers.clear()
        while not await self._writable():
            await trio.sleep(READ_ONLY_PROBE)
        self.inbox.clear()
        self.node = self._load()
        self.read_only = ""
        self._feed.add(Notify("node.writable", ""), self._clock())
        for peer in hands.connected():
            self.inbox.own(PeerUp(peer))
        self._resume(hands, nursery)

    async def _writable(self) -> bool:
        try:
            await trio.to_thread.run_sync(self._database.probe)
        except StoreError:
            return False
        return True

    # ── effects ───────────────────────────────────────────────────────────────────────────────────

    def _perform(self, effect: Effect, hands: Hands, nursery: trio.Nursery) -> None:
        match effect:
            case Publish():
                self._start(hands.publish, effect, nursery)
            case Send():
                self._start(hands.send, effect, nursery)
            case FetchBlob():
                self._start(hands.fetch, effect, nursery)
            case RunEvaluation():
                self._start(hands.evaluate, effect, nursery)
            case Compare():
                self._start(hands.compare, effect, nursery)
            case SetTimer():
                self.timers.set(effect)
            case Reply():
                self._answer(effect)
            case Notify():
                self._feed.add(effect, self._clock())
            case Pull():
                nursery.start_soon(hands.pull, effect)
            case SyncWith():
                nursery.start_soon(hands.sync, effect)
            case Subscribe():
                nursery.start_soon(hands.subscribe, effect)
            case Unsubscribe():
                nursery.start_soon(hands.unsubscribe, effect)
            case FindMembers():
                nursery.start_soon(hands.find_members, effect)
            case Learn():
                nursery.start_soon(hands.learn, effect)

    def _start(
        self, perform: Callable[[E], Awaitable[Event | None]], effect: E, nursery: trio.Nursery
    ) -> None:
        """Perform an outbox effect once, then report it done together with its answer."""
        if effect.id in self._performing:
            return
        self._performing.add(effect.id)

        async def run() -> None:
            event = await perform(effect)
            self.inbox.own(event, done=effect.id)

        nursery.start_soon(run)
