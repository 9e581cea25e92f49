"""How long a message takes between two hosts, and whether it gets there at all.

Streams and gossip run over TCP: a lost packet costs a retransmission, not the message. What cuts a message off is a
partition. A pair of hosts keeps its own base latency, as places do; each message adds its jitter, and its size over the
bandwidth. Delays can be quantised, so that many messages arrive at the very same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, exp
from random import Random
from statistics import NormalDist

from p2peval.core.types import Seconds
from p2peval.sim.scenario import Latency

RETRANSMISSION = 0.2  # s; Linux's least retransmission time-out (TCP_RTO_MIN)
_NORMAL = NormalDist()


JITTER = 0.1
"""Share of its pair's latency that a message may take longer, uniform from 0; none where latency is constant. Guess."""


@dataclass(frozen=True, slots=True)
class Cut:
    """From ``start`` for ``seconds``, the hosts in ``apart`` hear only each other, and nobody else hears them."""

    start: Seconds
    seconds: Seconds
    apart: frozenset[int]


class Links:
    """``loss``: chance 0 to 1 that a packet is lost. ``mbps``: of each host, 0 for no limit. ``step_ms``: quantum.

    ``extra_ms``: what each host's region adds to what it sends and receives; empty for none.
    """

    __slots__ = ("_base", "_extra", "_latency", "_loss", "_mbps", "_rng", "_seed", "_step", "cuts")

    def __init__(
        self,
        seed: int,
        latency: Latency,
        *,
        loss: float = 0.0,
        mbps: float = 0.0,
        step_ms: float = 0.0,
        extra_ms: Sequence[float] = (),
        cuts: Sequence[Cut] = (),
    ) -> None:
        self._seed = seed
        self._rng = Random(f"{seed}/links")
        self._latency = latency
        self._loss = loss
        self._mbps = mbps
        self._step = step_ms / 1000
        self._extra = tuple(extra_ms)
        self.cuts = tuple(cuts)
        self._base: dict[tuple[int, int], Seconds] = {}

    def delay(self, sender: int, receiver: int, size: int, now: Seconds) -> Seconds | None:
        """Seconds until ``size`` bytes are there; None where a partition stands between them."""
        if self.cuts and self._parted(sender, receiver, now):
            return None
        seconds = self._pair(sender, receiver)
        if self._latency.kind != "constant":
            seconds *= 1.0 + JITTER * self._rng.random()
        while self._loss and self._rng.random() < self._loss:
            seconds += RETRANSMISSION
        if self._mbps:
            seconds += size * 8e-6 / self._mbps
        return ceil(seconds / self._step) * self._step if self._step else seconds

    def _parted(self, one: int, other: int, now: Seconds) -> bool:
        return any(
            cut.start <= now < cut.start + cut.seconds and (one in cut.apart) != (other in cut.apart)
            for cut in self.cuts
        )

    def _pair(self, one: int, other: int) -> Seconds:
        """The same both ways, whatever was sent before."""
        pair = (one, other) if one < other else (other, one)
        held = self._base.get(pair)
        if held is None:
            held = self._base[pair] = self._drawn(pair)
        return held

    def _drawn(self, pair: tuple[int, int]) -> Seconds:
        seen = blake2b(f"{self._seed}/{pair[0]}/{pair[1]}".encode(), digest_size=6).digest()
        quantile = (int.from_bytes(seen, "big") + 0.5) / 2**48
        extra = sum(self._extra[host] for host in pair) if self._extra else 0.0
        return (_at(self._latency, quantile) + extra) / 1000


def _at(latency: Latency, quantile: float) -> float:
    """Milliseconds below which that share of all pairs is."""
    match latency.kind:
        case "uniform":
            return latency.low_ms + quantile * (latency.high_ms - latency.low_ms)
        case "lognormal":
            return latency.median_ms * exp(latency.sigma * _NORMAL.inv_cdf(quantile))
        case _:
            return latency.median_ms
