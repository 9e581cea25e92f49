"""How one host judges those that it is connected to: the seven parts of gossipsub v1.1's peer score.

Purely local and never told to anybody; it has nothing to do with reputation. Counters decay once an interval; here
that is worked out when they are next looked at, so a peer that does nothing costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from p2peval.core.types import Seconds
from p2peval.sim.gossip.params import Weights

AWAY = -1.0


class Tally:
    """One peer in one topic. ``meshed``: since when it is in the mesh, AWAY where it is not."""

    __slots__ = ("failure", "first", "invalid", "meshed", "rate", "tick")

    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.meshed = AWAY
        self.first = self.rate = self.failure = self.invalid = 0.0

    def decay(self, tick: int, w: Weights) -> None:
        n = tick - self.tick
        if n <= 0:
            return
        self.tick, zero = tick, w.zero
        if self.first:
            self.first = _faded(self.first, w.first_decay, n, zero)
        if self.rate:
            self.rate = _faded(self.rate, w.rate_decay, n, zero)
        if self.failure:
            self.failure = _faded(self.failure, w.failure_decay, n, zero)
        if self.invalid:
            self.invalid = _faded(self.invalid, w.invalid_decay, n, zero)

    def deficit(self, now: Seconds, w: Weights) -> float:
        """Messages too few, squared; 0 for who has not been in the mesh for long enough."""
        if self.meshed < 0.0 or now - self.meshed <= w.rate_activation or self.rate >= w.rate_threshold:
            return 0.0
        return (w.rate_threshold - self.rate) ** 2

    def worth(self, now: Seconds, w: Weights) -> float:
        time = min((now - self.meshed) / w.time_quantum, w.time_cap) if self.meshed >= 0.0 else 0.0
        return w.topic * (
            w.time * time
            + w.first * self.first
            + w.rate * self.deficit(now, w)
            + w.failure * self.failure
            + w.invalid * self.invalid**2
        )


class Standing:
    """One peer. ``until``: when it is forgotten, while it is not connected."""

    __slots__ = ("behaviour", "tallies", "tick", "until")

    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.behaviour = 0.0
        self.tallies: dict[int, Tally] = {}
        self.until: Seconds | None = None


class Standings:
    """All peers of one host. ``near``: peers per address; ``said``: what the application says of a peer."""

    __slots__ = ("_peers", "addresses", "gray", "near", "said", "weights")

    def __init__(self, weights: Weights, addresses: dict[int, int], said: Callable[[int], float]) -> None:
        self.weights = weights
        self.addresses = addresses
        self.said = said
        self.near: dict[int, int] = {}
        self.gray: dict[int, None] = {}
        self._peers: dict[int, Standing] = {}

    def of(self, peer: int, now: Seconds) -> float:
        """The peer's standing: 0 for who has done nothing, good or bad."""
        w, value = self.weights, 0.0
        standing = self._peers.get(peer)
        if standing is not None:
            tick = int(now / w.interval)
            for tally in standing.tallies.values():
                tally.decay(tick, w)
                value += tally.worth(now, w)
            if standing.behaviour:
                self._fade(standing, tick)
                value += w.behaviour * max(0.0, standing.behaviour - w.behaviour_threshold) ** 2
        if w.app:
            value += w.app * self.said(peer)
        if w.address:
            surplus = self.near.get(self.addresses.get(peer, peer), 0) - w.address_threshold
            value += w.address * max(0, surplus) ** 2
        return value

    def not_below(self, least: float, peers: Iterable[int], now: Seconds) -> list[int]:
        """Those of ``peers`` who stand at ``least`` or above."""
        if self.weights.app or self.weights.address:
            return [peer for peer in peers if self.of(peer, now) >= least]
        known, good = self._peers, least <= 0.0
        return [peer for peer in peers if (self.of(peer, now) >= least if peer in known else good)]

    def met(self, peer: int, now: Seconds) -> None:
        address = self.addresses.get(peer, peer)
        self.near[address] = self.near.get(address, 0) + 1
        standing = self._peers.get(peer)
        if standing is not None and standing.until is not None:
            if standing.until < now:
                del self._peers[peer]
            else:
                standing.until = None

    def parted(self, peer: int, now: Seconds) -> None:
        """A bad standing is kept for a while, so that reconnecting does not wash it off; a good one is not."""
        bad = self.of(peer, now) < 0.0
        address = self.addresses.get(peer, peer)
        self.near[address] -= 1
        standing = self._peers.get(peer)
        if standing is None:
            return
        if bad:
            standing.until = now + self.weights.retain
            for tally in standing.tallies.values():
                tally.meshed = AWAY
        else:
            del self._peers[peer]
            self.gray.pop(peer, None)

    def grafted(self, peer: int, topic: int, now: Seconds) -> None:
        self._tally(peer, topic, now).meshed = now

    def pruned(self, peer: int, topic: int, now: Seconds) -> None:
        """What it owed the mesh sticks to it."""
        tally = self._tally(peer, topic, now)
        tally.failure += tally.deficit(now, self.weights)
        tally.meshed = AWAY

    def brought(self, peer: int, topic: int, now: Seconds) -> None:
        """It was first to bring a valid message."""
        tally, w = self._tally(peer, topic, now), self.weights
        tally.first = min(tally.first + 1.0, w.first_cap)
        if tally.meshed >= 0.0:
            tally.rate = min(tally.rate + 1.0, w.rate_cap)

    def brought_too(self, peer: int, topic: int, now: Seconds) -> None:
        """It brought a copy hardly later."""
        tally, w = self._tally(peer, topic, now), self.weights
        if tally.meshed >= 0.0:
            tally.rate = min(tally.rate + 1.0, w.rate_cap)

    def brought_rubbish(self, peer: int, topic: int, now: Seconds) -> None:
        self._tally(peer, topic, now).invalid += 1.0
        self.look(peer, now)

    def misbehaved(self, peer: int, misdeeds: int, now: Seconds) -> None:
        if self.weights.behaviour:
            standing = self._standing(peer, now)
            self._fade(standing, int(now / self.weights.interval))
            standing.behaviour += misdeeds
            self.look(peer, now)

    def look(self, peer: int, now: Seconds) -> float:
        """Its standing; on the way it is put onto the list of those not listened to, or taken off."""
        value = self.of(peer, now)
        if value < self.weights.graylist_threshold:
            self.gray[peer] = None
        else:
            self.gray.pop(peer, None)
        return value

    def _standing(self, peer: int, now: Seconds) -> Standing:
        standing = self._peers.get(peer)
        if standing is None:
            standing = self._peers[peer] = Standing(int(now / self.weights.interval))
        return standing

    def _tally(self, peer: int, topic: int, now: Seconds) -> Tally:
        tallies = self._standing(peer, now).tallies
        tick = int(now / self.weights.interval)
        tally = tallies.get(topic)
        if tally is None:
            tally = tallies[topic] = Tally(tick)
        else:
            tally.decay(tick, self.weights)
        return tally

    def _fade(self, standing: Standing, tick: int) -> None:
        w = self.weights
        standing.behaviour = _faded(standing.behaviour, w.behaviour_decay, tick - standing.tick, w.zero)
        standing.tick = tick


def _faded(count: float, decay: float, intervals: int, zero: float) -> float:
    faded = count * decay**intervals
    return faded if faded >= zero else 0.0
