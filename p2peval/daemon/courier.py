"""Deliveries: one envelope to one peer, again and again until it says that it has it (at least once)."""

from __future__ import annotations

import trio

from p2peval.core.effects import Send
from p2peval.core.events import SendFailed
from p2peval.daemon.clock import Clock
from p2peval.defaults import MAX_OBJECT_BYTES, RESUME_GRACE, RETRY_FIRST, RETRY_MOST, TASK_TIMEOUT
from p2peval.errors import NetworkError, RemoteProtocolError
from p2peval.net.network import Network
from p2peval.wire.codec import decode_frame
from p2peval.wire.frames import Ack
from p2peval.wire.topics import TASK_PROTOCOL

TRY_LATER = frozenset({"busy", "read_only"})
"""Refusals that pass by themselves."""


class Courier:
    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def send(self, effect: Send) -> SendFailed | None:
        """None once the peer has acknowledged; SendFailed when it refused, or ``until`` has passed."""
        pause = RETRY_FIRST
        until = max(effect.until, self._clock() + RESUME_GRACE)
        while True:
            refused = await self._try(effect)
            if refused == "":
                return None
            if refused not in TRY_LATER and refused != "unreachable":
                return SendFailed(effect.id, effect.peer, effect.about, refused)
            if self._clock() + pause > until:
                return SendFailed(effect.id, effect.peer, effect.about, "")
            await trio.sleep(pause)
            pause = min(2 * pause, RETRY_MOST)

    async def _try(self, effect: Send) -> str:
        """ "" when delivered, else a reason code."""
        try:
            reply = await self._network.request(
                effect.peer, TASK_PROTOCOL, effect.envelope, timeout=TASK_TIMEOUT, max_reply=MAX_OBJECT_BYTES
            )
            ack = decode_frame(Ack, reply)
        except NetworkError:
            return "unreachable"
        except RemoteProtocolError:
            return "malformed_ack"
        return "" if ack.accepted else ack.reason or "refused"
