"""The shell's heart: feeds events to the node, commits, and only then performs what the node wants.

The twin of ``sim``'s world: one ``match`` over Effect, no policy. A batch of events is one transaction
(group commit): state delta, new outbox entries and finished ones together. If it fails, memory is thrown
away and loaded again, and the node is read-only until the disk takes writes (the seam, rules 1 and 2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import trio

from p2peval.core.effects import (
    Compare,
    Effect,
    Excerpt,
    External,
    FetchBlob,
    FindMembers,
    Learn,
    Notify,
    Prove,
    Publish,
    Pull,
    Recall,
    Reply,
    RunEvaluation,
    Sample,
    Send,
    SetTimer,
    Settle,
    Stop,
    Subscribe,
    SyncWith,
    Unsubscribe,
)
from p2peval.core.events import Event, PeerUp, Recalled
from p2peval.core.node import Node
from p2peval.core.rows import CounterRow
from p2peval.core.state import Change, State
from p2peval.core.types import ObjectId, Seconds
from p2peval.daemon.clock import Clock
from p2peval.daemon.courier import Courier
from p2peval.daemon.exchange import Exchange
from p2peval.daemon.feed import Feed
from p2peval.daemon.inbox import Inbox, Incoming, Rank
from p2peval.daemon.library import Library
from p2peval.daemon.recorder import Happened, Recorder
from p2peval.daemon.timers import Timers
from p2peval.daemon.workshop import Workshop
from p2peval.defaults import COMMIT_BATCH, READ_ONLY_PROBE
from p2peval.errors import StoreError
from p2peval.store.database import Database

E = TypeVar("E", Publish, Send, FetchBlob, RunEvaluation, Compare, Sample, Excerpt, Prove, Settle, Recall)


@dataclass(frozen=True, slots=True)
class Hands:
    """Who performs what: gossip and sync, deliveries, blobs, and work in sandboxed workers."""

    exchange: Exchange
    courier: Courier
    library: Library
    workshop: Workshop


class Driver:
    """Owns the node. ``make_node`` builds one around freshly loaded state, at the time given."""

    def __init__(
        self,
        database: Database,
        make_node: Callable[[State, Seconds], Node],
        clock: Clock,
        feed: Feed,
        recorder: Recorder | None = None,
    ) -> None:
        self._database = database
        self._make_node = make_node
        self._clock = clock
        self._feed = feed
        self._recorder = recorder
        self.inbox = Inbox()
        self.timers = Timers(self.inbox, clock)
        self.read_only = ""
        self._waiting: dict[str, tuple[trio.Event, list[Reply]]] = {}
        self._performing: dict[str, trio.CancelScope] = {}
        self._asked = int(clock() * 1000)  # a join that outlives the process must not answer another's question
        self._idle = trio.Event()
        self.node = self._load()

    def _load(self) -> Node:
        state, rows, now = State(), self._database.load(), self._clock()
        state.load(rows)
        if self._recorder is not None:
            self._recorder.started(now, rows)
        return self._make_node(state, now)

    def envelopes(self, ids: Iterable[ObjectId]) -> dict[ObjectId, bytes]:
        """Those of the objects that are held. Synchronous: callers use a thread."""
        return self._database.envelopes(ids)

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
            raise StoreError("the node could not store it", hint="p2peval status says why")
        return answered[0]

    def _answer(self, reply: Reply) -> None:
        waiting = self._waiting.pop(reply.reply_id, None)
        if waiting is not None:
            waiting[1].append(reply)
            waiting[0].set()

    async def drained(self) -> None:
        """Returns once everybody who waits for a reply has it."""
        while self._waiting:
            await self._idle.wait()

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
                    await self._recover(error, batch, hands, nursery)
                    continue
                for effect in effects:
                    self._perform(effect, hands, nursery)
                self._idle.set()
                self._idle = trio.Event()

    async def _commit(self, batch: list[Incoming]) -> list[Effect]:
        """Handle a batch and make its outcome durable; raises StoreError with nothing written."""
        effects: list[Effect] = []
        delta: list[Change] = []
        handled: list[Happened] = []
        done = [incoming.done for incoming in batch if incoming.done]
        now = self._clock()
        for event in (incoming.event for incoming in batch if incoming.event is not None):
            happened = Happened(event, self.node.handle(event, now), self.node.state.drain())
            effects += happened.effects
            delta += happened.changes
            handled.append(happened)
        if self._recorder is not None:
            self._recorder.handled(now, handled)
        outbox = [(effect.id, effect) for effect in effects if isinstance(effect, External)]
        if delta or outbox or done:
            await trio.to_thread.run_sync(self._database.commit, delta, outbox, done)
        if self._recorder is not None and handled:
            self._recorder.committed()
        for id_ in done:
            self._performing.pop(id_, None)
        return effects

    def _resume(self, hands: Hands, nursery: trio.Nursery) -> None:
        now = self._clock()
        effects = self.node.resume(now)
        if self._recorder is not None:
            self._recorder.resumed(now, effects)
        for effect in effects:
            self._perform(effect, hands, nursery)
        for _, effect in self._database.pending():
            self._perform(effect, hands, nursery)

    async def _recover(self, error: StoreError, batch: list[Incoming], hands: Hands, nursery: trio.Nursery) -> None:
        """The disk refused: forget what was not written, and wait until it takes writes again."""
        self.read_only = error.message
        self._feed.add(Notify("node.read_only", "", (("reason", error.message),)), self._clock())
        for event, _ in self._waiting.values():
            event.set()
        self.timers.clear()
        # A full disk sends no event when it has room again: ask.
        while not await self._writable():  # noqa: ASYNC110
            await trio.sleep(READ_ONLY_PROBE)
        for dropped in (*batch, *self.inbox.clear()):
            self._performing.pop(dropped.done, None)
        self.node = self._load()
        self.read_only = ""
        self._feed.add(Notify("node.writable", ""), self._clock())
        for peer in hands.exchange.connected():
            self.inbox.own(PeerUp(peer))
        self._resume(hands, nursery)

    async def _writable(self) -> bool:
        probe = CounterRow("probe", int(self._clock()))
        written = [Change("counters", probe.key, row) for row in (probe, None)]
        try:
            await trio.to_thread.run_sync(self._database.commit, written)
        except StoreError:
            return False
        return True

    # ── effects ───────────────────────────────────────────────────────────────────────────────────

    def _perform(self, effect: Effect, hands: Hands, nursery: trio.Nursery) -> None:
        match effect:
            case Publish():
                self._start(hands.exchange.publish, effect, nursery)
            case Send():
                self._start(hands.courier.send, effect, nursery)
            case FetchBlob():
                self._start(hands.library.fetch, effect, nursery)
            case RunEvaluation():
                self._start(hands.workshop.evaluate, effect, nursery)
            case Compare():
                self._start(hands.workshop.compare, effect, nursery)
            case Sample():
                self._start(hands.workshop.sample, effect, nursery)
            case Excerpt():
                self._start(hands.workshop.excerpt, effect, nursery)
            case Prove():
                self._start(hands.workshop.prove, effect, nursery)
            case Settle():
                self._start(hands.workshop.settle, effect, nursery)
            case Recall():
                self._start(self._recall, effect, nursery)
            case Stop():
                for id_ in effect.effects:
                    if scope := self._performing.get(id_):
                        scope.cancel()
            case SetTimer():
                self.timers.set(effect)
            case Reply():
                self._answer(effect)
            case Notify():
                self._feed.add(effect, self._clock())
            case Pull():
                nursery.start_soon(hands.exchange.pull, effect)
            case SyncWith():
                nursery.start_soon(hands.exchange.sync, effect)
            case Subscribe():
                nursery.start_soon(hands.exchange.subscribe, effect)
            case Unsubscribe():
                nursery.start_soon(hands.exchange.unsubscribe, effect)
            case FindMembers():
                nursery.start_soon(hands.exchange.find_members, effect)
            case Learn():
                nursery.start_soon(hands.exchange.learn, effect)

    async def _recall(self, effect: Recall) -> Recalled:
        found = await trio.to_thread.run_sync(self._database.envelopes, (effect.object,))
        return Recalled(effect.id, found.get(effect.object, b""), effect.beside)

    def _start(self, perform: Callable[[E], Awaitable[Event | None]], effect: E, nursery: trio.Nursery) -> None:
        """Perform an outbox effect once, then report it done together with its answer; with none if stopped."""
        if effect.id in self._performing:
            return
        scope = self._performing[effect.id] = trio.CancelScope()

        async def run() -> None:
            event = None
            with scope:
                event = await self._persist(perform, effect)
            self.inbox.own(event, done=effect.id)

        nursery.start_soon(run)

    async def _persist(self, perform: Callable[[E], Awaitable[Event | None]], effect: E) -> Event | None:
        """Until our own disk has room for it: at least once includes then."""
        while True:
            try:
                return await perform(effect)
            except StoreError as error:
                self._feed.add(Notify("node.disk", "", (("reason", error.message),)), self._clock())
                await trio.sleep(READ_ONLY_PROBE)
