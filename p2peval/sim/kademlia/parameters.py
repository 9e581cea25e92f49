"""What a Kademlia of the lab does and how much of it; by default what py-libp2p 0.8.1 and our discovery do."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval import defaults
from p2peval.core.types import Seconds


@dataclass(frozen=True, slots=True)
class Parameters:
    """``nearest``: k, peers of a bucket and of an answer. ``parallel``: alpha, questions at once.

    ``wide``: any full bucket splits while there are fewer than ``buckets`` (libp2p 0.8.1: up to 5 000 peers are known);
    else only the one that holds one's own id (Maymounkov & Mazières 2002, §2.4). ``home``: peers of that one bucket.
    ``holders``: peers nearest a key that are given it and asked for it. ``learns``: hosts get to know who asks them
    and whom they are told of. ``paths``: S/Kademlia's d; 1 is libp2p's way. ``siblings``: its s, hosts nearest a key
    that all know each other. ``ranked``: of the providers that holders name the most agreed on are taken
    (``core.hearsay``); else the first.
    """

    nearest: int = defaults.DHT_NEAREST
    home: int = defaults.DHT_NEAREST
    buckets: int = defaults.DHT_BUCKETS
    wide: bool = True
    learns: bool = True
    parallel: int = defaults.DHT_PARALLEL
    rounds: int = defaults.DHT_ROUNDS
    hop_patience: Seconds = defaults.DHT_HOP_PATIENCE
    patience: Seconds = defaults.DHT_PATIENCE
    way: Seconds = defaults.DHT_WAY
    holders: int = defaults.DHT_HOLDERS
    paths: int = 1
    siblings: int = defaults.DHT_NEAREST
    limit: int = defaults.FOUND_PROVIDERS
    ranked: bool = True
    kept: int = defaults.DHT_PROVIDERS_KEPT
    lifetime: Seconds = defaults.DHT_PROVIDER_LIFETIME
    interval: Seconds = defaults.PROVIDE_INTERVAL
    retry: Seconds = defaults.PROVIDE_RETRY

    def __post_init__(self) -> None:
        if min(self.nearest, self.home, self.buckets, self.parallel, self.paths, self.siblings, self.holders) < 1:
            raise ValueError(f"every number of peers, buckets or paths must be at least 1: {self}")
