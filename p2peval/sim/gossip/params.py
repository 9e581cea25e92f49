"""How a gossip router behaves: degrees, times and the weights of a peer's standing.

Fields bear the specification's meaning; its names stand in the comments. A standing is what the specification calls
a peer score. Three routers are given: ``OURS``, ``HARDENED`` and ``PLAIN``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from p2peval.core.types import Seconds
from p2peval.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Weights:
    """What a standing is made of: the seven parts of v1.1. Defaults: the paper's (its authors' test configuration).

    Decays are per ``interval``; part 6 and 7 weigh nothing by default, as in the paper's two attacks played here.
    """

    topic: float = 0.25  # TopicWeight
    time: float = 0.0027  # part 1, per quantum in the mesh
    time_quantum: Seconds = 1.0
    time_cap: float = 3600.0
    first: float = 0.664  # part 2, per message that the peer was first to bring
    first_decay: float = 0.9916
    first_cap: float = 1500.0
    rate: float = -0.25  # part 3, per squared message under the threshold
    rate_decay: float = 0.997
    rate_cap: float = 400.0
    rate_threshold: float = 10.0
    rate_activation: Seconds = 60.0  # in the mesh before part 3 counts
    rate_window: Seconds = 0.005  # behind the first copy, in which another counts as brought in time
    failure: float = -0.25  # part 3b: what part 3 was when a peer was pruned
    failure_decay: float = 0.997
    invalid: float = -99.0  # part 4, per squared invalid message
    invalid_decay: float = 0.9994
    app: float = 0.0  # part 5, times what the application says
    address: float = 0.0  # part 6, per squared peer of one address above the threshold
    address_threshold: int = 1
    behaviour: float = 0.0  # part 7, per squared misdeed above the threshold
    behaviour_decay: float = 0.986
    behaviour_threshold: float = 0.0
    interval: Seconds = 1.0  # DecayInterval
    zero: float = 0.01  # DecayToZero
    retain: Seconds = 30.0  # for which a bad standing outlives the connection
    gossip_threshold: float = -4000.0
    publish_threshold: float = -5000.0
    graylist_threshold: float = -10_000.0
    opportunistic_threshold: float = 1.0


@dataclass(frozen=True, slots=True)
class Params:
    """A router. Defaults: v1.1 as specified, without standings. Raises ConfigError where degrees contradict."""

    degree: int = 6  # D
    low: int = 4  # D_lo
    high: int = 12  # D_hi
    lazy: int = 6  # D_lazy
    kept: int = 4  # D_score: the best, kept when too many are in the mesh
    outbound: int = 2  # D_out: of the mesh, that this host dialled itself
    gossip_factor: float = 0.25
    gossip_window: int = 3  # heartbeats of messages that are gossiped about
    history: int = 5  # heartbeats for which a message can be asked for
    heartbeat: Seconds = 1.0
    fanout: Seconds = 60.0  # after the last publication to a topic that was not joined
    backoff: Seconds = 60.0  # after a PRUNE
    leave_backoff: Seconds = 10.0  # after a PRUNE for leaving
    graft_flood: Seconds = 10.0  # a GRAFT so soon after a PRUNE is a misdeed twice
    flood_publish: bool = True
    forwards_ignored: bool = False  # whether a message that the application ignores travels on all the same
    refuses_above_high: bool = True  # a GRAFT by who dialled us, once ``high`` are in the mesh
    opportunistic_ticks: int = 60  # heartbeats between two opportunistic grafts; 0: none
    opportunistic_peers: int = 2
    opportunistic_equals: bool = False  # py-libp2p's rule: who is as good as the median will do, if ``low`` are there
    ids: int = 5000  # message ids in one IHAVE, and asked of one peer in a heartbeat
    announcements: int = 10  # IHAVEs heard of one peer in a heartbeat
    retransmissions: int = 3  # of one message to one peer that asks again
    follow_up: Seconds = 3.0  # for a peer to send what it announced
    remembered: Seconds = 120.0  # for which a message is known to have been seen
    weights: Weights | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.outbound <= self.low <= self.degree <= self.high:
            raise ConfigError(
                f"gossip degrees must rise from outbound to high, but are {self.outbound}, {self.low}, "
                f"{self.degree}, {self.high}",
                hint="outbound <= low <= degree <= high",
            )


OURS = Params(
    kept=0,
    outbound=0,
    flood_publish=False,
    forwards_ignored=True,
    refuses_above_high=False,
    opportunistic_ticks=1,
    opportunistic_equals=True,
)
"""What a daemon runs: net/gossip.py's settings on py-libp2p 0.8.1, read from its code.

It takes every GRAFT, never floods its own messages, and its weights are all zero: every peer stands at 0, so nobody
is ever pruned for misdeeds. With all standings equal its opportunistic grafting adds two peers at each heartbeat until
``high`` is passed, then prunes down to ``degree``: the mesh saws instead of resting.
"""

HARDENED = Params(degree=8, low=6, high=12, lazy=12, kept=6, opportunistic_ticks=10, weights=Weights())
"""Vyzovitis et al. 2020: the cold boot run's configuration as published by its authors (gossipsub-hardening)."""

PLAIN = replace(HARDENED, flood_publish=False, outbound=0, kept=0, gossip_factor=0.0, refuses_above_high=False,
                backoff=0.0, leave_backoff=0.0, opportunistic_ticks=0, weights=None)  # fmt: skip
"""Gossipsub v1.0 at the paper's degrees: the baseline that it calls vanilla."""


def at_rate(weights: Weights, rate: float, of: float = 120.0) -> Weights:
    """The same standings at ``rate`` messages/s as ``weights`` give at ``of``: counts that grow with the rate scale."""
    share = rate / of
    return replace(
        weights,
        first=weights.first / share,
        first_cap=weights.first_cap * share,
        rate=weights.rate / share**2,
        failure=weights.failure / share**2,
        rate_cap=weights.rate_cap * share,
        rate_threshold=weights.rate_threshold * share,
        zero=weights.zero * min(share, 1.0),
    )
