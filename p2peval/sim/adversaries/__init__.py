"""The lab's attacks, each a small file: what it does, what it knows, what it costs, and where it comes from."""

from __future__ import annotations

from p2peval.sim.adversaries.colluders import Colluders
from p2peval.sim.adversary import Adversary

ADVERSARIES: dict[str, type[Adversary]] = {kind.name(): kind for kind in (Colluders,)}
"""By the names that scenarios use."""
