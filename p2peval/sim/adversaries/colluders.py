"""Colluders: one and the same wrong answer from several replicas, which defeats a quorum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from p2peval.sim.adversaries.liar import Liar


@dataclass
class Colluders(Liar):
    """x"""

    knows: ClassVar[str] = "x"
    costs: ClassVar[str] = "y"
