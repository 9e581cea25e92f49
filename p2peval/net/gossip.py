"""GossipSub with its teeth drawn: small announcements, best effort, to whoever subscribed.

Nothing here is reliable by design: what must arrive travels by sync. What this file does promise is that a
handler is called at most once per message, is never lied to about who forwarded it, and that every message
we drop ourselves is counted. Settings: libp2p.md ("Build on", traps 1 to 5); GossipSub v1.1 only.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from typing import Any

import trio
from libp2p.abc import INetStream
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.net.guard import GuardedHost
from p2peval.net.network import GossipHandler
from p2peval.net.pace import Pace, judged
from p2peval.net.streams import BROKEN, check_outgoing

log = logging.getLogger(__name__)

PROTOCOL = str(PROTOCOL_ID_V11)

_VERDICTS = 8192  # messages whose verdict is remembered; at 100/s that is 80 s, and libp2p keeps its own 120 s


class GuardedPubsub(Pubsub):
    """Pubsub whose read loop resets a stream of nonsense and forgets its subscriptions before raising on."""

    async def stream_handler(self, stream: INetStream) -> None:
        try:
            await super().stream_handler(stream)
        except BROKEN:
            self._handle_dead_peer(stream.muxed_conn.peer_id)
            raise


class Gossip:
    """Topics of one node. ``pubsub`` and ``router`` are services for the host to run."""

    def __init__(self, host: GuardedHost, counters: Counter[str]) -> None:
        self.router = GossipSub(
            protocols=[PROTOCOL_ID_V11],
            degree=6,
            degree_low=4,
            degree_high=12,
            heartbeat_interval=1,  # libp2p's own default is 120 s
            heartbeat_initial_delay=0.1,
            do_px=False,
            spam_protection_enabled=False,  # silently drops at 10/s per forwarder; admission limits per origin
            eclipse_protection_enabled=False,
            adaptive_gossip_enabled=False,
        )
        self.pubsub = GuardedPubsub(host, self.router, strict_signing=True)
        self._self = host.get_id()
        self._counters = counters
        self._pace = Pace(defaults.GOSSIP_RATE, defaults.GOSSIP_BURST)
        self._topics: dict[str, trio.CancelScope] = {}
        self._verdicts: OrderedDict[bytes, bool] = OrderedDict()

    async def subscribe(self, topic: str, handler: GossipHandler, nursery: trio.Nursery) -> None:
        """Call ``handler`` for each message that others publish on ``topic``. A second call replaces the handler."""
        self.pubsub.set_topic_validator(topic, self._validator(handler), is_async_validator=True)
        if topic in self._topics:
            return
        scope = self._topics[topic] = trio.CancelScope()
        subscription = await self.pubsub.subscribe(topic)
        nursery.start_soon(self._drain, scope, subscription)

    async def unsubscribe(self, topic: str) -> None:
        scope = self._topics.pop(topic, None)
        if scope is not None:
            await self.pubsub.unsubscribe(topic)
            scope.cancel()
            self.pubsub.remove_topic_validator(topic)

    async def publish(self, topic: str, data: bytes) -> None:
        """Paced; a lack of neighbours is no error. Raises LocalProtocolError beyond GOSSIP_MAX_BYTES."""
        check_outgoing(data, defaults.GOSSIP_MAX_BYTES, "gossip")
        await self._pace.turn()
        try:
            await self.pubsub.publish(topic, data)
        except (*BROKEN, SwarmException) as error:
            self._counters["gossip.unsent"] += 1
            log.debug("publishing on %s: %r", topic, error)
        else:
            self._counters["gossip.sent"] += 1

    def ready(self, topic: str) -> bool:
        """Whether we have subscribed to ``topic`` and hold a neighbour in its mesh."""
        return bool(self.router.mesh.get(topic))

    def _validator(self, handler: GossipHandler) -> Any:
        async def validate(forwarder: ID, message: rpc_pb2.Message) -> bool:
            if forwarder == self._self:
                return True  # our own publication on its way out
            return self._judge(handler, forwarder, message)

        return validate

    def _judge(self, handler: GossipHandler, forwarder: ID, message: rpc_pb2.Message) -> bool:
        """One verdict per message, however many neighbours forward it while libp2p's own cache is still cold."""
        key = message.from_id + message.seqno
        known = self._verdicts.get(key)
        if known is not None:
            self._counters["gossip.duplicate"] += 1
            return known
        if len(message.data) > defaults.GOSSIP_MAX_BYTES:
            self._counters["gossip.too_long"] += 1
            verdict = False
        else:
            verdict = judged(handler, PeerId(str(forwarder)), message.data, self._counters)
        self._verdicts[key] = verdict
        while len(self._verdicts) > _VERDICTS:
            self._verdicts.popitem(last=False)
        return verdict

    async def _drain(self, scope: trio.CancelScope, subscription: Any) -> None:
        """The handler had each message from the validator; libp2p's 32-message buffer is only kept from filling."""
        with scope:
            async for _ in subscription:
                pass
