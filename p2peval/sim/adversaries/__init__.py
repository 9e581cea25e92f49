"""The lab's attacks, each a small file: what it does, what it is after, what it knows, and what it costs."""

from __future__ import annotations

from p2peval.sim.adversaries.camouflage import Camouflage
from p2peval.sim.adversaries.collective import Collective
from p2peval.sim.adversaries.colluders import Colluders
from p2peval.sim.adversaries.lazy_copier import LazyCopier
from p2peval.sim.adversaries.on_off import OnOff
from p2peval.sim.adversaries.sleeper import Sleeper
from p2peval.sim.adversaries.spies import Spies
from p2peval.sim.adversaries.sybils import Sybils
from p2peval.sim.adversaries.targeting import Targeting
from p2peval.sim.adversaries.whitewasher import Whitewasher
from p2peval.sim.adversaries.withholding_evaluator import WithholdingEvaluator
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

ADVERSARIES: dict[str, type[Adversary]] = {kind.name(): kind for kind in _RESULTS}
"""By the names that scenarios use."""
