"""Gossip, sync and the task protocol: turns bytes from peers into events, and objects into bytes.

Everything from a peer is opened here — size, envelope, canonical form, signature, author — before the node
hears of it. Knows no policy: what is admitted, and what follows, the node says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

import trio

from p2peval.core import sync
from p2peval.core.effects import FindMembers, Learn, Publish, Pull, Reply, Subscribe, SyncWith, Unsubscribe
from p2peval.core.events import Event, MessageReceived, NoticeReceived, PeerDown, PeerUp
from p2peval.core.messages import Payload, ResultRecord, Sealed
from p2peval.core.state import BucketDigest, State
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import BenchmarkId, ObjectId, PeerId
from p2peval.daemon import reports
from p2peval.daemon.inbox import Inbox, Incoming, Rank
from p2peval.defaults import (
    DIALS_AT_ONCE,
    FIND_AGAIN,
    FIND_TIMEOUT,
    MAX_GET_IDS,
    MAX_GOSSIP_ENVELOPE,
    MAX_OBJECT_BYTES,
    MAX_SYNC_IDS,
    MAX_SYNC_REPLY,
    MAX_SYNC_REQUEST,
    PULL_TRIES,
    PULLS_AT_ONCE,
    RETRY_FIRST,
    TASK_TIMEOUT,
)
from p2peval.errors import NetworkError, RemoteProtocolError, StoreError
from p2peval.net.network import Network
from p2peval.wire.codec import decode_frame, encode_frame
from p2peval.wire.envelope import open_envelope
from p2peval.wire.frames import Ack, Bucket, Digests, Get, Gossip, Missing, Notice, Objects, SyncReply, SyncRequest
from p2peval.wire.topics import SYNC_PROTOCOL, TASK_PROTOCOL, benchmark_topic, directory_topic, members_key


class Exchange:
    """``state`` gives the node's current state, ``envelopes`` reads objects from the store,
    ``ask`` hands the node an event and waits for its reply."""

    def __init__(
        self,
        network: Network,
        network_id: str,
        inbox: Inbox,
        state: Callable[[], State],
        envelopes: Callable[[Iterable[ObjectId]], dict[ObjectId, bytes]],
        ask: Callable[[Callable[[str], Event], Rank], Awaitable[Reply]],
        *,
        reports: Path,
        max_peers: int,
    ) -> None:
        self._network = network
        self._network_id = network_id
        self._inbox = inbox
        self._state = state
        self._envelopes = envelopes
        self._ask = ask
        self._reports = reports
        self._max_peers = max_peers
        self._dials = trio.CapacityLimiter(DIALS_AT_ONCE)
        self._pulls = trio.CapacityLimiter(PULLS_AT_ONCE)
        self._pulling: set[tuple[PeerId, ObjectId]] = set()

    def serve(self) -> None:
        self._network.serve(TASK_PROTOCOL, self._on_task, max_request=MAX_OBJECT_BYTES)
        self._network.serve(SYNC_PROTOCOL, self._on_sync, max_request=MAX_SYNC_REQUEST)

    async def watch(self) -> None:
        """Tell the node who comes and goes."""
        while True:
            change = await self._network.changes()
            self._inbox.own(PeerUp(change.peer) if change.connected else PeerDown(change.peer))

    def connected(self) -> list[PeerId]:
        return [peer.peer for peer in self._network.peers()]

    def _rank(self, peer: PeerId) -> Rank:
        return Rank.KNOWN if peer in self._state().peers else Rank.UNKNOWN

    def _open(self, envelope: bytes) -> Sealed[Payload]:
        return open_envelope(envelope, self._network_id)

    # ── gossip ────────────────────────────────────────────────────────────────────────────────────

    def _topic(self, benchmark: BenchmarkId) -> str:
        if benchmark == DIRECTORY:
            return directory_topic(self._network_id)
        spec = self._state().benchmarks[benchmark].spec
        return benchmark_topic(spec.author, spec.name, self._network_id)

    async def subscribe(self, effect: Subscribe) -> None:
        await self._network.subscribe(self._topic(effect.benchmark), self._on_gossip)
        if effect.benchmark != DIRECTORY:
            await self._network.provide(members_key(effect.benchmark, self._network_id))

    async def unsubscribe(self, effect: Unsubscribe) -> None:
        """Versions of a benchmark share a topic: it stays for the others that are joined."""
        topic = self._topic(effect.benchmark)
        if not any(row.joined and self._topic(row.id) == topic for row in self._state().benchmarks):
            await self._network.unsubscribe(topic)

    async def publish(self, effect: Publish) -> None:
        """Best effort, by design: sync guarantees. A record of ours becomes a report file first."""
        if effect.type == ResultRecord.__name__:
            held = await trio.to_thread.run_sync(self._envelopes, [ObjectId(effect.benchmark)])
            spec = held[ObjectId(effect.benchmark)]
            await trio.to_thread.run_sync(reports.write, self._reports, effect.envelope, spec, self._network_id)
        body: bytes | Notice = effect.envelope
        if len(effect.envelope) > MAX_GOSSIP_ENVELOPE:
            body = Notice(effect.type, effect.benchmark, effect.object, len(effect.envelope))
        await self._network.publish(self._topic(effect.benchmark), encode_frame(Gossip(body)))

    def _on_gossip(self, via: PeerId, data: bytes) -> bool:
        """False only for what no honest peer forwards; what we shed costs the forwarder nothing."""
        try:
            gossip = decode_frame(Gossip, data)
            if isinstance(gossip.body, Notice):
                notice = NoticeReceived(via, gossip.body.benchmark, gossip.body.id)
                self._inbox.put(Incoming(notice), self._rank(via))
            else:
                sealed = self._open(gossip.body)
                self._inbox.put(Incoming(MessageReceived(sealed, via)), self._rank(sealed.signer))
        except RemoteProtocolError:
            return False
        return True

    # ── the task protocol ─────────────────────────────────────────────────────────────────────────

    async def _on_task(self, peer: PeerId, request: bytes) -> bytes:
        """One envelope in, one Ack out, once what the envelope changed is on disk."""
        sealed = self._open(request)
        try:
            reply = await self._ask(lambda reply_id: MessageReceived(sealed, peer, reply_id), self._rank(sealed.signer))
        except StoreError:
            return encode_frame(Ack(False, "read_only"))
        return encode_frame(Ack(not reply.error, reply.error))

    # ── sync ──────────────────────────────────────────────────────────────────────────────────────

    async def _on_sync(self, peer: PeerId, request: bytes) -> bytes:
        asked = decode_frame(SyncRequest, request).body
        if isinstance(asked, Get):
            return encode_frame(SyncReply(Objects(await self._held(asked.ids))))
        theirs = [BucketDigest(b.benchmark, b.type, b.bucket, b.digest) for b in asked.buckets]
        ids = sync.offered(self._state(), asked.benchmarks, theirs)
        return encode_frame(SyncReply(Missing(tuple(ids[:MAX_SYNC_IDS]), len(ids) > MAX_SYNC_IDS)))

    async def _held(self, ids: tuple[ObjectId, ...]) -> tuple[bytes, ...]:
        """Envelopes of public objects that we hold, as many as fit into one reply."""
        objects = self._state().objects
        public = [id_ for id_ in ids if (row := objects.get(id_)) and row.type in sync.SYNCED]
        found = await trio.to_thread.run_sync(self._envelopes, public)
        fitting: list[bytes] = []
        room = MAX_SYNC_REPLY - 64
        for id_ in public:
            room -= len(found.get(id_, b"")) + 8
            if id_ in found and room > 0:
                fitting.append(found[id_])
        return tuple(fitting)

    async def sync(self, effect: SyncWith) -> None:
        """Learn what ``effect.peer`` holds and we lack, and pull it. A failure waits for the next sync.

        One benchmark a question: the buckets of many would outgrow its frame.
        """
        for benchmark in effect.benchmarks:
            digests = sync.digests(self._state(), (benchmark,))
            buckets = tuple(Bucket(d.benchmark, d.type, d.bucket, d.digest) for d in digests)
            try:
                reply = await self._sync_request(effect.peer, Digests((benchmark,), buckets))
            except (NetworkError, RemoteProtocolError):
                return
            if isinstance(reply, Missing):
                lacking = [id_ for id_ in reply.ids if self._state().lacks(id_)]
                await self.pull(Pull(effect.peer, tuple(lacking)))

    async def pull(self, effect: Pull) -> None:
        """Fetch objects by id; who forwards a notice may need a moment to have the object itself."""
        asked = {(effect.peer, id_) for id_ in effect.ids} - self._pulling
        self._pulling |= asked
        try:
            async with self._pulls:
                await self._pull(effect, {id_ for _, id_ in asked})
        finally:
            self._pulling -= asked

    async def _pull(self, effect: Pull, lacking: set[ObjectId]) -> None:
        for attempt in range(PULL_TRIES):
            await trio.sleep(attempt * RETRY_FIRST)
            wanted = [id_ for id_ in effect.ids if id_ in lacking]  # in the order told: a set follows its task
            try:
                for start in range(0, len(wanted), MAX_GET_IDS):
                    lacking -= await self._get(effect.peer, tuple(wanted[start : start + MAX_GET_IDS]))
            except (NetworkError, RemoteProtocolError):
                return
            if not lacking:
                return

    async def _get(self, peer: PeerId, ids: tuple[ObjectId, ...]) -> set[ObjectId]:
        """Ids that ``peer`` delivered and the inbox took. Raises RemoteProtocolError for what is malformed."""
        reply = await self._sync_request(peer, Get(ids))
        taken: set[ObjectId] = set()
        for envelope in reply.envelopes if isinstance(reply, Objects) else ():
            sealed = self._open(envelope)
            if sealed.id in ids and self._inbox.put(Incoming(MessageReceived(sealed, peer)), self._rank(sealed.signer)):
                taken.add(sealed.id)
        return taken

    async def _sync_request(self, peer: PeerId, body: Digests | Get) -> Missing | Objects:
        reply = await self._network.request(
            peer,
            SYNC_PROTOCOL,
            encode_frame(SyncRequest(body)),
            timeout=TASK_TIMEOUT,
            max_reply=MAX_SYNC_REPLY,
        )
        return decode_frame(SyncReply, reply).body

    # ── finding ───────────────────────────────────────────────────────────────────────────────────

    async def find_members(self, effect: FindMembers) -> None:
        """Connect to members that the DHT names, as long as the spec is wanted; the node pulls from who comes up."""
        key = members_key(effect.benchmark, self._network_id)
        while effect.benchmark in self._state().wanted:
            with suppress(NetworkError):  # nobody to ask yet
                for peer in await self._network.find(key, timeout=FIND_TIMEOUT):
                    await self._meet(peer)
            await trio.sleep(FIND_AGAIN)

    async def learn(self, effect: Learn) -> None:
        self._network.learn(effect.peer, effect.addresses)
        if effect.meet:
            await self._meet(effect.peer)

    async def _meet(self, peer: PeerId) -> None:
        """Have a connection to ``peer``; what it leads to follows from PeerUp."""
        async with self._dials:
            connected = self.connected()
            if peer not in connected and peer != self._network.peer_id and len(connected) < self._max_peers:
                await self.sync(SyncWith(peer, (DIRECTORY,)))
