"""Finding peers that hold a key, through a Kademlia DHT under our own protocol prefix.

Only provider records are used, and nothing they say is believed: a found peer is a hint about whom to ask.
libp2p 0.8.1 reports a provide as done that nobody stored, returns only ourselves for a key that we provide,
sends every key again in one burst, and never forgets a stranger's keys; so lookup, announcing and
re-announcing are driven from here, on top of its routing table, store and messages. libp2p.md, traps 6 to 9.
Against peers that lie or are silent stand three things, each measured in the lab (simulations/papers/skademlia.md):
nobody is waited for long on the way to a key, more peers hold it than 20 Sybils can drive out, and who names a crowd
of false providers has no more say than who names one. Knows no meaning of a key. Spec: libp2p kad-dht.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import trio
from libp2p.kad_dht import peer_routing
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.records.pubkey import PublicKeyValidator
from libp2p.records.utils import InvalidRecordType
from libp2p.records.validator import NamespacedValidator

from p2peval import defaults
from p2peval.core.hearsay import most_agreed
from p2peval.core.types import PeerId
from p2peval.net.guard import GuardedHost

log = logging.getLogger(__name__)

FIXED_PROTOCOL = "/ipfs/kad/1.0.0"
"""What libp2p calls its DHT whatever prefix it is given; GuardedHost renames it on the wire."""

vars(peer_routing).update(QUERY_TIMEOUT=defaults.DHT_HOP_PATIENCE)
"""A round of questions lasts as long as its slowest; libp2p has no option for it, and 10 s outlast a whole search."""

_FEED_INTERVAL = 1.0  # seconds between looks for connected peers that the routing table lacks
_FOREIGN_KEYS = 16_384  # keys whose providers we keep for others: ~20 MB at worst
_SHA2_256 = b"\x12\x20"  # multihash prefix


def dht_key(key: bytes) -> bytes:
    """Where ``key`` lies in the DHT: its sha2-256 multihash."""
    return _SHA2_256 + sha256(key).digest()


@dataclass(frozen=True, slots=True)
class Provider:
    """Someone said to hold a key, and where it is said to be reachable."""

    peer: PeerId
    addresses: tuple[str, ...]


class Discovery:
    """``service`` is for the host to run, as is ``run``, which announces keys in the background."""

    def __init__(self, host: GuardedHost, counters: Counter[str], connected: Callable[[], Iterable[PeerId]]) -> None:
        self.service = KadDHT(
            host,
            DHTMode.SERVER,
            validator=NamespacedValidator({"pk": _SmallPublicKey()}, strict_validation=True),
            validator_changed=True,
            strict_validation=True,
        )
        self._store = self.service.provider_store
        self._store.providers = _Bounded(_FOREIGN_KEYS)
        self._host = host
        self._counters = counters
        self._connected = connected
        self._due: dict[bytes, float] = {}
        self._more = trio.Event()

    def provide(self, key: bytes) -> None:
        """Announce ``key`` soon, and again every PROVIDE_INTERVAL; beyond MAX_PROVIDED keys it is only counted."""
        place = dht_key(key)
        if place in self._due:
            return
        if len(self._due) >= defaults.MAX_PROVIDED:
            self._counters["dht.too_many_keys"] += 1
            return
        self._due[place] = trio.current_time()
        self._store.add_provider(place, PeerInfo(self._host.get_id(), self._host.get_addrs()))
        self._more.set()

    async def find(self, key: bytes, *, timeout: float, limit: int) -> tuple[Provider, ...]:
        """At most ``limit`` peers other than ourselves, found within ``timeout`` seconds. Never raises."""
        place = dht_key(key)
        found = Hearsay(self._host.get_id())
        found.hear(self._store.get_providers(place))
        with trio.move_on_after(timeout):
            async with trio.open_nursery() as nursery:
                for holder in await self._closest(place):
                    nursery.start_soon(self._ask_into, holder, place, found)
        return tuple(
            Provider(PeerId(str(info.peer_id)), tuple(str(address) for address in info.addrs))
            for info in found.best(limit)
        )

    async def run(self) -> None:
        """Keep the routing table fed and our keys announced, one at a time and paced."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._feed)
            while True:
                with trio.move_on_at(min(self._due.values(), default=math.inf)):
                    await self._more.wait()
                self._more = trio.Event()
                now = trio.current_time()
                for place in [place for place, due in self._due.items() if due <= now]:
                    await self._announce(place)
                    await trio.sleep(defaults.PROVIDE_PAUSE)

    async def _announce(self, place: bytes) -> None:
        if not any(True for _ in self._connected()):
            self._due[place] = trio.current_time() + _FEED_INTERVAL
            return
        holders = [peer for peer in await self._closest(place) if peer != self._host.get_id()]
        await self._each(holders, lambda peer: self._store._send_add_provider(peer, place))
        confirmed = await self._confirmations(holders, place)
        self._counters["dht.provided" if confirmed else "dht.unconfirmed"] += 1
        pause = defaults.PROVIDE_INTERVAL if confirmed else defaults.PROVIDE_RETRY
        self._due[place] = trio.current_time() + pause

    async def _confirmations(self, holders: list[ID], place: bytes) -> int:
        """How many of ``holders`` now name us: a receiver drops what exceeds its rate limit without a word."""
        naming: list[ID] = []

        async def ask(holder: ID) -> None:
            providers, _ = await self._store._get_providers_from_peer_with_closers(holder, place)
            if any(info.peer_id == self._host.get_id() for info in providers):
                naming.append(holder)

        await self._each(holders, ask)
        return len(naming)

    async def _closest(self, place: bytes) -> list[ID]:
        return list(await self.service.peer_routing.find_closest_peers_network(place, defaults.DHT_HOLDERS))

    async def _ask_into(self, holder: ID, place: bytes, found: Hearsay) -> None:
        if holder == self._host.get_id():
            return
        with trio.move_on_after(defaults.DHT_PATIENCE):
            providers, _ = await self._store._get_providers_from_peer_with_closers(holder, place)
            found.hear(providers)

    async def _each(self, peers: list[ID], query: Callable[[ID], Awaitable[object]]) -> None:
        limit = trio.CapacityLimiter(defaults.DHT_PARALLEL)

        async def one(peer: ID) -> None:
            async with limit:
                with trio.move_on_after(defaults.DHT_PATIENCE):
                    await query(peer)

        async with trio.open_nursery() as nursery:
            for peer in peers:
                nursery.start_soon(one, peer)

    async def _feed(self) -> None:
        """Connected peers do not enter the routing table by themselves, and libp2p would look for its own name."""
        table, peerstore = self.service.routing_table, self._host.get_peerstore()
        spoken = self._host.on_wire(FIXED_PROTOCOL)
        while True:
            for name in self._connected():
                peer = ID.from_base58(name)
                if not table.peer_in_table(peer) and peerstore.supports_protocols(peer, [spoken]):
                    await self.service.add_peer(peer, skip_server_mode_check=True)
            await trio.sleep(_FEED_INTERVAL)


class Hearsay:
    """Providers of one key, as its holders name them."""

    def __init__(self, own: ID) -> None:
        self._own = own
        self._words: list[list[ID]] = []
        self._named: dict[ID, PeerInfo] = {}

    def hear(self, providers: Iterable[PeerInfo]) -> None:
        """What one holder says. Where a provider is, the first that names it says."""
        others = [info for info in providers if info.peer_id != self._own]
        self._words.append([info.peer_id for info in others])
        for info in others:
            self._named.setdefault(info.peer_id, info)

    def best(self, limit: int) -> list[PeerInfo]:
        """At most ``limit``; however many false ones a few holders name, those of the others are among them."""
        return [self._named[peer] for peer in most_agreed(self._words, limit)]


class _SmallPublicKey(PublicKeyValidator):
    """The only values we store for others: public keys, which their own DHT key must name."""

    def validate(self, key: str, value: bytes) -> None:
        if len(value) > defaults.DHT_VALUE_BYTES:
            raise InvalidRecordType(f"{len(value)} bytes; {defaults.DHT_VALUE_BYTES} are allowed")
        super().validate(key, value)


class _Bounded(dict[bytes, Any]):
    """A dict that forgets its oldest entry instead of growing beyond ``limit``."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: bytes, value: Any) -> None:
        if key not in self and len(self) >= self._limit:
            del self[next(iter(self))]
        super().__setitem__(key, value)
