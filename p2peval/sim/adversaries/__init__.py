"""The lab's attacks, each a small file: what it does, what it is after, what it knows, and what it costs."""

from __future__ import annotations

from p2peval.sim.adversaries.ballot_stuffer import BallotStuffer
from p2peval.sim.adversaries.bribed_seeds import BribedSeeds
from p2peval.sim.adversaries.camouflage import Camouflage
from p2peval.sim.adversaries.collective import Collective
from p2peval.sim.adversaries.colluders import Colluders
from p2peval.sim.adversaries.crasher import Crasher
from p2peval.sim.adversaries.eclipse import Eclipse
from p2peval.sim.adversaries.equivocator import Equivocator
from p2peval.sim.adversaries.fraud_forger import FraudForger
from p2peval.sim.adversaries.gossip_flooder import GossipFlooder
from p2peval.sim.adversaries.lazy_copier import LazyCopier
from p2peval.sim.adversaries.on_off import OnOff
from p2peval.sim.adversaries.partitioner import Partitioner
from p2peval.sim.adversaries.slanderer import Slanderer
from p2peval.sim.adversaries.sleeper import Sleeper
from p2peval.sim.adversaries.slow_roller import SlowRoller
from p2peval.sim.adversaries.spies import Spies
from p2peval.sim.adversaries.sybils import Sybils
from p2peval.sim.adversaries.targeting import Targeting
from p2peval.sim.adversaries.whitewasher import Whitewasher
from p2peval.sim.adversaries.withholding_evaluator import WithholdingEvaluator
from p2peval.sim.adversaries.withholding_requester import WithholdingRequester
from p2peval.sim.adversary import Adversary

_RESULTS: tuple[type[Adversary], ...] = (
    Sybils,
    Collective,
    Camouflage,
    Spies,
    Sleeper,
    Whitewasher,
    OnOff,
    Colluders,
    LazyCopier,
    Targeting,
    WithholdingEvaluator,
)
"""Attacks on results, and on whom one asks."""

_WORDS: tuple[type[Adversary], ...] = (
    Slanderer,
    BallotStuffer,
    BribedSeeds,
    Equivocator,
    FraudForger,
)
"""Attacks by what is said of others."""

_NETWORK: tuple[type[Adversary], ...] = (
    Eclipse,
    GossipFlooder,
    SlowRoller,
    WithholdingRequester,
    Partitioner,
    Crasher,
)
"""Attacks on the network, and on everybody's time."""

ADVERSARIES: dict[str, type[Adversary]] = {kind.name(): kind for kind in (*_RESULTS, *_WORDS, *_NETWORK)}
"""By the names that scenarios use."""
