"""Who is connected, where the others can be dialled, and who has gone silent.

Decides when to dial again (bootstrap peers for ever, others for a while, with a doubling pause) and when a
peer that still holds its connection counts as frozen. Knows no topic and no protocol but ping.
Traps 9, 10 and 11 of libp2p: its own negative cache and its dead connections stay longer than the peers do.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import trio

from p2peval import defaults
from p2peval.core.types import PeerId
from p2peval.errors import ConfigError, NetworkError
from p2peval.net.addresses import transport_address
from p2peval.net.network import PeerChange

log = logging.getLogger(__name__)


class AddressBook:
    """Transport addresses per peer, bounded both ways; the longest unused peer is forgotten first."""

    def __init__(self, counters: Counter[str]) -> None:
        self._known: OrderedDict[PeerId, tuple[str, ...]] = OrderedDict()
        self._counters = counters

    def learn(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Replace what was known of ``peer``; addresses that are none are dropped and counted."""
        good = self._sound(addresses)
        if not good:
            return
        self._known[peer] = good
        self._known.move_to_end(peer)
        while len(self._known) > defaults.MAX_KNOWN_PEERS:
            self._known.popitem(last=False)

    def of(self, peer: PeerId) -> tuple[str, ...]:
        return self._known.get(peer, ())

    def merged(self, peer: PeerId, more: Sequence[str]) -> tuple[str, ...]:
        """What is known of ``peer`` first, then the sound ones of ``more``."""
        return tuple(dict.fromkeys([*self.of(peer), *self._sound(more)]))[: defaults.MAX_ADDRESSES]

    def _sound(self, addresses: Sequence[str]) -> tuple[str, ...]:
        sound = []
        for text in addresses[: defaults.MAX_ADDRESSES]:
            try:
                sound.append(transport_address(text))
            except ConfigError:
                self._counters["addresses.malformed"] += 1
        return tuple(dict.fromkeys(sound))


class Changes:
    """Turns connections that come and go into peers that come and go."""

    def __init__(self) -> None:
        # Unbounded, but each entry costs the peer a Noise handshake and us far less than its connection did.
        self._send, self._receive = trio.open_memory_channel[PeerChange](math.inf)
        self._up: set[PeerId] = set()

    def note(self, peer: PeerId, connected: bool) -> None:
        """Record that ``peer`` now has, or has not, any connection."""
        if connected == (peer in self._up):
            return
        (self._up.add if connected else self._up.discard)(peer)
        self._send.send_nowait(PeerChange(peer, connected))

    async def next(self) -> PeerChange:
        return await self._receive.receive()


@dataclass(slots=True)
class _Redial:
    """One absent peer: how often it was tried, and when next."""

    tries: int = 0
    due: float = 0.0
    forever: bool = False

    def again(self, now: float) -> None:
        self.tries += 1
        pause: float = min(defaults.REDIAL_FIRST * 2.0 ** min(self.tries, 16), defaults.REDIAL_LAST)
        self.due = now + pause * (0.75 + secrets.randbelow(500) / 1000)  # spread, or a healed network dials as one


@dataclass(slots=True)
class Healer:
    """Dials bootstrap peers at once and again for ever, and peers that dropped for some minutes."""

    dial: Callable[[PeerId], Awaitable[None]]
    is_connected: Callable[[PeerId], bool]
    _absent: dict[PeerId, _Redial] = field(default_factory=dict)
    _bootstrap: set[PeerId] = field(default_factory=set)
    _changed: trio.Event = field(default_factory=trio.Event)

    def keep(self, peer: PeerId) -> None:
        """``peer`` is a bootstrap peer: dial it now and whenever it is gone."""
        self._bootstrap.add(peer)
        self._schedule(peer, trio.current_time())

    def lost(self, peer: PeerId) -> None:
        """``peer`` dropped: try to get it back."""
        self._schedule(peer, trio.current_time() + defaults.REDIAL_FIRST)

    def forget(self, peer: PeerId) -> None:
        """``peer`` is here again, or unwanted."""
        self._absent.pop(peer, None)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            while True:
                await self._wait()
                now = trio.current_time()
                for peer in [peer for peer, redial in self._absent.items() if redial.due <= now]:
                    self._try(peer, now, nursery)

    def _schedule(self, peer: PeerId, due: float) -> None:
        self._absent.setdefault(peer, _Redial(forever=peer in self._bootstrap)).due = due
        self._changed.set()

    async def _wait(self) -> None:
        next_due = min((redial.due for redial in self._absent.values()), default=math.inf)
        with trio.move_on_at(next_due):
            await self._changed.wait()
        self._changed = trio.Event()

    def _try(self, peer: PeerId, now: float, nursery: trio.Nursery) -> None:
        redial = self._absent[peer]
        if self.is_connected(peer) or (not redial.forever and redial.tries >= defaults.REDIAL_TRIES):
            del self._absent[peer]
            return
        redial.again(now)
        nursery.start_soon(self._dial, peer)

    async def _dial(self, peer: PeerId) -> None:
        try:
            await self.dial(peer)
        except NetworkError as error:
            log.debug("redial of %s: %s", peer, error)
        else:
            self.forget(peer)


class Heartbeat:
    """Pings every connected peer; reports round trips and drops who missed too many."""

    def __init__(
        self,
        peers: Callable[[], Sequence[PeerId]],
        ping: Callable[[PeerId], Awaitable[float]],
        drop: Callable[[PeerId], Awaitable[None]],
    ) -> None:
        self._peers, self._ping, self._drop = peers, ping, drop
        self._misses: Counter[PeerId] = Counter()
        self.rtt_ms: dict[PeerId, float] = {}

    async def run(self) -> None:
        while True:
            async with trio.open_nursery() as nursery:
                for peer in self._peers():
                    nursery.start_soon(self._check, peer)
                await trio.sleep(defaults.HEARTBEAT_INTERVAL)
            self._forget_absent()

    async def _check(self, peer: PeerId) -> None:
        try:
            with trio.fail_after(defaults.HEARTBEAT_TIMEOUT):
                self.rtt_ms[peer] = 1000 * await self._ping(peer)
        except (NetworkError, trio.TooSlowError):
            self._misses[peer] += 1
            if self._misses[peer] >= defaults.HEARTBEAT_MISSES:
                await self._drop(peer)
        else:
            del self._misses[peer]

    def _forget_absent(self) -> None:
        present = set(self._peers())
        for gone in [peer for peer in self.rtt_ms if peer not in present]:
            del self.rtt_ms[gone]
        for gone in [peer for peer in self._misses if peer not in present]:
            del self._misses[gone]
